"""What the actions of one session share: the catalogue, syntax trees, the texts that menus were made for.

Owns when prompt files are looked at again. Everything heavy is imported late, on a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server import config_files
from lsp_server.documents.snapshot import Snapshot
from lsp_server.features.action_call import ActionCall
from lsp_server.features.session import Session
from lsp_server.reporting import Severity
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from lsp_server.chat.actions.catalogue import Catalogue
    from lsp_server.documents.syntax import SyntaxTree, SyntaxTrees

logger = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0
"""Between two looks at the prompt folders: menus are asked for at each move of the cursor."""
REMEMBERED = 4
"""Texts of a document that an open menu may have been made for."""

Stamp = tuple[tuple[str, int, int], ...]
"""Names, times and sizes of files: another one says that something has changed."""


class ActionState:
    """The state of one connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trees: SyntaxTrees | None = None
        self._making = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._made_of: tuple[Settings, Stamp] | None = None
        self._looked_at = 0.0
        self._told: tuple[str, ...] = ()
        self._loading = asyncio.Lock()
        self._offered: dict[str, OrderedDict[int, Snapshot]] = {}
        self._diagnostics: dict[str, tuple[Snapshot, tuple[types.Diagnostic, ...]]] = {}

    async def catalogue(self) -> Catalogue:
        """Return the actions there are; what is wrong with prompt files is told when it turns up."""
        async with self._loading:
            settings, now = self._session.settings, time.monotonic()
            current = self._made_of is not None and self._made_of[0] == settings
            if self._catalogue is None or not current or now - self._looked_at >= LOOK_AGAIN_S:
                self._looked_at = now
                self._catalogue = await asyncio.to_thread(self._look, settings)
                self._tell(self._catalogue.problems)
            return self._catalogue

    def tree(self, snapshot: Snapshot) -> SyntaxTree | None:
        """Return the syntax tree of a snapshot; parses, so call it on a thread."""
        with self._making:
            if self._trees is None:
                from lsp_server.documents.syntax import SyntaxTrees

                self._trees = SyntaxTrees()
        tree = self._trees.parse(snapshot)
        if self._session.documents.get(snapshot.uri) is None:  # closed since the thread was asked
            self._trees.forget(snapshot.uri)
        return tree

    def offered(self, snapshot: Snapshot, call: ActionCall) -> None:
        """Remember what a menu is made for: its text, and what the client knows to be wrong there."""
        if self._session.documents.get(snapshot.uri) is None:
            return
        texts = self._offered.setdefault(snapshot.uri, OrderedDict())
        texts[snapshot.version] = snapshot
        texts.move_to_end(snapshot.version)
        while len(texts) > REMEMBERED:
            texts.popitem(last=False)
        base, known = self.diagnostics(snapshot.uri)
        # Editors tell what is at the place alone: of the same text, what they told of other places holds.
        elsewhere = [it for it in known if base is snapshot and not _touch(it.range, call.range)]
        self._diagnostics[snapshot.uri] = snapshot, (*elsewhere, *call.diagnostics)

    def text(self, uri: str, version: int) -> Snapshot | None:
        """Return the text of a version that a menu was made for."""
        texts = self._offered.get(uri)
        return texts.get(version) if texts is not None else None

    def diagnostics(self, uri: str) -> tuple[Snapshot | None, tuple[types.Diagnostic, ...]]:
        """Return what the client said last was wrong with a document, and the text it is about."""
        return self._diagnostics.get(uri, (None, ()))

    def forget(self, uri: str) -> None:
        """Drop what is kept for a closed document."""
        self._offered.pop(uri, None)
        self._diagnostics.pop(uri, None)
        if self._trees is not None:
            self._trees.forget(uri)

    def _look(self, settings: Settings) -> Catalogue:
        """Load the catalogue if it is not that of the files as they are; runs on a thread."""
        from lsp_server.chat.actions.catalogue import load

        folders = config_files.prompt_folders(settings, self._session.root)
        made_of = (settings, _stamp(folders))
        if self._catalogue is None or made_of != self._made_of:
            self._made_of = made_of
            return load(folders)
        return self._catalogue

    def _tell(self, problems: tuple[str, ...]) -> None:
        fresh = [problem for problem in problems if problem not in self._told]
        self._told = problems
        for problem in fresh[1:]:
            logger.warning("%s", problem)
        if fresh:
            more = f" (and {len(fresh) - 1} more in the log)" if len(fresh) > 1 else ""
            self._session.reporter.tell(f"{fresh[0]}{more}", Severity.WARNING, cause=fresh[0])


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _stamp(folders: Sequence[Path]) -> Stamp:
    found: list[tuple[str, int, int]] = []
    with contextlib.suppress(OSError):  # a file that goes away just now is another stamp, too
        for path in (path for folder in folders for path in sorted(folder.glob("*.md"))):
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
