"""Mistral's replies as JSON, whole and streamed. Knows nothing of tokens, jobs or sockets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from lsp_server.engine.tool_calls import Call
from lsp_server.engine.wire import failure


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

    def whole(self, text: str, finish_reason: str, costs: Costs, calls: Sequence[Call] = ()) -> bytes:
        """Return the body of a reply that is not streamed."""
        message = {"role": "assistant", "content": text, "tool_calls": _calls(calls), "prefix": False}
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

    def last(self, finish_reason: str, costs: Costs, calls: Sequence[Call] = ()) -> bytes:
        """Return the events that end a stream."""
        delta = {"content": "", "tool_calls": _calls(calls)} if calls else {"content": ""}
        return self._event(delta, finish_reason, **costs.fields()) + END_OF_STREAM

    def broken(self, message: str) -> bytes:
        """Return the events that end a stream in which the model failed."""
        return _sse(failure(message)) + END_OF_STREAM

    def _event(self, delta: dict[str, Any], finish_reason: str | None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _sse({**self._common, "object": "chat.completion.chunk", "choices": [choice], **more})


def _calls(calls: Sequence[Call]) -> list[dict[str, Any]] | None:
    written = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
            "index": index,
        }
        for index, call in enumerate(calls)
    ]
    return written or None


END_OF_STREAM = b"data: [DONE]\n\n"


def _sse(event: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(event) + b"\n\n"
