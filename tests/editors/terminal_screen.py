"""What a program's output looks like: bytes of a terminal in, a grid of cells out.

Owns the escape sequences that `pyte` does not know. Must not know processes or editors.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import pyte
from pyte.screens import Char

# The colours of xterm, by pyte's names; `brown` is what it calls yellow.
_NAMED = {
    "black": "#000000", "red": "#cd0000", "green": "#00cd00", "brown": "#cdcd00",
    "blue": "#0000ee", "magenta": "#cd00cd", "cyan": "#00cdcd", "white": "#e5e5e5",
    "brightblack": "#7f7f7f", "brightred": "#ff0000", "brightgreen": "#00ff00", "brightbrown": "#ffff00",
    "brightblue": "#5c5cff", "bfightmagenta": "#ff00ff", "brightcyan": "#00ffff", "brightwhite": "#ffffff",
}  # fmt: skip  # (`bfightmagenta` is pyte's own spelling)

_SEQUENCE = re.compile(
    r"\x1b(?:\[(?P<parameters>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|(?P<string>[PX^_])(?:[^\x1b]|\x1b[^\\])*\x1b\\"
    r"|[ -/]+[0-~]"
    r"|(?P<simple>[0-OQ-WYZ`-~\\]))"
)
"""https://invisible-island.net/xterm/ctlseqs/ctlseqs.html; a start of one that is cut off does not match."""

_SYNCHRONISED = "2026"
"""Mode: what comes until it is reset is one picture (https://contour-terminal.org/vt-extensions/synchronized-output/)."""


class Cell(NamedTuple):
    """One place of the screen; the second place of a wide character has no text."""

    text: str = " "
    foreground: str = ""
    """`#rrggbb`, or empty for the terminal's own colour."""
    background: str = ""
    bold: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False


@dataclass(frozen=True)
class Frame:
    """What is on the screen at one moment."""

    rows: tuple[tuple[Cell, ...], ...]
    line: int
    column: int
    cursor: str
    """`block`, `bar`, `underline`, or empty while it is hidden."""

    @property
    def lines(self) -> list[str]:
        """Return the text of the rows, without blanks at their ends."""
        return ["".join(cell.text for cell in row).rstrip() for row in self.rows]

    def in_colour(self, foreground: str) -> str:
        """Return what is written in this colour, such as ghost text; its lines joined by line feeds."""
        texts = [
            "".join(cell.text for cell in row if cell.foreground == foreground).rstrip() for row in self.rows
        ]
        written = [at for at, text in enumerate(texts) if text]
        return "\n".join(texts[written[0] : written[-1] + 1]) if written else ""


class _Screen(pyte.Screen):
    """A screen that also knows how to repeat a character and to scroll."""

    _drawn = " "

    def draw(self, data: str) -> None:
        self._drawn = data[-1:] or self._drawn
        super().draw(data)

    def repeat(self, count: int = 1) -> None:
        super().draw(self._drawn * max(count, 1))

    def scroll_up(self, count: int = 1) -> None:
        self._scroll(self.delete_lines, count)

    def scroll_down(self, count: int = 1) -> None:
        self._scroll(self.insert_lines, count)

    def _scroll(self, change: Callable[[int], None], count: int) -> None:
        column, line = self.cursor.x, self.cursor.y
        self.cursor.y = self.margins.top if self.margins else 0
        change(max(count, 1))
        self.cursor.x, self.cursor.y = column, line


class _Stream(pyte.Stream):
    csi: ClassVar = {  # type: ignore[misc]  # pyte annotates no class variables
        **pyte.Stream.csi,
        "b": "repeat",
        "S": "scroll_up",
        "T": "scroll_down",
    }
    events = pyte.Stream.events | {"repeat", "scroll_up", "scroll_down"}


class Emulator:
    """The screen of one terminal."""

    def __init__(self, columns: int, lines: int, answer: Callable[[str], None]) -> None:
        self._screen = _Screen(columns, lines)
        self._screen.write_process_input = answer  # type: ignore[method-assign,assignment]  # pyte's way to ask for it
        self._stream = _Stream(self._screen)
        self._answer = answer
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._pending = ""
        self._shape = "block"
        self.whole = True
        """False between two halves of a picture that belong together."""

    def feed(self, data: bytes) -> None:
        """Take what the program wrote."""
        text = self._pending + self._decode(data)
        at = 0
        while (escape := text.find("\x1b", at)) >= 0:
            self._stream.feed(text[at:escape])
            sequence = _SEQUENCE.match(text, escape)
            if sequence is None:
                self._pending = text[escape:]
                return
            self._stream.feed(self._translated(sequence))
            at = sequence.end()
        self._stream.feed(text[at:])
        self._pending = ""

    def resize(self, columns: int, lines: int) -> None:
        """Change the size; the program is told by whoever owns it."""
        self._screen.resize(lines, columns)

    def frame(self) -> Frame:
        """Return what is on the screen."""
        screen = self._screen
        rows = tuple(
            tuple(_cell(screen.buffer[line][column]) for column in range(screen.columns))
            for line in range(screen.lines)
        )
        shape = "" if screen.cursor.hidden else self._shape
        return Frame(rows, screen.cursor.y, min(screen.cursor.x, screen.columns - 1), shape)

    def _translated(self, sequence: re.Match[str]) -> str:
        """Return what pyte should see instead of a sequence."""
        parameters, between, final = sequence["parameters"], sequence["between"], sequence["final"]
        if final is None:
            return sequence[0] if sequence["simple"] else ""
        if (between, final) == (" ", "q"):
            number = int(parameters or 0)
            self._shape = "block" if number <= 2 else "underline" if number <= 4 else "bar"
        elif (between, final) == ("$", "p"):
            known = 2 if parameters == f"?{_SYNCHRONISED}" else 0
            self._answer(f"\x1b[{parameters};{known}$y")
        elif parameters == f"?{_SYNCHRONISED}" and final in "hl":
            self.whole = final == "l"
        elif not between and final == "m" and parameters[:1] not in ("?", ">"):
            return _attributes(parameters)
        elif (
            not between
            and parameters[:1] not in ("<", "=", ">")
            and (parameters[:1] != "?" or final in "hlJK")
        ):
            return sequence[0]
        return ""


def _attributes(parameters: str) -> str:
    """Return colours and attributes as pyte reads them: no colons, no colours of underlines."""
    if not parameters:
        return "\x1b[m"
    kept: list[str] = []
    numbers = parameters.split(";")
    while numbers:
        number = numbers.pop(0)
        head, *rest = number.split(":")
        if head in ("38", "48", "58") and not rest:
            length = {"2": 4, "5": 2}.get(numbers[0] if numbers else "", 0)
            rest, numbers = numbers[:length], numbers[length:]
        elif head in ("38", "48", "58") and rest[0] == "2":
            rest = ["2", *rest[-3:]]
        elif head == "4":
            head, rest = ("24" if rest == ["0"] else "4"), []
        if head not in ("58", "59"):
            kept += [head, *rest]
    return f"\x1b[{';'.join(kept)}m" if kept else ""


def _cell(char: Char) -> Cell:
    return Cell(
        char.data, _colour(char.fg), _colour(char.bg), char.bold, char.italics, char.underscore, char.reverse
    )


def _colour(name: str) -> str:
    return "" if name == "default" else _NAMED.get(name) or f"#{name}"
