"""What the engine is asked for, and what it answers. Knows nothing of HTTP or of llama.cpp."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lsp_server.engine.fim import Prompt
    from lsp_server.engine.model import LoadedModel
    from lsp_server.engine.vocabulary import Vocabulary

FinishReason = Literal["stop", "length"]


class Priority(IntEnum):
    """Who goes first; a smaller number pre-empts a larger one."""

    COMPLETION = 0
    """Somebody is typing: the newest goes first, and pre-empts older completions too."""
    CHAT = 1
    """Somebody is reading: first come, first served."""
    BACKGROUND = 2
    """Nobody is waiting: filling the KV cache ahead of time."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen, and when to stop choosing."""

    max_tokens: int
    """Tokens of new text at most; those that only spell a healed prompt end are not counted. 0 evaluates
    the prompt and stops."""
    min_tokens: int = 0
    """The model may not end its text before this many tokens."""
    temperature: float = 0.0
    """0 takes the most likely token each time."""
    top_p: float = 1.0
    """Choose among the most likely tokens that share this much probability; ignored at temperature 0."""
    seed: int | None = None
    """Makes sampling repeatable; `None` draws a seed."""
    stop: tuple[str, ...] = ()
    """Strings that end the text and are left out of it, beside those of the prompt."""


@dataclass(frozen=True)
class Stats:
    """What a job cost. Times exclude each other and add up to the job's life."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens found in the KV cache when the job first ran."""
    evaluated_tokens: int = 0
    """Tokens evaluated before the next one could be chosen: the rest of the prompt, and after a pause
    whatever another job had pushed out of the cache."""
    completion_tokens: int = 0
    """Tokens of new text, as counted against `max_tokens`."""
    queue_ms: float = 0.0
    """Waiting: for the model to load, for other jobs, and while paused by a newer one."""
    prefill_ms: float = 0.0
    decode_ms: float = 0.0


@dataclass(frozen=True)
class Text:
    """More of the answer: complete characters, never part of a stop string."""

    text: str
    stats: Stats = field(default_factory=Stats, compare=False)
    """What the job has cost until now."""


@dataclass(frozen=True)
class Done:
    """The answer is complete."""

    finish_reason: FinishReason
    stats: Stats


@dataclass(frozen=True)
class Failed:
    """There will be no (more) answer; `message` is one sentence for the user."""

    message: str
    refused: bool = False
    """The request is at fault: asking the same again will not help."""


@dataclass(frozen=True)
class Cancelled:
    """The client took the job back."""

    stats: Stats = field(default_factory=Stats)


Event = Text | Done | Failed | Cancelled

PromptSource = Callable[["LoadedModel", "Vocabulary"], "Prompt"]
"""Builds a prompt once the model is there; a `UserFacingError` it raises becomes the job's failure."""


@dataclass(frozen=True, eq=False)
class Job:
    """One request to the model; compared by identity.

    `emit` is called from the scheduler's thread, or from the thread that calls `submit` or `cancel`,
    and must return at once. It receives any number of `Text` and then exactly one other event.
    """

    prompt: Prompt | PromptSource
    sampling: Sampling
    priority: Priority
    emit: Callable[[Event], None]
    document: Hashable | None = None
    """What the job is about (a document, a conversation): jobs about the same thing share a slot."""
