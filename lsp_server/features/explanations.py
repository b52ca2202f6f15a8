"""The last explanation of each open document, for hovers. It goes when the code that it explains changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from lsp_server.documents.snapshot import Snapshot


@dataclass(frozen=True)
class Explained:
    """Code and what was said about it."""

    snapshot: Snapshot
    start: int
    end: int
    markdown: str


class Explanations:
    """The last explanation of each document that is open."""

    def __init__(self) -> None:
        self._last: dict[str, Explained] = {}

    def remember(self, explained: Explained) -> None:
        """Take the newest explanation."""
        self._last[explained.snapshot.uri] = explained

    def forget(self, uri: str) -> None:
        """Drop the explanation of a closed document."""
        self._last.pop(uri, None)

    async def at(self, now: Snapshot, offset: int) -> Explained | None:
        """Return what was said about the code at a place; None if that code has changed."""
        last = self._last.get(now.uri)
        if last is None:
            return None
        if last.snapshot is not now:
            moved = await asyncio.to_thread(_followed, last, now)
            if self._last.get(now.uri) is not last:
                return None
            if moved is None:
                self.forget(now.uri)
                return None
            self._last[now.uri] = last = moved
        return last if last.start <= offset <= last.end else None


def _followed(last: Explained, now: Snapshot) -> Explained | None:
    """Find the code of an explanation in the text as it is now; compares whole texts."""
    from lsp_server.chat.editing.edits import Edit, rebased

    base, place = last.snapshot.text, (last.start, last.end)
    code = base[last.start : last.end]
    moved = rebased((Edit(*place, code + "\0"),), base, now.text, place)
    if not moved:
        return None
    return Explained(now, moved[0].start, moved[0].end, last.markdown)
