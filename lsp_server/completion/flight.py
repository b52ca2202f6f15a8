"""One request on its way: the model writes, the text is cut, whoever waits gets what is left.

While the user types what the model is writing, the same flight serves the newer request: nothing
is asked twice. Must not know LSP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

from lsp_server.backends.protocol import Backend, Chunk, FimRequest
from lsp_server.completion.place import Place
from lsp_server.completion.result import Completion, NoCompletion, Reason, Trace
from lsp_server.completion.truncate import Cut, Truncator
from lsp_server.documents.lines import unix

Finish = Callable[[Cut, Reason], "Completion | NoCompletion"]
"""Makes the result of what was cut, and remembers it; the reason is for when nothing is left."""


class Flight:
    """A running request; `cancel` closes its stream, which stops the model."""

    def __init__(self, place: Place, truncator: Truncator, opening: str, trace: Trace) -> None:
        self.place = place
        self.trace = trace
        self._truncator = truncator
        self._opening = opening
        self._progress = asyncio.Event()
        self._expired = False
        self._task: asyncio.Task[Completion | NoCompletion] | None = None

    def start(self, backend: Backend, request: FimRequest, finish: Finish, timeout_s: float) -> None:
        """Send the request; what has come after `timeout_s` is all there will be."""
        self._task = asyncio.create_task(self._run(backend, request, finish))
        timer = asyncio.get_running_loop().call_later(timeout_s, self._expire)
        self._task.add_done_callback(lambda _: timer.cancel())
        self._task.add_done_callback(lambda _: self._progress.set())

    @property
    def task(self) -> asyncio.Task[Completion | NoCompletion]:
        """Return the task that ends with the result."""
        assert self._task is not None
        return self._task

    def cancel(self) -> None:
        """Stop the model."""
        self.task.cancel()

    async def agreed(self, typed: str) -> bool:
        """Wait for the result as long as the model writes what was typed; False once it does not."""
        typed = unix(typed)
        while True:
            written = self._opening + self._truncator.raw
            if not (written.startswith(typed) or typed.startswith(written)):
                return False
            if self.task.done():
                return written.startswith(typed)
            self._progress.clear()
            await self._progress.wait()

    def _expire(self) -> None:
        self._expired = True
        self.cancel()

    async def _run(self, backend: Backend, request: FimRequest, finish: Finish) -> Completion | NoCompletion:
        try:
            return finish(await self._read(backend, request), Reason.EMPTY)
        except asyncio.CancelledError:
            if not self._expired:
                raise
            return finish(self._truncator.finish("length"), Reason.TIMEOUT)

    async def _read(self, backend: Backend, request: FimRequest) -> Cut:
        started = time.monotonic()
        async with aclosing(backend.fim(request)) as stream:
            async for chunk in stream:
                cut = self._take(chunk, started)
                if cut is not None:
                    return cut
        return self._truncator.finish("stop")

    def _take(self, chunk: Chunk, started: float) -> Cut | None:
        if chunk.origin is not None:
            self.trace.backend = chunk.origin.backend
            self.trace.destination = chunk.origin.destination
            self.trace.withheld = chunk.origin.withheld
        stages = self.trace.stages_ms
        elapsed = (time.monotonic() - started) * 1000
        if chunk.text:
            stages.setdefault("first_token", elapsed)
        stages["stream"] = elapsed
        if chunk.usage is not None:
            self.trace.usage = chunk.usage
        cut = self._truncator.feed(chunk.text) if chunk.text else None
        if cut is None and chunk.finish_reason is not None:
            cut = self._truncator.finish(chunk.finish_reason)
        self.trace.raw = self._truncator.raw
        self._progress.set()
        return cut
