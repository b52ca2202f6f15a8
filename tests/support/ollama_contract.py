"""A server with Ollama's API: every request is held against the models of the official client.

    with OllamaContract(OllamaModel("qwen2.5-coder:1.5b", insert=True)) as server:
        ...                                 # point a client at server.base_url
        assert server.history[-1].body["suffix"] == "\n"

A field that they do not know is an error. It loads and unloads models as Ollama does, and answers what the
documentation and the source say it answers:
https://docs.ollama.com/api, https://github.com/ollama/ollama/blob/main/server/routes.go
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import ollama._types as published
import uvicorn
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

CREATED_AT = "2026-01-01T00:00:00.000000Z"
DIGEST = "0" * 64
DEFAULT_CONTEXT = 4096
FIM_TEMPLATE = (
    "{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>{{- end }}"
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Options(Strict, published.Options): ...


class Function(Strict, published.Message.ToolCall.Function): ...


class Call(Strict, published.Message.ToolCall):
    function: Function


class Message(Strict, published.Message):
    tool_calls: list[Call] | None = None


class Generate(Strict, published.GenerateRequest):
    options: Options | None = None


class Chat(Strict, published.ChatRequest):
    options: Options | None = None
    messages: list[Message] | None = None


class Show(Strict, published.ShowRequest): ...


SCHEMAS: Mapping[str, type[BaseModel]] = {"/api/generate": Generate, "/api/chat": Chat, "/api/show": Show}


@dataclass
class OllamaModel:
    """A model that the server has."""

    name: str
    insert: bool = False
    """Its template takes a suffix."""
    thinks: bool = False
    tools: bool = False
    """Its template takes tools."""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    """What it calls in a conversation with tools, one a line."""
    embeds: bool = False
    """It makes embeddings and no text."""
    remote_host: str = ""
    middle: Sequence[str] = ("a", " + b")
    """What it writes for a prompt of ours, piece by piece."""
    reply: Sequence[str] = ("Sure", ", here it is.")
    """What it writes in a conversation."""
    longest_context: int = 32768
    tells_capabilities: bool = True
    """Servers before 0.6.4 did not."""
    fails_after: int | None = None
    """Send this many pieces, then an error."""
    hangs_after: int | None = None
    """Send this many pieces, then nothing until the client goes away."""

    @property
    def capabilities(self) -> list[str]:
        if self.embeds:
            return ["embedding"]
        return ["completion"] + ["insert"] * self.insert + ["thinking"] * self.thinks + ["tools"] * self.tools


@dataclass
class Recorded:
    """A request that came in."""

    path: str
    body: Mapping[str, Any]
    disconnected: threading.Event = field(default_factory=threading.Event)
    """Set when the client went away before the reply was complete."""


class OllamaContract:
    """Serve models from a thread."""

    def __init__(self, *models: OllamaModel, port: int = 0, tells_context: bool = True) -> None:
        self.models = {model.name: model for model in models}
        self.history: list[Recorded] = []
        self.loaded: dict[str, int] = {}
        """Context of each model in memory."""
        self.loads: list[tuple[str, int]] = []
        """Every time that a model was read from disk, and the context it got."""
        self.may_load = threading.Event()
        """Cleared, loading takes until it is set again."""
        self.may_load.set()
        self._tells_context = tells_context
        self._arrived = threading.Condition()
        self._socket = socket.create_server(("127.0.0.1", port))
        app = Starlette(
            routes=[
                Route("/api/version", self._version),
                Route("/api/tags", self._tags),
                Route("/api/ps", self._ps),
                Route("/api/show", self._show, methods=["POST"]),
                Route("/api/generate", self._generate, methods=["POST"]),
                Route("/api/chat", self._chat, methods=["POST"]),
            ]
        )
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
        self._thread = threading.Thread(target=self._run, name="ollama-contract", daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def bodies(self, path: str) -> list[Mapping[str, Any]]:
        """Return what was asked of a path, requests that only load left out."""
        told = [request.body for request in self.history if request.path == path]
        return [body for body in told if body.get("prompt") or body.get("messages") or path == "/api/show"]

    def wait_for(self, path: str, count: int = 1, timeout_s: float = 20.0) -> Recorded:
        """Return the last of `count` requests of a path once that many have come."""

        def come() -> list[Recorded]:
            return [request for request in self.history if request.path == path]

        with self._arrived:
            if not self._arrived.wait_for(lambda: len(come()) >= count, timeout_s):
                raise AssertionError(f"{len(come())} requests came to {path}, not {count}")
            return come()[count - 1]

    def __enter__(self) -> OllamaContract:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.may_load.set()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _version(self, request: Request) -> Response:
        return JSONResponse({"version": "0.12.0"})

    async def _tags(self, request: Request) -> Response:
        self._record(request, {})
        entries = [
            {**_entry(model), "modified_at": CREATED_AT}
            | ({"remote_host": model.remote_host} if model.remote_host else {})
            for model in self.models.values()
        ]
        return JSONResponse({"models": entries})

    async def _ps(self, request: Request) -> Response:
        self._record(request, {})
        entries = [
            {**_entry(self.models[name]), "expires_at": CREATED_AT, "size_vram": 1}
            | ({"context_length": context} if self._tells_context else {})
            for name, context in self.loaded.items()
        ]
        return JSONResponse({"models": entries})

    async def _show(self, request: Request) -> Response:
        body, model, _, refusal = await self._accepted(request)
        if model is None:
            return refusal or _error(404, f"model '{body['model']}' not found")
        shown: dict[str, Any] = {
            "modelfile": "",
            "template": FIM_TEMPLATE if model.insert else "{{ .Prompt }}",
            "details": _DETAILS,
            "model_info": {"general.architecture": "qwen2", "qwen2.context_length": model.longest_context},
        }
        if model.tells_capabilities:
            shown["capabilities"] = model.capabilities
        if model.remote_host:
            shown |= {"remote_host": model.remote_host, "remote_model": model.name}
        return JSONResponse(shown)

    async def _generate(self, request: Request) -> Response:
        body, model, recorded, refusal = await self._accepted(request)
        if model is None:
            return refusal or _error(404, f"model '{body['model']}' not found")
        if not body.get("prompt") and body.get("keep_alive") == 0:
            self.loaded.pop(model.name, None)
            return JSONResponse(_response(model, "", done_reason="unload"))
        if (wrong := _wrong(model, body)) is not None:
            return _error(400, wrong)
        await self._load(model, body)
        if not body.get("prompt"):
            return JSONResponse(_response(model, "", done_reason="load"))
        ours = bool(body.get("raw") or body.get("suffix"))
        # Without a suffix and not raw, the prompt is what the user says in a chat.
        pieces = model.middle if ours else model.reply
        return self._answer(model, body, pieces, recorded, chat=False)

    async def _chat(self, request: Request) -> Response:
        body, model, recorded, refusal = await self._accepted(request)
        if model is None:
            return refusal or _error(404, f"model '{body['model']}' not found")
        if body.get("tools") and not model.tools:
            return _error(400, f"registry.ollama.ai/library/{model.name} does not support tools")
        await self._load(model, body)
        if not body.get("messages"):
            return JSONResponse(_chat_response(model, "", done_reason="load"))
        return self._answer(model, body, model.reply, recorded, chat=True)

    async def _accepted(
        self, request: Request
    ) -> tuple[dict[str, Any], OllamaModel | None, Recorded, Response | None]:
        body = json.loads(await request.body())
        recorded = self._record(request, body)
        try:
            SCHEMAS[request.url.path].model_validate(body)
        except ValidationError as error:
            return body, None, recorded, _error(400, f"not in the published schema: {error}")
        name = body["model"] if ":" in body["model"] else f"{body['model']}:latest"
        return body, self.models.get(name), recorded, None

    def _record(self, request: Request, body: dict[str, Any]) -> Recorded:
        recorded = Recorded(request.url.path, body)
        with self._arrived:
            self.history.append(recorded)
            self._arrived.notify_all()
        return recorded

    async def _load(self, model: OllamaModel, body: Mapping[str, Any]) -> None:
        wanted = (body.get("options") or {}).get("num_ctx") or DEFAULT_CONTEXT
        if self.loaded.get(model.name) == wanted:
            return
        while not self.may_load.is_set():  # noqa: ASYNC110  an event of another thread
            await asyncio.sleep(0.005)
        self.loaded[model.name] = wanted
        self.loads.append((model.name, wanted))

    def _answer(
        self,
        model: OllamaModel,
        body: Mapping[str, Any],
        pieces: Sequence[str],
        recorded: Recorded,
        *,
        chat: bool,
    ) -> Response:
        make = _chat_response if chat else _response
        thoughts = ["hm"] * 3 if model.thinks and body.get("think") is not False else []
        events = [make(model, "", thinking=thought) for thought in thoughts]
        events += [make(model, piece) for piece in pieces]
        if chat and body.get("tools"):
            events += [_call(model, name, arguments) for name, arguments in model.calls]
        limit = (body.get("options") or {}).get("num_predict") or len(events)
        reason = "length" if len(events) > limit else "stop"
        last = make(model, "", done_reason=reason) | _metrics(min(len(events), limit))
        if body.get("stream") is False:
            text = "".join(pieces[:limit])
            whole = make(model, text, done_reason=reason)
            return JSONResponse(last | whole)
        return StreamingResponse(
            self._events(model, [*events[:limit], last], recorded), media_type="application/x-ndjson"
        )

    async def _events(
        self, model: OllamaModel, events: Sequence[dict[str, Any]], recorded: Recorded
    ) -> AsyncIterator[str]:
        complete = False
        try:
            for sent, event in enumerate(events):
                if sent == model.hangs_after:
                    await asyncio.Event().wait()
                if sent == model.fails_after:
                    yield json.dumps({"error": "model runner has unexpectedly stopped"}) + "\n"
                    break
                yield json.dumps(event) + "\n"
            complete = True
        finally:
            if not complete:
                recorded.disconnected.set()


_DETAILS = {"format": "gguf", "family": "qwen2", "parameter_size": "1.5B", "quantization_level": "Q4_K_M"}


def _wrong(model: OllamaModel, body: Mapping[str, Any]) -> str | None:
    if body.get("raw") and (body.get("template") or body.get("system") or body.get("context")):
        return "raw mode does not support template, system, or context"
    if model.embeds:
        return f'"{model.name}" does not support generate'
    if body.get("suffix") and not model.insert:
        return f"registry.ollama.ai/library/{model.name} does not support insert"
    if body.get("think") and not model.thinks:
        return f'"{model.name}" does not support thinking'
    return None


def _entry(model: OllamaModel) -> dict[str, Any]:
    return {"name": model.name, "model": model.name, "size": 1, "digest": DIGEST, "details": _DETAILS}


def _response(
    model: OllamaModel, text: str, *, thinking: str = "", done_reason: str | None = None
) -> dict[str, Any]:
    event: dict[str, Any] = {"model": model.name, "created_at": CREATED_AT, "response": text}
    return _ended(event | ({"thinking": thinking} if thinking else {}), done_reason)


def _chat_response(
    model: OllamaModel, text: str, *, thinking: str = "", done_reason: str | None = None
) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **({"thinking": thinking} if thinking else {})}
    return _ended({"model": model.name, "created_at": CREATED_AT, "message": message}, done_reason)


def _call(model: OllamaModel, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    event = _chat_response(model, "")
    event["message"]["tool_calls"] = [{"function": {"name": name, "arguments": arguments}}]
    return event


def _ended(event: dict[str, Any], done_reason: str | None) -> dict[str, Any]:
    return event | ({"done": False} if done_reason is None else {"done": True, "done_reason": done_reason})


def _metrics(tokens: int) -> dict[str, int]:
    return {
        "total_duration": 9_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": 7,
        "prompt_eval_duration": 2_000_000,
        "eval_count": tokens,
        "eval_duration": 5_000_000,
    }


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)
