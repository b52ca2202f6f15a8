"""A server that holds requests to OpenAI's published schema, with the manners of the servers that imitate it.

    with OpenAIContract("vllm", model="Qwen/Qwen2.5-Coder-7B") as server:
        ...                          # point a client at server.base_url
        assert server.history[0].body["prompt"].startswith("<|fim_prefix|>")

The fields are those of the official `openai` package's own types: one that is not among them, or of another
type, is refused. It writes nothing of its own: `server.reply` is what every completion and chat answers with.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, get_type_hints

import pydantic
import uvicorn
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as ChatParams
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming as ChatStreamParams
from openai.types.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from lsp_server.families import load_families

MOST_STOPS = 4


@dataclass(frozen=True)
class Manners:
    """How a server differs from OpenAI's."""

    root: str = "/v1"
    models: bool = True
    completions: bool = True
    owned_by: str = "system"
    suffix: str = "read"
    """`read`, `ignored`, or what it is refused with."""
    control_tokens: bool = False
    """A prompt's control tokens are taken for what they are; else they are text."""
    usage: bool = True
    """Says what a request cost, without being asked."""
    comment: str = ""
    """Sent before the first event."""
    website: bool = False
    """What is not the API is a page."""
    extra: frozenset[str] = frozenset()
    """Documented fields beyond OpenAI's."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Fields that the model does not take, and what is said of them."""
    status: int = 400
    """Of a request that is not as it should be."""


# https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, "Extra parameters"
VLLM = frozenset({
    "top_k", "min_p", "repetition_penalty", "length_penalty", "stop_token_ids",
    "include_stop_str_in_output", "ignore_eos", "min_tokens", "skip_special_tokens",
    "spaces_between_special_tokens", "truncate_prompt_tokens", "allowed_token_ids", "prompt_logprobs",
    "add_special_tokens", "response_format", "priority", "request_id", "return_tokens_as_token_ids",
    "cache_salt",
})  # fmt: skip

MANNERS: Mapping[str, Manners] = {
    "openai": Manners(),
    # The models that reason: https://platform.openai.com/docs/guides/reasoning
    "openai-reasoning": Manners(
        completions=False,
        refused={
            "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "temperature": "Unsupported value: 'temperature' does not support 0 with this model.",
        },
    ),
    "vllm": Manners(
        owned_by="vllm",
        suffix="suffix is not currently supported",
        control_tokens=True,
        extra=VLLM,
        # Unless it was started with a parser for the model's calls.
        refused={
            "tools": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        },
    ),
    # https://api-docs.deepseek.com/guides/fim_completion
    "deepseek": Manners(root="/beta", owned_by="deepseek", comment="keep-alive"),
    # https://openrouter.ai/docs/api-reference/streaming
    "openrouter": Manners(root="/api/v1", suffix="ignored", comment="OPENROUTER PROCESSING", website=True),
    "lmstudio": Manners(owned_by="organization_owner", suffix="ignored", control_tokens=True, usage=False),
    # Chat alone, without `/v1`: https://docs.perplexity.ai/api-reference
    "perplexity": Manners(root="", models=False, completions=False),
    # Validates as FastAPI does, and knows no `stream_options`.
    "gateway": Manners(status=422, refused={"stream_options": "Extra inputs are not permitted"}),
}


@dataclass
class Sent:
    """A request that came in."""

    method: str
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    left: threading.Event = field(default_factory=threading.Event)
    """Set when the client went away before the reply was complete."""


