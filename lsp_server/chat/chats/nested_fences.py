"""Fenced blocks within fenced blocks, which models write and Markdown does not have, as blocks that it has.

A block of Markdown gets a fence that is one character longer. Where a fence within a block would close it all
the same, such as that of an example in a docstring, an invisible character stands before it. Both can be
undone, line by line. A fence counts as one within where what is before it says so: it names a language in
Markdown or in a string over several lines, or it stands in Markdown behind a line that ends in a colon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.chat.replies.fences import MARKDOWN, language_of, open_string
from lsp_server.chat.replies.harmless import INVISIBLE

MAY_BE_FENCE = re.compile(
    rf"[ \t]*(?:(?:[-*+]|\d+(?:[.)]|\Z))[ \t]*)?{INVISIBLE}*(?:`{{0,2}}|~{{0,2}}|`{{3,}}[^`]*|~{{3,}}.*)"
)
"""The beginning of a line that may be a fence once it is whole."""

_FENCE = re.compile(
    r"(?P<indent>[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?)(?P<fence>`{3,}(?=[^`]*\Z)|~{3,})(?P<info>.*)"
)
_INNER = re.compile(rf"(?P<indent>[ \t]*)(?P<hidden>{INVISIBLE}*)(?P<fence>`{{3,}}|~{{3,}})(?P<info>.*)")
_TAB = 4  # columns, as in CommonMark


@dataclass
class _Block:
    """The block that is open."""

    fence: str
    """As the model wrote it."""
    longer: int
    """How many characters its fence is longer than that in the document."""
    columns: int
    """Before the fence."""
    language: str
    within: bool = False
    """A block inside of it is open."""
    string: str = ""
    """What ends the string over several lines that is open."""
    last: str = ""
    """The last line that is not blank."""

    @property
    def written(self) -> str:
        return self.fence + self.longer * self.fence[0]

    def may_end(self, found: re.Match[str]) -> bool:
        """Tell whether a fence ends this block, or one inside of it, or begins one."""
        columns = len(found["indent"].expandtabs(_TAB))
        return found["fence"].startswith(self.fence) and columns < self.columns + _TAB

    def nests(self, info: str) -> bool:
        """Tell whether a fence begins a block inside of this one, where none is open."""
        if self.language in MARKDOWN:
            return info != "" or self.last.endswith(":")
        return info != "" and self.string != ""

    def go_on(self, line: str) -> None:
        """Take a line of code."""
        self.last = line.strip() or self.last
        if self.language not in MARKDOWN:
            self.string = open_string(line, self.string, self.language)


class NestedFences:
    """Takes lines, without their ends, and returns them as they are written; `undo` reads them back."""

    def __init__(self, *, undo: bool = False) -> None:
        self._undo = undo
        self._block: _Block | None = None

    @property
    def inside(self) -> bool:
        """Tell whether a block is open."""
        return self._block is not None

    def take(self, line: str) -> str:
        """Return the next line."""
        if self._block is None:
            return self._open(line)
        found = _INNER.fullmatch(line)
        if found is None:
            self._block.go_on(line)
            return line
        return self._inside(self._block, line, found)

    def _open(self, line: str) -> str:
        found = _FENCE.fullmatch(line)
        if found is None:
            return line
        at, fence, language = found["indent"], found["fence"], language_of(found["info"].strip())
        longer = int(language in MARKDOWN)
        if self._undo:
            longer = longer if len(fence) > 3 else 0  # it may be the user's, or from before there was this
            fence = fence[longer:]
        block = self._block = _Block(fence, longer, len(at.expandtabs(_TAB)), language)
        return at + (fence if self._undo else block.written) + found["info"]

    def _inside(self, block: _Block, line: str, found: re.Match[str]) -> str:
        at, hidden, fence, info = found["indent"], found["hidden"], found["fence"], found["info"].strip()
        is_code = hidden != ""
        if self._undo and hidden:
            hidden = hidden[1:]
            line = at + hidden + fence + found["info"]
            is_code = hidden != "" or self._is_inner(block, found)
        elif not hidden:
            is_code = self._is_inner(block, found)
        if not is_code:
            self._block = None
            longer = block.longer if fence.startswith(block.written) or not self._undo else 0
            return at + (fence[longer:] if self._undo else fence + longer * fence[0]) + found["info"]
        block.go_on(line)
        if self._undo or not (hidden or (fence.startswith(block.written) and not info)):
            return line
        return at + INVISIBLE + line[len(at) :]

    def _is_inner(self, block: _Block, found: re.Match[str]) -> bool:
        """Take a fence without an invisible character; tell whether it is code of the block."""
        info = found["info"].strip()
        if not block.may_end(found):
            return True
        if block.within:
            block.within = info != ""
            return True
        block.within = block.nests(info)
        return block.within or info != ""


def flattened(text: str) -> str:
    """Return a text of lines that end in `\\n` in which no block stands within another."""
    fences = NestedFences()
    return "\n".join(map(fences.take, text.split("\n")))


def nested(text: str) -> str:
    """Return a text as it was before it was `flattened`."""
    fences = NestedFences(undo=True)
    return "\n".join(map(fences.take, text.split("\n")))
