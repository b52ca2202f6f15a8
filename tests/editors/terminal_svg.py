"""Pictures of a terminal's screen as SVG: small, with no font but the reader's.

Each run of cells with the same look is one text element with its width given, so that the columns are
where they were whatever font draws them. Must not know where a frame comes from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from tests.editors.terminal_screen import Cell, Frame

WIDTH, HEIGHT, BASELINE, FONT = 8.4, 18, 13.5, 14
"""Pixels of a cell; a common monospace font of 14 pixels is 8.4 wide."""

MARGIN = 8
FOREGROUND, BACKGROUND = "#d4d7dc", "#14161b"
_FAMILY = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"


class Run(NamedTuple):
    """Neighbours with the same look."""

    column: int
    cells: tuple[Cell, ...]
    look: Cell
    """A cell without a text."""

    @property
    def text(self) -> str:
        return "".join(cell.text for cell in self.cells)


def runs(row: tuple[Cell, ...], ground: str = "") -> Iterator[Run]:
    """Yield the runs of a row that there is something to see of on this ground."""
    column = 0
    for look, group in groupby(zip(_looks(row, ground), row, strict=True), itemgetter(0)):
        run = Run(column, tuple(cell for _, cell in group), look)
        if run.text.strip() or look.background or look.underline:
            yield run
        column += len(run.cells)


def words(run: Run) -> Iterator[Run]:
    """Yield the parts of a run between two blanks or more, which not every reader of SVG keeps."""
    blanks = [cell.text == " " and not run.look.underline for cell in run.cells]
    start = 0
    while start < len(blanks):
        end = start
        while end < len(blanks) and not (blanks[end] and all(blanks[end : end + 2])):
            end += 1
        if end > start:
            yield Run(run.column + start, run.cells[start:end], run.look)
        start = end + 1


def _looks(row: tuple[Cell, ...], ground: str) -> Iterator[Cell]:
    """Yield how the cells look: reversed colours turned round, blanks like what is before them."""
    last = Cell("")
    for cell in row:
        ink, paper = cell.foreground, cell.background
        if cell.reverse:
            ink, paper = paper or ground or BACKGROUND, ink or FOREGROUND
        paper = "" if paper == ground else paper
        if cell.text != " " or cell.underline or last.underline or last.background != paper:
            last = Cell("", ink, paper, cell.bold, cell.italic, cell.underline)
        yield last


def ground_of(frame: Frame) -> str:
    """Return the colour that most of a frame stands on; empty for the terminal's own."""
    return Counter(cell.background for row in frame.rows for cell in row).most_common(1)[0][0]


def size(frame: Frame) -> tuple[int, int]:
    """Return width and height of a drawing in pixels."""
    return round(len(frame.rows[0]) * WIDTH + 2 * MARGIN), len(frame.rows) * HEIGHT + 2 * MARGIN


def number(value: float) -> str:
    """Return a number as short as it can be written."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def row_elements(row: tuple[Cell, ...], line: int, ground: str = "") -> str:
    """Draw one row: backgrounds first, then the text."""
    below, above = "", ""
    top = line * HEIGHT
    for run in runs(row, ground):
        if run.look.background:
            left, width = number(run.column * WIDTH), number(len(run.cells) * WIDTH)
            # Half a pixel more, or a line is seen between two rows.
            box = f'x="{left}" y="{top}" width="{width}" height="{HEIGHT + 0.5}"'
            below += f'<rect {box} fill="{run.look.background}"/>'
        above += "".join(_text(part, top) for part in words(run))
    return below + above


def _text(part: Run, top: float) -> str:
    look = part.look
    style = f' fill="{look.foreground}"' if look.foreground else ""
    style += ' font-weight="bold"' if look.bold else ""
    style += ' font-style="italic"' if look.italic else ""
    style += ' text-decoration="underline"' if look.underline else ""
    left, width = number(part.column * WIDTH), number(len(part.cells) * WIDTH)
    return (
        f'<text x="{left}" y="{number(top + BASELINE)}" textLength="{width}"{style}>'
        f"{escape(part.text, quote=False)}</text>"
    )


def cursor_element(frame: Frame) -> str:
    """Draw the cursor; nothing while it is hidden."""
    if not frame.cursor:
        return ""
    left, top = frame.column * WIDTH, frame.line * HEIGHT
    width, height = (1.6 if frame.cursor == "bar" else WIDTH), (2 if frame.cursor == "underline" else HEIGHT)
    opacity = ' fill-opacity=".4"' if frame.cursor == "block" else ""
    return (
        f'<rect x="{number(left)}" y="{top + HEIGHT - height}" width="{number(width)}" height="{height}"'
        f' fill="{FOREGROUND}"{opacity}/>'
    )


def envelope(frame: Frame, content: str, style: str = "", title: str = "") -> str:
    """Return the document around the drawing of a frame, or of frames of the same size."""
    width, height = size(frame)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" xml:space="preserve">'
        + (f"<title>{escape(title, quote=False)}</title>" if title else "")
        + f"<style>text{{font:{FONT}px {_FAMILY};white-space:pre}}{style}</style>"
        f'<rect width="{width}" height="{height}" rx="6" fill="{ground_of(frame) or BACKGROUND}"/>'
        f'<g transform="translate({MARGIN} {MARGIN})" fill="{FOREGROUND}">{content}</g></svg>\n'
    )


def drawing(frame: Frame) -> str:
    """Return a picture of a frame."""
    ground = ground_of(frame)
    rows = "\n".join(filter(None, (row_elements(row, line, ground) for line, row in enumerate(frame.rows))))
    return envelope(frame, rows + cursor_element(frame))
