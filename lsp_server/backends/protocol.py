"""What a backend is: two streams of text. Knows nothing of LSP, documents or HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

FinishReason = Literal["stop", "length", "tool_calls"]


@dataclass(frozen=True)
class FimRequest:
    """One fill-in-the-middle request.

    `prefix` and `suffix` are buffer text, never control tokens. `document` names what is being
    edited so that a server with a KV cache can find the prompt it has already evaluated; beyond this
    machine it is a name without a meaning.
    """

    prefix: str
    suffix: str
    max_tokens: int
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    document: str | None = None


@dataclass(frozen=True)
class ToolSpec:
    """A function that the model may ask to have called."""

    name: str
    description: str
    parameters: Mapping[str, object]
    """JSON Schema of its arguments, an object."""


@dataclass(frozen=True)
class ToolCall:
    """The model asks for a function to be called; what it says is as untrusted as any text."""

    id: str
    name: str
    arguments: str
    """A JSON object, as the model wrote it: it may be none."""


@dataclass(frozen=True)
class ChatMessage:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant's turn: each is answered by a turn of the role `tool` that follows."""
    tool_call_id: str = ""
    """Of a `tool` turn: which call its content is the result of."""


@dataclass(frozen=True)
class ChatRequest:
    """A conversation to be continued by the model."""

    messages: tuple[ChatMessage, ...]
    max_tokens: int
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    """Uris of the files whose text is in the messages: none of them may be one that must not be sent."""
    prediction: str | None = None
    """The text that a rewrite will mostly repeat; servers that can use it answer faster."""
    must_fit: bool = False
    """Refuse a `prediction` longer than the reply may be, where tokens can be counted: `ReplyTooLong`."""
    tools: tuple[ToolSpec, ...] = ()
    """Functions the model may ask for; a backend or a model that knows none answers without them."""


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
class Origin:
    """Who answers a request, and what it was not shown."""

    backend: str
    destination: str
    """`this machine`, `my servers` or `third party`."""
    withheld: tuple[str, ...] = ()
    """What the privacy rules kept back and why, one phrase each; never the text itself."""


@dataclass(frozen=True)
class Chunk:
    """A piece of a reply; the last one carries the finish reason and, if known, the usage."""

    text: str
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    origin: Origin | None = None
    """On the first chunk, where it is known."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Whole calls, on the chunk with the finish reason, `tool_calls`; usage may still follow."""


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

        The local one downloads, starts and loads; others wait for a server that loads and find out
        how it does fill-in-the-middle.
        """
        ...

    async def probe(self) -> None:
        """Look for a sign of life, as cheaply as the server allows; raises what a request would raise."""
        ...

    async def aclose(self) -> None:
        """Release connections. Leaves a shared engine running."""
        ...


@runtime_checkable
class NamesModel(Protocol):
    """A backend that can say which model it asks."""

    def asks(self) -> str:
        """Return the name of the model; empty before it is known."""
        ...


@runtime_checkable
class Reloads(Protocol):
    """A backend that may have to make ready again in the middle of everything."""

    on_reload: Callable[[], None]
    """Called when a request waits for that, and not for a moment only; `prepare` then says how far it is."""


@runtime_checkable
class FindsOut(NamesModel, Protocol):
    """A backend that can say, too, how it asks for fill-in-the-middle."""

    def found(self) -> str:
        """Return what was found, in words; empty before `prepare` or a request."""
        ...


@runtime_checkable
class Lists(Protocol):
    """A backend whose server tells its models."""

    async def models(self) -> list[str]:
        """Return the names of the models that the server has."""
        ...
