"""Where a completion was asked for, and what was typed there since.

A place is compared by lengths and hashes of the text before and after it, so that keeping many places of a
large document costs nothing. The whole text counts, white space too: in Python a different
indentation far above is a different program. Lengths come first: hashing takes a millisecond a megabyte.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.documents.snapshot import Snapshot

LONGEST_TYPED = 200
"""Characters that somebody types while a model writes; more is pasted."""


@dataclass(frozen=True)
class Place:
    """A cursor in a text."""

    uri: str
    offset: int
    before: int
    after: int
    behind: int
    """Characters after it."""

    @classmethod
    def of(cls, snapshot: Snapshot, offset: int) -> Place:
        """Return the place at `offset`."""
        text = snapshot.text
        return cls(snapshot.uri, offset, hash(text[:offset]), hash(text[offset:]), len(text) - offset)

    def typed(self, snapshot: Snapshot, offset: int, *, closed: int = 0) -> str | None:
        """Return what was typed between this place and a newer cursor.

        `closed` characters after the cursor are passed over: an editor may close brackets by itself.
        None if anything else changed: text elsewhere, a deletion, another document.
        """
        if snapshot.uri != self.uri or offset < self.offset:
            return None
        text = snapshot.text
        if len(text) - offset - closed != self.behind:
            return None
        if hash(text[offset + closed :]) != self.after or hash(text[: self.offset]) != self.before:
            return None
        return text[self.offset : offset]

    def typed_in(self, snapshot: Snapshot) -> str | None:
        """Return what was typed here in `snapshot`, whose cursor is not known; None as above."""
        end = len(snapshot.text) - self.behind
        return self.typed(snapshot, end) if end <= self.offset + LONGEST_TYPED else None
