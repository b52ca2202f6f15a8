"""Mistral's replies and errors, read as leniently as they vary. Knows no HTTP client and no LSP."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

import msgspec

from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest, FinishReason, Usage
from lsp_server.backends.refusals import said
from lsp_server.backends.tool_wire import Calls, messages_json, tools_json
from lsp_server.families import MAX_STOP


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Timings(msgspec.Struct):
    queue_ms: float | None = None
    prefill_ms: float | None = None
    decode_ms: float | None = None


class _Part(msgspec.Struct):
    text: str = ""


class _Delta(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning: object = None
    reasoning_content: object = None
    tool_calls: object = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    message: _Delta | None = None
    """Instead of `delta`, from servers that ignore `stream`."""
    text: str = ""
    """Instead of both, in OpenAI's older API."""
    finish_reason: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] = msgspec.field(default_factory=list)
    usage: _Usage | None = None
    timings: _Timings | None = None
    object: str | None = None
    error: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class StreamFailed(Exception):
    """The server reported an error, or nonsense, inside a stream; its `words` may quote what was sent."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


_event = msgspec.json.Decoder(_Event)


def chunk(data: str, calls: Calls | None = None) -> Chunk:
    """Return the chunk that an event's data carries.

    Pieces of tool calls go to `calls`, and the calls onto the chunk that ends the reply; without `calls`
    nobody has asked for any.
    """
    try:
        event = _event.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise StreamFailed("an event cannot be read") from error
    if event.object == "error" or bytes(event.error):
        raise StreamFailed(said(data.encode()) or "no reason given")
    usage = _read_usage(event)
    if not event.choices:
        return Chunk("", usage=usage)
    choice = event.choices[0]
    if choice.finish_reason == "error":
        raise StreamFailed("the model failed")
    said_now = choice.message or choice.delta
    content = said_now.content
    text = content if isinstance(content, str) else "".join(part.text for part in content or [])
    finish = _finish_reason(choice.finish_reason)
    if calls is None:
        return Chunk(text, finish, usage)
    calls.add(said_now.tool_calls)
    return with_calls(Chunk(text, finish, usage), calls)


def with_calls(chunk: Chunk, calls: Calls) -> Chunk:
    """Return a chunk with the calls of its reply, if it is the last one and there are any."""
    if chunk.finish_reason in (None, "length") or not calls.complete:
        return chunk  # what was cut off may be half a call
    return replace(chunk, finish_reason="tool_calls", tool_calls=calls.complete)


_LAST = re.compile(r'"(?:finish_reason"\s*:\s*"|(?:stop|done)"\s*:\s*true\b)')
"""As all these formats end a reply. Inside of a text, its quotes would have backslashes before them."""


def has_finished(data: str) -> bool:
    """Say whether an event, or line, is the last one with text in it; llama.cpp's and Ollama's too."""
    return _LAST.search(data) is not None


def has_text(data: str) -> bool:
    """Say whether an event is more than the sign that a server is there: most begin with whose turn it is."""
    try:
        event = _event.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        return True
    if not event.choices:
        return event.object is None  # not an event of this format
    choice = event.choices[0]
    delta = choice.message or choice.delta
    parts = (choice.finish_reason, choice.text, delta.content, delta.reasoning, delta.reasoning_content)
    return any((*parts, delta.tool_calls))


def _finish_reason(given: str | None) -> FinishReason | None:
    if given is None:
        return None
    return "length" if given in ("length", "model_length") else "stop"


def _read_usage(event: _Event) -> Usage | None:
    if event.usage is None:
        return None
    details = event.usage.prompt_tokens_details
    timings = event.timings or _Timings()
    return Usage(
        prompt_tokens=event.usage.prompt_tokens or 0,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
        completion_tokens=event.usage.completion_tokens or 0,
        queue_ms=timings.queue_ms,
        prefill_ms=timings.prefill_ms,
        decode_ms=timings.decode_ms,
    )


def model_names(listed: object) -> list[str]:
    """Return the ids in an answer to `GET /v1/models`; what is none is passed over."""
    entries = listed.get("data") if isinstance(listed, dict) else listed
    ids = (
        [entry.get("id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
    return [name for name in ids if isinstance(name, str)]


def fim_body(request: FimRequest, model: str, *, engine: bool) -> dict[str, Any]:
    """Return the JSON for `/v1/fim/completions`; `engine` adds what only our engine understands."""
    body: dict[str, Any] = {"model": model, "prompt": request.prefix, **_common(request)}
    if request.suffix:
        body["suffix"] = request.suffix
    if engine:
        body["engine"] = {"document": request.document, "priority": "completion", "usage": True}
    return body


def chat_body(request: ChatRequest, model: str, *, engine: bool) -> dict[str, Any]:
    """Return the JSON for `/v1/chat/completions`; `engine` as above."""
    turns = request.messages if engine else [_for_mistral(message) for message in request.messages]
    messages = messages_json(turns, tool_names=True)
    body: dict[str, Any] = {"model": model, "messages": messages, **_common(request)}
    if request.tools:
        body |= {"tools": tools_json(request.tools), "tool_choice": "auto"}
    if engine:
        body["engine"] = {"priority": "chat"} | ({"must_fit": True} if request.must_fit else {})
    return body


_MISTRAL_ID = re.compile(r"[a-zA-Z0-9]{9}")
"""Mistral refuses other ids of calls; those of a conversation may come from another server of the chain."""


def _for_mistral(message: ChatMessage) -> ChatMessage:
    return replace(
        message,
        # Up to version 3 of their format a turn of Mistral's models has either words or calls.
        content="" if message.tool_calls else message.content,
        tool_calls=tuple(replace(call, id=_mistral_id(call.id)) for call in message.tool_calls),
        tool_call_id=_mistral_id(message.tool_call_id) if message.role == "tool" else "",
    )


def _mistral_id(given: str) -> str:
    if _MISTRAL_ID.fullmatch(given):
        return given
    return hashlib.blake2b(given.encode("utf-8", "replace"), digest_size=5).hexdigest()[:9]


def _common(request: FimRequest | ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
    }
    if request.stop:
        body["stop"] = list(request.stop[:MAX_STOP])
    return body
