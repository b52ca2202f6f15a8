"""A server with Mistral's FIM and chat API whose replies a test writes down beforehand.

    with ScriptedServer() as server:
        server.enqueue(Reply(["return ", "a + b"]))
        ...                          # point a client, or the language server, at server.base_url
        assert server.history[0].body["prompt"] == "def add(a, b):"

Requests are validated as strictly as Mistral does it: a field it does not know is answered with 422, and
conversations go through the validator that Mistral publishes.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import pydantic
import uvicorn
from mistral_common.exceptions import MistralCommonException
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import MistralRequestValidatorV3, ValidationMode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

API_KEY = "scripted-key"

_COMMON_FIELDS = {
    "model": str,
    "temperature": (int, float),
    "top_p": (int, float),
    "max_tokens": int,
    "min_tokens": int,
    "stream": bool,
    "stop": (str, list),
    "random_seed": int,
    "metadata": dict,
    "prompt_cache_key": str,
}
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "/v1/fim/completions": {**_COMMON_FIELDS, "prompt": str, "suffix": str},
    "/v1/chat/completions": {
        **_COMMON_FIELDS,
        "messages": list,
        "presence_penalty": (int, float),
        "frequency_penalty": (int, float),
        "n": int,
        "prediction": dict,
        "safe_prompt": bool,
        "tools": list,
        "tool_choice": (str, dict),
        "parallel_tool_calls": bool,
    },
}
REQUIRED = {"/v1/fim/completions": ("model", "prompt"), "/v1/chat/completions": ("model", "messages")}


@dataclass
class Reply:
    """What to answer one request with."""

    chunks: Sequence[str] = ()
    delay_s: float = 0.0
    """Pause before each chunk."""
    finish_reason: str = "stop"
    tool_calls: Sequence[Mapping[str, Any]] = ()
    """Calls (see `tool_call`) that come with the end, whose finish reason is `tool_calls` then."""
    hang_before_headers: bool = False
    """Take the request and say nothing until the client goes away."""
    hang_after: int | None = None
    """Send this many chunks, then nothing until the client goes away."""
    cut_after: int | None = None
    """Send this many chunks, then drop the connection."""
    status: int = 200
    error: Any = None
    """Body of an answer with another `status`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw_events: Sequence[str] | None = None
    """Send the data of these events instead of well-formed chunks."""


def tool_call(name: str, call_id: str = "9charsID1", /, **arguments: object) -> dict[str, Any]:
    """Return a call of a function as Mistral writes it."""
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"id": call_id, "type": "function", "function": function, "index": 0}


@dataclass
class Recorded:
    """A request that came in."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    arrived_at: float
    client_port: int
    disconnected: threading.Event = field(default_factory=threading.Event)
    """Set when the client went away before the reply was complete."""
    finished: threading.Event = field(default_factory=threading.Event)
    """Set when the reply was sent completely."""


class ScriptedServer:
    """Serve `Reply`s in order, then `default`, from a thread."""

    def __init__(self, default: Reply | None = None, *, port: int = 0) -> None:
        self.default = default or Reply(["done"])
        self.history: list[Recorded] = []
        self.models: Sequence[str] = ("codestral-latest", "mistral-large-2411")
        self.model_lists = 0
        """How often the models were asked for."""
        self.loading = 0
        """So many times more the list of models is refused: the model is still being loaded."""
        self._replies: deque[Reply] = deque()
        self._arrived = threading.Condition()
        self._socket = socket.create_server(("127.0.0.1", port))
        # asyncio does this only for sockets made with a protocol number; without it replies take 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop: asyncio.AbstractEventLoop | None = None
        app = Starlette(routes=[Route("/{path:path}", _Endpoint(self))])
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                lifespan="off",
                http="h11",
                loop="asyncio",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._run, name="scripted-server", daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def enqueue(self, *replies: Reply) -> None:
        """Answer the next requests with these."""
        self._replies.extend(replies)

    def wait_for_request(self, count: int = 1, timeout_s: float = 20.0) -> Recorded:
        """Return the last of `count` requests once that many have come."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.history) >= count, timeout_s):
                raise AssertionError(f"{len(self.history)} requests came, not {count}")
            return self.history[count - 1]

    def start(self) -> ScriptedServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> ScriptedServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def record(self, request: Recorded) -> None:
        with self._arrived:
            self.history.append(request)
            self._arrived.notify_all()

    def list_models(self) -> Response:
        if self.loading > 0:
            self.loading -= 1
            return JSONResponse({"error": {"code": 503, "message": "Loading model"}}, 503)
        capabilities = {"completion_chat": True, "completion_fim": True, "function_calling": True}
        data = [
            {"id": name, "object": "model", "type": "base", "capabilities": capabilities}
            for name in self.models
        ]
        return JSONResponse({"object": "list", "data": data})

    def next_reply(self) -> Reply:
        return self._replies.popleft() if self._replies else self.default


