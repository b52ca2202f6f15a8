"""A document that is written into while the user may edit it: one edit after the other, each for a version.

Owns the wait for what an edit does. Must not know what is written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import UserFacingError
from lsp_server.features.client import Client
from lsp_server.features.session import Session

if TYPE_CHECKING:
    from lsp_server.chat.editing.edits import Edit

logger = logging.getLogger(__name__)

TRIES = 20
"""Somebody types into the document meanwhile: each key may outdate an edit."""
CHANGE_S = 5.0
"""Editors collect changes before they tell: Neovim for 0.15 s, Emacs for 0.5 s."""
REFUSED_S = 0.7
"""The change that outdated an edit is on its way; if none comes, the version was not the reason."""
LOOK_S = 0.005


class DocumentClosed(Exception):
    """The document is not open any more."""


class LiveDocument:
    """One open document."""

    def __init__(self, server: LanguageServer, session: Session, uri: str) -> None:
        self._server = server
        self._session = session
        self._client = Client.of(server)
        self._uri = uri
        self._turn = asyncio.Lock()

    @property
    def snapshot(self) -> Snapshot:
        """Return the document as it is now; raises `DocumentClosed`."""
        snapshot = self._session.documents.get(self._uri)
        if snapshot is None:
            raise DocumentClosed
        return snapshot

    async def make(self, edit_of: Callable[[str], Edit | None], made: Callable[[], None]) -> bool:
        """Make the edit that `edit_of` returns for the text as it is then and call `made`; False without one.

        Returns when the editor has told the change. What has been sent to the editor is seen through even if
        the caller is cancelled; a next edit waits for it. Raises `DocumentClosed`, `UserFacingError` if the
        editor takes no edits, and what `edit_of` raises.
        """
        work = asyncio.ensure_future(self._make(edit_of, made))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(_look_at)
            raise

    async def _make(self, edit_of: Callable[[str], Edit | None], made: Callable[[], None]) -> bool:
        async with self._turn:
            for _ in range(TRIES):
                snapshot = self.snapshot
                edit = edit_of(snapshot.text)
                if edit is None:
                    return False
                if await self._applied(snapshot, edit):
                    if not await self._changed(snapshot, CHANGE_S):
                        raise UserFacingError("The editor took an edit and does not tell of the change.")
                    if _is_made(edit, snapshot.text, self.snapshot.text):
                        made()
                        return True
                    continue
                await self._changed(snapshot, REFUSED_S)
            raise UserFacingError("The editor refuses the edits of this document.")

    async def _applied(self, snapshot: Snapshot, edit: Edit) -> bool:
        if not self._client.applies:
            raise UserFacingError("This editor takes no edits from a language server (workspace/applyEdit).")
        encoding = self._session.encoding
        start = types.Position(*snapshot.lines.position(edit.start, encoding))
        end = types.Position(*snapshot.lines.position(edit.end, encoding))
        edits = [types.TextEdit(types.Range(start, end), edit.text)]
        if self._client.versions:
            document = types.OptionalVersionedTextDocumentIdentifier(snapshot.uri, snapshot.version)
            wanted = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, list(edits))])
        else:
            wanted = types.WorkspaceEdit(changes={snapshot.uri: edits})
        try:
            result = await self._server.workspace_apply_edit_async(
                types.ApplyWorkspaceEditParams(wanted)  # Neovim would print a label each time
            )
        except JsonRpcException as error:
            logger.info("The editor did not apply an edit: %s", error.message)
            return False
        return result.applied

    async def _changed(self, snapshot: Snapshot, patience_s: float) -> bool:
        """Wait for another version of the document."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while self.snapshot is snapshot:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(LOOK_S)
        return True


def _is_made(edit: Edit, base: str, now: str) -> bool:
    """Tell whether a text has an edit in it: Neovim says so, too, when it dropped one as outdated.

    What the user did meanwhile is nearer to the one text or to the other.
    """
    made = base[: edit.start] + edit.text + base[edit.end :]
    return now == made or _differing(made, now) < _differing(base, now)


def _differing(one: str, other: str) -> int:
    """Return the length of what is left of the longer text without a common start and end."""
    start = _same(one, other)
    one, other = one[start:], other[start:]
    return max(len(one), len(other)) - _same(one[::-1], other[::-1])


def _same(one: str, other: str) -> int:
    """Return the length of the common start."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _look_at(work: asyncio.Future[bool]) -> None:
    """Take note of an error that nobody waits for."""
    if not work.cancelled():
        work.exception()
