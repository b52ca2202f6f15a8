"""The Mistral client against a server that is as strict as Mistral's, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest
from lsp_server.errors import BackendError, BackendRejected, BackendUnavailable
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

FIM = FimRequest(
    "def add(a, b):\n    return ", "\n", max_tokens=10, stop=("a", "b", "c", "d", "e"), document="add.py"
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
async def backend(server: ScriptedServer) -> AsyncIterator[MistralBackend]:
    opened = MistralBackend(server.base_url, "codestral-latest", lambda: API_KEY)
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
    request = ChatRequest((ChatMessage("system", "Be brief."), ChatMessage("user", "Hello")), max_tokens=5)
    assert [chunk.text async for chunk in backend.chat(request)] == ["Hi.", ""]
    assert server.history[0].path == "/v1/chat/completions"
    assert server.history[0].body["messages"][1] == {"role": "user", "content": "Hello"}


async def test_only_our_engine_gets_our_fields(server: ScriptedServer) -> None:
    backend = MistralBackend(server.base_url, "m", API_KEY, engine=True)
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
    assert await text_of(backend) == "pass"


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


ERRORS = [
    (401, {"detail": "Unauthorized"}, BackendRejected, "check the API key"),
    (401, {"message": "Unauthorized", "request_id": "1"}, BackendRejected, "check the API key"),
    (
        400,
        {"object": "error", "message": "Too long", "type": "x", "param": None, "code": None},
        BackendRejected,
        "Too long",
    ),
    (
        422,
        {"detail": [{"loc": ["body", "max_tokens"], "msg": "too large", "type": "v"}]},
        BackendRejected,
        "max_tokens: too large",
    ),
    (
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "x", "loc": ["body", "n"], "msg": "no"}]},
            "type": "x",
        },
        BackendRejected,
        "n: no",
    ),
    (404, "nothing here", BackendRejected, "HTTP 404"),
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
    server.enqueue(Reply(status=status, error=body))
    error = await error_of(backend)
    assert type(error) is kind
    assert said in str(error)
    assert getattr(error, "status", status) == status


async def test_a_rate_limit_is_kept_to(server: ScriptedServer, backend: MistralBackend) -> None:
    server.enqueue(Reply(status=429, error={"message": "Rate limit exceeded"}, headers={"Retry-After": "30"}))
    assert "30 s: Rate limit exceeded" in str(await error_of(backend))
    assert isinstance(await error_of(backend), BackendUnavailable)
    assert len(server.history) == 1


async def test_after_a_short_limit_requests_go_out_again(
    server: ScriptedServer, backend: MistralBackend
) -> None:
    server.enqueue(Reply(status=429, error=None, headers={"retry-after-ms": "1"}))
    await error_of(backend)
    await asyncio.sleep(0.01)
    assert await text_of(backend) == "pass"


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
    assert await text_of(backend) == "pass"


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    backend = MistralBackend(url, "m", None)
    error = await error_of(backend)
    await backend.aclose()
    assert isinstance(error, BackendUnavailable)
    assert url in str(error)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "http://[::1", "nonsense"])
async def test_a_wrong_address_is_said_to_be_one(url: str) -> None:
    backend = MistralBackend(url, "m", None)
    assert isinstance(await error_of(backend), BackendUnavailable)
    await backend.aclose()


async def test_a_silent_server_is_given_up(server: ScriptedServer) -> None:
    server.enqueue(Reply(hang_before_headers=True))
    backend = MistralBackend(server.base_url, "m", API_KEY, read_timeout_s=0.05)
    assert "silent" in str(await error_of(backend))
    await backend.aclose()


async def test_a_remote_server_is_ready_at_once(backend: MistralBackend) -> None:
    assert [readiness.ready async for readiness in backend.prepare()] == [True]


async def test_the_key_is_in_no_error(server: ScriptedServer) -> None:
    backend = MistralBackend(server.base_url, "m", "secret-key")
    error = await error_of(backend)
    await backend.aclose()
    assert "secret-key" not in f"{error!r} {error.__cause__!r} {backend!r}"
