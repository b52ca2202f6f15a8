"""The life of an engine process: one per model, found by its state file, gone when nobody needs it.

Owns socket, log and the end. Must not know what is asked of the model.
"""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from lsp_server import own_folders
from lsp_server.engine.app import create_app
from lsp_server.engine.claim import Claim
from lsp_server.engine.launcher import ALREADY_RUNNING, LOAD_FAILED, Launch
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.scheduler import Loading, Ready, Scheduler, Unavailable
from lsp_server.engine.state import EngineFiles, EngineState
from lsp_server.own_folders import STATE

log = logging.getLogger(__name__)

LOADING_TICK_S = 0.1
LONGEST_TICK_S = 5.0
"""Between looks at a model that is there: it may have failed for good."""
RENEW_S = 3.0
"""Between looks at the lock and the state file: front ends wait longer for an engine that lives."""
GRACE_S = 2
"""For replies under way when the process leaves; their jobs are failed, which takes a batch at most."""
KEEP_CONNECTION_S = 120
"""Longer than clients keep theirs, so that no request meets a connection that is just being closed."""
LOG_BYTES, LOG_FILES = 1_000_000, 2


def run_engine(launch: Launch, family: str | None = None) -> int:
    """Serve the model until nobody needs it; return the process's exit status."""
    files = EngineFiles.of(launch.model)
    claim = Claim(files)
    if not claim.take():
        return ALREADY_RUNNING
    _log_to(files.log)
    signal.signal(signal.SIGTERM, _leave)
    log.info("engine %d starts for %s", os.getpid(), launch.model)
    try:
        return asyncio.run(_Engine(launch, files, claim, family).run())
    finally:
        log.info("engine %d leaves", os.getpid())
        claim.release()


class _Engine:
    """One run of the process."""

    def __init__(self, launch: Launch, files: EngineFiles, claim: Claim, family: str | None) -> None:
        self._launch = launch
        self._files = files
        self._claim = claim
        self._token = secrets.token_urlsafe(32)
        self._socket = socket.create_server(("127.0.0.1", 0))
        # asyncio does this only for sockets that name their protocol; without it each token waits for an
        # acknowledgement, 40 ms on Linux.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._scheduler = Scheduler(self._load)
        name = launch.model.stem
        self._server = uvicorn.Server(
            uvicorn.Config(
                create_app(self._scheduler, name, self._token, self._stop, family),
                http="h11",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_keep_alive=KEEP_CONNECTION_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._status = 0
        self._closing: asyncio.Future[None] | None = None

    async def run(self) -> int:
        port = self._socket.getsockname()[1]
        # The socket listens already: whoever reads the file is answered as soon as the server runs.
        self._claim.publish(EngineState(os.getpid(), port, self._token, str(self._files.model)))
        tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._keep_claim())]
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._claim.withdraw()
            for task in tasks:
                task.cancel()
            await asyncio.to_thread(self._scheduler.close)
            self._socket.close()
        return self._status

    def _load(self, report: Callable[[float], None]) -> LoadedModel:
        launch = self._launch
        return LoadedModel.load(
            launch.model,
            context_tokens=launch.context_tokens,
            slots=launch.slots,
            threads=launch.threads,
            gpu_layers=launch.gpu_layers,
            progress=report,
        )

    async def _watch(self) -> None:
        while isinstance(self._scheduler.state, Loading):  # noqa: ASYNC110 - it is another thread's
            await asyncio.sleep(LOADING_TICK_S)
        if isinstance(self._scheduler.state, Ready):
            log.info("the model is loaded")
        while isinstance(state := self._scheduler.state, Ready):
            remaining_s = self._until_idle_exit_s()
            if remaining_s <= 0:
                log.info("nobody has asked for anything in %g s", self._launch.idle_exit_s)
                self._stop()
                return
            await asyncio.sleep(min(remaining_s, LONGEST_TICK_S))
        if isinstance(state, Unavailable) and self._closing is None:
            log.error("%s", state.reason)
            self._files.remember_failure(state.reason)
            self._status = LOAD_FAILED
            self._stop()

    async def _keep_claim(self) -> None:
        while self._closing is None:
            await asyncio.sleep(RENEW_S)
            if await asyncio.to_thread(self._claim.renew) or self._scheduler.idle_since is None:
                continue  # who still asks this engine gets an answer
            log.warning("another engine has the model")
            self._stop()

    def _until_idle_exit_s(self) -> float:
        idle_since = self._scheduler.idle_since
        return self._launch.idle_exit_s - (0.0 if idle_since is None else time.monotonic() - idle_since)

    def _stop(self) -> None:
        if self._closing is None:
            self._claim.withdraw()
            self._closing = asyncio.get_running_loop().run_in_executor(None, self._scheduler.close)
            self._server.should_exit = True


def _leave(number: int, frame: FrameType | None) -> None:
    # uvicorn takes the signal first, shuts down in order and then raises it again for this handler.
    sys.exit(0)


def _log_to(path: Path) -> None:
    try:
        own_folders.make(path.parent)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
        )
    except OSError as error:  # a model is worth more than its log
        log.warning("%s", own_folders.failure(error, STATE, path))
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root, ours = logging.getLogger(), logging.getLogger("lsp_server")
    for shown in root.handlers:  # stderr, which a launcher keeps in a file that nobody rotates
        shown.setLevel(ours.getEffectiveLevel())
    root.addHandler(handler)
    ours.setLevel(min(ours.getEffectiveLevel(), logging.INFO))
