"""What an action wants to change, not applied yet: edits of one document, or one new file. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.chat.editing.edits import Edit
from lsp_server.documents.snapshot import Snapshot


@dataclass(frozen=True)
class Proposal:
    """Edits that somebody has to agree to."""

    uri: str
    base: Snapshot | None
    """The text that the edits are made for; None for a file that is not open in the editor."""
    edits: tuple[Edit, ...]
    creates: bool = False
    """The file is not there yet; there is one edit, its whole text."""
    disk_text: str = ""
    """The text of a file that is there but not open."""
    region: tuple[int, int] = (0, 0)
    """The part of `base` that the model was shown to work on: changed meanwhile, the edits are void."""
    warning: str = ""
    """Why it must not be applied without a look; empty if nothing speaks against it."""
    cut: bool = False
    """The reply ended at its token limit, and not where the model would have ended it."""


@dataclass(frozen=True)
class NoEdit:
    """There is nothing to apply, and why."""

    reason: str
    text: str = ""
    """What the model said instead."""
    remedy: str = ""
    """What is wrong with the reply, where another attempt may mend that."""
    cut: bool = False
    """As of a `Proposal`."""
