"""Whether to complete at a place at all, and how much: one line or a block."""

from __future__ import annotations

from lsp_server.completion.beginning import says_nothing
from lsp_server.completion.cursor import Scope
from lsp_server.completion.result import Reason
from lsp_server.documents.context import SyntaxContext
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.settings import CompletionSettings


def refusal(settings: CompletionSettings, snapshot: Snapshot, offset: int, *, invoked: bool) -> Reason | None:
    """Return why nothing is offered here, or None if something may be.

    `invoked` means that the user asked for it: then a cursor inside a word is no objection.
    """
    if not settings.enabled:
        return Reason.DISABLED
    names = {snapshot.language_id} if snapshot.language_id else detect("", snapshot.uri).ids
    if any(name in settings.disabled_languages for name in names):
        return Reason.LANGUAGE_DISABLED
    if says_nothing(snapshot):
        return Reason.EMPTY_FILE
    around = snapshot.text[max(0, offset - 1) : offset + 1]
    if not invoked and len(around) == 2 and _is_word(around[0]) and _is_word(around[1]):
        return Reason.MID_WORD
    return None


def scope(settings: CompletionSettings, syntax: SyntaxContext, head: str, tail: str) -> Scope:
    """Return how much to complete.

    A block where nothing else stands on the cursor's line, or where the line just opened one that
    has no body yet; a line in prose, in strings and where code is being written.
    """
    if settings.multiline != "auto":
        return "block" if settings.multiline == "always" else "line"
    if syntax.place != "code":
        return "line"
    if not head.strip():
        return "block"
    opened = syntax.at_block_start and not tail.strip()
    # After a blank the user goes on writing on this line: `if x: █`, `image: █`.
    return "block" if opened and head == head.rstrip() else "line"


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
