"""The part of a long text that goes into a prompt, chosen so that typing leaves it in place.

A prompt whose start moves with the cursor is evaluated anew at each keystroke. So the borders of a
window move in blocks. They depend only on text far from the cursor, and not on the syntax tree:
an unfinished bracket at the cursor can change how the parser sees the top of the file.
"""

from __future__ import annotations

from lsp_server.documents.positions import LINE_END


def block_chars(budget_chars: int) -> int:
    """Return how far a border moves at once.

    Each move has the whole window evaluated again. A third of the budget keeps that below one token for each
    character typed (some 430 tokens for 576 characters of a 1728-character window); a sixth costs twice as
    much. With the quarter of a block for finding a good line a window is never under 7/12 of its budget.
    """
    return max(1, budget_chars // 3)


def prefix_window(text: str, offset: int, budget_chars: int) -> int:
    """Return where the window before the cursor starts: at most `budget_chars` before `offset`.

    The start is a line's, if possible one that starts a definition at the top level.
    """
    if offset <= budget_chars:
        return 0
    block = block_chars(budget_chars)
    first = -(-(offset - budget_chars) // block) * block
    return _best_border(text, first, min(first + block // 4, offset))


def suffix_window(text: str, offset: int, budget_chars: int) -> int:
    """Return where the window after the cursor ends: at most `budget_chars` after `offset`.

    Counted from the end of the text, which what is typed at the cursor does not move. The end is a
    line's, its line break included.
    """
    behind = len(text) - offset
    if behind <= budget_chars:
        return len(text)
    block = block_chars(budget_chars)
    left_out = -(-(behind - budget_chars) // block) * block
    last = len(text) - left_out
    return _best_border(text, max(last - block // 4, offset), last, latest=True)


def _best_border(text: str, first: int, last: int, *, latest: bool = False) -> int:
    """Return the best place to cut from `first` to `last`: before a definition, else between lines."""
    starts = [match.end() for match in LINE_END.finditer(text, max(0, first - 1), last + 1)]
    starts = [start for start in starts if first <= start <= last]
    if starts:
        return min(reversed(starts) if latest else starts, key=lambda start: _rank(text, start))
    # One long line: anywhere, except between the halves of a line break.
    border, inwards = (last, -1) if latest else (first, 1)
    return border + inwards if text[max(0, border - 1) : border + 1] == "\r\n" else border


def _rank(text: str, start: int) -> int:
    """Return 0 for the start of a paragraph at the top level, then worse places to cut."""
    character = text[start : start + 1]
    after_blank = text[max(0, start - 3) : start].endswith(("\n\n", "\n\r\n", "\r\r"))
    at_top = character.isalpha() or character in ("@", "_", "#", "/", "[", "<")
    return 2 * (not at_top) + (not after_blank)
