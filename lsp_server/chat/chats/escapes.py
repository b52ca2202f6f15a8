"""Markdown of a model made safe to render while it comes, and read back as the model wrote it.

The rules are those of `replies.harmless`, but a chat is read as it stands, too, and goes back to the model.
So what could load something gets backslashes: an image (`!\\[`), and what may be a tag with attributes
(`\\<`). Where n stand there already it is 2n + 1, which can be undone. What is surely code stays as it is:
fences that `fence_states` is sure of, and short code spans whose line tells that they are some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsp_server.chat.replies.fence_states import FenceStates

LONGEST_SPAN = 200
"""Of code in a line, in characters: it is held back until it is whole."""
_LONGEST_NAME = 100
_LONGEST_RUN = 50

_MARK = re.compile(r"`+|!?\\*<|!\\*\[?|\\+")
_RUN = re.compile(r"`+")
_LEAD = re.compile(r"[ \t>*+\-\d.)]*")
_NAME = re.compile(r"[A-Za-z][\w:.-]*")
_PROGRAM = re.compile(r"(?:style|script|title|textarea|xmp)\b", re.IGNORECASE)


class _Line:
    """One line, as far as it has come."""

    def __init__(self, *, is_clean: bool, undo: bool) -> None:
        self._undo = undo
        self._held = ""
        self._is_first = True
        """Nothing but marks of lists and quotations has come: a tag here starts a block."""
        self._before = ""
        """The last character that is decided."""
        self._is_sure = is_clean
        """A backtick that comes now opens a code span, or is text."""
        self.is_clean = is_clean
        """No code span can be open behind the line."""

    def take(self, piece: str, *, last: bool = False) -> str:
        """Return what is decided of the line with its next piece."""
        self._held += piece
        parts = list(self._decided(last))
        return "".join(parts)

    def _decided(self, last: bool) -> Iterator[str]:
        held, at = self._held, 0
        while (mark := _MARK.search(held, at)) is not None:
            yield self._plain(held[at : mark.start()])
            at = mark.start()
            token = mark[0]
            if token[0] == "`":
                end = self._code_end(mark, last)
            elif token[-1] == "<":
                end = self._tag_end(mark, last)
            else:
                end = self._backslashes_end(mark, last)
            if end is None:
                self._held = held[at:]
                return
            yield self._written(mark, end)
            self._before = held[end - 1]
            at = end
        self._held = ""
        yield self._plain(held[at:])

    def _plain(self, text: str) -> str:
        if text:
            self._is_first = self._is_first and _LEAD.fullmatch(text) is not None
            self._before = text[-1]
        return text

    def _code_end(self, mark: re.Match[str], last: bool) -> int | None:
        """Return where what begins with backticks ends, a whole code span if that is sure."""
        held, start = self._held, mark.end()
        size = start - mark.start()
        if start == len(held) and not last and size <= _LONGEST_RUN:
            return None
        if self._is_sure and self._before != "\\" and size <= _LONGEST_RUN:
            for run in _RUN.finditer(held, start):
                if run.start() - start > LONGEST_SPAN:
                    break
                if run.end() == len(held) and not last:
                    return None
                if run.end() - run.start() == size:
                    if "|" in held[start : run.start()]:  # the cell of a table ends there
                        break
                    return run.end()
            else:
                if not last and len(held) - start <= LONGEST_SPAN:
                    return None
        self._is_sure = self.is_clean = False
        return start

    def _backslashes_end(self, mark: re.Match[str], last: bool) -> int | None:
        """Return the end of what may be backslashes before a bracket; an even number of too many."""
        if last or mark.end() < len(self._held) or mark[0][-1] == "[":
            return mark.end()
        longest = mark.start() + (mark[0][0] == "!") + _LONGEST_RUN
        return longest if longest <= mark.end() else None

    def _tag_end(self, mark: re.Match[str], last: bool) -> int | None:
        """Return the end of an angle bracket about which all is known."""
        name = _NAME.match(self._held, mark.end())
        end = name.end() if name else mark.end()
        if end == len(self._held) and not last and end - mark.end() < _LONGEST_NAME:
            return None
        return mark.end()

    def _written(self, mark: re.Match[str], end: int) -> str:
        token = mark[0]
        is_first, self._is_first = self._is_first, False
        if token[-1] == "<":
            self._is_sure = False  # of an address in angle brackets a backtick is a part
            if not self._may_load(end, is_first):
                return token
        elif token[0] != "!" or token[-1] != "[":
            return self._held[mark.start() : end]
        bang = "!" if token[0] == "!" else ""
        return bang + "\\" * self._count(len(token) - len(bang) - 1) + token[-1]

    def _may_load(self, at: int, is_first: bool) -> bool:
        following = self._held[at : at + 1]
        if following in ("!", "?") or (
            is_first and (following == "/" or (following.isascii() and following.isalpha()))
        ):
            return True
        name = _NAME.match(self._held, at)
        if name is None:
            return False
        behind = self._held[name.end() : name.end() + 1]
        is_long = name.end() - at >= _LONGEST_NAME
        return is_long or not behind or behind in " \t/" or bool(_PROGRAM.match(self._held, at))

    def _count(self, backslashes: int) -> int:
        if not self._undo:
            return 2 * backslashes + 1
        return (backslashes - 1) // 2 if backslashes % 2 else backslashes


class Escapes:
    """Takes a text as it comes and returns what is decided of it; `undo` reads it back."""

    def __init__(self, *, undo: bool = False) -> None:
        self._undo = undo
        self._fences = FenceStates()
        self._parts: list[str] = []
        self._is_clean = True
        self._start()

    def _start(self) -> None:
        self._parts.clear()
        self._held = ""
        self._is_code: bool | None = None
        """None while that is not known."""
        self._line = _Line(is_clean=self._is_clean, undo=self._undo)

    def take(self, piece: str) -> str:
        """Return what is decided with the next piece of the line."""
        self._parts.append(piece)
        if self._is_code is None:
            self._held += piece
            bare = self._held.lstrip(" ")
            if not bare and len(self._held) < self._fences.longest_indent:
                return ""
            self._is_code = self._fences.is_code(self._held)
            piece, self._held = self._held, ""
        return piece if self._is_code else self._line.take(piece)

    def end_line(self) -> str:
        """Return the rest of the line, which has ended."""
        rest = self._held if self._is_code is None else ""
        if not self._is_code:
            rest = self._line.take(rest, last=True)
        line = "".join(self._parts)
        self._is_clean = self._line.is_clean or not line
        self._fences.take(line)
        self._start()
        return rest


def escaped_line(line: str) -> str:
    """Return a line that stands in a paragraph of its own."""
    escapes = Escapes()
    return escapes.take(line) + escapes.end_line()


def unescaped(text: str) -> str:
    """Return a text of lines that end in `\\n` as it was before it was escaped."""
    escapes = Escapes(undo=True)
    return "\n".join(escapes.take(line) + escapes.end_line() for line in text.split("\n"))
