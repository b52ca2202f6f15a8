from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.backends.guarded import LONGEST_REPLY, Guarded
from lsp_server.backends.protocol import (
    ChatMessage,
    ChatRequest,
    Chunk,
    FimRequest,
    Origin,
    Readiness,
    ToolCall,
    ToolSpec,
    Usage,
)
from lsp_server.errors import TextWithheld
from lsp_server.privacy.destination import Destination
from lsp_server.privacy.rules import PrivacyRules
from lsp_server.privacy.secret_scan import PLACEHOLDER
from lsp_server.settings import PrivacySettings

SECRET = "hunter2hunter2"
LINE = f'password = "{SECRET}"\n'
FIM = FimRequest(LINE + "x = ", "\ny = 2\n", max_tokens=8, document="file:///project/a.py", stop=("\n",))
ELSEWHERE = [Destination.MY_SERVERS, Destination.THIRD_PARTY]


class Recorder:
    """A backend that writes down its requests and answers with the given pieces."""

    name = "recorder"

    def __init__(self, pieces: Sequence[str] = ("one", " two")) -> None:
        self.pieces = pieces
        self.requests: list[FimRequest | ChatRequest] = []
        self.closed_early = False
        self.did: list[str] = []

    def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        return self._answer(request)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        return self._answer(request)

    async def _answer(self, request: FimRequest | ChatRequest) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        finished = False
        try:
            for piece in self.pieces:
                yield Chunk(piece)
            finished = True
            yield Chunk("", "length", Usage(3))
        finally:
            self.closed_early = not finished

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        yield Readiness(ready=False, message="Loading")
        yield Readiness(ready=True)

    async def probe(self) -> None:
        self.did.append("probe")

    async def aclose(self) -> None:
        self.did.append("aclose")


def _guarded(inside: Recorder, destination: Destination, settings: PrivacySettings | None = None) -> Guarded:
    return Guarded(inside, destination, PrivacyRules(settings or PrivacySettings()))


async def _all(stream: AsyncGenerator[Chunk, None]) -> list[Chunk]:
    async with aclosing(stream):
        return [chunk async for chunk in stream]


async def test_this_machine_sees_all_as_it_is() -> None:
    inside = Recorder([PLACEHOLDER])
    guarded = _guarded(inside, Destination.THIS_MACHINE)
    secret_file = FimRequest(LINE, "", 8, document="file:///project/.env")
    chat = ChatRequest((ChatMessage("user", LINE),), 8, documents=("file:///project/.env",), prediction=LINE)
    chunks = await _all(guarded.fim(secret_file))
    await _all(guarded.chat(chat))
    assert inside.requests == [secret_file, chat]
    assert chunks[0] == Chunk(PLACEHOLDER, origin=Origin("recorder", "this machine"))
    assert [chunk.origin for chunk in chunks[1:]] == [None]
    assert chunks[-1].usage == Usage(3)


@pytest.mark.parametrize("destination", ELSEWHERE)
async def test_elsewhere_a_document_has_a_name_that_tells_nothing(destination: Destination) -> None:
    inside = Recorder()
    guarded = _guarded(inside, destination)
    for document in (FIM.document, FIM.document, "file:///project/b.py", None):
        await _all(guarded.fim(replace(FIM, document=document)))
    first, again, other, without = (sent.document for sent in inside.requests if isinstance(sent, FimRequest))
    assert first == again != other and without is None
    assert first is not None and re.fullmatch("[0-9a-f]{32}", first)


@pytest.mark.parametrize("destination", ELSEWHERE)
async def test_elsewhere_goes_what_is_cleared_and_no_path(destination: Destination) -> None:
    inside = Recorder()
    chunks = await _all(_guarded(inside, destination).fim(FIM))
    (sent,) = inside.requests
    assert isinstance(sent, FimRequest)
    assert (sent.prefix, sent.suffix) == (FIM.prefix.replace(SECRET, PLACEHOLDER), FIM.suffix)
    assert (sent.stop, sent.max_tokens) == (FIM.stop, FIM.max_tokens)
    withheld = ("1 secret in this text (Secret Keyword)",)
    assert chunks[0].origin == Origin("recorder", destination.value, withheld)
    assert [chunk.text for chunk in chunks] == ["one", " two", ""]
    assert [chunk.origin for chunk in chunks[1:]] == [None, None]


@pytest.mark.parametrize("destination", ELSEWHERE)
async def test_nothing_is_sent_from_within_a_secret(destination: Destination) -> None:
    inside = Recorder()
    with pytest.raises(TextWithheld, match="inside what looks like a secret") as raised:
        await _all(_guarded(inside, destination).fim(FimRequest('password = "hun', '"\n', 8)))
    assert inside.requests == []
    assert "hun" not in str(raised.value)


@pytest.mark.parametrize("destination", ELSEWHERE)
async def test_nothing_is_sent_of_an_excluded_file(destination: Destination) -> None:
    inside = Recorder()
    guarded = _guarded(inside, destination, PrivacySettings(scan_secrets=False))
    reason = "`.env` is excluded by the built-in rule `.env`; nothing of it was sent."
    with pytest.raises(TextWithheld) as raised:
        await _all(guarded.fim(FimRequest("A=", "", 8, document="file:///project/.env")))
    assert str(raised.value) == reason
    with pytest.raises(TextWithheld):
        await _all(guarded.chat(ChatRequest((), 8, documents=("file:///a.py", "file:///project/.env"))))
    assert inside.requests == []


