"""What a backend is: two streams of text. Knows nothing of LSP, documents or HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True)
class FimRequest:
    """One fill-in-the-middle request.

    `prefix` and `suffix` are buffer text, never control tokens. `document` names what is being
    edited so that a server with a KV cache can find the prompt it has already evaluated.
    """

    prefix: str
    suffix: str
    max_tokens: int
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    document: str | None = None


@dataclass(frozen=True)
class ChatMessage:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """A conversation to be continued by the model."""

    messages: tuple[ChatMessage, ...]
    max_tokens: int
    temperature: float = 0.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """What a request cost, in tokens and, where the server says so, milliseconds."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens found in the server's KV cache; the others were evaluated."""
    completion_tokens: int = 0
    queue_ms: float | None = None
    prefill_ms: float | None = None
    decode_ms: float | None = None


@dataclass(frozen=True)
class Chunk:
    """A piece of a reply; the last one carries the finish reason and, if known, the usage."""

    text: str
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


@dataclass(frozen=True)
class Readiness:
    """How far a backend is from answering: for progress bars."""

    ready: bool
    message: str = ""
    """What is going on, for the user: `Downloading …`, `Loading …`; once ready, what should be known."""
    fraction: float | None = None


class Backend(Protocol):
    """A way to reach a model.

    Closing a stream (`aclose`, or cancelling the task that reads it) stops the model.
    Errors are `BackendError`s.
    """

    @property
    def name(self) -> str:
        """Return the name for logs and `--why`: `local`, `mistral`."""
        ...

    def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix."""
        ...

    def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn."""
        ...

    def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Make ready to answer, reporting the way there; the last item says `ready=True`.

        Remote backends are ready at once. The local one downloads, starts and loads.
        """
        ...

    async def aclose(self) -> None:
        """Release connections. Leaves a shared engine running."""
        ...
