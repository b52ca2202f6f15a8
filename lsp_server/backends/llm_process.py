"""The process of `llm_worker` as its parent sees it: requests go in, answers come out, and it can be ended.

Knows the worker's lines and nothing of prompts.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from lsp_server.errors import BackendUnavailable, ConfigurationError

log = logging.getLogger(__name__)

LAUNCH = (
    "import sys; sys.path = [p for p in sys.path if p]; "
    "import runpy; runpy.run_path(sys.argv[1], run_name='__main__')"
)
"""Run as a script the worker would have this folder, with its `llm.py` and `http.py`, on its path; and the
current folder, which may be anybody's, if the path were not cleaned."""

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a model that does not stream gives its whole reply in one line, asyncio's own limit is 64 KiB."""

FAREWELL_S = 2.0
"""From the end of its stdin to the end of the worker, which ends at once unless it holds Python's lock."""

Answer = dict[str, Any]
GONE: Answer = {"done": "gone"}
GONE_SENTENCE = "The process of {} has ended; the log says more."


class LlmProcess:
    """A worker. `stream` raises `BackendUnavailable` if it is gone or too slow."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self._name = name
        self._process = process
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Queue[Answer]] = {}
        self._tasks: set[asyncio.Task[None]] = {
            asyncio.create_task(self._read(), name=f"{name}: answers"),
            asyncio.create_task(self._log(), name=f"{name}: stderr"),
        }
        self.gone = False

    @classmethod
    async def start(cls, name: str, python: str = "") -> LlmProcess:
        """Start a worker with another Python, or with this one."""
        program = os.path.expanduser(python) if python else sys.executable  # noqa: ASYNC240, PTH111  no file is read
        environment = {**os.environ, "PYTHONUTF8": "1"}
        if python:
            # Ours would mislead another Python.
            for variable in ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__"):
                environment.pop(variable, None)
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                "-c",
                LAUNCH,
                str(Path(__file__).with_name("llm_worker.py")),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                limit=LONGEST_LINE,
                start_new_session=True,  # an interrupt at the terminal is ours to handle
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            reason = error.strerror or error
            raise ConfigurationError(
                f"`{program}` of backends.{name}.python cannot be started ({reason}): name a Python."
            ) from error
        return cls(name, process)

    async def stream(
        self,
        body: Answer,
        *,
        first_s: float | None = None,
        total_s: float | None = None,
        patience_s: float | None = None,
    ) -> AsyncGenerator[Answer, None]:
        """Ask, and yield the answers; the last one says what is `done`.

        Closing cancels the request. If the worker has not let go of it `patience_s` later, it is killed: a
        plugin that works in the process can be stuck in a long prompt, and everybody would wait for it.
        """
        if self.gone:
            raise BackendUnavailable(GONE_SENTENCE.format(self._name))
        id = next(self._ids)
        answers = self._waiting[id] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        limit_s, done = first_s, False
        try:
            self._write({"id": id, **body})
            while not done:
                left = None if limit_s is None else begun + limit_s - loop.time()
                answer = await _next(answers, left)
                if answer is None:
                    raise BackendUnavailable(f"{self._name} has not answered within {limit_s:.0f} s.")
                done = "done" in answer
                limit_s = total_s
                if answer is GONE:
                    raise BackendUnavailable(GONE_SENTENCE.format(self._name))
                yield answer
        finally:
            if done:
                del self._waiting[id]
            else:
                self._abandon(id, patience_s)

    async def aclose(self) -> None:
        """End the worker and whatever it is doing."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        ended = asyncio.ensure_future(self._process.wait())
        await asyncio.wait({ended}, timeout=FAREWELL_S)
        self.kill()
        await ended
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self) -> None:
        """End the worker now."""
        self.gone = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def _write(self, body: Answer) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(json.dumps(body).encode("ascii") + b"\n")

    def _abandon(self, id: int, patience_s: float | None) -> None:
        if self.gone:
            self._waiting.pop(id, None)
            return
        self._write({"id": id, "do": "cancel"})
        task = asyncio.create_task(self._see_off(id, patience_s), name=f"{self._name}: cancelled {id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _see_off(self, id: int, patience_s: float | None) -> None:
        answers = self._waiting[id]
        until = None if patience_s is None else asyncio.get_running_loop().time() + patience_s
        try:
            while True:
                left = None if until is None else until - asyncio.get_running_loop().time()
                answer = await _next(answers, left)
                if answer is None:
                    log.warning("%s does not stop what nobody waits for; its process is ended", self._name)
                    self.kill()
                    return
                if "done" in answer:
                    return
        finally:
            self._waiting.pop(id, None)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                answer = json.loads(line)
                waiting = self._waiting.get(answer["id"])
                if waiting is not None:
                    waiting.put_nowait(answer)
        except ValueError:
            log.warning("%s: the worker wrote something else than an answer", self._name)
            self.kill()
        finally:
            self.gone = True
            for answers in self._waiting.values():
                answers.put_nowait(GONE)

    async def _log(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):  # a line beyond the limit is no text
            async for line in self._process.stderr:
                log.debug("%s: %s", self._name, line.decode("utf-8", "replace").rstrip())


async def _next(answers: asyncio.Queue[Answer], timeout_s: float | None) -> Answer | None:
    """Return the next answer, None if there is none in time.

    Not `asyncio.wait_for`, which may swallow a cancellation before Python 3.12.
    """
    answer = asyncio.ensure_future(answers.get())
    try:
        await asyncio.wait({answer}, timeout=None if timeout_s is None else max(0.0, timeout_s))
        return answer.result() if answer.done() else None
    finally:
        answer.cancel()
