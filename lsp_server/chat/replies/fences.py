"""Fenced blocks in Markdown as models write it, line by line. Owns which fence closes which block.

CommonMark's rules, and where models keep to something else, theirs:

- A fence indented by four columns more than the one that opened the block is code.
- A fence with an info string inside of a block of Markdown, or inside of a string over several lines
  (`\"\"\"`, a shell's here-document), opens a block within, and the next bare one closes that. Anywhere else
  it ends the block: the model forgot to close it.
- A bare fence inside of such a string belongs to the string. In a block of Markdown it opens a block within
  if the line before is blank or ends in a colon. Both are doubtful: if the text ends before the outer block
  is closed, and all is closed the other way, the fence closed the outer block after all.
- A fence may stand behind a list's marker, or behind a colon at the end of a sentence.

All that counts is the lines so far, so the result does not depend on how they came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})(?P<rest>.*)")
_OPENER = re.compile(
    r"(?P<indent>[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?|[^`]*:[ \t]*)(?P<fence>`{3,}|~{3,})(?P<rest>[^`]*)"
)
_INFO = re.compile(r"[^\s`]+([ \t].*)?")
MARKDOWN = frozenset({"markdown", "md", "mdx", "mdown"})
_HERE = frozenset({"bash", "sh", "zsh", "shell", "shellscript", "ruby", "rb", "php", "perl"})
_HERE_DOCUMENT = re.compile(r"(?<!<)<<[-~]?\s*([\"']?)(?P<word>[A-Za-z_]\w*)\1")
_TRIPLE = re.compile(r"\"\"\"|'''|(?:#|//).*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_LONGEST_LINE = 1000  # looked at for strings, in characters: where one does not end costs the square
_TAB = 4  # columns, as in CommonMark
_DOUBTS = 3  # doubtful fences followed at once; each costs reading the lines after it once more


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    info: str
    """What stands behind the opening fence: `python`, or nothing."""
    code: str
    """Without the fences; its lines end in `\\n`, the last one too unless the block is empty."""
    closed: bool
    start: int
    end: int
    """Where the block with its fences stands in the reply."""


@dataclass
class _Open:
    """The block that is open."""

    info: str
    fence: str
    indent: int
    start: int
    lines: list[str] = field(default_factory=list)
    within: bool = False
    """A block inside of it is open."""
    string: str = ""
    """What ends the string that is open."""
    doubt: Fences | None = None
    """What there would be if the last doubtful fence had closed it."""

    @property
    def language(self) -> str:
        return language_of(self.info)

    def block(self, end: int, *, closed: bool) -> Block:
        return Block(self.info, "".join(f"{line}\n" for line in self.lines), closed, self.start, end)


@dataclass
class Fences:
    """The blocks of the lines taken so far."""

    _closed: list[Block] = field(default_factory=list)
    _open: _Open | None = None
    _doubts: int = _DOUBTS

    @property
    def inside(self) -> bool:
        """Tell whether a block is open."""
        return self._open is not None

    def copy(self) -> Fences:
        """Return the same, to be gone on with apart from this one."""
        opened = self._open
        if opened is not None:
            opened = replace(opened, lines=opened.lines.copy())
            opened.doubt = opened.doubt.copy() if opened.doubt else None
        return Fences(self._closed.copy(), opened, self._doubts)

    def blocks(self, end: int) -> tuple[Block, ...]:
        """Return all blocks of a text that ends at `end`."""
        opened = self._open
        if opened is None:
            return tuple(self._closed)
        if opened.doubt is not None and not opened.doubt.inside:
            return opened.doubt.blocks(end)
        return (*self._closed, opened.block(end, closed=False))

    def take(self, line: str, start: int) -> None:
        """Take the next line, without its end, which starts at `start`."""
        opened = self._open
        if opened is None:
            self._open = _opening(line, start)
            return
        if opened.doubt is not None:
            opened.doubt.take(line, start)
        found = _FENCE.fullmatch(line)
        rest = found["rest"].strip() if found else ""
        if found is None or not _may_close(found, opened):
            self._take_code(opened, line)
        elif opened.within:
            opened.within = rest != ""
            self._take_code(opened, line)
        elif rest:
            self._take_info(opened, line, found["rest"], start)
        elif _doubtful(opened):
            self._take_doubtful(opened, line, start)
        else:
            self._close(opened, start + len(line))

    def _take_code(self, opened: _Open, line: str) -> None:
        opened.lines.append(_without_indent(line, opened.indent))
        string = open_string(line, opened.string, opened.language)
        if opened.string and not string:
            opened.within, opened.doubt = False, None
        opened.string = string

    def _take_info(self, opened: _Open, line: str, rest: str, start: int) -> None:
        """Take a fence with something behind it: it opens a block within, or ends this one."""
        if opened.string or opened.language in MARKDOWN:
            opened.within = True
            self._take_code(opened, line)
            return
        self._close(opened, start)
        if _INFO.fullmatch(rest.rstrip()):
            self._open = _opening(line, start)

    def _take_doubtful(self, opened: _Open, line: str, start: int) -> None:
        if opened.doubt is None and self._doubts:
            closed = [*self._closed, opened.block(start + len(line), closed=True)]
            opened.doubt = Fences(closed, None, self._doubts - 1)
        opened.within = True
        self._take_code(opened, line)

    def _close(self, opened: _Open, end: int) -> None:
        self._closed.append(opened.block(end, closed=True))
        self._open = None


def language_of(info: str) -> str:
    """Return the language that stands behind a fence."""
    return re.split(r"[\s:,{]", info.lower(), maxsplit=1)[0]


def _opening(line: str, start: int) -> _Open | None:
    found = _OPENER.fullmatch(line)
    if found is None:
        return None
    at = found["indent"]
    blank = at if not at.rstrip().endswith(":") else ""
    return _Open(found["rest"].strip(), found["fence"], len(blank.expandtabs(_TAB)), start + len(at))


def _may_close(found: re.Match[str], opened: _Open) -> bool:
    return found["fence"].startswith(opened.fence) and (
        len(found["indent"].expandtabs(_TAB)) < opened.indent + _TAB
    )


def _doubtful(opened: _Open) -> bool:
    if opened.string:
        return True
    last = opened.lines[-1].rstrip() if opened.lines else "-"
    return opened.language in MARKDOWN and (not last or last.endswith(":"))


def _without_indent(line: str, columns: int) -> str:
    at = 0
    while columns > 0 and line[at : at + 1] in (" ", "\t"):
        columns -= 1 if line[at] == " " else _TAB
        at += 1
    return line[at:]


def open_string(line: str, string: str, language: str) -> str:
    """Return what ends the string that is open at the end of a line; `string` is that at its start."""
    if language in _HERE:
        return _here_document(line, string)
    at = 0
    if string:
        at = line.find(string)
        if at < 0:
            return string
        at += len(string)
    while found := _TRIPLE.search(line, at, _LONGEST_LINE):
        at = found.end()
        if found.group() in ('"""', "'''"):
            end = line.find(found.group(), at)
            if end < 0:
                return found.group()
            at = end + 3
    return ""


def _here_document(line: str, string: str) -> str:
    if string:
        return "" if line.strip() == string else string
    found = _HERE_DOCUMENT.search(line)
    return found["word"] if found else ""
