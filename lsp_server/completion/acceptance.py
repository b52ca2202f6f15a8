"""What becomes of completions that were shown, as far as the next changes of the text tell.

Editors do not say what was accepted, so it is inferred: at the place that a completion is for, text was
inserted that is the completion or its start, and nothing else changed. Of a start only what ends where a word
or a line does counts: keys that agree and arrive together are typing. A single character is typing as well;
after it the rest is still shown. So a completion of one character is never counted.

Owns no counters. Must not know LSP.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lsp_server.documents.snapshot import Snapshot

TYPED = 1
"""Characters that a key inserts; what is accepted is longer."""


@dataclass(frozen=True)
class Offer:
    """A completion on the screen: `text` in place of what stands from `start` to `end`."""

    snapshot: Snapshot
    start: int
    end: int
    text: str
    known: int = 0
    """Characters at the start of `text` that are an entry selected in the editor's list, and not ours."""


@dataclass(frozen=True)
class Taken:
    """A completion of which a piece was accepted."""

    characters: int
    begins: bool
    """Whether it is the first piece of the completion."""
    whole: bool
    """Whether nothing is left of it."""


class Offers:
    """The completion shown last in each document."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[Offer, bool]] = {}
        """With whether a piece of it was accepted."""

    def show(self, offer: Offer) -> bool:
        """Take what is shown now; say whether it is another completion than the one before."""
        shown = self._shown.get(offer.snapshot.uri)
        if shown is not None and shown[0] == offer:
            return False
        self._shown[offer.snapshot.uri] = offer, False
        return True

    def change(self, now: Snapshot) -> Taken | None:
        """Follow a document to its next text; return what was accepted of the completion shown, if so."""
        offer, begun = self._shown.pop(now.uri, (None, False))
        if offer is None:
            return None
        inserted = _inserted(offer, now.text)
        if inserted is None or not offer.text.startswith(inserted):
            return None
        rest = offer.text[len(inserted) :]
        count = len(inserted) - offer.known
        accepted = count > TYPED and (not rest or _ends(inserted, rest))
        if rest and count >= 0:
            at = offer.start + len(inserted)
            left = replace(offer, snapshot=now, start=at, end=at, text=rest, known=0)
            self._shown[now.uri] = left, begun or accepted
        return Taken(count, begins=not begun, whole=not rest) if accepted else None

    def forget(self, uri: str) -> None:
        """Drop a closed document."""
        self._shown.pop(uri, None)


def _inserted(offer: Offer, now: str) -> str | None:
    """Return what stands now in the place of the offer; None if anything else has changed."""
    before = offer.snapshot.text
    length = len(now) - len(before) + offer.end - offer.start
    end = offer.start + length
    if length <= 0 or now[: offer.start] != before[: offer.start] or now[end:] != before[offer.end :]:
        return None
    return now[offer.start : end]


def _ends(piece: str, rest: str) -> bool:
    """Say whether a word, or white space, or a line ends between two pieces of a text."""
    return not (_in_word(piece[-1]) and _in_word(rest[0]))


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"
