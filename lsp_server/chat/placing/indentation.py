"""Code moved to another indentation, unit and kind of line ends. Pure strings; knows no syntax but strings.

A reply may be indented as a whole, not at all, or all but its first line, as a selection is that starts
behind its indentation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lsp_server.chat.editing.line_diff import hunks, lines_of
from lsp_server.documents.languages import Language
from lsp_server.documents.positions import LINE_END

_LEADING = re.compile(r"[ \t]*")
_TAB = 4  # columns; only their order counts


def leading(line: str) -> str:
    """Return the blanks and tabs that a line starts with."""
    found = _LEADING.match(line)
    return found.group() if found else ""


def unit_of(text: str) -> str:
    """Return what one level of indentation is: a tab, or some blanks; empty if the text does not say."""
    lines = [line for line in LINE_END.split(text) if line.strip()]
    indents = [leading(line) for line in lines]
    tabs = sum(indent.startswith("\t") for indent in indents)
    if tabs * 2 > sum(indent != "" for indent in indents):
        return "\t"
    steps: Counter[int] = Counter()
    for line, before, after in zip(lines, indents, indents[1:], strict=False):
        step = len(after) - len(before)
        if "\t" not in before + after and 2 <= step <= 8:
            steps[step] += 2 if line.rstrip().endswith((":", "{", "(", "[")) else 1
    return " " * max(steps, key=lambda step: (steps[step], -step)) if steps else ""


def line_end_of(text: str, otherwise: str = "\n") -> str:
    """Return the line end that most lines of a text have."""
    ends = Counter(LINE_END.findall(text))
    return max(ends, key=lambda end: ends[end]) if ends else otherwise


def dedented(lines: Sequence[str], base: str, language: Language) -> list[str]:
    """Return lines without the indentation of the first one; `base` is the one they are to have."""
    first = next((line for line in lines if line.strip()), "")
    own = leading(first)
    if not own and _absolute(lines, first, base, language):
        at = lines.index(first)
        return [*lines[: at + 1], *(_without(line, _width(base)) for line in lines[at + 1 :])]
    return [_without(line, _width(own)) for line in lines]


def _absolute(lines: Sequence[str], first: str, base: str, language: Language) -> bool:
    """Tell whether all lines but the first are indented as they are to be in the file."""
    rest = (
        [_width(leading(line)) for line in lines[lines.index(first) + 1 :] if line.strip()] if first else []
    )
    if not rest or not base:
        return False
    # The body of a block is indented either way, the end of one in braces and a next statement are not.
    opens = language.blocks == "indent" and first.rstrip().endswith(":")
    return min(rest) > _width(base) if opens else min(rest) >= _width(base)


def _width(indent: str) -> int:
    return len(indent.expandtabs(_TAB))


def _without(line: str, columns: int) -> str:
    """Return a line without that many columns of indentation, or as many as it has."""
    indent = leading(line)
    if _width(indent) <= columns:
        return line[len(indent) :]
    return _blanks(_width(indent) - columns, indent) + line[len(indent) :]


def _blanks(columns: int, like: str) -> str:
    if "\t" in like:
        return "\t" * (columns // _TAB) + " " * (columns % _TAB)
    return " " * columns


def converted(lines: Sequence[str], unit: str, file_unit: str) -> list[str]:
    """Return lines with each level of their indentation in the file's unit."""
    if not unit or not file_unit or unit == file_unit:
        return list(lines)
    size = _width(unit)
    found = []
    for line in lines:
        indent = leading(line)
        levels, rest = divmod(_width(indent), size)
        found.append(file_unit * levels + " " * rest + line[len(indent) :])
    return found


def with_line_ends(old: str, new: Sequence[str], end: str, *, exact: bool = False) -> str:
    """Return lines joined, where those that are in `old` keep the end, and the blanks before it, from there.

    `exact` is for text in which blanks at the end of a line mean something.
    """

    def key(line: str) -> str:
        return LINE_END.sub("", line) if exact else line.rstrip()

    old_lines = lines_of(old)
    made, at = [f"{line}{end}" for line in new], [key(line) for line in new]
    before = new_before = 0
    for first, last, _, new_last in [
        *hunks([key(line) for line in old_lines], at),
        (len(old_lines), len(old_lines), len(new), len(new)),
    ]:
        for index in range(first - before):
            kept = old_lines[before + index]
            made[new_before + index] = kept if kept.endswith(("\n", "\r")) else kept + end
        before, new_before = last, new_last
    return "".join(made)
