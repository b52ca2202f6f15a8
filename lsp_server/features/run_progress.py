"""One run of a model that the user waits for, as a work-done progress bar that can be cancelled.

Owns the token and how often the bar is told something. Must not know what is run. An editor without
progress bars sees none.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server.features.client import plain
from lsp_server.features.protocol import command_token

if TYPE_CHECKING:
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

PAUSE_S = 0.1
"""Between two reports: faster than that nobody reads, and each one makes an editor draw."""


def words(text: str) -> str:
    """Say how much there is of a text."""
    count = len(text.split())
    return f"{count} word{'' if count == 1 else 's'}"


class RunProgress:
    """The bar of the task that enters this context; cancelling the bar cancels the task.

    With a token of the client's (that of the request, or of the command that is run) the bar is
    there at once, else the client is asked for one and the work does not wait for its answer.
    """

    def __init__(self, server: LanguageServer, title: str, token: int | str | None = None) -> None:
        self._server = server
        self._title = plain(title)
        given = token if token is not None else command_token.get()
        self._given = given is not None
        self.token: int | str = given if given is not None else str(uuid.uuid4())
        self._message: str | None = None
        self._latest: Callable[[], str] | None = None
        self._open = self._ended = False
        self._task: asyncio.Task[object] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._next: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> RunProgress:
        self._task = asyncio.current_task()
        if self._given:
            self._begin()
        elif (window := self._server.client_capabilities.window) and window.work_done_progress:
            self._opening = asyncio.create_task(self._create())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._end("Stopped" if kind is asyncio.CancelledError else "Failed" if kind is not None else None)

    def report(self, message: str) -> None:
        """Show how it goes; of reports in quick succession the last one is shown."""
        self.report_lazily(lambda: message)

    def report_lazily(self, message: Callable[[], str]) -> None:
        """Do the same with a message that is only made if it is shown."""
        self._latest = message
        if self._open and self._next is None:
            self._report()

    def _begin(self) -> None:
        self._open = True
        begin = types.WorkDoneProgressBegin(title=self._title, message=self._taken(), cancellable=True)
        self._server.work_done_progress.begin(self.token, begin)
        self._server.work_done_progress.tokens[self.token].add_done_callback(self._cancelled)
        self._pause()

    def _report(self) -> None:
        shown = self._message
        if self._taken() != shown:
            report = types.WorkDoneProgressReport(message=self._message, cancellable=True)
            self._server.work_done_progress.report(self.token, report)
            self._pause()

    def _taken(self) -> str | None:
        """Make the latest message and take note that it is shown."""
        if self._latest is not None:
            self._message, self._latest = plain(self._latest()), None
        return self._message

    def _pause(self) -> None:
        def over() -> None:
            self._next = None
            if self._open and self._latest is not None:
                self._report()

        self._next = asyncio.get_running_loop().call_later(PAUSE_S, over)

    def _cancelled(self, future: Future[object]) -> None:
        if future.cancelled() and not self._ended and self._task is not None:
            self._task.cancel()

    def _end(self, message: str | None) -> None:
        self._ended = True
        if self._next is not None:
            self._next.cancel()
        if self._open:
            self._open = False
            self._server.work_done_progress.end(self.token, types.WorkDoneProgressEnd(message=message))
            self._server.work_done_progress.tokens.pop(self.token, None)

    async def _create(self) -> None:
        try:
            await self._server.work_done_progress.create_async(self.token)
        except JsonRpcException as error:
            logger.info("The editor shows no progress: %s", error.message)
            return
        if self._ended:
            self._server.work_done_progress.tokens.pop(self.token, None)
            # A bar that was created has to end, or some editors keep it.
            begin = types.WorkDoneProgressBegin(title=self._title, cancellable=False)
            self._server.work_done_progress.begin(self.token, begin)
            self._server.work_done_progress.end(self.token, types.WorkDoneProgressEnd())
            self._server.work_done_progress.tokens.pop(self.token, None)
            return
        self._begin()
