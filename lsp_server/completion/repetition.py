"""Where a model begins to say the same over and over, line after line or within one line.

A few equal members are code that people write, and so are rows as long as the row above and lines of one
character. What goes on longer is a model that has lost its way.
"""

from __future__ import annotations

import re

from lsp_server.completion.cursor import lines_of

MOST_COPIES = 8
"""Equal members in one line that are not questioned: `0, 0, 0, 0, 0, 0, 0, 0`."""

_LINE_CHARS = 2000
"""Of a line that are looked at: ten times a long one, and the search takes time by its length."""
_HEAD_CHARS = 500

_RUN = re.compile(rf"(.{{2,40}}?)\1{{{MOST_COPIES},}}", re.DOTALL)
_SEPARATORS = " \t,;|&+"


def of_lines(text: str) -> int | None:
    """Return where up to three lines have been said three times in a row, after the first time."""
    lines = lines_of(text)
    for period in range(1, 4):
        for start in range(len(lines) - 3 * period + 1):
            once = lines[start : start + period]
            if any(line.strip() for line in once) and lines[start : start + 3 * period] == 3 * once:
                return sum(map(len, lines[: start + period]))
    return None


def within_line(head: str, text: str, above: str) -> int | None:
    """Return where the last line of `text` is to end that only goes on with the same; None if it does not.

    `head` is what stands before `text` on its line, `above` the line above it. One member is kept, or none.
    """
    before, newline, line = text.rpartition("\n")
    if newline:
        head, above = "", before.rpartition("\n")[2] or head
    head, start = head[-_HEAD_CHARS:], len(before) + len(newline)
    whole = (head + line)[:_LINE_CHARS]
    for run in _RUN.finditer(whole):
        unit = run[1]
        told = len(set(unit)) > 1 and any(character.isalnum() or character > "~" for character in unit)
        copies = len(run.group()) // len(unit)
        if run.end() > len(head) and told and copies > above.count(unit.strip(_SEPARATORS)):
            end = _member(whole, run.start(), len(unit)) + len(unit)
            while end <= len(head):
                end += len(unit)
            kept = whole[len(head) : end].rstrip(_SEPARATORS)
            return start + len(kept)
    return None


def _member(text: str, start: int, period: int) -> int:
    """Return where a member begins in a run that begins somewhere within one."""
    starts = range(start, start + period)
    return next((at for at in starts if not at or text[at - 1] in _SEPARATORS + "([{"), start)
