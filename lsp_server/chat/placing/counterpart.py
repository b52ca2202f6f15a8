"""The part of a reply that stands where a part of the file's function stands, when the reply is all of it."""

from __future__ import annotations

from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.line_diff import Hunk, hunks
from lsp_server.chat.placing.reply_code import ReplyCode
from lsp_server.documents.enclosing import Around
from lsp_server.documents.positions import LINE_END


def counterpart(target: Target, there: Around, found: ReplyCode) -> tuple[str, str]:
    """Return the lines of the reply's function in the place that the target has in the file's; the rest."""
    lines = target.snapshot.lines
    first = lines.line_of(there.signature[0])
    old = [line.strip() for line in split_lines(target.snapshot.text[there.signature[0] : there.end])]
    text = found.text
    new = split_lines(text[text.rfind("\n", 0, found.around.signature[0]) + 1 : found.around.end])
    changes = hunks(old, [line.strip() for line in new])
    start = _mapped(changes, lines.line_of(target.start) - first, at_end=False)
    end = _mapped(changes, lines.line_of(target.end) - first + 1, at_end=True)
    if start is None or end is None:
        return "", found.text
    return "\n".join(new[start:end]), "\n".join([*new[:start], *new[end:]])


def _mapped(changes: list[Hunk], line: int, *, at_end: bool) -> int | None:
    """Return the new place of a border between two lines; None if what is around it was written anew."""
    shift = 0
    for first, last, _, new_last in changes:
        if last < line or (last == line and (at_end or first < line)):
            shift = new_last - last
        elif first < line:
            return None
    return line + shift


def split_lines(text: str) -> list[str]:
    """Return lines without their ends."""
    return LINE_END.split(text)
