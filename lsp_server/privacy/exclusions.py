"""Files that are never sent off this machine, by name. Knows paths and patterns, not what is in the files.

Three sources, all in the syntax of `.gitignore`: the built-in list, the user's `privacy.excluded`, which may
lift a built-in rule, and `.lspserverignore` files, which may lift only what other such files said: a
repository must not lower the rules of whoever opens it.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lsp_server import own_folders

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

log = logging.getLogger(__name__)

IGNORE_FILE = ".lspserverignore"
LONGEST_BYTES = 1 << 20
"""Of an ignore file, which may be anybody's."""
_BUILT_IN = Path(__file__).with_name("excluded.gitignore")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # of two letters at least: one is a drive of Windows
_DRIVE = re.compile(r"/*([A-Za-z]:)(?=/|$)")


@dataclass(frozen=True)
class Place:
    """Where a document lies: a path with slashes, and whether it is one of this machine's files."""

    path: str
    is_local: bool

    @property
    def name(self) -> str:
        """Return the last part, for sentences."""
        return PurePosixPath(self.path).name


def place_of(document: str) -> Place:
    """Return the place that a uri or a path names."""
    if not _SCHEME.match(document):
        return _local_place(document)
    parts = urlsplit(document)
    path = unquote(parts.path)
    if parts.scheme != "file":
        return Place(_with_slashes(path, windows=False), is_local=parts.scheme == "vscode-notebook-cell")
    share = f"//{unquote(parts.netloc)}" if parts.netloc.lower() not in {"", "localhost"} else ""
    return _local_place(share + path)


def _local_place(path: str) -> Place:
    path = _with_slashes(path, os.name == "nt")
    is_local = os.name == "nt" or not _DRIVE.match(path)
    return Place(os.path.abspath(path) if os.name != "nt" and is_local else path, is_local)  # noqa: PTH100


def _with_slashes(path: str, windows: bool) -> str:
    drive = _DRIVE.match(path.replace("\\", "/"))
    if windows or drive or path.startswith("\\\\"):
        path = path.replace("\\", "/")
        # Windows opens `.env.`, `.env ` and `.env::$DATA` as `.env`.
        folder, slash, name = path.rpartition("/")
        path = folder + slash + name.partition("::")[0].rstrip(". ")
        if drive:
            path = drive[1] + path[drive.end() :]
    return path


class Exclusions:
    """Says of a document whether, and by which rule, it has to stay on this machine."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Take the user's patterns; those that are not valid are reported in the log and left out."""
        self._user = tuple(_floating(pattern) for pattern in patterns)
        self._ignore_files: dict[str, tuple[tuple[int, ...], _Rules]] = {}
        self._told: set[str] = set()
        """Ignore files that cannot be read and are in the log: once each, not at every keystroke."""

    def why(self, document: str) -> str | None:
        """Return why `document`, a uri or a path, is excluded, if so; a link counts for what it leads to."""
        place = place_of(document)
        reason = self._reason(place)
        if reason is not None:
            return f"`{place.name}` is excluded by {reason}"
        if not place.is_local:
            return None
        real = _local_place(os.path.realpath(place.path))
        if real.path == place.path:
            return None
        reason = self._reason(real)
        if reason is None:
            return None
        return f"`{place.name}` leads to `{real.name}`, which is excluded by {reason}"

    @cached_property
    def _rules(self) -> _Rules:
        return _Rules([*_built_in(), *self._user])

    def _reason(self, place: Place) -> str | None:
        index = self._rules.decision(place.path.lstrip("/"))
        if index is not None and index >= 0:
            count = len(_built_in())
            return f"the built-in rule `{_built_in()[index]}`" if index < count else "privacy.excluded"
        return self._ignored(place.path) if place.is_local else None

    def _ignored(self, path: str) -> str | None:
        """Return what the `.lspserverignore` files above `path` say; the nearest that says anything wins."""
        parts = PurePosixPath(path).parents
        for folder in parts:
            rules = self._ignore_file(str(folder))
            if rules is None:
                continue
            below = path[len(str(folder)) :].lstrip("/")
            index = rules.decision(below)
            if index is None:
                continue
            return None if index < 0 else f"`{IGNORE_FILE}` line {index + 1}"
        return None

    def _ignore_file(self, folder: str) -> _Rules | None:
        """Return the rules of a folder, read again whenever its file changed."""
        path = os.path.join(folder, IGNORE_FILE)  # noqa: PTH118  # called for each folder at each keystroke
        try:
            facts = os.stat(path)  # noqa: PTH116
            version = (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino)
            known = self._ignore_files.get(folder)
            if known is None or known[0] != version:
                known = self._ignore_files[folder] = (version, _Rules(_ignore_lines(path, facts)))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except (OSError, ValueError):
            if path not in self._told:
                self._told.add(path)
                log.warning("%s cannot be read; everything beside and below it stays on this machine", path)
            return _everything()
        return known[1]


class _Rules:
    """Patterns in order, of which the last that matches decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines: list[int] = []
        """Number of the line that each pattern stands on, from 0."""
        self._spec = self._compiled(lines)

    def decision(self, path: str) -> int | None:
        """Return the index of the line that excludes `path`, -1 if one lifts it, None if none matches."""
        found = self._spec.check_file(path.lower())
        if found.include is None or found.index is None:
            return None
        return self._lines[found.index] if found.include else -1

    def _compiled(self, lines: Iterable[str]) -> GitIgnoreSpec:
        from pathspec import GitIgnoreSpec
        from pathspec.patterns.gitignore.base import GitIgnorePatternError
        from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

        patterns = []
        for number, line in enumerate(lines):
            try:
                # Names of secrets are compared without regard to case, as some file systems do it.
                pattern = GitIgnoreSpecPattern(line.lower())
            except GitIgnorePatternError:
                log.warning("the pattern %s is not valid and has no effect", line)
                continue
            patterns.append(pattern)
            self._lines.append(number)
        return GitIgnoreSpec(patterns)


@lru_cache(maxsize=1)
def _everything() -> _Rules:
    return _Rules(["*"])


def _ignore_lines(path: str, facts: os.stat_result) -> list[str]:
    # A cloned repository can have a link to a device there, which has no end.
    if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)) or facts.st_size > LONGEST_BYTES:
        raise ValueError("no plain file of a sensible length")
    return Path(path).read_text(encoding="utf-8-sig", errors="replace").split("\n")


@lru_cache(maxsize=1)
def _built_in() -> tuple[str, ...]:
    return tuple(_lines(_BUILT_IN.read_text(encoding="utf-8").splitlines()))


def _lines(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if line and not line.startswith("#"))


def _floating(pattern: str) -> str:
    """Make a user's pattern one from the root of the file system: `a/b` is meant in any folder."""
    lift, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if body.startswith("~/"):
        return lift + _with_slashes(str(own_folders.home()), os.name == "nt") + body[1:]
    if "/" in body.rstrip("/") and not body.startswith(("/", "**/")):
        body = f"**/{body}"
    return lift + body
