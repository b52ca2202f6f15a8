"""Whether the cursor has only moved since an automatic request: then no model is asked.

Some editors ask at each move of the cursor, Neovim 0.12 does; nobody wants completions from looking around.
So a text is asked about at one place, that of the first request, which follows the key that made the text.
Must not know what is answered instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.documents.snapshot import Snapshot


@dataclass(frozen=True)
class Cursor:
    """Where the cursor stands in the text as it is; a request may be about what is not in it yet."""

    snapshot: Snapshot
    offset: int


class FirstPlaces:
    """The first place of the newest text of each document, as far as somebody asked there."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[int, int, int]] = {}

    def has_moved(self, cursor: Cursor) -> bool:
        """Say whether another place of this text was asked about first; else this is the first place."""
        # The hash is for clients that do not count versions: each text is a new one.
        text = cursor.snapshot.version, hash(cursor.snapshot.text)
        first = self._first.setdefault(cursor.snapshot.uri, (*text, cursor.offset))
        if first[:2] != text:
            first = self._first[cursor.snapshot.uri] = (*text, cursor.offset)
        return first[2] != cursor.offset

    def forget(self, uri: str) -> None:
        """Drop a closed document."""
        self._first.pop(uri, None)
