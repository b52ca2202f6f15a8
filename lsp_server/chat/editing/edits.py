"""Old text → new text as the smallest line edits, and edits moved to a text that has changed. Pure strings.

Offsets are code points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lsp_server.chat.editing.line_diff import Hunk, hunks, lines_of
from lsp_server.documents.positions import LINE_END


@dataclass(frozen=True)
class Edit:
    """Replace `[start, end)` by `text`."""

    start: int
    end: int
    text: str


def line_edits(old: str, new: str, offset: int = 0) -> tuple[Edit, ...]:
    """Return edits, in order and apart from each other, that make `new` of `old`, which starts at `offset`.

    Lines that are in both stay untouched, so that their marks and cursors stay where they are. Edits start
    and end where lines do; after a last line without an end, lines are added behind it and not in its place.
    """
    if old == new:
        return ()
    if not old or not new:
        return (Edit(offset, offset + len(old), new),)
    # Both without an end: they get the same one for the comparison, or their last lines would be different
    # from the same lines further up.
    open_end = not _ends_line(old) and not _ends_line(new)
    end = _first_line_end(new) or _first_line_end(old) or "\n" if open_end else ""
    old_lines, new_lines = lines_of(old + end), lines_of(new + end)
    starts = _starts(old_lines)
    found = []
    for first, last, new_first, new_last in hunks(old_lines, new_lines):
        start, stop, text = starts[first], starts[last], "".join(new_lines[new_first:new_last])
        if open_end and last == len(old_lines):
            start, stop, text = _without_end(start, stop, text, end, len(old))
        found.append(Edit(offset + start, offset + stop, text))
    return tuple(found)


def _without_end(start: int, stop: int, text: str, end: str, length: int) -> tuple[int, int, str]:
    """Return an edit of the last lines for texts that do not have the end added for the comparison."""
    if start > length:
        return length, length, end + text[: -len(end)]
    if not text:
        return start - len(end), length, ""
    return start, min(stop, length), text[: -len(end)]


def _ends_line(text: str) -> bool:
    return text.endswith(("\n", "\r"))


def _first_line_end(text: str) -> str:
    found = LINE_END.search(text)
    return found.group() if found else ""


def _starts(lines: Sequence[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts


def applied(text: str, edits: Sequence[Edit]) -> str:
    """Return `text` with all edits made."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def rebased(edits: Sequence[Edit], base: str, now: str, region: tuple[int, int]) -> tuple[Edit, ...] | None:
    """Return the edits of `base` for the text `now`; None if `region` of the base, or an edit, has changed.

    The region counts with its lines as a whole: what is typed on its first line before it, or behind it on
    its last line, changes it; new lines right above or below do not. An empty region is none: then only
    the edits count. The result is empty if `now` has the edits already.
    """
    if base == now or not edits:
        return tuple(edits)
    if applied(base, edits) == now:
        return ()
    start, end = region
    if start < end:
        start, end = _whole_lines(base, start, end)
    changes = list(_changes_around(base, now, start, end))
    moved: int | None = 0
    if start < end:
        moved = _moved((start, end), base, now, changes)
    if moved is None:
        return None
    result = []
    for edit in edits:
        shift: int | None = moved
        if start == end or not start <= edit.start <= edit.end <= end:
            shift = _moved((edit.start, edit.end), base, now, changes)
        if shift is None:
            return None
        result.append(replace(edit, start=edit.start + shift, end=edit.end + shift))
    return tuple(result)


def _changes_around(base: str, now: str, start: int, end: int) -> Iterator[Edit]:
    """Yield what was done to `base`; a region that is there once, and once now, is what has stayed."""
    text = base[start:end]
    at = now.find(text) if text else -1
    if at < 0 or base.find(text, base.find(text) + 1) >= 0 or now.find(text, at + 1) >= 0:
        yield from _changes(base, now)
        return
    yield from _changes(base[:start], now[:at])
    for change in _changes(base[end:], now[at + len(text) :]):
        yield replace(change, start=change.start + end, end=change.end + end)


def _changes(base: str, now: str) -> Iterator[Edit]:
    """Yield what was done to `base`: lines first, then without what is the same at both ends of them."""
    old_lines, new_lines = lines_of(base), lines_of(now)
    starts = _starts(old_lines)
    found: list[Hunk] = hunks(old_lines, new_lines)
    for first, last, new_first, new_last in found:
        start, end, text = starts[first], starts[last], "".join(new_lines[new_first:new_last])
        old = base[start:end]
        head = _same(old, text)
        tail = _same(old[head:][::-1], text[head:][::-1])
        yield Edit(start + head, end - tail, text[head : len(text) - tail])


def _same(one: str, other: str) -> int:
    """Return how many characters two texts start with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a region grown to its lines, without the end of the last one."""
    start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    if end > start and _ends_line(text[start:end]):
        return start, end
    found = LINE_END.search(text, end)
    return start, found.start() if found else len(text)


def _moved(region: tuple[int, int], base: str, now: str, changes: Sequence[Edit]) -> int | None:
    """Return how far a region has moved; None if it has changed or shares a line with what is new."""
    start, end = region
    shift = 0
    for change in changes:
        if change.end <= start:
            shift += len(change.text) - (change.end - change.start)
            if change.end == start and not _still_apart(base, start, now, start + shift, whole=start < end):
                return None
        elif change.start >= end:
            if change.start == end and not _still_apart(base, end, now, end + shift, whole=start < end):
                return None
        else:
            return None
    return shift


def _still_apart(base: str, at: int, now: str, moved: int, *, whole: bool) -> bool:
    """Tell whether a border between lines still is one.

    An insertion needs both, the end of a line before it and one behind it, if it had both.
    """
    started, ended = at == 0 or base[at - 1] in "\r\n", at == len(base) or base[at] in "\r\n"
    starts, ends = moved == 0 or now[moved - 1] in "\r\n", moved == len(now) or now[moved] in "\r\n"
    if started and ended and not whole:
        return starts and ends
    return starts if started else ended and ends
