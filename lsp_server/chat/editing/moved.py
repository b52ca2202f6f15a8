"""Where a place of a text is in the text that it has become."""

from __future__ import annotations

from lsp_server.chat.editing.edits import line_edits


def moved(base: str, now: str, *offsets: int) -> tuple[int, ...]:
    """Return the offsets of `base` for `now`; in lines that have changed they stay as far in as they can."""
    if base == now:
        return offsets
    edits = line_edits(base, now)
    found = []
    for offset in offsets:
        before = [edit for edit in edits if edit.end <= offset]
        place = offset + sum(len(edit.text) - (edit.end - edit.start) for edit in before)
        around = next((edit for edit in edits if edit.start < offset < edit.end), None)
        if around is not None:
            place -= max(0, offset - around.start - len(around.text))
        found.append(place)
    return tuple(found)
