"""What OpenAI-compatible servers are sent, and their answers, read as leniently as they vary. Knows no HTTP.

One reader serves every way of asking: `choices[].text` of a completion, `choices[].delta` of a chat,
`content` of llama.cpp's own endpoints.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest, FinishReason, Usage
from lsp_server.backends.refusals import worded
from lsp_server.backends.tool_wire import Calls, messages_json, tools_json
from lsp_server.backends.wire import StreamFailed, with_calls
from lsp_server.families import MAX_STOP


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Timings(msgspec.Struct):
    """Those of llama.cpp's server."""

    cache_n: int = 0
    prompt_n: int | None = None
    prompt_ms: float | None = None
    predicted_n: int = 0
    predicted_ms: float | None = None


class _Part(msgspec.Struct):
    text: str = ""


class _Delta(msgspec.Struct):
    """Its `reasoning`, `reasoning_content` and the like are not part of the answer and not read."""

    content: str | list[_Part] | None = None
    tool_calls: object = None


class _Choice(msgspec.Struct):
    text: str | None = None
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] | None = None
    content: str | None = None
    stop: bool = False
    stop_type: str | None = None
    usage: _Usage | None = None
    timings: _Timings | None = None
    object: str | None = None
    error: Any = None
    message: Any = None
    detail: Any = None


_event = msgspec.json.Decoder(_Event)


def chunk(data: str, calls: Calls | None = None) -> Chunk:
    """Return the chunk that an event's data carries; `calls` is for pieces of tool calls, as in `wire`."""
    try:
        event = _event.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise StreamFailed(f"an event cannot be read: {error}") from error
    if event.error is not None or event.object == "error":
        said = (worded(words) for words in (event.error, event.message, event.detail))
        raise StreamFailed(next(filter(None, said), "no reason given"))
    usage = _usage(event)
    if event.choices:
        return _choice_chunk(event.choices[0], usage, calls)
    finish: FinishReason | None = None
    if event.stop:
        finish = "length" if event.stop_type == "limit" else "stop"
    return Chunk(event.content or "", finish, usage)


def _choice_chunk(choice: _Choice, usage: Usage | None, calls: Calls | None) -> Chunk:
    if choice.finish_reason == "error":
        raise StreamFailed("the model failed")
    finish: FinishReason | None = None
    if choice.finish_reason:
        finish = "length" if choice.finish_reason in ("length", "model_length") else "stop"
    if choice.text is not None:
        return Chunk(choice.text, finish, usage)
    said = choice.delta or choice.message or _Delta()
    content = said.content
    text = content if isinstance(content, str) else "".join(part.text for part in content or [])
    if calls is None:
        return Chunk(text, finish, usage)
    calls.add(said.tool_calls)
    return with_calls(Chunk(text, finish, usage), calls)


def _usage(event: _Event) -> Usage | None:
    timings = event.timings
    if timings is not None and timings.prompt_n is not None:  # else those of another server than llama.cpp's
        return Usage(
            prompt_tokens=timings.cache_n + timings.prompt_n,
            cached_tokens=timings.cache_n,
            completion_tokens=timings.predicted_n,
            prefill_ms=timings.prompt_ms,
            decode_ms=timings.predicted_ms,
        )
    if event.usage is None:
        return None
    details = event.usage.prompt_tokens_details
    return Usage(
        prompt_tokens=event.usage.prompt_tokens or 0,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
        completion_tokens=event.usage.completion_tokens or 0,
    )


def named(model: str) -> dict[str, str]:
    """Return the field for the model; servers with a single one need no name."""
    return {"model": model} if model else {}


def completion_body(
    request: FimRequest, model: str, prompt: str, *, stop: tuple[str, ...], held: str = ""
) -> dict[str, Any]:
    """Return the JSON for `/v1/completions`; `held` is what the answer repeats of the prefix."""
    return {**named(model), "prompt": prompt, **_common(request.max_tokens + _tokens(held), request, stop)}


def suffix_body(request: FimRequest, model: str) -> dict[str, Any]:
    """Return the JSON for `/v1/completions` and for Mistral's `/v1/fim/completions`, with a suffix."""
    body = completion_body(request, model, request.prefix, stop=request.stop)
    return {**body, "suffix": request.suffix} if request.suffix else body


def chat_body(
    messages: tuple[ChatMessage, ...], request: FimRequest | ChatRequest, model: str
) -> dict[str, Any]:
    """Return the JSON for `/v1/chat/completions`."""
    stop = request.stop if isinstance(request, ChatRequest) else ()
    body = {
        **named(model),
        "messages": messages_json(messages),
        **_common(request.max_tokens, request, stop),
    }
    if isinstance(request, ChatRequest) and request.tools:
        body |= {"tools": tools_json(request.tools), "tool_choice": "auto"}
    return body


def infill_body(request: FimRequest, model: str) -> dict[str, Any]:
    """Return the JSON for the `/infill` of llama.cpp's server."""
    body = {**named(model), "input_prefix": request.prefix, "input_suffix": request.suffix}
    return {**body, **_llama_cpp(request.max_tokens, request, request.stop)}


def token_body(
    request: FimRequest, model: str, tokens: list[int], held: str, grammar: str | None
) -> dict[str, Any]:
    """Return the JSON for the `/completion` of llama.cpp's server."""
    body = {
        **named(model),
        "prompt": tokens,
        **_llama_cpp(request.max_tokens + _tokens(held), request, request.stop),
    }
    return {**body, "grammar": grammar} if grammar else body


def _common(max_tokens: int, request: FimRequest | ChatRequest, stop: tuple[str, ...]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "max_tokens": max_tokens,
        # Always sent: left out, some servers take 1.0.
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return {**body, "stop": list(stop[:MAX_STOP])} if stop else body


def _llama_cpp(max_tokens: int, request: FimRequest, stop: tuple[str, ...]) -> dict[str, Any]:
    return {
        "n_predict": max_tokens,
        "temperature": request.temperature,
        "stop": list(stop),
        "stream": True,
        "cache_prompt": True,
        # With each piece: a completion mostly ends here, by its syntax, before the server's last event.
        "timings_per_token": True,
    }


def _tokens(held: str) -> int:
    """Return for how many tokens more an answer is asked: at most one a byte, but blanks come in runs."""
    return len(held.encode("utf-8", "replace")) if held.strip() else min(len(held), 8)


def without(body: dict[str, Any], field: str) -> dict[str, Any]:
    """Return a body for a server that does not take a field."""
    if field == "max_tokens" and "max_tokens" in body:
        return {"max_completion_tokens" if key == "max_tokens" else key: value for key, value in body.items()}
    return {key: value for key, value in body.items() if key != field}
