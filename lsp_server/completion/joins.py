"""Where generated text meets the text that already follows the cursor.

A model that has seen the suffix tends to write on into it. The place where it does is the best
end of a completion there is: measured on multi-line holes, completions cut at a join pass about
three times as often as those cut anywhere else. Pure text, no syntax.
"""

from __future__ import annotations

from collections.abc import Iterator

from lsp_server.completion.cursor import first_line

_CLOSERS = {")": "(", "]": "[", "}": "{"}
_OPENERS = frozenset(_CLOSERS.values())


def line_join(text: str, following: str) -> int | None:
    """Return where the first line of `text` starts that repeats the next line of `following`.

    Lines are equal with their indentation, so that a short `}` or `else:` is only taken for the
    next line when it closes the same block.
    """
    expected = first_line(following)
    if expected is None:
        return None
    position = 0
    for line in text.splitlines(keepends=True):
        if line.rstrip() == expected:
            return position
        position += len(line)
    return None


def closing_join(text: str, tail: str) -> int | None:
    """Return where `text` closes the bracket that `tail` closes already: `foo(█)` and `a, b)`."""
    closer = tail.lstrip()[:1]
    if closer not in _CLOSERS:
        return None
    depth = 0
    for position, character in _outside_strings(text):
        if character in _OPENERS:
            depth += 1
        elif character in _CLOSERS:
            depth -= 1
            if depth < 0:
                return position if character == closer else None
    return None


def tail_join(text: str, tail: str) -> int | None:
    """Return where `text` repeats the rest of the cursor's line, up to that line's end.

    `tail` must be met whole and end a line: the beginning of a short one occurs by chance. Blanks
    that `tail` starts with are not given twice.
    """
    for start, stop in _occurrences(text, tail.strip()):
        if text[stop:].lstrip(" \t")[:1] == "\n":
            return start - _shared_blanks(text[:start], tail)
    return None


def tail_inside(text: str, tail: str) -> int | None:
    """Return where the first line of `text` repeats the rest of the cursor's line and goes on after it."""
    line = text.split("\n", 1)[0]
    for start, _ in _occurrences(line, tail.strip()):
        return start - _shared_blanks(line[:start], tail)
    return None


def _occurrences(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    start = text.find(wanted)
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + 1)


def _shared_blanks(before: str, tail: str) -> int:
    """Return how many of the blanks that end `before` also begin `tail`."""
    ends = len(before) - len(before.rstrip(" \t"))
    return min(ends, len(tail) - len(tail.lstrip(" \t")))


def _outside_strings(text: str) -> list[tuple[int, str]]:
    """Return the characters of `text` that are not inside a quoted string on one line."""
    found: list[tuple[int, str]] = []
    quote = ""
    skip = False
    for position, character in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            if character in (quote, "\n"):
                quote = ""
        elif character in "\"'`":
            quote = character
        else:
            found.append((position, character))
    return found


def open_brackets(text: str, ignore: str = "") -> int:
    """Return how many brackets `text` opens and does not close; `ignore` names openers to pass over."""
    depth = 0
    for _, character in _outside_strings(text):
        if character in ignore or _CLOSERS.get(character) in (*ignore,):
            continue
        if character in _OPENERS:
            depth += 1
        elif character in _CLOSERS and depth:
            depth -= 1
    return depth