class OpenAIContract:
    """A server with the manners called `personality`, on a thread."""

    def __init__(self, personality: str, *, model: str = "gpt-3.5-turbo-instruct", api_key: str = "") -> None:
        self.manners = MANNERS[personality]
        self.model = model
        self.api_key = api_key
        self.reply: Sequence[str] = ("a", " + ", "b")
        self.thoughts = ""
        """What a chat's `reasoning_content` says first."""
        self.calls: Sequence[tuple[str, Sequence[str]]] = ()
        """What a chat with tools calls: the function, and the pieces its arguments come in."""
        self.hang_after: int | None = None
        """Send so many pieces, then nothing until the client goes away."""
        self.fail_with: tuple[int, Any] | None = None
        """Answer everything with this."""
        self.loading = 0
        """So many requests are answered with: loading."""
        self.history: list[Sent] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="openai-contract", daemon=True)

    @property
    def base_url(self) -> str:
        """Return what a client is given."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{self.manners.root}"

    def asked(self, end: str) -> list[Sent]:
        """Return the requests to paths that end so."""
        return [sent for sent in self.history if sent.path.endswith(end)]

    def __enter__(self) -> OpenAIContract:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _answer(self, request: Request) -> Response:
        body = json.loads(await request.body() or b"{}")
        path = "/" + request.path_params["path"]
        sent = Sent(request.method, path, body, dict(request.headers))
        self.history.append(sent)
        if self.fail_with is not None:
            return JSONResponse(self.fail_with[1], self.fail_with[0])
        if self.loading:
            self.loading -= 1
            return _error("Loading model", 503, "unavailable_error")
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return _error("Incorrect API key provided.", 401)
        ways = {
            ("GET", "/models"): self._models if self.manners.models else None,
            ("POST", "/completions"): self._complete if self.manners.completions else None,
            ("POST", "/chat/completions"): self._chat,
        }
        root = self.manners.root
        way = ways.get((request.method, path.removeprefix(root))) if path.startswith(root) else None
        if way is not None:
            return way(sent)
        return HTMLResponse("<title>Models</title>") if self.manners.website else _error("Not found", 404)

    def _models(self, sent: Sent) -> Response:
        card = {"id": self.model, "object": "model", "created": 1, "owned_by": self.manners.owned_by}
        if self.manners.owned_by == "vllm":
            card["root"] = self.model
        return JSONResponse({"object": "list", "data": [card]})

    def _complete(self, sent: Sent) -> Response:
        streams = bool(sent.body.get("stream"))
        schema = CompletionCreateParamsStreaming if streams else CompletionCreateParamsNonStreaming
        suffix = sent.body.get("suffix")
        if (refusal := self._refusal(sent.body, schema)) is not None:
            return refusal
        if suffix and self.manners.suffix not in ("read", "ignored"):
            return _error(self.manners.suffix, self.manners.status, "BadRequestError")
        text = sent.body["prompt"] + (suffix if suffix and self.manners.suffix == "read" else "")
        return self._respond(sent, "text_completion", self._count(text))

    def _chat(self, sent: Sent) -> Response:
        schema = ChatStreamParams if sent.body.get("stream") else ChatParams
        if (refusal := self._refusal(sent.body, schema)) is not None:
            return refusal
        if (wrong := _unanswered_calls(sent.body["messages"])) is not None:
            return _error(wrong, self.manners.status)
        text = "".join(message.get("content") or "" for message in sent.body["messages"])
        return self._respond(sent, "chat.completion", self._count(text) + 20)

    def _refusal(self, body: Mapping[str, Any], schema: type[Any]) -> Response | None:
        status = self.manners.status
        for name in body:
            if name not in {*get_type_hints(schema), *self.manners.extra}:
                return _error(f"Unrecognized request argument supplied: {name}", status)
            if name in self.manners.refused:
                return self._refused(name)
        if body.get("model") != self.model:
            return _error(f"The model `{body.get('model')}` does not exist.", 404)
        stop = body.get("stop")
        if isinstance(stop, list) and len(stop) > MOST_STOPS:
            return _error(f"'stop': array too long, at most {MOST_STOPS}", status)
        known = {name: value for name, value in body.items() if name not in self.manners.extra}
        try:
            pydantic.TypeAdapter(schema).validate_python(known)
        except pydantic.ValidationError as error:
            return _error(f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}", status)
        return None

    def _refused(self, name: str) -> Response:
        words = self.manners.refused[name]
        if self.manners.status == 422:
            return JSONResponse(
                {"detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": words}]}, 422
            )
        return _error(words, self.manners.status, "invalid_request_error", param=name)

    def _count(self, text: str) -> int:
        """Return about how many tokens a text has."""
        if self.manners.control_tokens:
            for control in sorted(
                {c for f in load_families() for c in f.all_controls}, key=len, reverse=True
            ):
                text = text.replace(control, " x ")
        return len(re.findall(r"\w+|[^\w\s]", text))

    def _respond(self, sent: Sent, kind: str, prompt_tokens: int) -> Response:
        written = len(self.reply)
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": written,
            "total_tokens": prompt_tokens + written,
        }
        head = {"id": "c-1", "object": kind, "created": 1, "model": self.model}
        if sent.body.get("stream"):
            return StreamingResponse(self._stream(sent, head, usage), media_type="text/event-stream")
        text = "".join(self.reply)
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
        choice |= (
            {"text": text}
            if kind == "text_completion"
            else {"message": {"role": "assistant", "content": text}}
        )
        return JSONResponse({**head, "choices": [choice], **({"usage": usage} if self.manners.usage else {})})

    async def _stream(
        self, sent: Sent, head: Mapping[str, Any], usage: Mapping[str, int]
    ) -> AsyncIterator[str]:
        try:
            if self.manners.comment:
                yield f": {self.manners.comment}\n\n"
            chat = head["object"] == "chat.completion"
            for choice in self._choices(chat=chat, calls=bool(sent.body.get("tools")) and bool(self.calls)):
                if choice is None:
                    await asyncio.sleep(600)
                kind = head["object"].replace("chat.completion", "chat.completion.chunk")
                yield f"data: {json.dumps({**head, 'object': kind, 'choices': [choice]})}\n\n"
            if (sent.body.get("stream_options") or {}).get("include_usage"):
                yield f"data: {json.dumps({**head, 'choices': [], 'usage': usage})}\n\n"
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            sent.left.set()
            raise

    def _choices(self, *, chat: bool, calls: bool) -> list[dict[str, Any] | None]:
        def choice(said: Mapping[str, Any], text: str, reason: str | None = None) -> dict[str, Any]:
            body = {"delta": dict(said)} if chat else {"text": text}
            return {"index": 0, "finish_reason": reason, "logprobs": None, **body}

        begun = [choice({"role": "assistant", "content": ""}, "")] if chat else []
        thoughts = [choice({"reasoning_content": self.thoughts}, "")] if chat and self.thoughts else []
        pieces: list[dict[str, Any] | None] = [choice({"content": piece}, piece) for piece in self.reply]
        if self.hang_after is not None:
            pieces[self.hang_after :] = [None]
        if calls:
            pieces += [choice({"tool_calls": [piece]}, "") for piece in _call_pieces(self.calls)]
        return [*begun, *thoughts, *pieces, choice({}, "", "tool_calls" if calls else "stop")]


def _call_pieces(calls: Sequence[tuple[str, Sequence[str]]]) -> Iterator[dict[str, Any]]:
    """Yield calls as https://platform.openai.com/docs/guides/function-calling#streaming shows them."""
    for index, (name, arguments) in enumerate(calls):
        function = {"name": name, "arguments": ""}
        yield {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        for piece in arguments:
            yield {"index": index, "function": {"arguments": piece}}


def _unanswered_calls(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """Return what is wrong with the results of tools: each answers a call, and each call is answered."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            break
        else:
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
    if open_calls:
        return "An assistant message with 'tool_calls' must be followed by tool messages"
    return None


def _error(
    message: str, status: int, kind: str = "invalid_request_error", param: str | None = None
) -> Response:
    body = {"message": message, "type": kind, "param": param, "code": None}
    return JSONResponse({"error": body}, status)
