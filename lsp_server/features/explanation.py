"""Markdown shown in the editor: a read-only file in the cache folder that grows while the model writes.

An editor that does not reload files gets it when it is whole, under a name of its own: one that shows an
earlier answer would go on showing that.

Owns the files: their names, their mode and how many are kept. Must not know where the text comes from.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import tempfile
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server import own_folders
from lsp_server.chat.replies.harmless import harmless
from lsp_server.errors import UserFacingError
from lsp_server.features.client import Client, plain
from lsp_server.own_folders import ANSWERS

logger = logging.getLogger(__name__)

REWRITE_S = 0.3
"""Between two versions of the file: editors reload it each time."""
KEPT = 50
"""Newest answers in the folder; older ones nobody has open any more."""
LONGEST_MESSAGE = 1000
"""Of a message box, in characters; the rest is in the file."""
PATIENCE_S = 5.0
"""For an editor that does not say whether it shows a file."""

_NO_NAME = re.compile(r"[^\w.-]+")


def folder() -> Path:
    """Return where answers are kept."""
    return own_folders.cache() / "answers"


class Explanation:
    """One answer on its way into the editor."""

    def __init__(self, server: LanguageServer, title: str, name: str, uri: str) -> None:
        """`name` and the document's `uri` make the file's name: the same question again has the same file."""
        self._server = server
        self._client = Client.of(server)
        self._title = title
        self._name = _NO_NAME.sub("-", name)[:80]
        self._about = uri
        self.path = self._path(uri)  # files of one name in two folders
        self._next = 0.0
        self._showing: asyncio.Task[bool] | None = None

    @property
    def uri(self) -> str:
        """Return the uri of the file."""
        return self.path.as_uri()

    async def grow(self, markdown: str) -> None:
        """Show the text so far, if it is time to; the first piece opens the file."""
        now = asyncio.get_running_loop().time()
        if not self._client.reloads or now < self._next or not markdown.strip():
            return
        self._next = asyncio.get_running_loop().time() + REWRITE_S
        try:
            await asyncio.to_thread(self._write, markdown)
        except UserFacingError as error:
            logger.info("Not shown while it comes: %s", error)
        else:
            self._open()

    async def finish(self, markdown: str, *notes: str) -> str:
        """Show the whole text and what there is to say about it; return the text as it is shown."""
        if not self._client.reloads:
            self.path = self._path("\0".join([self._about, markdown, *notes]))
        try:
            shown = await asyncio.to_thread(self._write, markdown, *notes)
        except UserFacingError as error:  # the answer is there all the same
            self._say("\n\n".join([markdown.strip(), *notes, str(error)]), "")
            return harmless(markdown.strip())
        self._open()
        assert self._showing is not None
        await asyncio.wait({self._showing}, timeout=PATIENCE_S)
        if self._showing.done() and not self._showing.cancelled() and not self._showing.result():
            self._say("\n\n".join([markdown.strip(), *notes]), str(self.path))
        return shown

    def stop(self, markdown: str) -> None:
        """Say in the file, if there is one, that nothing more will come."""
        if self._showing is not None:
            with contextlib.suppress(UserFacingError):
                self._write(markdown, "Stopped.")

    def _path(self, about: str) -> Path:
        return folder() / f"{self._name}-{hashlib.sha256(about.encode()).hexdigest()[:8]}.md"

    def _open(self) -> None:
        if self._showing is None:
            self._showing = asyncio.create_task(self._show())

    async def _show(self) -> bool:
        if not self._client.shows_documents:
            return False
        params = types.ShowDocumentParams(self.uri, external=False, take_focus=False)
        try:
            return (await self._server.window_show_document_async(params)).success
        except JsonRpcException as error:
            logger.info("The editor did not show %s: %s", self.path, error.message)
            return False

    def _say(self, text: str, place: str) -> None:
        if len(text) > LONGEST_MESSAGE:
            text = f"{text[:LONGEST_MESSAGE].rstrip()}…"
        message = "\n\n".join(filter(None, (self._title, text, place)))
        self._server.window_show_message(types.ShowMessageParams(types.MessageType.Info, plain(message)))

    def _write(self, markdown: str, *notes: str) -> str:
        shown = harmless(markdown.strip())
        text = f"{harmless(f'# {self._title}')}\n\n{shown}\n"
        if notes:
            text += "\n---\n" + "".join(f"\n*{harmless(note)}*\n" for note in notes)
        with own_folders.writing(ANSWERS, self.path):
            write(self.path, text)
        return shown


def write(path: Path, text: str) -> None:
    """Put a read-only file in place of the one that is there, and drop the oldest of the folder."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = not path.exists()
    # mkstemp makes files of mode 0600, and a file that takes the place of another brings its mode along.
    handle, temporary = tempfile.mkstemp(prefix=".answer-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if os.name == "nt" and not fresh:
            path.chmod(0o600)  # Windows puts nothing in place of a read-only file
        Path(temporary).chmod(0o400)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise
    if fresh:
        _prune(path.parent)


def _prune(place: Path) -> None:
    with contextlib.suppress(OSError):  # another server tidies up, too
        answers = sorted(place.glob("*.md"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in answers[KEPT:]:
            if os.name == "nt":
                path.chmod(0o600)
            path.unlink()
