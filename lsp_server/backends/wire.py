"""Mistral's replies and errors, read as leniently as they vary. Knows no HTTP client and no LSP."""

from __future__ import annotations

from typing import Any

import msgspec

from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, FinishReason, Usage

MOST_STOPS = 4
"""OpenAI-compatible servers refuse a request with more stop sequences than this."""


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


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] = msgspec.field(default_factory=list)
    usage: _Usage | None = None
    timings: _Timings | None = None
    object: str | None = None
    error: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


class StreamFailed(Exception):
    """The server reported an error, or nonsense, inside a stream."""


_event = msgspec.json.Decoder(_Event)


def chunk(data: str) -> Chunk:
    """Return the chunk that an event's data carries."""
    try:
        event = _event.decode(data)
    except msgspec.MsgspecError as error:
        raise StreamFailed(f"an event cannot be read: {error}") from error
    if event.object == "error" or bytes(event.error):
        raise StreamFailed(error_text(data.encode()) or "no reason given")
    usage = _read_usage(event)
    if not event.choices:
        return Chunk("", usage=usage)
    choice = event.choices[0]
    if choice.finish_reason == "error":
        raise StreamFailed("the model failed")
    content = choice.delta.content
    text = content if isinstance(content, str) else "".join(part.text for part in content or [])
    return Chunk(text, _finish_reason(choice.finish_reason), usage)


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


def error_text(body: bytes) -> str:
    """Return what an error's body says, or an empty string.

    Mistral's `message` is a text or an object, `detail` a text or a list, and both occur at the top and
    nested; what the API answers is not what https://docs.mistral.ai/api says.
    """
    try:
        return " ".join(_said(msgspec.json.decode(body)).split())[:300]
    except msgspec.MsgspecError:
        return ""


def _said(error: object) -> str:
    if isinstance(error, str):
        return error
    if isinstance(error, list):
        return "; ".join(filter(None, map(_said, error)))
    if not isinstance(error, dict):
        return ""
    if "msg" in error:  # one entry of `detail`: loc is the way to the field
        place = ".".join(str(step) for step in error.get("loc") or () if step != "body")
        return f"{place}: {error['msg']}" if place else str(error["msg"])
    return next((said for key in ("message", "detail", "error") if (said := _said(error.get(key)))), "")


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
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    body: dict[str, Any] = {"model": model, "messages": messages, **_common(request)}
    if engine:
        body["engine"] = {"priority": "chat"}
    return body


def _common(request: FimRequest | ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
    }
    if request.stop:
        body["stop"] = list(request.stop[:MOST_STOPS])
    return body
