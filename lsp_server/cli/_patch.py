"""A proposal as a patch, and as the file it makes: what of the command line changes a user's files."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lsp_server.chat.editing.edits import applied
from lsp_server.chat.editing.proposal import Proposal
from lsp_server.errors import UserFacingError
from lsp_server.privacy.exclusions import place_of

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
"""Lines as patches have them: a CR before the end is part of the line."""


@dataclass(frozen=True)
class Change:
    """One file before and after."""

    path: Path
    before: str
    after: str
    creates: bool

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many lines are added and removed."""
        lines = list(_hunks(self))
        return sum(line[0] == "+" for line in lines), sum(line[0] == "-" for line in lines)


def change_of(proposal: Proposal) -> Change:
    """Return what a proposal makes of its file."""
    before = proposal.base.text if proposal.base is not None else proposal.disk_text
    after = applied(before, proposal.edits)
    return Change(Path(place_of(proposal.uri).path), before, after, proposal.creates)


def patch(change: Change, root: Path) -> str:
    """Return a patch for `git apply` or `patch -p1` in `root`."""
    inside = change.path.is_relative_to(root)
    name = change.path.relative_to(root).as_posix() if inside else change.path.as_posix().lstrip("/")
    old = "/dev/null" if change.creates else f"a/{name}"
    head = f"--- {old}\n+++ b/{name}\n"
    return head + "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in _hunks(change)
    )


def _hunks(change: Change) -> Iterator[str]:
    lines = difflib.unified_diff(_LINES.findall(change.before), _LINES.findall(change.after))
    return (line for index, line in enumerate(lines) if index >= 2)  # the first two name files


def write(change: Change) -> None:
    """Write the file, unless it has changed since it was read; a link stays a link, a mode stays as it is."""
    try:
        if change.creates:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            with change.path.open("x", encoding="utf-8", newline="") as file:
                file.write(change.after)
            return
        target = change.path.resolve()
        if not target.stat().st_mode & stat.S_IWUSR:  # a file in its place would get past that
            raise UserFacingError(f"{change.path} is read-only: make it writable first.")
        if target.read_bytes() != change.before.encode("utf-8"):
            raise UserFacingError(f"{change.path} has changed meanwhile; nothing was written.")
        _replace(target, change.after)
    except OSError as error:
        raise UserFacingError(f"{change.path} cannot be written: {error.strerror or error}.") from error


def _replace(target: Path, text: str) -> None:
    # Whoever reads the file meanwhile, or a full disk, must not find half of it.
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        shutil.copymode(target, temporary)
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
