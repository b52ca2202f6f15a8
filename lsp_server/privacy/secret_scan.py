"""Secrets in text, and the text without them. Knows text only, not where it comes from or goes to.

Works by the line and remembers lines, so that a keystroke costs one: what a line says depends on its text, on
what the line before left open and, in one line, on the cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from lsp_server.privacy.literals import NOTHING, Carry
from lsp_server.privacy.named_values import named_values
from lsp_server.privacy.secret_shapes import shapes
from lsp_server.privacy.spans import Line, Span

PLACEHOLDER = "__WITHHELD__"
"""Stands for each secret: an identifier, so that the syntax around it stays whole, and always the same."""

PRIVATE_KEY = "Private Key"
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d")
_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY")
_HEADER = (
    r"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Encryption|Key-\w+|P\w+-(?:Lines|MAC)):\s"
)
_KEY_LINE = re.compile(
    r"""^\s*(?:[#*>|]\s|//\s)?(?:[furbFURB]?["'`])?"""
    rf"""(?P<body>[A-Za-z0-9+/=]*|{_HEADER}[^"'`]*)(?:\\[nr])*["'`]?\s*[+,;.\\&)]*\s*$"""
)
"""A line of a key in PEM form, perhaps as a string literal, or one of its headers."""
_REST = re.compile(r"[^\s\"'`<>]*")
"""What belongs to a secret that reaches the end of a piece."""
LONGEST_PIECE = 1000
"""Characters looked at together: the patterns need time in the square of it at worst."""
OVERLAP = 200
"""Of two pieces; longer than a name with all that may stand between it and its value, and than most keys."""
_BASE64_LINE = 60
"""Lines of such keys have 64 or 76 characters, the last one fewer."""
_REMEMBERED = 8192  # lines: those of some thirty windows


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text without its secrets."""

    text: str
    cursor: int | None
    """Where the cursor is now; None if there was none or it stands inside a secret."""
    kinds: tuple[str, ...]
    """What kind of secret was left out, one for each."""
    is_cursor_inside: bool = False


@dataclass(frozen=True, slots=True)
class _State:
    """What a line leaves open for the next."""

    named: Carry = NOTHING
    in_key: bool = False
    after_base64: bool = False


def redact(text: str, cursor: int | None, *, is_config: bool = False) -> Redaction:
    """Return `text` with a placeholder for each secret; the number of lines stays the same.

    `cursor` is where somebody types: what touches it is judged as the beginning of something longer.
    `is_config` is for files in which values need no quotes.
    """
    lines = text.split("\n")
    found = _found(lines, cursor, is_config)
    out: list[str] = []
    kinds: list[str] = []
    moved, inside, offset, shift = cursor, False, 0, 0
    for line, spans in zip(lines, found, strict=True):
        for span in spans:
            if cursor is not None and span.has_inside(cursor - offset):
                inside = True
        kept = _without(line, spans, kinds)
        if cursor is not None and offset <= cursor <= offset + len(line):
            moved = cursor + shift + _moved_by(spans, cursor - offset)
        shift += len(kept) - len(line)
        offset += len(line) + 1
        out.append(kept)
    return Redaction("\n".join(out), None if inside else moved, tuple(kinds), inside)


def _without(line: str, spans: Iterable[Span], kinds: list[str]) -> str:
    parts, last = [], 0
    for span in spans:
        if span.start == span.end:
            continue
        parts += [line[last : span.start], PLACEHOLDER]
        last = span.end
        if span.kind:
            kinds.append(span.kind)
    return "".join(parts) + line[last:]


def _moved_by(spans: Iterable[Span], cursor: int) -> int:
    return sum(
        len(PLACEHOLDER) - (span.end - span.start)
        for span in spans
        if span.end <= cursor and span.start < span.end
    )


def _found(lines: list[str], cursor: int | None, is_config: bool) -> list[tuple[Span, ...]]:
    state = _State()
    found: list[tuple[Span, ...]] = []
    begun = False
    offset = 0
    for number, line in enumerate(lines):
        here = cursor is not None and offset <= cursor <= offset + len(line)
        column = cursor - offset if here and cursor is not None else None
        begun = begun or state.in_key
        if not state.in_key and _END.search(line):
            _key_above(lines, number, found)
        if here:
            spans, state = _search_typed(line, is_config, column, state)
        else:
            spans, state = _search(line, is_config, state)
        found.append(spans)
        offset += len(line) + 1
    return found


def _key_above(lines: list[str], end: int, found: list[tuple[Span, ...]]) -> None:
    """Take the lines of a key of which only the end is in the text."""
    for number in range(end - 1, -1, -1):
        body = _KEY_LINE.match(lines[number])
        if body is None or _BEGIN.search(lines[number]):
            return
        if body["body"]:
            found[number] = (Span(*body.span("body"), PRIVATE_KEY if number == end - 1 else "", holds=True),)


def _search_typed(
    line: str, is_config: bool, cursor: int | None, state: _State
) -> tuple[tuple[Span, ...], _State]:
    if len(line) <= LONGEST_PIECE:
        return _search_piece(line, is_config, cursor, state)
    spans: list[Span] = []
    after = state
    for start in range(0, len(line), LONGEST_PIECE - OVERLAP):
        end = min(start + LONGEST_PIECE, len(line))
        column = cursor - start if cursor is not None and start <= cursor <= end else None
        found, after = _search_piece(line[start:end], is_config, column, after if start == 0 else _State())
        for span in found:
            rest = _REST.match(line, end) if span.end == end - start else None
            stop = rest.end() if rest is not None else start + span.end
            spans.append(Span(start + span.start, stop, span.kind, span.holds))
        if end == len(line):
            break
    return _merged(spans), after


def _search_piece(
    line: str, is_config: bool, cursor: int | None, state: _State
) -> tuple[tuple[Span, ...], _State]:
    if state.in_key or state.after_base64:
        body = _KEY_LINE.match(line)
        if body is not None and (state.in_key or _may_end_base64(body["body"], is_typed=cursor is not None)):
            return (Span(*body.span("body"), "" if state.in_key else PRIVATE_KEY, holds=True),), state
    spans: list[Span] = []
    after = state
    begin = _BEGIN.search(line)
    if state.in_key and (end := _END.search(line)):
        first = len(line) - len(line.lstrip(" \t\"'`"))
        if first < end.start():
            spans.append(Span(first, end.start(), "", holds=True))
        after = _State()
    elif begin is not None:
        after = _begun(line, begin, spans)
    else:
        after = _State()
    subject = Line(line, is_config, cursor)
    named, carry = named_values(subject, state.named)
    spans += named
    spans += shapes(subject)
    if not after.in_key:
        after = _State(carry, after_base64=_is_base64(line))
    return _merged(spans), after


Found = tuple[tuple[Span, ...], _State]
_known: dict[tuple[bytes, bool, _State], Found] = {}


def _search(line: str, is_config: bool, state: _State) -> Found:
    """Search a line without the cursor, or remember what was found there before; keeps no text."""
    key = blake2b(line.encode("utf-8", "surrogatepass"), digest_size=16).digest(), is_config, state
    found = _known.get(key)
    if found is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        found = _known[key] = _search_typed(line, is_config, None, state)
    return found


def _begun(line: str, begin: re.Match[str], spans: list[Span]) -> _State:
    """Take what follows the header of a key in its own line."""
    start = begin.end()
    while line.startswith(("\\n", "\\r"), start):
        start += 2
    end = _END.search(line, start)
    if end is not None:
        if start < end.start():
            spans.append(Span(start, end.start(), PRIVATE_KEY, holds=True))
        return _State()
    rest = re.compile(r"[A-Za-z0-9+/=\\]*").match(line, start)
    if rest is not None and rest.group():
        spans.append(Span(start, rest.end(), PRIVATE_KEY, holds=True))
    return _State(in_key=True)


def _is_base64(line: str) -> bool:
    body = _KEY_LINE.match(line)
    if body is None or len(body["body"]) < _BASE64_LINE or " " in body["body"]:
        return False
    word = body["body"]
    return (
        any(c.isdigit() for c in word) and any(c.isupper() for c in word) and any(c.islower() for c in word)
    )


def _may_end_base64(body: str, *, is_typed: bool) -> bool:
    return body != "" and (
        is_typed or not (body.isalpha() and body.islower())
    )  # `end` of Ruby is no end of a key


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """Join what overlaps; the first kind wins."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda it: (it.start, -it.end)):
        if merged and (span.start < merged[-1].end or span.start == merged[-1].start):
            last = merged[-1]
            end, holds = max(last.end, span.end), last.holds or (span.holds and span.start == last.start)
            merged[-1] = Span(last.start, end, last.kind or span.kind, holds)
        else:
            merged.append(span)
    return tuple(merged)
