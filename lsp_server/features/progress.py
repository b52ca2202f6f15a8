"""The way to a ready model, as a work-done progress bar of the server.

Must not know what is being prepared. A backend that is ready at once shows no bar; an editor
without progress bars gets one message, if there is somebody to tell it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server.backends.protocol import Readiness
from lsp_server.reporting import Reporter, Severity

logger = logging.getLogger(__name__)

TITLE = "codestral-lsp"


class ProgressBar:
    """One bar, from the first report that says "not ready" to the end."""

    def __init__(self, server: LanguageServer, reporter: Reporter | None) -> None:
        self._server = server
        self._reporter = reporter
        self._token = str(uuid.uuid4())
        self._latest: Readiness | None = None
        self._opening: asyncio.Task[None] | None = None
        self._open = False
        self._ended = False

    def update(self, readiness: Readiness) -> None:
        """Show how far the work is; the bar appears with the first call."""
        if readiness.ready or _same_to_the_eye(readiness, self._latest):
            return
        self._latest = readiness
        logger.info(
            "%s%s", readiness.message, "" if readiness.fraction is None else f" {_percent(readiness)} %"
        )
        if self._opening is None:
            self._opening = asyncio.create_task(self._create())
        elif self._open:
            report = types.WorkDoneProgressReport(message=readiness.message, percentage=_percent(readiness))
            self._server.work_done_progress.report(self._token, report)

    def end(self, message: str) -> None:
        """Take the bar away; does nothing if it never appeared."""
        self._ended = True
        if self._open:
            self._open = False
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=message))
            self._server.work_done_progress.tokens.pop(self._token, None)

    async def _create(self) -> None:
        """Ask for the bar on a task of its own: the work does not wait for a slow or silent editor."""
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            if self._latest is not None and self._reporter is not None:
                self._reporter.tell(self._latest.message, Severity.INFO, cause="progress")
            return
        try:
            await self._server.work_done_progress.create_async(self._token)
        except JsonRpcException as error:
            logger.info("The editor shows no progress: %s", error.message)
            return
        if self._ended or self._latest is None:
            self._server.work_done_progress.tokens.pop(self._token, None)
            return
        self._open = True
        begin = types.WorkDoneProgressBegin(
            title=TITLE, message=self._latest.message, percentage=_percent(self._latest), cancellable=False
        )
        self._server.work_done_progress.begin(self._token, begin)


def _percent(readiness: Readiness) -> int | None:
    return None if readiness.fraction is None else max(0, min(100, round(readiness.fraction * 100)))


def _same_to_the_eye(new: Readiness, old: Readiness | None) -> bool:
    return old is not None and new.message == old.message and _percent(new) == _percent(old)
