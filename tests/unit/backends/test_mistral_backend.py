"""The Mistral client against a server that is as strict as Mistral's, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from lsp_server.backends import mistral
from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.http import ConnectionRefused
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest
from lsp_server.errors import (
    BackendError,
    BackendRejected,
    BackendUnavailable,
    RateLimited,
    RequestRejected,
    UserFacingError,
)
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

FIM = FimRequest(
    "def add(a, b):\n    return ", "\n", max_tokens=10, stop=("a", "b", "c", "d", "e"), document="add.py"
)

CHAT = ChatRequest((ChatMessage("system", "Be brief."), ChatMessage("user", "Hello")), max_tokens=5)
FIM_WAITS = Deadlines(10.0, 20.0, 25.0)
CHAT_WAITS = Deadlines(10.0, 60.0, 120.0, patient=True)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def endpoint(base_url: str, key: str = API_KEY, *, fim: Deadlines = FIM_WAITS) -> Endpoint:
    return Endpoint(
        "mistral",
        base_url,
        Destination.THIS_MACHINE,
        fim=fim,
        chat=CHAT_WAITS,
        find_key=lambda: Key(key, "the test") if key else None,
        key_hint="the environment variable MISTRAL_API_KEY",
    )


@pytest.fixture
async def backend(server: ScriptedServer) -> AsyncIterator[MistralBackend]:
    opened = MistralBackend(endpoint(server.base_url), "codestral-latest")
    yield opened
    await opened.aclose()


async def text_of(backend: MistralBackend, request: FimRequest = FIM) -> str:
    return "".join([chunk.text async for chunk in backend.fim(request)])


async def error_of(backend: MistralBackend) -> BackendError:
    with pytest.raises(BackendError) as caught:
        await text_of(backend)
    return caught.value


async def test_streams_text_finish_reason_and_usage(server: ScriptedServer, backend: MistralBackend) -> None:
    server.enqueue(Reply(["a", " + ", "b"], finish_reason="model_length"))
    chunks = [chunk async for chunk in backend.fim(FIM)]
    assert [chunk.text for chunk in chunks] == ["a", " + ", "b", ""]
    assert chunks[-1].finish_reason == "length"
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 3


async def test_sends_what_mistral_knows_and_nothing_else(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    await text_of(backend)
    sent = server.history[0]
    assert sent.path == "/v1/fim/completions"
    assert sent.body == {
        "model": "codestral-latest",
        "prompt": FIM.prefix,
        "suffix": "\n",
        "max_tokens": 10,
        "temperature": 0.0,
        "stream": True,
        "stop": ["a", "b", "c", "d"],
    }


async def test_sends_conversations(server: ScriptedServer, backend: MistralBackend) -> None:
    server.enqueue(Reply(["Hi."]))
    assert [chunk.text async for chunk in backend.chat(CHAT)] == ["Hi.", ""]
    assert server.history[0].path == "/v1/chat/completions"
    assert server.history[0].body["messages"][1] == {"role": "user", "content": "Hello"}


async def test_only_our_engine_gets_our_fields(server: ScriptedServer) -> None:
    backend = MistralBackend(endpoint(server.base_url), "m", engine=True)
    error = await error_of(backend)
    await backend.aclose()
    assert server.history[0].body["engine"] == {"document": "add.py", "priority": "completion", "usage": True}
    assert isinstance(error, BackendRejected)
    assert "engine: Extra inputs are not permitted" in str(error)


async def test_unusual_line_ends_do_not_cut_events(server: ScriptedServer, backend: MistralBackend) -> None:
    server.enqueue(Reply(["a\u2028b\x85c\r\n", "\U0001f600"]))
    assert await text_of(backend) == "a\u2028b\x85c\r\n\U0001f600"


@pytest.mark.parametrize(
    "reply", [Reply(hang_before_headers=True), Reply(["a"], hang_after=0), Reply(["a"], hang_after=1)]
)
async def test_cancelling_a_task_closes_the_stream(
    server: ScriptedServer, backend: MistralBackend, reply: Reply
) -> None:
    server.enqueue(reply)
    task = asyncio.create_task(text_of(backend))
    request = await asyncio.to_thread(server.wait_for_request)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(request.disconnected.wait, 20)


async def test_a_reply_that_stays_open_after_its_end(server: ScriptedServer, backend: MistralBackend) -> None:
    server.enqueue(Reply(["a"], hang_after=3))  # the text, the finish reason, [DONE], and then nothing
    assert await text_of(backend) == "a"
    assert await text_of(backend) == "done"


async def test_closing_a_stream_tells_the_server(server: ScriptedServer, backend: MistralBackend) -> None:
    server.enqueue(Reply(["a", "b"], hang_after=1))
    stream = backend.fim(FIM)
    assert await anext(stream) == Chunk("a")
    await stream.aclose()
    assert await asyncio.to_thread(server.history[0].disconnected.wait, 20)


async def test_one_connection_serves_request_after_request(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    ports = set()
    for _ in range(3):
        await text_of(backend)
        ports.add(server.history[-1].client_port)
    assert len(ports) == 1


async def test_who_leaves_with_the_last_piece_leaves_the_connection(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    ports = set()
    for _ in range(3):
        async with aclosing(backend.fim(FIM)) as chunks:
            async for chunk in chunks:
                if chunk.finish_reason is not None:
                    break
        ports.add(server.history[-1].client_port)
        assert await asyncio.to_thread(server.history[-1].finished.wait, 20)
    assert len(ports) == 1


ERRORS = [
    (401, {"detail": "Unauthorized"}, BackendRejected, "refused the key from the test"),
    (401, {"message": "Unauthorized", "request_id": "1"}, BackendRejected, "refused the key from the test"),
    (
        400,
        {"object": "error", "message": "Too long", "type": "x", "param": None, "code": None},
        RequestRejected,
        "Too long",
    ),
    (
        422,
        {"detail": [{"loc": ["body", "max_tokens"], "msg": "too large", "type": "v"}]},
        RequestRejected,
        "max_tokens: too large",
    ),
    (
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "x", "loc": ["body", "n"], "msg": "no"}]},
            "type": "x",
        },
        RequestRejected,
        "n: no",
    ),
    (404, "nothing here", BackendRejected, "has nothing at /v1/fim/completions"),
    (503, {"message": "overloaded"}, BackendUnavailable, "overloaded"),
    (500, None, BackendUnavailable, "HTTP 500"),
]


@pytest.mark.parametrize(("status", "body", "kind", "said"), ERRORS)
async def test_errors_become_one_sentence(
    server: ScriptedServer,
    backend: MistralBackend,
    *,
    status: int,
    body: object,
    kind: type[BackendError],
    said: str,
) -> None:
    server.enqueue(*[Reply(status=status, error=body)] * 2)  # 503 is tried twice
    error = await error_of(backend)
    assert type(error) is kind
    assert said in str(error)
    assert getattr(error, "status", status) == status


async def test_a_rate_limit_is_kept_to(server: ScriptedServer, backend: MistralBackend) -> None:
    server.enqueue(Reply(status=429, error={"message": "Rate limit exceeded"}, headers={"Retry-After": "30"}))
    assert "30 s: Rate limit exceeded" in str(await error_of(backend))
    error = await error_of(backend)
    assert isinstance(error, RateLimited) and 0 < error.wait_s <= 30
    assert len(server.history) == 1


async def test_after_a_short_limit_requests_go_out_again(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    server.enqueue(Reply(status=429, error=None, headers={"retry-after-ms": "1"}))
    await error_of(backend)
    await asyncio.sleep(0.01)
    assert await text_of(backend) == "done"


BROKEN = [
    Reply(["a", "b"], cut_after=1),
    Reply(raw_events=["{not json"]),
    Reply(raw_events=['{"object": "error", "message": "out of memory"}', "[DONE]"]),
    Reply(raw_events=['{"error": {"message": "out of memory"}}', "[DONE]"]),
    Reply(["a"], finish_reason="error"),
    Reply(raw_events=['{"choices": [{"delta": {"content": "a"}}]}']),
]


@pytest.mark.parametrize("reply", BROKEN)
async def test_a_broken_stream_is_an_error(
    server: ScriptedServer, backend: MistralBackend, reply: Reply
) -> None:
    server.enqueue(reply)
    assert isinstance(await error_of(backend), BackendUnavailable)
    assert await text_of(backend) == "done"


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


async def test_nobody_listens() -> None:
    url = closed_port()
    backend = MistralBackend(endpoint(url), "m")
    error = await error_of(backend)
    await backend.aclose()
    assert isinstance(error, BackendUnavailable)
    assert url in str(error)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "http://[::1", "nonsense"])
async def test_a_wrong_address_is_said_to_be_one(url: str) -> None:
    backend = MistralBackend(endpoint(url), "m")
    assert isinstance(await error_of(backend), BackendUnavailable)
    await backend.aclose()


async def test_a_silent_server_is_given_up(server: ScriptedServer) -> None:
    server.enqueue(Reply(hang_before_headers=True))
    backend = MistralBackend(endpoint(server.base_url, fim=Deadlines(10.0, 0.05, None)), "m")
    assert "did not begin" in str(await error_of(backend))
    await backend.aclose()


async def test_a_server_is_ready_when_it_has_loaded_its_model(
    server: ScriptedServer, backend: MistralBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mistral, "LOADING_PAUSE_S", 0.01)
    server.loading = 2
    steps = [readiness async for readiness in backend.prepare()]
    assert [step.ready for step in steps] == [False, False, True]
    assert "loading" in steps[0].message


async def test_a_server_that_cannot_be_reached_says_so_when_it_is_asked() -> None:
    backend = MistralBackend(endpoint(closed_port()), "m")
    assert [readiness.ready async for readiness in backend.prepare()] == [True]
    with pytest.raises(ConnectionRefused):
        await backend.probe()
    await backend.aclose()


async def test_without_a_model_it_is_the_server_s_first(server: ScriptedServer) -> None:
    backend = MistralBackend(endpoint(server.base_url), "", "mistral-large-2411")
    assert await text_of(backend) + await text_of(backend) == "donedone"
    assert [chunk.text async for chunk in backend.chat(CHAT)] == ["done", ""]
    await backend.aclose()
    models = [sent.body["model"] for sent in server.history]
    assert models == ["codestral-latest", "codestral-latest", "mistral-large-2411"]
    assert server.model_lists == 1


async def test_a_server_without_any_model_is_said_to_have_none(server: ScriptedServer) -> None:
    server.models = ()
    backend = MistralBackend(endpoint(server.base_url), "")
    assert "has no model" in str(await error_of(backend))
    await backend.aclose()


async def test_mistral_s_own_hosts_get_what_only_they_know(server: ScriptedServer) -> None:
    backend = MistralBackend(endpoint(server.base_url), "codestral-latest")
    backend._cloud = True  # the name of the host decides it, and no test may ask the real one
    rewrite = replace(CHAT, prediction="x = 1")
    for request in (FIM, FIM, replace(FIM, document="other.py")):
        await text_of(backend, request)
    assert [chunk.text async for chunk in backend.chat(rewrite)] == ["done", ""]
    await backend.aclose()
    first, again, other, chat = (sent.body for sent in server.history)
    assert [sent["prompt_cache_key"] for sent in (first, again, other)] == ["add.py", "add.py", "other.py"]
    assert chat["prediction"] == {"type": "content", "content": "x = 1"}


@pytest.mark.parametrize(
    ("url", "is_cloud"),
    [
        ("https://api.eu.mistral.ai", True),
        ("https://codestral.mistral.ai", True),
        ("https://mistral.ai.example", False),
        ("https://notmistral.ai", False),
    ],
)
def test_mistral_s_own_hosts(url: str, *, is_cloud: bool) -> None:
    assert MistralBackend(endpoint(url), "m")._cloud is is_cloud


async def test_a_chat_waits_for_a_short_limit_and_a_completion_does_not(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    limited = Reply(status=429, error={"message": "Slow down"}, headers={"retry-after-ms": "200"})
    server.enqueue(limited, limited)
    assert isinstance(await error_of(backend), RateLimited)
    assert [chunk.text async for chunk in backend.chat(CHAT)] == ["done", ""]
    assert len(server.history) == 3


async def test_a_chat_tries_again_while_a_server_restarts(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    server.enqueue(*[Reply(status=503, error={"message": "overloaded"}, headers={"retry-after-ms": "1"})] * 3)
    assert [chunk.text async for chunk in backend.chat(CHAT)] == ["done", ""]
    assert len(server.history) == 4


async def test_the_engine_is_asked_once(server: ScriptedServer) -> None:
    """Who started it knows what to do when it fails."""
    server.enqueue(Reply(status=503, error=None), Reply(status=503, error=None))
    backend = MistralBackend(endpoint(server.base_url), "m", engine=True)
    assert isinstance(await error_of(backend), BackendError)
    await backend.aclose()
    assert len(server.history) == 1


async def test_requests_that_the_server_s_counters_forbid_are_not_sent(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    used_up = {"x-ratelimit-limit-req-minute": "6", "x-ratelimit-remaining-req-minute": "0"}
    server.enqueue(Reply(["a"], headers=used_up))
    assert await text_of(backend) == "a"
    error = await error_of(backend)
    assert isinstance(error, RateLimited) and 5 < error.wait_s <= 10
    assert len(server.history) == 1


async def test_a_new_key_is_noticed_after_a_refusal(server: ScriptedServer) -> None:
    keys = ["old", API_KEY]
    asked = []

    def find_key() -> Key:
        asked.append(1)
        return Key(keys.pop(0), "the test")

    backend = MistralBackend(replace(endpoint(server.base_url), find_key=find_key), "codestral-latest")
    assert isinstance(await error_of(backend), BackendRejected)
    assert await text_of(backend) + await text_of(backend) == "donedone"
    await backend.aclose()
    assert len(asked) == 2


async def test_a_missing_key_is_said_to_be_missing(server: ScriptedServer) -> None:
    backend = MistralBackend(endpoint(server.base_url, key=""), "m")
    error = await error_of(backend)
    await backend.aclose()
    assert "none was found: give one by the environment variable MISTRAL_API_KEY" in str(error)


@pytest.mark.parametrize("key", ["secret-key", "secret\nkey", "secret-kéy"])
async def test_the_key_is_in_no_error(server: ScriptedServer, key: str) -> None:
    backend = MistralBackend(endpoint(server.base_url, key), "m")
    with pytest.raises(UserFacingError) as caught:
        await text_of(backend)
    await backend.aclose()
    error = caught.value
    assert "secret" not in f"{error!r} {error.__cause__!r} {error.__context__!r} {backend!r}"


async def test_a_key_that_takes_long_to_find_is_there_for_the_next_request(server: ScriptedServer) -> None:
    may_answer = threading.Event()
    asked = []

    def find_key() -> Key:
        asked.append(1)
        may_answer.wait(20)
        return Key(API_KEY, "a password manager")

    backend = MistralBackend(replace(endpoint(server.base_url), find_key=find_key), "codestral-latest")
    for _ in range(3):
        typed_on = asyncio.create_task(text_of(backend))
        await asyncio.sleep(0.05)
        typed_on.cancel()
        await asyncio.wait({typed_on})
    may_answer.set()
    assert await text_of(backend) == "done"
    await backend.aclose()
    assert len(asked) == 1


async def test_half_a_character_in_the_buffer_is_no_reason_to_fail(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    assert await text_of(backend, replace(FIM, prefix="x = '\ud83d")) == "done"
    assert server.history[0].body["prompt"] == "x = '?"
