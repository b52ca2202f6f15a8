"""Completions already known, found again while the user types along, or goes back.

Owns nothing but text. A hit costs no debounce and no request: a keystroke that agrees with the
ghost text on screen asks the model nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from lsp_server.completion.place import Place
from lsp_server.documents.snapshot import Snapshot

CAPACITY = 100
"""Completions kept, over all documents: an hour of backspaces, and under 100 kB."""


@dataclass(frozen=True)
class Hit:
    """A known completion; `typed` characters of it stand in the document already."""

    text: str
    typed: int


class CompletionCache:
    """The newest completions, by the place they were made for."""

    def __init__(self) -> None:
        self._known: OrderedDict[Place, str] = OrderedDict()

    def add(self, place: Place, text: str) -> None:
        """Remember `text`; an empty one means that the model had nothing to add there."""
        self._known[place] = text
        self._known.move_to_end(place)
        if len(self._known) > CAPACITY:
            self._known.popitem(last=False)

    def find(self, snapshot: Snapshot, offset: int) -> Hit | None:
        """Return the newest completion that agrees with what was typed since it was made."""
        for place, text in reversed(self._known.items()):
            distance = offset - place.offset
            if place.uri != snapshot.uri or not 0 <= distance <= max(0, len(text) - 1):
                continue
            if not text.startswith(snapshot.text[place.offset : offset]):
                continue
            if place.typed(snapshot, offset) is not None:
                return Hit(text[distance:], distance)
        return None

    def forget(self, uri: str) -> None:
        """Drop what is known of a document that was closed."""
        for place in [place for place in self._known if place.uri == uri]:
            del self._known[place]
