"""TOML between two lines `+++` at the top of a file, and the text below. Must not know which keys there are.

Everything that is wrong is one sentence with the file and the line.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NoReturn

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FENCE = "+++"

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")


class PromptFileError(Exception):
    """A file is no action; the message is one sentence with the path and the line."""


@dataclass(frozen=True)
class FrontMatter:
    """A file taken apart, its values not checked yet."""

    origin: str
    values: Mapping[str, object]
    body: str
    body_line: int
    """The line of the file in which the body starts, from 1."""
    lines: tuple[str, ...] = field(repr=False)
    """The lines between the fences; the first is line 2 of the file."""

    def fail(self, message: str, *path: str, line: int = 0) -> NoReturn:
        """Raise the error of a key, or of a line."""
        raise PromptFileError(f"{self.origin}, line {line or self.line(*path)}: {message}.")

    def line(self, *path: str) -> int:
        """Return the line of a key; 1 for one that is not there."""
        found = 1
        for part in path:
            key = re.compile(rf"\s*\[?\s*[\"']?{re.escape(part)}[\"']?\s*[=\]]")
            later = range(max(found - 2, 0), len(self.lines))
            found = next((index + 2 for index in later if key.match(self.lines[index])), found)
        return found

    def known_only(self, keys: Collection[str], *path: str) -> None:
        """Refuse any other key."""
        for key in self._table(path):
            if key not in keys:
                place = f" of {'.'.join(path)}" if path else ""
                self.fail(f'there is no key "{key}"{place}{meant(key, keys)}', *path, key)

    def text(self, *path: str, default: str | None = None) -> str:
        """Return a text; without a default there must be one that is not empty."""
        value = self._value(path, default)
        if not isinstance(value, str):
            self.fail(f"{'.'.join(path)} must be a text in quotes, not {shown(value)}", *path)
        if default is None and not value.strip():
            self.fail(f"{'.'.join(path)} must not be empty", *path)
        return value

    def texts(self, *path: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._value(path, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fail(f'{".".join(path)} must be a list of texts, such as ["…"], not {shown(value)}', *path)
        return tuple(value)

    def one_of(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """Return a text that is one of a few."""
        value = self.text(key, default=default)
        if value not in (choices := tuple(allowed)):
            self.fail(f"{key} must be one of {', '.join(choices)}, not {shown(value)}", key)
        return value

    def some_of(self, key: str, allowed: Collection[str], what: str) -> tuple[str, ...]:
        """Return texts that each are one of a few, called `what`."""
        values = self.texts(key)
        for value in values:
            if value not in allowed:
                self.fail(f'{key}: there is no {what} "{value}"{meant(value, allowed)}', key)
        return values

    def flag(self, key: str) -> bool:
        """Return true or false; false if it is not there."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.fail(f"{key} must be true or false, not {shown(value)}", key)
        return value

    def number(self, key: str) -> int:
        """Return a whole number from 0 on; 0 if it is not there."""
        value = self.values.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.fail(f"{key} must be a whole number from 0 on, not {shown(value)}", key)
        return value

    def _table(self, path: tuple[str, ...]) -> Mapping[str, object]:
        table: object = self.values
        for part in path:
            table = table.get(part) if isinstance(table, Mapping) else None
        if not isinstance(table, Mapping):
            self.fail(f"{'.'.join(path)} must be a table {{ key = value }}, not {shown(table)}", *path)
        return table

    def _value(self, path: tuple[str, ...], default: object) -> object:
        table = self._table(path[:-1])
        if path[-1] not in table and default is None:
            self.fail(f'the key "{".".join(path)}" is missing', *path[:-1])
        return table.get(path[-1], default)


def split(text: str, origin: str) -> FrontMatter:
    """Take a file apart; raises `PromptFileError`."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != FENCE:
        raise PromptFileError(f"{origin}, line 1: the first line must be {FENCE}, with TOML below it.")
    end = next((index for index, line in enumerate(lines) if index and line.rstrip() == FENCE), None)
    if end is None:
        raise PromptFileError(f"{origin}, line 1: no second line {FENCE} ends what this one opens.")
    try:
        values = tomllib.loads("\n".join(lines[1:end]))
    except (ValueError, RecursionError) as error:
        at = _AT_LINE.search(str(error))
        last = max((index for index, line in enumerate(lines[:end]) if line.strip()), default=0) + 1
        line = int(at[1]) + 1 if at else last
        reason = _AT_LINE.sub("", str(error)).replace(" (at end of document)", "")
        raise PromptFileError(f"{origin}, line {line}: not valid TOML: {reason}.") from error
    below = lines[end + 1 :]
    first = next((index for index, line in enumerate(below) if line.strip()), len(below))
    body = "\n".join(below[first:]).rstrip()
    return FrontMatter(origin, values, body, end + first + 2, tuple(lines[1:end]))


def meant(name: str, known: Iterable[str]) -> str:
    """Say for the end of a sentence which name may be meant, or which there are."""
    names = sorted(known)
    if close := get_close_matches(name, names, n=1):
        return f" (did you mean {close[0]}?)"
    return f": there are {', '.join(names)}"


def shown(value: object) -> str:
    """Return a value for a message, not longer than it takes to recognise it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"