async def test_a_file_may_be_excluded_in_the_middle_of_a_session(tmp_path: Path) -> None:
    inside = Recorder()
    guarded = _guarded(inside, Destination.THIRD_PARTY)
    request = FimRequest("x = ", "", 8, document=(tmp_path / "a.py").as_uri())
    await _all(guarded.fim(request))
    (tmp_path / ".lspserverignore").write_text("a.py", encoding="utf-8")
    with pytest.raises(TextWithheld, match="line 1"):
        await _all(guarded.fim(request))
    assert len(inside.requests) == 1


async def test_all_of_a_conversation_is_cleared() -> None:
    inside = Recorder()
    messages = (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", LINE * 2),
        ChatMessage("assistant", LINE),
    )
    request = ChatRequest(messages, 8, documents=("file:///project/a.py",), prediction=LINE)
    chunks = await _all(_guarded(inside, Destination.THIRD_PARTY).chat(request))
    (sent,) = inside.requests
    assert isinstance(sent, ChatRequest)
    assert SECRET not in repr(sent)
    assert "project" not in repr(sent)
    assert [message.role for message in sent.messages] == ["system", "user", "assistant"]
    assert sent.messages[0].content == "Be brief."
    assert sent.prediction == LINE.replace(SECRET, PLACEHOLDER)
    assert chunks[0].origin is not None
    assert chunks[0].origin.withheld == ("4 secrets in this text (Secret Keyword)",)


@pytest.mark.parametrize("size", range(1, len(PLACEHOLDER) + 3))
async def test_a_reply_ends_before_it_repeats_the_placeholder(size: int) -> None:
    reply = f'_b = "{PLACEHOLDER}" and more'
    inside = Recorder([reply[at : at + size] for at in range(0, len(reply), size)])
    chunks = await _all(_guarded(inside, Destination.THIRD_PARTY).fim(FIM))
    assert "".join(chunk.text for chunk in chunks) == '_b = "'
    assert chunks[-1].finish_reason == "stop"
    assert inside.closed_early


async def test_what_only_begins_like_the_placeholder_comes_whole() -> None:
    inside = Recorder(["__WITH", "OUT__", " __WITHHELD", "_"])
    chunks = await _all(_guarded(inside, Destination.THIRD_PARTY).fim(FIM))
    assert "".join(chunk.text for chunk in chunks) == "__WITHOUT__ __WITHHELD_"
    assert chunks[-1].finish_reason == "length"
    assert chunks[-1].usage == Usage(3)


async def test_each_reason_is_in_the_log_once_and_no_text_ever(caplog: pytest.LogCaptureFixture) -> None:
    guarded = _guarded(Recorder(), Destination.THIRD_PARTY)
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            await _all(guarded.fim(FIM))
            with pytest.raises(TextWithheld):
                await _all(guarded.fim(FimRequest("A=", "", 8, document="/project/.env")))
    told = [record for record in caplog.records if record.name == "lsp_server.backends.guarded"]
    assert [record.levelno for record in told] == [logging.INFO] * 2
    assert "Secret Keyword" in caplog.text
    assert ".env" in caplog.text
    assert SECRET not in caplog.text


async def test_closing_early_closes_the_backend_inside() -> None:
    inside = Recorder()
    stream = _guarded(inside, Destination.THIRD_PARTY).fim(FIM)
    assert (await anext(stream)).text == "one"
    await stream.aclose()
    assert inside.closed_early


async def test_the_rest_is_passed_on() -> None:
    inside = Recorder()
    guarded = _guarded(inside, Destination.THIRD_PARTY)
    assert guarded.name == "recorder"
    assert [step.ready async for step in guarded.prepare()] == [False, True]
    await guarded.probe()
    await guarded.aclose()
    assert inside.did == ["probe", "aclose"]


@pytest.mark.parametrize("destination", ELSEWHERE)
async def test_what_tools_are_asked_and_say_is_cleared_like_any_text(destination: Destination) -> None:
    call = ToolCall("9charsID1", "find", f'{{"text": "{LINE.strip()}"}}'.replace('"password', "password"))
    tool = ToolSpec("find", "Find text.", {"type": "object"})
    conversation = (
        ChatMessage("user", "Where?"),
        ChatMessage("assistant", "", tool_calls=(call, replace(call, id="9charsID2", arguments="{}"))),
        ChatMessage("tool", LINE, tool_call_id="9charsID1"),
        ChatMessage("tool", "nothing", tool_call_id="9charsID2"),
    )
    inside = Recorder()
    request = ChatRequest(conversation, 8, prediction=LINE, tools=(tool,))
    await _all(_guarded(inside, destination).chat(request))
    (sent,) = inside.requests
    assert isinstance(sent, ChatRequest)
    assert SECRET not in repr(sent)
    assert PLACEHOLDER in sent.messages[2].content and PLACEHOLDER in sent.messages[1].tool_calls[0].arguments
    assert sent.messages[1].tool_calls[1] == replace(call, id="9charsID2", arguments="{}")
    assert [message.tool_call_id for message in sent.messages] == ["", "", "9charsID1", "9charsID2"]
    assert sent.tools == (tool,) and PLACEHOLDER in (sent.prediction or "")


@pytest.mark.parametrize("destination", [Destination.THIS_MACHINE, *ELSEWHERE])
async def test_a_chat_that_does_not_end_is_ended(destination: Destination) -> None:
    inside = Recorder([LONGEST_REPLY // 4 * "a"] * 9)
    chunks = await _all(_guarded(inside, destination).chat(ChatRequest((ChatMessage("user", "Hi"),), 8)))
    assert sum(len(chunk.text) for chunk in chunks) == LONGEST_REPLY
    assert chunks[-1].finish_reason == "length"
    assert inside.closed_early
