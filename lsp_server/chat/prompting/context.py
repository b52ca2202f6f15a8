"""What the model is told besides the code: outline, imports, definitions used, diagnostics, within a budget.

Owns which piece goes first where the budget does not hold all. Must not know how a prompt is worded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server.chat.actions.site import Target
from lsp_server.chat.new_files.new_file import NewFile, test_file
from lsp_server.chat.prompting import commit_message, pieces
from lsp_server.chat.prompting.staged_diff import shortened, staged_diff, top_folder, uris
from lsp_server.chat.prompting.wording import BYTES_PER_TOKEN, fenced, head, size
from lsp_server.chat.workspace.workspace_text import Unreadable, content
from lsp_server.documents.lines import unix
from lsp_server.uris import file_path


@dataclass(frozen=True)
class Context:
    """Pieces of text by name; what is empty is left out of the prompt, heading and all."""

    pieces: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    """Uris of other files whose text is in the pieces."""
    new_file: NewFile | None = None
    """Where the tests of the target belong, if the piece `tests` was wanted."""


@dataclass
class _Gathering:
    """What has been found so far."""

    target: Target
    wanted: frozenset[str]
    root: Path | None
    cells: Sequence[str]
    room: int
    """Bytes left."""
    pieces: dict[str, str] = field(default_factory=dict)
    documents: set[str] = field(default_factory=set)
    new_file: NewFile | None = None

    def take(self, name: str, text: str) -> None:
        """Keep a piece that was made to fit."""
        text = unix(text).strip("\n")
        if text.strip():
            self.pieces[name] = text
            self.room -= size(text)


_SHARES: Mapping[str, float] = {
    "diagnostics": 0.5,
    "staged_diff": 1.0,
    "tests": 0.4,
    "cells": 0.6,
    "definitions": 0.6,
    "imports": 0.5,
    "outline": 0.7,
    "conventions": 0.7,
}
"""The pieces, the ones that tell most first, and how much of what is then left each may take."""

_REST = frozenset({"imports", "outline", "definitions"})
"""Who wants one of these wants to know what else there is, which in a notebook is in other cells."""

_LEAST_BYTES = 60  # a piece that is shorter tells nothing


def gather(
    target: Target,
    wanted: Sequence[str],
    budget_tokens: int,
    root: Path | None = None,
    cells: Sequence[str] = (),
) -> Context:
    """Return the pieces called `wanted`; what does not fit goes first where it tells least.

    `budget_tokens` is for all pieces and the code of the target, which is never cut here. `cells` is the
    code of a notebook before the target's cell. Takes up to a tenth of a second where the file is long, and
    runs git for `staged_diff`: call it on a thread.
    """
    room = budget_tokens * BYTES_PER_TOKEN - _code_bytes(target)
    needed = frozenset(wanted) | ({"cells"} if _REST.intersection(wanted) else set())
    found = _Gathering(target, needed, root, cells, room)
    if "tests" in wanted:
        found.new_file = test_file(target, root)
    for name, share in _SHARES.items():
        limit = int(found.room * share)
        if name in needed and limit >= _LEAST_BYTES:
            _GATHERERS[name](found, limit)
    return Context(
        {name: found.pieces[name] for name in _SHARES if name in found.pieces},
        tuple(sorted(found.documents - {target.snapshot.uri})),
        found.new_file,
    )


def _code_bytes(target: Target) -> int:
    """Return how long the code is that the prompt will hold: for a signature, its whole definition."""
    around = target.definition
    if around is not None and around.signature == (target.start, target.end):
        return size(target.snapshot.text[around.start : around.end])
    return size(target.text)


def _diagnostics(found: _Gathering, limit: int) -> None:
    found.take("diagnostics", pieces.diagnostics(found.target, limit))


def _cells(found: _Gathering, limit: int) -> None:
    found.take("cells", pieces.nearest(found.cells, limit))


def _definitions(found: _Gathering, limit: int) -> None:
    found.take("definitions", pieces.definitions(found.target, limit))


def _imports(found: _Gathering, limit: int) -> None:
    found.take("imports", pieces.imported(found.target, limit))


def _outline(found: _Gathering, limit: int) -> None:
    found.take("outline", pieces.outline(found.target, limit, with_imports="imports" not in found.wanted))


def _conventions(found: _Gathering, limit: int) -> None:
    found.take("conventions", pieces.conventions(found.target, limit))


def _staged_diff(found: _Gathering, limit: int) -> None:
    snapshot = found.target.snapshot
    folder = top_folder(snapshot.uri, found.root)
    diff = commit_message.diff(snapshot.text) if commit_message.is_one(snapshot) else ""
    if not diff and folder is not None:
        diff = staged_diff(folder)
    diff = shortened(diff, limit)
    found.take("staged_diff", diff)
    found.documents.update(uris(diff, folder or Path(Path.cwd().anchor)))


def _tests(found: _Gathering, limit: int) -> None:
    new = found.new_file
    if new is None:
        return
    lines = [f"The tests are written with {new.framework}." if new.framework else ""]
    if new.import_line:
        lines.append(f"They get at the code with `{new.import_line}`.")
    existing = _existing(found, new)
    if existing:
        shown = head(unix(existing), limit - size(" ".join(lines)) - _LEAST_BYTES)
        if shown.strip():
            found.documents.add(new.path.as_uri())
            lines.append(f"{new.path.name} has tests already, and begins like this:\n\n{fenced(shown)}")
    elif new.example:
        lines.append(f"A test looks like this:\n\n{fenced(new.example.rstrip())}")
    found.take("tests", " ".join(line for line in lines if line))


def _existing(found: _Gathering, new: NewFile) -> str:
    """Return the tests there are, as they are on the disk."""
    if not new.exists or file_path(found.target.snapshot.uri) == new.path:
        return ""
    try:
        tests = content(new.path.resolve(), new.path.name)
    except (Unreadable, OSError):
        return ""
    return tests[: max(found.room, 0)].decode("utf-8", "ignore")


_GATHERERS: Mapping[str, Callable[[_Gathering, int], None]] = {
    "diagnostics": _diagnostics,
    "staged_diff": _staged_diff,
    "tests": _tests,
    "cells": _cells,
    "definitions": _definitions,
    "imports": _imports,
    "outline": _outline,
    "conventions": _conventions,
}