class _Endpoint:
    """The ASGI application behind every path."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        if (request.method, path) == ("GET", "/v1/models"):
            self._server.model_lists += 1
            refused = request.headers.get("authorization") != f"Bearer {API_KEY}"
            answer = JSONResponse({"detail": "Unauthorized"}, 401) if refused else self._server.list_models()
            await answer(scope, receive, send)
            return
        if path not in FIELDS or request.method != "POST":
            await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)
            return
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            await JSONResponse({"detail": "Unauthorized"}, 401)(scope, receive, send)
            return
        body = await request.json()
        wrong = problems(path, body)
        port = request.client.port if request.client else 0
        recorded = Recorded(path, dict(request.headers), body, time.monotonic(), port)
        self._server.record(recorded)
        if wrong:
            error = {"object": "error", "message": {"detail": wrong}, "type": "invalid_request_error"}
            await JSONResponse({**error, "param": None, "code": None}, 422)(scope, receive, send)
            return
        await self._answer(self._server.next_reply(), recorded, (scope, receive, send))

    async def _answer(self, reply: Reply, request: Recorded, asgi: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = asgi
        gone = asyncio.ensure_future(_disconnected(receive))
        answer = asyncio.ensure_future(_send_reply(reply, request.body, scope, receive, send))
        try:
            await asyncio.wait({gone, answer}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
                request.finished.set()
            else:
                request.disconnected.set()
        finally:
            for task in (gone, answer):
                task.cancel()
            await asyncio.gather(gone, answer, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


class _Cut(Exception):
    """Ends a response half-way: uvicorn then closes the connection."""


async def _send_reply(
    reply: Reply, body: Mapping[str, Any], scope: Scope, receive: Receive, send: Send
) -> None:
    if reply.hang_before_headers:
        await asyncio.Event().wait()
    if reply.status != 200:
        response: Response = JSONResponse(reply.error, reply.status, headers=dict(reply.headers))
        await response(scope, receive, send)
        return
    if not body.get("stream"):
        await asyncio.sleep(reply.delay_s * len(reply.chunks))
        await JSONResponse(whole_reply(reply, body))(scope, receive, send)
        return
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                *((name.lower().encode(), value.encode()) for name, value in reply.headers.items()),
            ],
        }
    )
    events = reply.raw_events if reply.raw_events is not None else stream_events(reply, body)
    for sent, event in enumerate(events):
        if sent == reply.hang_after:
            await asyncio.Event().wait()
        if sent == reply.cut_after:
            raise _Cut
        await asyncio.sleep(reply.delay_s)
        await send({"type": "http.response.body", "body": f"data: {event}\n\n".encode(), "more_body": True})
    if reply.hang_after == len(events):
        await asyncio.Event().wait()
    await send({"type": "http.response.body", "body": b""})


def stream_events(reply: Reply, body: Mapping[str, Any]) -> list[str]:
    """Return the data of a streamed reply's events, one per chunk, then the end."""
    common = {"id": "cmpl-scripted", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}

    def event(delta: Mapping[str, object], finish_reason: str | None, **more: object) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return json.dumps({**common, "choices": [choice], **more}, ensure_ascii=False)

    events = [
        event({**({"role": "assistant"} if first == 0 else {}), "content": text}, None)
        for first, text in enumerate(reply.chunks)
    ]
    end: dict[str, object] = {"content": ""}
    if reply.tool_calls:
        end["tool_calls"] = [{**call, "index": at} for at, call in enumerate(reply.tool_calls)]
    return [*events, event(end, _finish_reason(reply), usage=usage(reply)), "[DONE]"]


def _finish_reason(reply: Reply) -> str:
    return "tool_calls" if reply.tool_calls else reply.finish_reason


def whole_reply(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a reply that is not streamed."""
    message = {
        "role": "assistant",
        "content": "".join(reply.chunks),
        "tool_calls": list(reply.tool_calls) or None,
        "prefix": False,
    }
    return {
        "id": "cmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": _finish_reason(reply)}],
        "usage": usage(reply),
    }


def usage(reply: Reply) -> dict[str, int]:
    count = len(reply.chunks)
    return {"prompt_tokens": 7, "completion_tokens": count, "total_tokens": 7 + count}


def problems(path: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what Mistral would complain about, in its words."""
    fields = FIELDS[path]
    found = [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
        for name in body
        if name not in fields
    ]
    found += [
        {"type": "missing", "loc": ["body", name], "msg": "Field required"}
        for name in REQUIRED[path]
        if name not in body
    ]
    found += [
        {"type": "value_error", "loc": ["body", name], "msg": f"Not a valid {name}"}
        for name, value in body.items()
        if name in fields and value is not None and not isinstance(value, fields[name])
    ]
    if isinstance(body.get("stop"), list) and len(body["stop"]) > 4:
        found.append({"type": "too_long", "loc": ["body", "stop"], "msg": "At most 4 items"})
    if "messages" in fields and not found:
        found += conversation_problems(body)
    return found


def conversation_problems(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what Mistral's own validator says of the turns and the tools of a request."""
    asked = {name: body[name] for name in ("tools", "tool_choice") if name in body}
    asked["messages"] = [_without_indices(turn) for turn in body["messages"]]
    try:
        request: ChatCompletionRequest[Any] = ChatCompletionRequest.model_validate(
            {**asked, "model": body["model"]}
        )
        MistralRequestValidatorV3(mode=ValidationMode.serving).validate_request(request)
    except pydantic.ValidationError as error:
        return [
            {"type": wrong["type"], "loc": ["body", *wrong["loc"]], "msg": wrong["msg"]}
            for wrong in error.errors()
        ]
    except MistralCommonException as error:
        return [{"type": "value_error", "loc": ["body", "messages"], "msg": str(error)}]
    return []


def _without_indices(turn: Any) -> Any:  # noqa: ANN401
    """Return a turn whose calls may have been sent back as they came: the validator knows no `index`."""
    calls = turn.get("tool_calls") if isinstance(turn, dict) else None
    if not calls:
        return turn
    bare = [{name: value for name, value in call.items() if name != "index"} for call in calls]
    return {**turn, "tool_calls": bare}
