"""Outlines that stay the same while text is typed inside the window.

An unfinished bracket can change how the parser sees the whole file, and a prompt whose outline
changes is evaluated anew. So an outline is kept as long as the text outside of the window is the
same, and a new one is made from the last tree without errors, whatever is being written now.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

from lsp_server.documents.outline import Range, outline_text
from lsp_server.documents.syntax import SyntaxTree


@dataclass(frozen=True)
class _Kept:
    before: str
    after: str
    budget_chars: int
    outline: str
    sound: SyntaxTree | None
    """The last tree without errors, of this text or an earlier one."""
    is_sound: bool
    """Whether the outline was made from a tree without errors."""


class StableOutlines:
    """The last outline of the documents looked at lately."""

    def __init__(self, capacity: int = 32) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def text(self, uri: str, tree: SyntaxTree, window: Range, budget_chars: int) -> str:
        """Return the outline of what is outside of `window`.

        One that had to be made from a tree with errors gives way, once, to one made from a sound tree.
        """
        kept = self._kept.get(uri)
        sound = tree if not tree.root.has_error else kept.sound if kept is not None else None
        self._kept[uri] = kept = _renewed(kept, tree, sound, window, budget_chars)
        self._kept.move_to_end(uri)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return kept.outline

    def forget(self, uri: str) -> None:
        """Drop the outline of a closed document."""
        self._kept.pop(uri, None)


def _renewed(
    kept: _Kept | None, tree: SyntaxTree, sound: SyntaxTree | None, window: Range, budget_chars: int
) -> _Kept:
    """Return what to keep now: the same outline, or a new one where the text outside has changed."""
    before, after = tree.text[: window[0]], tree.text[window[1] :]
    place = _place(sound, before, after) if sound is not None else None
    outside = (before, after, budget_chars)
    same = kept is not None and (kept.before, kept.after, kept.budget_chars) == outside
    if kept is not None and same and (kept.is_sound or place is None):
        return replace(kept, sound=sound)
    if sound is None or place is None:
        outline = outline_text(tree, window, budget_chars)
        return _Kept(before, after, budget_chars, outline, sound, is_sound=False)
    outline = outline_text(sound, place, budget_chars)
    return _Kept(before, after, budget_chars, outline, sound, is_sound=True)


def _place(tree: SyntaxTree, before: str, after: str) -> Range | None:
    """Return the window in `tree` that has the same text before and after it, if there is one."""
    text, end = tree.text, len(tree.text) - len(after)
    same = len(before) <= end and text.startswith(before) and text.endswith(after)
    return (len(before), end) if same else None
