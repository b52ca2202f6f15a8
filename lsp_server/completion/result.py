"""What comes out of the pipeline: a completion, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from lsp_server.backends.protocol import Usage

Source = Literal["backend", "cache", "typed_through"]


class Reason(Enum):
    """Why nothing is offered; the values are what `--why` and the log say."""

    DISABLED = "completions are turned off"
    LANGUAGE_DISABLED = "completions are turned off for this language"
    PAUSED = "completions are paused in this window"
    CHAT = "what is written in a chat is completed only if one asks for it"
    MID_WORD = "the cursor stands inside a word"
    MOVED = "the cursor only moved since something was asked about this text"
    STALE = "the document changed meanwhile"
    SUPERSEDED = "a newer request took its place"
    EMPTY = "the model had nothing to add"
    REPEATS_SUFFIX = "the completion only repeats what follows the cursor"
    REPEATS_PREFIX = "the completion only repeats what stands before the cursor"
    EMPTY_FILE = "the file is empty, and nothing tells its language"
    OTHER_LANGUAGE = "the model wrote what is no code of this file's language"
    NOT_READY = "the model is still being fetched or loaded"
    TIMEOUT = "the model took too long"
    WITHHELD = "the privacy rules keep this text from the backend"
    BACKEND_FAILED = "the backend failed"


@dataclass
class Trace:
    """What happened on the way, for `--why`, the log and the benchmark; filled in by the stages."""

    backend: str = ""
    """Who answered, or would have."""
    destination: str = ""
    """Whose machine that is: `this machine`, `my servers` or `third party`."""
    withheld: tuple[str, ...] = ()
    """What was kept back from it and why; never the text itself."""
    prefix: str = ""
    suffix: str = ""
    scope: str = ""
    """`line` or `block`: how much the trigger asked for."""
    raw: str = ""
    """What the model wrote before it was stopped."""
    cut: str = ""
    """What ended the completion."""
    usage: Usage | None = None
    stages_ms: dict[str, float] = field(default_factory=dict)
    counted: bool = False
    """Whether the statistics have it: two requests may be answered by one reply."""


@dataclass(frozen=True)
class Completion:
    """Text to insert at the cursor, verbatim, in the document's own line endings."""

    text: str
    source: Source
    trace: Trace = field(default_factory=Trace, compare=False)


@dataclass(frozen=True)
class NoCompletion:
    """Nothing to offer, and why."""

    reason: Reason
    detail: str = ""
    trace: Trace = field(default_factory=Trace, compare=False)
