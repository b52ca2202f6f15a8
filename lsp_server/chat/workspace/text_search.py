"""Where a text occurs in the workspace. Owns which files are looked at, and how long.

Leaves out what is hidden, what `.gitignore` files name, links, and what is not text.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from lsp_server.chat.workspace.workspace_text import OpenText, Place, Unreadable, place, shown, text_of

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MOST_ENTRIES = 50_000
"""Files and folders looked at: a walk through so many takes about a second."""
MOST_HITS = 60
"""More are no answer, and do not fit into one either."""
TIME_LIMIT_S = 5.0
"""Longest search; what was found until then is the answer."""

_LONGEST_IGNORE_BYTES = 1 << 16
_MOST_STARS = 6  # in a line of a `.gitignore`: matching takes time in the power of their number
_LONGEST_HIT = 160

Ignores = tuple[tuple[Path, "GitIgnoreSpec"], ...]
"""The rules that hold in a folder, outermost first, each with the folder its file lies in."""


@dataclass(frozen=True)
class Hit:
    """A line with the text in it."""

    place: Place
    line: int
    """From 1."""
    text: str


@dataclass(frozen=True)
class Found:
    """What a search found."""

    hits: tuple[Hit, ...]
    complete: bool
    """Whether all files were looked at to their ends."""


def search(
    root: Path,
    text: str,
    glob: str,
    open_text: OpenText,
    why_withheld: Callable[[str], str | None],
) -> Found:
    """Return the lines that contain `text`, in files whose path or name `glob` matches, all if it is empty.

    Capitals count only if there are any in `text`. Call it on a thread.
    """
    deadline = time.monotonic() + TIME_LIMIT_S
    flags = re.IGNORECASE if text == text.lower() else 0
    pattern = re.compile(re.escape(text), flags)
    wanted = glob.strip().removeprefix("./").lstrip("/").replace("**/", "*")
    hits: list[Hit] = []
    spelled, real = root.absolute(), root.resolve()
    for name in _files(real, deadline):
        if name is None:
            return Found(tuple(hits), complete=False)
        if wanted and not (fnmatchcase(name, wanted) or fnmatchcase(name.rpartition("/")[2], wanted)):
            continue
        # The walk goes through no links, so where a name leads to needs no look: 50 µs for each file.
        where = Place(name, (spelled / name).as_uri(), real / name)
        try:
            lines = list(_lines(text_of(where, open_text), pattern, MOST_HITS - len(hits) + 1))
        except Unreadable:
            continue
        if lines and why_withheld(where.uri) is None:
            hits += [Hit(where, number, line) for number, line in lines]
        if len(hits) > MOST_HITS:
            return Found(tuple(hits[:MOST_HITS]), complete=False)
    return Found(tuple(hits), complete=True)


def _lines(text: str, pattern: re.Pattern[str], most: int) -> Iterator[tuple[int, str]]:
    number, at = 1, 0
    for match in pattern.finditer(text):
        if match.start() < at:
            continue  # a second one in the same line
        number += text.count("\n", at, match.start())
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        at = len(text) if end < 0 else end
        # What was found is shown wherever it stands in a line of a thousand columns.
        first = max(start, min(match.start() - _LONGEST_HIT // 2, at - _LONGEST_HIT))
        yield number, text[first : min(first + _LONGEST_HIT, at)].strip()
        number += text.count("\n", match.start(), at)
        most -= 1
        if most <= 0 or at == len(text):
            return


def _files(root: Path, deadline: float) -> Iterator[str | None]:
    """Yield paths from `root` on, by name; None if it had to stop."""
    ignores = _above(root)
    entries = 0
    waiting: list[tuple[Path, Ignores]] = [(root, ignores)]
    while waiting:
        folder, ignores = waiting.pop()
        ignores = (*ignores, *_ignores(folder))
        folders: list[Path] = []
        for entry in _entries(folder):
            entries += 1
            if entries > MOST_ENTRIES or time.monotonic() > deadline:
                yield None
                return
            path = folder / entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if not entry.name.isprintable() or entry.name.startswith("."):
                continue
            if _is_ignored(path, is_folder, ignores):
                continue
            if is_folder:
                folders.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield path.relative_to(root).as_posix()
        waiting += [(path, ignores) for path in reversed(folders)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def _above(root: Path) -> Ignores:
    """Return the rules of the folders above `root`, up to the repository it is in."""
    above: list[Path] = []
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            return tuple(rules for path in reversed(above) for rules in _ignores(path))
        above.append(folder.parent)
    return ()


def _ignores(folder: Path) -> Ignores:
    from pathspec import GitIgnoreSpec

    try:
        content = text_of(place(folder, ".gitignore"), lambda _: None)
    except Unreadable:
        return ()
    if len(content) > _LONGEST_IGNORE_BYTES:
        return ()
    patterns = [line for line in content.split("\n") if line.count("*") <= _MOST_STARS]
    try:
        return ((folder, GitIgnoreSpec.from_lines(patterns)),)
    except ValueError:  # one line is no pattern: then the file hides nothing
        return ()


def _is_ignored(path: Path, is_folder: bool, ignores: Ignores) -> bool:
    """Say whether the nearest file that says anything about a path excludes it."""
    for folder, rules in reversed(ignores):
        name = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
        found = rules.check_file(name).include
        if found is not None:
            return found
    return False


def listing(found: Found, room: int) -> tuple[str, Sequence[Place]]:
    """Return the hits as `path:line: text` in at most `room` characters, and the files they are in."""
    lines: list[str] = []
    places: dict[str, Place] = {}
    complete = found.complete
    for hit in found.hits:
        line = f"{hit.place.name}:{hit.line}: {shown(hit.text)}"
        room -= len(line) + 1
        if room < 0:
            complete = False
            break
        lines.append(line)
        places[hit.place.uri] = hit.place
    if not complete:
        lines.append("[There may be more: ask for a longer text, or for fewer files.]")
    return "\n".join(lines), tuple(places.values())
