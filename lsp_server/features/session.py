"""What the handlers of one connection share: documents, settings, the backend in use.

Owns the order in which these change. The event loop is the only thread that touches it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server import config_files
from lsp_server.backends import references
from lsp_server.completion.movement import Cursor
from lsp_server.completion.result import Completion, NoCompletion, Reason
from lsp_server.completion.stats import Stats
from lsp_server.documents.notebook import Notebooks
from lsp_server.documents.positions import Encoding
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.store import DocumentStore
from lsp_server.features.backend_link import BackendLink
from lsp_server.features.chat_text import is_chat
from lsp_server.features.explanations import Explanations
from lsp_server.features.in_flight import InFlight
from lsp_server.features.progress import ProgressBar
from lsp_server.features.status import StatusLine
from lsp_server.options import Layer, Problem, resolve
from lsp_server.reporting import Reporter, Severity, set_level
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from lsp_server.backends.protocol import Backend

logger = logging.getLogger(__name__)

CONFIGURATION_S = 3.0
"""Longest wait for the editor's configuration, which takes milliseconds if it comes at all."""

SELECTED = "lsp_server.selectBackend"
"""The origin of a backend that was selected at run time."""


class Session:
    """State of one connection."""

    def __init__(
        self,
        server: LanguageServer,
        reporter: Reporter,
        *,
        log_level: str | None = None,
        warning: str | None = None,
    ) -> None:
        """`warning` is about how the server was started, and is told when the client can hear it."""
        self.server = server
        self.documents = DocumentStore()
        self.notebooks = Notebooks()
        self.settings = Settings()
        self.status = StatusLine(server)
        self.reporter = reporter
        self.stats = Stats()
        self.runs = InFlight()
        """Actions and chats under way, by document; closing it, new settings and shutdown stop them."""
        self.explanations = Explanations()
        self.on_close: list[Callable[[str], None]] = []
        """Called with the uri of each document that is closed."""
        self._log_level = log_level
        self._warning = warning
        self._root: Path | None = None
        self._initial = self._editor = self._selected = Layer("")
        self._configured = asyncio.Event()
        self._problems: tuple[Problem, ...] = ()
        self._reported: tuple[Problem, ...] = ()
        self._link = self._new_link()
        self._chores: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None

    @property
    def encoding(self) -> Encoding:
        """Return the units in which this client counts columns."""
        return self.documents.encoding

    @property
    def root(self) -> Path | None:
        """Return the workspace's first folder."""
        return self._root

    async def chat(self) -> Backend:
        """Return the backend for chat, made ready; raises `UserFacingError` if there is none."""
        await self._settled()
        return await self._link.chat()

    async def why_withheld(self, uri: str) -> str | None:
        """Return why nothing of a document may be in a conversation, if so; raises as `chat` does."""
        await self._settled()
        return await self._link.why_withheld(uri)

    async def withholding(self) -> Callable[[str], str | None]:
        """Return what says the same for one document after the other, on threads: it reads files."""
        await self._settled()
        return await self._link.withholding()

    def open_workspace(self, root: Path | None, encoding: Encoding, initial: Layer) -> None:
        """Take what `initialize` settles; the editor's configuration may follow."""
        self._root = root
        self._initial = initial
        self.documents.encoding = encoding
        self._resolve()

    def expect_configuration(self) -> None:
        """Let what is asked from now on wait for the editor's configuration, which is on its way."""
        self._configured.clear()

    def configure(self, editor: Layer | None = None) -> None:
        """Apply the editor's configuration, if given, and the files as they are now.

        If the settings really change, completions under way are answered with nothing.
        """
        if editor is not None:
            self._editor = editor
        self._resolve()
        self._configured.set()
        if self._warning is not None:
            self.reporter.tell(self._warning, Severity.WARNING)
            self._warning = None
        fresh = [problem for problem in self._problems if problem not in self._reported]
        self._reported = self._problems
        self.reporter.tell_problems(fresh)

    def select(self, backend: str) -> None:
        """Use this backend or profile from now on, whatever the layers of the configuration say."""
        self._selected = Layer(SELECTED, {"backend": backend})
        self.configure()
        self.warm_up()

    def warm_up(self) -> None:
        """Make the backend ready in the background, so that the first completion finds it so."""
        self.start(self._warm_up())

    async def complete(
        self,
        snapshot: Snapshot,
        offset: int,
        *,
        invoked: bool,
        assumed: Snapshot | None = None,
        cursor: int | None = None,
    ) -> Completion | NoCompletion:
        """Complete `snapshot` at `offset`; closing the document, new settings and shutdown end it early.

        With `assumed`, complete this text in place of the snapshot's, for as long as that is the newest.
        `cursor` is where the cursor is, for requests that editors also make when it only moves.
        """
        started = time.monotonic()
        outcome = await self._complete(snapshot, offset, invoked, assumed, cursor)
        self.stats.answered(outcome, (time.monotonic() - started) * 1000)
        if isinstance(outcome, NoCompletion):
            reason, detail = outcome.reason.value, outcome.detail
            logger.debug("Nothing at %d of %s: %s %s", offset, snapshot.uri, reason, detail)
        return outcome

    async def _complete(
        self, snapshot: Snapshot, offset: int, invoked: bool, assumed: Snapshot | None, cursor: int | None
    ) -> Completion | NoCompletion:
        uri = snapshot.uri
        text, start = self.notebooks.whole(assumed or snapshot, self.documents.get)

        def current() -> Snapshot | None:
            newest = self.documents.get(uri)
            if newest is None:
                return None
            shown = assumed if assumed is not None and newest is snapshot else newest
            return self.notebooks.whole(shown, self.documents.get)[0]

        if not invoked and await is_chat(snapshot):
            return NoCompletion(Reason.CHAT)
        await self._settled()
        if self.documents.get(uri) is None:
            return NoCompletion(Reason.STALE)
        if self.status.status.paused and not invoked:
            return NoCompletion(Reason.PAUSED)
        at = Cursor(snapshot, cursor) if cursor is not None and not invoked else None
        outcome = await self._link.complete(text, start + offset, invoked=invoked, current=current, cursor=at)
        if self.status.status.paused and not invoked:  # since a moment ago
            return NoCompletion(Reason.PAUSED)
        if isinstance(outcome, Completion) and self.documents.get(uri) is not snapshot:
            return NoCompletion(Reason.STALE)
        return outcome

    def open_document(self, document: types.TextDocumentItem, *, part_of: str = "") -> None:
        """Take a document in, a cell as `part_of` a notebook."""
        if self.documents.spelled(document.uri) != document.uri:  # it is open under another spelling
            self.close_document(document.uri)
        self.documents.open(
            document.uri, document.language_id, document.version, document.text, part_of=part_of
        )

    def close_document(self, uri: str) -> None:
        """Forget a document and end the work on it."""
        uri = self.documents.spelled(uri)
        self.documents.close(uri)
        self.stats.forget(uri)
        self.runs.cancel(uri)
        self.explanations.forget(uri)
        for forget in self.on_close:
            forget(uri)
        self._link.forget(uri)

    def start(self, chore: Coroutine[object, object, None]) -> None:
        """Run `chore` in the background until it is done or the session ends."""
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._finish)

    async def aclose(self) -> None:
        """End all work; every request under way gets its answer. The second call waits for the first."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self.status.end()
        for chore in self._chores:
            chore.cancel()
        await self.runs.stop()
        await self._link.aclose()

    async def _warm_up(self) -> None:
        await self._settled()
        if self.settings.completion.enabled and not self.status.status.paused:
            self._link.prepare()
        elif self.status.status.state == "starting":
            # Nothing is started before somebody asks for something, and that is how it is to be.
            message = "" if self.settings.completion.enabled else "Completions are turned off."
            self.status.update(selected=self.settings.backend, state="ready", message=message)

    async def _settled(self) -> None:
        """Wait for the editor's configuration: the wrong model must not be fetched in the meantime."""
        if self._configured.is_set():
            return
        # Not wait_for: before Python 3.12 it may swallow the cancellation of a request.
        configured = asyncio.ensure_future(self._configured.wait())
        try:
            await asyncio.wait({configured}, timeout=CONFIGURATION_S)
        finally:
            configured.cancel()
        self._configured.set()

    def _resolve(self) -> None:
        layers = [*config_files.layers(self._root), self._initial, self._editor, self._selected]
        resolved = resolve(layers, references.check)
        self._problems = resolved.problems
        set_level(self._log_level or resolved.settings.log_level)
        if resolved.settings != self.settings:
            self.settings = resolved.settings
            self.start(_end(self.runs, self._link))
            self.runs, self._link = InFlight(), self._new_link()

    def _new_link(self) -> BackendLink:
        def bar(reporter: Reporter | None) -> ProgressBar:
            return ProgressBar(self.server, reporter)

        return BackendLink(self.settings, self.reporter, self.status, bar)

    def _finish(self, chore: asyncio.Task[None]) -> None:
        self._chores.discard(chore)
        if not chore.cancelled() and (error := chore.exception()) is not None:
            logger.error("A background task failed", exc_info=error)


async def _end(runs: InFlight, link: BackendLink) -> None:
    await runs.stop()
    await link.aclose()
