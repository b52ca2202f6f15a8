"""Outlines that stay the same while text is typed inside the window.

An unfinished bracket can change how the parser sees the whole file, and a prompt whose outline
changes is evaluated anew. So an outline is kept as long as the text outside of the window is the
same, whatever the newest tree says.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from lsp_server.documents.outline import Range, outline_text
from lsp_server.documents.syntax import SyntaxTree, parse


@dataclass(frozen=True)
class _Kept:
    before: str
    after: str
    budget_chars: int
    sound: bool
    outline: str


class StableOutlines:
    """The last outline of the documents looked at lately."""

    def __init__(self, capacity: int = 32) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def text(self, uri: str, tree: SyntaxTree, window: Range, budget_chars: int, cursor: int) -> str:
        """Return the outline of what is outside of `window`.

        What is being written at `cursor` is looked past, since it is what is mostly unfinished. An outline
        made from a tree with errors all the same gives way, once, to one made from a sound tree.
        """
        before, after = tree.text[: window[0]], tree.text[window[1] :]
        sound = not tree.root.has_error
        kept = self._kept.get(uri)
        same = kept is not None and (kept.before, kept.after, kept.budget_chars) == (
            before,
            after,
            budget_chars,
        )
        if kept is None or not same or (sound and not kept.sound):
            if not sound:
                tree = _without_line(tree, cursor)
                sound = not tree.root.has_error
            kept = _Kept(before, after, budget_chars, sound, outline_text(tree, window, budget_chars))
            self._kept[uri] = kept
        self._kept.move_to_end(uri)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return kept.outline

    def forget(self, uri: str) -> None:
        """Drop the outline of a closed document."""
        self._kept.pop(uri, None)


def _without_line(tree: SyntaxTree, offset: int) -> SyntaxTree:
    """Return the tree of the text with a statement that is whole in place of the line at `offset`."""
    text = tree.text
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : len(text) if end < 0 else end]
    indent = line[: len(line) - len(line.lstrip())]
    # `x;` is one in most languages; offsets stay as they are.
    other = (indent + "x;").ljust(len(line))[: len(line)]
    return parse(text[:start] + other + text[start + len(line) :], tree.language) or tree
