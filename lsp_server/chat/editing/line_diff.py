"""Which lines of two texts are the same. Owns how much time a comparison may take. Knows nothing of edits."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Hunk = tuple[int, int, int, int]
"""Lines `[0:1)` of the old text became lines `[2:3)` of the new one."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

_MOST_PAIRS = 20_000  # pairs of lines that difflib may compare: its worst case then takes 0.1 s
_DEPTH = 30  # times that lines are looked for which are unique between two others


def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their ends: `\\n`, `\\r\\n` or `\\r`, and nothing else ends a line."""
    return _LINE.findall(text)


def hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    """Return what differs, in order, with at least one equal line between two hunks.

    Lines that occur once in both texts are matched first, so that a moved block does not tear others
    apart; where there are none, difflib looks, and where that would take long the lines count as replaced.
    """
    found: list[Hunk] = []
    for hunk in _differing(old, new, (0, len(old), 0, len(new)), 0):
        last = found[-1] if found else None
        if last is not None and last[1] == hunk[0] and last[3] == hunk[2]:
            found[-1] = (last[0], hunk[1], last[2], hunk[3])
        else:
            found.append(hunk)
    return found


def _differing(old: Sequence[str], new: Sequence[str], whole: Hunk, depth: int) -> Iterator[Hunk]:
    first, last, new_first, new_last = whole
    while first < last and new_first < new_last and old[first] == new[new_first]:
        first, new_first = first + 1, new_first + 1
    while first < last and new_first < new_last and old[last - 1] == new[new_last - 1]:
        last, new_last = last - 1, new_last - 1
    if first == last and new_first == new_last:
        return
    part = (first, last, new_first, new_last)
    if first == last or new_first == new_last:
        yield part
        return
    anchors = _anchors(old, new, part) if depth < _DEPTH else []
    if not anchors:
        yield from _by_difflib(old, new, part)
        return
    for at, new_at in [*anchors, (last, new_last)]:
        yield from _differing(old, new, (first, at, new_first, new_at), depth + 1)
        first, new_first = at + 1, new_at + 1


def _by_difflib(old: Sequence[str], new: Sequence[str], part: Hunk) -> Iterator[Hunk]:
    first, last, new_first, new_last = part
    if (last - first) * (new_last - new_first) > _MOST_PAIRS:
        yield part
        return
    matcher = SequenceMatcher(None, old[first:last], new[new_first:new_last], autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield first + start, first + end, new_first + new_start, new_first + new_end


def _anchors(old: Sequence[str], new: Sequence[str], part: Hunk) -> list[tuple[int, int]]:
    """Return the longest chain of lines that occur once in both parts, in the order of both."""
    there, here = _once(new, part[2], part[3]), _once(old, part[0], part[1])
    pairs = [(at, there[line]) for line, at in here.items() if line in there]
    ends: list[int] = []  # new positions that end the best chain of each length
    chain: list[int] = []  # the pair behind each of them
    before: list[int] = []
    for index, (_, new_at) in enumerate(pairs):
        length = bisect_left(ends, new_at)
        before.append(chain[length - 1] if length else -1)
        ends[length : length + 1] = [new_at]
        chain[length : length + 1] = [index]
    found = []
    index = chain[-1] if chain else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _once(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Return the places of lines that occur once in a part; blank ones say nothing."""
    places: dict[str, int] = {}
    for at in range(start, end):
        line = lines[at]
        places[line] = -1 if line in places or not line.strip() else at
    return {line: at for line, at in places.items() if at >= 0}
