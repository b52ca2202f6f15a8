"""The local engine as a backend: fetches the model, starts the engine, and starts it again when it has gone.

Knows how to get an engine and nothing of what happens in it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.http import ConnectionRefused
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness
from lsp_server.backends.steps import Steps
from lsp_server.backends.toolless import in_words
from lsp_server.engine import launcher
from lsp_server.engine.health import EngineAddress, is_ready
from lsp_server.errors import (
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    ConfigurationError,
    DownloadError,
    ModelError,
)
from lsp_server.keys.key import Key
from lsp_server.models import store
from lsp_server.models.transfer import Progress
from lsp_server.privacy.destination import Destination
from lsp_server.settings import LocalSettings

log = logging.getLogger(__name__)

CRASHES = 3
CRASH_WINDOW_S = 120.0
"""An engine that was lost this often in this time is left alone until the oldest loss is out of it: loading a
large model again for each keystroke would stop the machine."""

DOWNLOAD_PAUSE_S = 30.0
"""How long a failed download is answered from memory: typing must not ask the network at every key."""

CONNECT_TIMEOUT_S = 5.0
"""For an engine on a machine that is busy loading one."""

QUIET_S = 0.5
"""An engine that is there in this time is no news: its request is answered as if nothing had been."""

SILENCE_S = 300.0
"""Longest silence of the engine: prompts of other documents and chats may be before ours, on a slow CPU."""

NOT_INSTALLED = (
    "This installation cannot run a local model: install codestral-lsp[local], or set backend to mistral."
)

NO_FIM = (
    "This model knows no fill-in-the-middle: completions see only what precedes the cursor. "
    "See `lsp_server models list` for one that does."
)

TOOLS_BYTES = 2_500_000_000
"""Models of 3 B parameters and less, in 4 bits, get no tools: with them, Qwen2.5-Coder 0.5B answers half of
the questions about code with JSON that is no call."""

Stream = Callable[[MistralBackend], AsyncGenerator[Chunk, None]]


def is_installed() -> bool:
    """Say whether this installation can run a model; imports nothing."""
    return all(importlib.util.find_spec(name) is not None for name in ("llama_cpp", "starlette", "uvicorn"))


class LocalBackend:
    """A `Backend` on the engine of this machine.

    Besides `BackendError`s it raises what stops it before there is a server: ModelError, ConfigurationError.
    """

    def __init__(self, settings: LocalSettings, *, patience_s: float | None = None) -> None:
        """Run the model of `settings`.

        A request waits for the engine at most `patience_s`, then BackendLoading lets another backend answer;
        with None it waits as long as loading takes.
        """
        self._settings = settings
        self._patience_s = patience_s
        self._engine: MistralBackend | None = None
        self._address: EngineAddress | None = None
        self._start: asyncio.Task[MistralBackend] | None = None
        self._steps = Steps()
        self._model = ""
        """The name of the weights, once they are found."""
        self._uses_tools = False
        """Whether the model is large enough to call tools and not to talk about them."""
        self.on_reload: Callable[[], None] = _nobody
        self._news: asyncio.TimerHandle | None = None
        self._latest: Readiness | None = None
        """How far the start is that is under way."""
        self._abandoned = threading.Event()
        self._crashes: deque[float] = deque(maxlen=CRASHES)
        self._no_download: tuple[float, DownloadError] | None = None

    @property
    def name(self) -> str:
        """Return the name for logs and `--why`."""
        return "local"

    def asks(self) -> str:
        """Name the weights; empty before they are found."""
        return self._model

    def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix, making ready first if need be."""
        return self._ask(lambda engine: engine.fim(request))

    def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn, making ready first if need be."""
        return self._ask(lambda engine: engine.chat(request if self._uses_tools else in_words(request)))

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Fetch the model, start the engine and load, reporting each step.

        Whoever comes in the middle of it hears the latest step first.
        """
        if self._latest is not None:
            yield self._latest
        async with aclosing(self._steps.until(self._ready_engine())) as steps:
            async for step in steps:
                yield step
        fim = self._address is None or self._address.fim
        yield Readiness(ready=True, message="" if fim else NO_FIM)

    async def probe(self) -> None:
        """Have an engine running again."""
        await self._ready_engine()

    async def aclose(self) -> None:
        """Close connections and give up a download; the engine stays for the next editor."""
        self._abandoned.set()
        start, self._start = self._start, None
        if start is not None:
            start.cancel()
            await asyncio.wait({start})
        await self._drop(self._engine)

    async def _ask(self, stream: Stream) -> AsyncGenerator[Chunk, None]:
        try:
            engine = await self._engine_in_time()
            async with aclosing(self._stream(engine, stream)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except ConnectionRefused:
            # It left as nobody asked for anything, or was killed: nothing was sent, so ask a new one.
            engine = await self._engine_in_time()
            async with aclosing(self._stream(engine, stream)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _stream(self, engine: MistralBackend, stream: Stream) -> AsyncGenerator[Chunk, None]:
        try:
            async with aclosing(stream(engine)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except ConnectionRefused:
            await self._drop(engine)
            raise
        except BackendRejected as error:
            if error.status != 401:
                raise
            await self._drop(engine)  # another engine has come to listen where ours was
            raise ConnectionRefused("The local model is being started again.") from error
        except BackendUnavailable:
            await self._drop_if_dead(engine)
            raise

    async def _drop_if_dead(self, engine: MistralBackend) -> None:
        if self._engine is engine and self._address is not None and not await is_ready(self._address):
            self._crashes.append(time.monotonic())
            log.warning("the engine is gone in the middle of a request")
            await self._drop(engine)

    async def _drop(self, engine: MistralBackend | None) -> None:
        if engine is not None and self._engine is engine:
            self._engine = self._address = None
            await engine.aclose()

    async def _engine_in_time(self) -> MistralBackend:
        waiting = asyncio.ensure_future(self._ready_engine())
        waiting.add_done_callback(
            lambda task: task.cancelled() or task.exception()
        )  # nobody may be left to look
        try:
            await asyncio.wait({waiting}, timeout=self._patience_s)
            if not waiting.done():
                raise BackendLoading("The local model is being loaded.")
            return waiting.result()
        finally:
            waiting.cancel()  # the start itself goes on

    async def _ready_engine(self) -> MistralBackend:
        if self._engine is not None:
            return self._engine
        if self._start is None:
            self._start = asyncio.create_task(self._make_ready())
            self._start.add_done_callback(self._started)
            quiet_s = QUIET_S if self._patience_s is None else self._patience_s
            self._news = asyncio.get_running_loop().call_later(quiet_s, self._tell_of_reload)
        # Whoever waits may be cancelled by the next keystroke; the start goes on for that one.
        return await asyncio.shield(self._start)

    def _tell_of_reload(self) -> None:
        if self._latest is None:  # another front end is starting the engine
            self._tell(f"Starting {self._model or 'the local model'}")
        self.on_reload()

    def _tell(self, message: str, fraction: float | None = None) -> None:
        self._latest = Readiness(ready=False, message=message, fraction=fraction)
        self._steps.tell(message, fraction)

    def _started(self, start: asyncio.Task[MistralBackend]) -> None:
        if self._news is not None:
            self._news.cancel()
        self._latest = None
        if self._start is start:
            self._start = None
        if not start.cancelled() and start.exception() is None:
            self._engine = start.result()

    async def _make_ready(self) -> MistralBackend:
        if not is_installed():
            raise ConfigurationError(NOT_INSTALLED)
        self._check_crashes()
        model = await self._find_model()
        self._model = model.stem
        self._uses_tools = model.stat().st_size >= TOOLS_BYTES
        settings = self._settings
        launch = launcher.Launch(
            model,
            context_tokens=settings.context_tokens,
            slots=settings.slots,
            threads=settings.threads,
            gpu_layers=settings.gpu_layers,
            idle_exit_s=settings.idle_exit_s,
        )
        self._address = address = await launcher.ensure_engine(launch, self._tell)
        waits = Deadlines(CONNECT_TIMEOUT_S, SILENCE_S, total_s=None)
        endpoint = Endpoint(
            self.name,
            address.base_url,
            Destination.THIS_MACHINE,
            fim=waits,
            chat=waits,
            find_key=lambda: Key(address.token, "the engine's own state"),
        )
        return MistralBackend(endpoint, model.stem, engine=True)

    async def _find_model(self) -> Path:
        wanted = self._settings.model
        found = await asyncio.to_thread(store.find, wanted)
        if found is not None:
            return found
        if not self._settings.download:
            raise ModelError(
                f"The model {wanted} is not on this machine; get it with `lsp_server models pull {wanted}`."
            )
        if self._no_download is not None and time.monotonic() < self._no_download[0]:
            raise self._no_download[1]
        loop = asyncio.get_running_loop()

        def report(progress: Progress) -> None:
            share = progress.done_bytes / progress.total_bytes if progress.total_bytes else None
            loop.call_soon_threadsafe(self._tell, progress.message, share)

        try:
            return await asyncio.to_thread(store.ensure, wanted, report, self._abandoned.is_set)
        except DownloadError as error:
            self._no_download = (time.monotonic() + DOWNLOAD_PAUSE_S, error)
            raise

    def _check_crashes(self) -> None:
        if len(self._crashes) < CRASHES:
            return
        wait_s = self._crashes[0] + CRASH_WINDOW_S - time.monotonic()
        if wait_s > 0:
            raise BackendUnavailable(
                f"The local model has crashed {CRASHES} times in a row and is left alone for {wait_s:.0f} s; "
                "try another model or fewer GPU layers."
            )


def _nobody() -> None:
    """Take the news where nobody shows them: in commands."""
