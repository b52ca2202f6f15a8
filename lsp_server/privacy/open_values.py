"""Secret values that an earlier line left open: strings and blocks of several lines, lists, lone values."""

from __future__ import annotations

import re

from lsp_server.privacy.literals import MORE, NOTHING, Carry, Values
from lsp_server.privacy.secret_forms import PAIR_VALUE
from lsp_server.privacy.spans import Line, Span

_YAML_KEY = re.compile(r"""["']?[\w./-]+["']?\s*:(?:\s|$)|[-#&*!{\[]""")
_COMMA = re.compile(r"\s*,\s*")

Left = tuple[int, "Carry | None"]
"""Where to go on in the line; or, if all of it is dealt with, what is still open after it."""


def carried(line: Line, carry: Carry, found: list[Span]) -> Left:
    """Take what belongs to the value that `carry` left open."""
    if carry.delimiter:
        return _literal(line, carry, found)
    if carry.block >= 0:
        return _block(line, carry, found)
    if not line.text.strip() or line.text.lstrip().startswith(("#", "//")):
        return 0, carry
    return _value(line, carry, found)


def _value(line: Line, carry: Carry, found: list[Span]) -> Left:
    text = line.text
    first = len(text) - len(text.lstrip())
    value = PAIR_VALUE.search(text) if carry.pair else None
    if carry.pair and value is None:
        return 0, None
    more = MORE.match(text, first if value is None else value.end())
    first = more.end() if more is not None else first
    values = Values(line, found, carry.secrecy)
    end = values.take(first, is_open=carry.joined)
    if carry.items:
        return _items(line, carry, values, end)
    if end is not None:
        return end, values.after if values.after != NOTHING else None
    if line.is_config and not _YAML_KEY.match(text, first):
        values.take_unquoted(first)
        return len(text), NOTHING
    return 0, None


def _literal(line: Line, carry: Carry, found: list[Span]) -> Left:
    text, end = line.text, line.text.find(carry.delimiter)
    stop = len(text) if end < 0 else end
    found.append(Span(min(len(text) - len(text.lstrip()), stop), stop, "", holds=True))
    if end >= 0:
        return end + len(carry.delimiter), None
    continues = len(carry.delimiter) == 3 or carry.delimiter == "`" or text.endswith("\\")
    return stop, carry if continues else NOTHING


def _block(line: Line, carry: Carry, found: list[Span]) -> Left:
    text = line.text
    first = len(text) - len(text.lstrip())
    if text.strip() and first <= carry.block:
        return 0, None
    if text.strip():
        found.append(Span(first, len(text.rstrip()), "", holds=True))
    return 0, carry


def _items(line: Line, carry: Carry, values: Values, end: int | None) -> Left:
    while end is not None and (comma := _COMMA.match(line.text, end)):
        end = values.take(comma.end()) or comma.end()
        if end == comma.end():
            break
    if end is None or line.text[end:].strip():
        return end or 0, None
    return end, values.after if values.after != NOTHING else carry
