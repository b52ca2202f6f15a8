"""Mistral's HTTP API as types: what may be asked, how it is answered, how errors look.

Knows JSON and nothing of tokens, jobs or sockets. Fields are those of Mistral's OpenAPI description that a
llama.cpp model can honour; a field nobody here would act on is refused rather than ignored in silence.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal, TypeVar

import msgspec

Tokens = Annotated[int, msgspec.Meta(ge=0)]
Temperature = Annotated[float, msgspec.Meta(ge=0.0, le=1.5)]
Probability = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Name = Annotated[str, msgspec.Meta(min_length=1)]


class EngineFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the front end tells this engine and no other server."""

    document: str | None = None
    """Which document or conversation is continued: its KV cache is looked for first."""
    priority: Literal["completion", "chat"] | None = None
    """Who waits for whom; by default the end point decides."""
    usage: bool = False
    """Send the usage with each piece of a stream: who ends a stream early never sees the last one."""


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    model: Name
    stream: bool = False
    max_tokens: Tokens | None = None
    min_tokens: Tokens | None = None
    temperature: Temperature | None = None
    top_p: Probability | None = None
    random_seed: Tokens | None = None
    stop: str | list[str] | None = None
    metadata: dict[str, Any] | None = None
    """Accepted and not used, as is the next: neither changes the reply."""
    prompt_cache_key: str | None = None
    engine: EngineFields = msgspec.field(default_factory=EngineFields)

    @property
    def stop_texts(self) -> tuple[str, ...]:
        """Return the stop sequences; an empty one would stop every reply before it begins."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in given if text)


class FimCompletion(_Request, frozen=True, kw_only=True):
    """`POST /v1/fim/completions`."""

    prompt: str
    suffix: str | None = None


class TextPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """A piece of a message."""

    text: str


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str | list[TextPart]
    prefix: bool = False
    """On the last message, of the assistant: continue it instead of answering it."""
    tool_calls: None = None
    """Part of Mistral's own replies, so it comes back with them; only `null` can be honoured."""

    @property
    def text(self) -> str:
        """Return the content as one string."""
        return self.content if isinstance(self.content, str) else "".join(p.text for p in self.content)


class ChatCompletion(_Request, frozen=True, kw_only=True):
    """`POST /v1/chat/completions`."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    safe_prompt: Literal[False] | None = None
    n: Literal[1] | None = None


class BadRequest(Exception):
    """The body is not what the API takes; `detail` is what Mistral puts under that name."""

    def __init__(self, detail: list[dict[str, Any]]) -> None:
        super().__init__(detail[0]["msg"])
        self.detail = detail


_R = TypeVar("_R", FimCompletion, ChatCompletion)


def parse(body: bytes, kind: type[_R]) -> _R:
    """Decode a request body or raise BadRequest with the place of what is wrong."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest([_detail(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest([{"type": "json_invalid", "loc": ["body"], "msg": f"Not JSON: {error}"}]) from None


def _detail(message: str) -> dict[str, Any]:
    # msgspec says what is wrong and where in one text only: "<what> `<field>` - at `$.<path>`".
    what, _, where = message.partition(" - at `$")
    path: list[str | int] = [
        int(step[:-1]) if step.endswith("]") else step
        for step in where.rstrip("`").replace("[", ".").split(".")
        if step
    ]
    for beginning, kind in (
        ("Object contains unknown field `", "extra_forbidden"),
        ("Object missing required field `", "missing"),
    ):
        if what.startswith(beginning):
            path.append(what.removeprefix(beginning).rstrip("`"))
            return {"type": kind, "loc": ["body", *path], "msg": _SAID[kind]}
    return {"type": "value_error", "loc": ["body", *path], "msg": what}


_SAID = {"extra_forbidden": "Extra inputs are not permitted", "missing": "Field required"}


def refusal(detail: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body of a 422."""
    return _error({"detail": detail}, "invalid_request_error")


def failure(message: str, kind: str = "internal_error") -> dict[str, Any]:
    """Return the body of any other error."""
    return _error(message, kind)


def _error(message: object, kind: str) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": None}


class Costs(msgspec.Struct, frozen=True):
    """What a reply cost: tokens, and milliseconds since the request was queued."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    queue_ms: float = 0.0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0

    def fields(self) -> dict[str, Any]:
        """Return Mistral's `usage` and our `timings`, to be merged into a reply."""
        return {
            "usage": {
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.completion_tokens,
                "total_tokens": self.prompt_tokens + self.completion_tokens,
                "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            },
            "timings": {
                "queue_ms": round(self.queue_ms, 2),
                "prefill_ms": round(self.prefill_ms, 2),
                "decode_ms": round(self.decode_ms, 2),
            },
        }


class Reply:
    """The answers to one request: they share an id and a time."""

    def __init__(self, reply_id: str, model: str) -> None:
        self._common = {"id": reply_id, "model": model, "created": int(time.time())}

    def whole(self, text: str, finish_reason: str, costs: Costs) -> bytes:
        """Return the body of a reply that is not streamed."""
        message = {"role": "assistant", "content": text, "tool_calls": None, "prefix": False}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        return msgspec.json.encode(
            {**self._common, "object": "chat.completion", "choices": [choice], **costs.fields()}
        )

    def first(self) -> bytes:
        """Return the event that opens a stream: the role, and no text yet."""
        return self._event({"role": "assistant", "content": ""}, None)

    def piece(self, text: str, costs: Costs | None = None) -> bytes:
        """Return the event for a piece of text, with what it has cost until now if that is wanted."""
        return self._event({"content": text}, None, **(costs.fields() if costs else {}))

    def last(self, finish_reason: str, costs: Costs) -> bytes:
        """Return the events that end a stream."""
        return self._event({"content": ""}, finish_reason, **costs.fields()) + END_OF_STREAM

    def broken(self, message: str) -> bytes:
        """Return the events that end a stream in which the model failed."""
        return _sse(failure(message)) + END_OF_STREAM

    def _event(self, delta: dict[str, Any], finish_reason: str | None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _sse({**self._common, "object": "chat.completion.chunk", "choices": [choice], **more})


END_OF_STREAM = b"data: [DONE]\n\n"


def _sse(event: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


def model_card(name: str, family: str, context_tokens: int, *, fim: bool) -> dict[str, Any]:
    """Return the body of `GET /v1/models`."""
    card = {
        "id": name,
        "object": "model",
        "created": int(time.time()),
        "owned_by": "local",
        "type": "base",
        "max_context_length": context_tokens,
        "capabilities": {"completion_chat": True, "completion_fim": fim},
        "family": family,
        "fim": fim,
    }
    return {"object": "list", "data": [card]}
