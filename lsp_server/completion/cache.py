"""Completions already known, found again while the user types along, or goes back.

Owns nothing but text. A hit costs no debounce and no request: a keystroke that agrees with the
ghost text on screen asks the model nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from lsp_server.completion.joins import closing_join
from lsp_server.completion.place import Place
from lsp_server.documents.languages import PLAIN
from lsp_server.documents.snapshot import Snapshot

_MOST_CLOSED = 3
"""Closing characters that an editor may have put after the cursor; `foo([{` is rare enough."""

_CLOSERS = frozenset(")]}\"'`")

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
            inside = _inside_closed(place, snapshot, offset, text[distance:])
            if inside is not None:
                return Hit(inside, distance)
        return None

    def forget(self, uri: str) -> None:
        """Drop what is known of a document that was closed."""
        for place in [place for place in self._known if place.uri == uri]:
            del self._known[place]


def _inside_closed(place: Place, snapshot: Snapshot, offset: int, rest: str) -> str | None:
    """Return the part of `rest` before the bracket or quote that the editor closed by itself.

    Whoever types `range(` on the way to `range(10)` has `range(█)` in most editors; what comes after
    the closing character is offered once the cursor has passed it.
    """
    for closed in range(1, _MOST_CLOSED + 1):
        closers = snapshot.text[offset : offset + closed]
        if closers[-1:] not in _CLOSERS:
            return None
        if place.typed(snapshot, offset, closed=closed) is not None:
            ends = _closed_at(rest, closers)
            return rest[: ends[0]] if ends else None
    return None


def _closed_at(text: str, closers: str) -> list[int]:
    """Return where `text` closes each of `closers`, in this order; empty if it does not."""
    ends: list[int] = []
    position = 0
    for closer in closers:
        rest = text[position:]
        end = closing_join(rest, closer, PLAIN) if closer in ")]}" else rest.find(closer)
        if end is None or end < 0:
            return []
        ends.append(position + end)
        position += end + 1
    return ends
