"""Finding the running engine for a model, or starting one. Light: no llama_cpp, no web framework.

Runs in front ends and in the command line. Many of them may do this at the same moment; the launch lock
lets one start the engine while the others wait for it, and the owner lock, held by the engine itself,
says truthfully whether one lives, however it died.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import filelock

from lsp_server import own_folders
from lsp_server.engine.health import Client, EngineAddress, Health, ask_health, open_client
from lsp_server.engine.state import EngineFiles, EngineState, variables
from lsp_server.errors import BackendUnavailable, ModelError
from lsp_server.own_folders import STATE, writing

log = logging.getLogger(__name__)

Progress = Callable[[str, float | None], None]
"""Gets a message for the user and, if known, how much of it is done."""

LOCK_POLL_S = 0.05
"""Between looks at a lock or at /health: shorter than anybody notices, long enough to cost nothing."""
START_TIMEOUT_S = 60.0
"""From spawning to the first answer of /health, before the model is loaded: imports, on a cold disk."""
SILENT_TIMEOUT_S = 10.0
"""How long an engine that lives may leave /health unanswered: it may be starting or leaving."""
ALREADY_RUNNING = 3
"""Exit status of an engine that found another one for its model."""
LOAD_FAILED = 4
"""Exit status of an engine whose model cannot be loaded; it has recorded why."""
GGUF_MAGIC = b"GGUF"
RUN = "import sys; sys.path[:] = filter(None, sys.path); from lsp_server.cli import main; main()"
"""What `-m lsp_server` does, but for one thing: an editor's folder, which may be a cloned repository, is not
searched for modules."""
PATIENT_THREADS = {
    name: os.environ.get(name, value)
    for name, value in (("OMP_WAIT_POLICY", "passive"), ("GOMP_SPINCOUNT", "2000"))
}
"""How long llama.cpp's threads spin when they wait for each other, some thousand times a token, before
they sleep. GNU's OpenMP spins 300,000 times by default, which is fast on an idle machine; while a compiler or
a test run has the cores, each wait lasts until the scheduler comes round. Measured on two cores, tokens a
second written idle and beside two busy processes: 40 and under 2 (100,000), 26 and 15 (never), 38 and 12
(2000). OpenMP reads this when the process starts; other OpenMP libraries know the first variable only."""


@dataclass(frozen=True)
class Launch:
    """Which engine is wanted; everything but the model matters only to the front end that starts it."""

    model: Path
    context_tokens: int = 4096
    slots: int = 3
    threads: int = 0
    gpu_layers: int = -1
    idle_exit_s: float = 900

    def command(self) -> list[str]:
        """Return the command line of the engine process."""
        return [
            *(sys.executable, "-c", RUN, "engine"),
            *("--model", os.path.realpath(self.model)),
            *("--context-tokens", str(self.context_tokens)),
            *("--slots", str(self.slots)),
            *("--threads", str(self.threads)),
            *("--gpu-layers", str(self.gpu_layers)),
            *("--idle-exit-s", str(self.idle_exit_s)),
        ]


async def ensure_engine(launch: Launch, progress: Progress = lambda message, fraction: None) -> EngineAddress:
    """Return the engine for `launch.model` once its model is loaded, starting it if there is none.

    Raises ModelError for a file that is not a model and BackendUnavailable if the engine does not come up.
    A failed start is remembered for all front ends, and not tried again before the file changes or a
    pause is over.
    """
    files = await asyncio.to_thread(_checked_files, launch.model)
    async with open_client() as client:
        state = await _find_or_start(files, launch, client, progress)
        health = await _wait_until_loaded(files, state, client, progress)
    return EngineAddress(state.base_url, state.token, state.pid, health.fim)


def _checked_files(model: Path) -> EngineFiles:
    check_model_file(model)
    return EngineFiles.of(model)


def check_model_file(path: Path) -> None:
    """Raise ModelError for what can be seen to be no model without loading it."""
    if not path.exists():
        raise ModelError(f"The model {path} does not exist; see `lsp_server models list`.")
    if path.is_dir():
        raise ModelError(f"{path} is a directory; give the path of the .gguf file in it.")
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read: {error.strerror}.") from error
    if magic != GGUF_MAGIC:
        raise ModelError(f"{path} is not a GGUF model file; download it again or give another file.")


async def _find_or_start(
    files: EngineFiles, launch: Launch, client: Client, progress: Progress
) -> EngineState:
    state = await _answering(files, client)
    if state is not None:
        return state
    await asyncio.to_thread(files.prepare)
    async with _locked(files):
        deadline = time.monotonic() + SILENT_TIMEOUT_S
        while True:
            state = await _answering(files, client)  # another front end may have started it meanwhile
            if state is not None:
                return state
            if not engine_lives(files):
                break
            if time.monotonic() > deadline:
                raise _silent(files)
            await asyncio.sleep(LOCK_POLL_S)
        _raise_remembered(files)
        files.remove_state()
        progress(f"Starting {launch.model.stem}", None)
        return await _start(files, launch, client)


def _silent(files: EngineFiles) -> BackendUnavailable:
    """Return what to say of an engine that lives and does not answer, so that nothing can be asked of it."""
    state = files.read_state()
    which = f"process {state.pid}" if state else f"the process of `engine --model {files.model}`"
    return BackendUnavailable(f"The engine of {files.model.name} is there but does not answer; end {which}.")


def engine_lives(files: EngineFiles) -> bool:
    """Say whether some process holds the owner lock of this engine."""
    lock = filelock.FileLock(files.owner_lock, thread_local=False)
    try:
        with writing(STATE, files.directory):
            lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    return False


async def _start(files: EngineFiles, launch: Launch, client: Client) -> EngineState:
    process = await asyncio.to_thread(spawn, launch, files)
    log.info("started engine %d for %s", process.pid, launch.model.name)
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        state = await _answering(files, client)
        if state is not None:
            return state
        if process.poll() not in (None, ALREADY_RUNNING):
            raise _died(files, process.returncode)
        await asyncio.sleep(LOCK_POLL_S)
    process.kill()
    files.remember_failure("the engine did not answer after its start")
    raise _unavailable(files, "the engine did not answer after its start")


def spawn(launch: Launch, files: EngineFiles) -> subprocess.Popen[bytes]:
    """Start the engine process, detached from this one: it outlives the editor."""
    with _last_words(files) as stderr:
        process = subprocess.Popen(
            launch.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            # Not the folder we are in: ggml loads backends (libggml-*.so) that lie in the current folder.
            cwd=files.directory,
            env=os.environ | PATIENT_THREADS | variables(),
            **_detached(),
        )
    # Somebody must wait for the process, or it stays as a zombie when it leaves before this one does.
    threading.Thread(target=process.wait, name="engine-reaper", daemon=True).start()
    return process


def _last_words(files: EngineFiles) -> BinaryIO:
    """Return where the engine prints; a model is worth more than a log that cannot be written."""
    try:
        own_folders.make(files.stderr.parent)
        return files.stderr.open("wb")
    except OSError as error:
        log.warning("%s", own_folders.failure(error, STATE, files.stderr))
        return open(os.devnull, "wb")  # noqa: PTH123


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


async def _wait_until_loaded(
    files: EngineFiles, state: EngineState, client: Client, progress: Progress
) -> Health:
    name = Path(state.model).stem
    silent_since: float | None = None
    told: float | None = -1.0
    while True:
        health = await ask_health(state, client)
        if health is None or health.state == "failed":  # it records why, and leaves
            _raise_remembered(files)
            now = time.monotonic()
            silent_since = silent_since or now
            if not engine_lives(files):
                raise _died(files, None)
            if now - silent_since > SILENT_TIMEOUT_S:
                raise BackendUnavailable(f"The engine of {name} has stopped answering while loading.")
        elif health.state == "ready":
            files.forget_failure()
            return health
        else:
            silent_since = None
            if health.fraction != told:
                told = health.fraction
                progress(f"Loading {name}", told)
        await asyncio.sleep(LOCK_POLL_S)


async def _answering(files: EngineFiles, client: Client) -> EngineState | None:
    state = files.read_state()
    if state is None:
        return None
    health = await ask_health(state, client)
    return state if health is not None and health.state != "failed" else None


def _raise_remembered(files: EngineFiles) -> None:
    known = files.remembered_failure()
    if known is not None:
        raise _unavailable(files, known.reason)


def _unavailable(files: EngineFiles, reason: str) -> BackendUnavailable:
    known = files.remembered_failure()
    again = f"; it is tried again in {known.retry_in_s:.0f} s" if known else ""
    return BackendUnavailable(f"{reason[:1].upper()}{reason[1:].rstrip('.')}{again} (see {files.log}).")


def _died(files: EngineFiles, status: int | None) -> BackendUnavailable:
    known = files.remembered_failure()
    if status == LOAD_FAILED and known is not None:
        return _unavailable(files, known.reason)
    how = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
    last_words = _last_line(files.stderr)
    reason = (
        f"the engine of {files.model.name} died at its start ({how}{': ' + last_words if last_words else ''})"
    )
    if known is None:  # else another front end has seen it first
        files.remember_failure(reason)
    return _unavailable(files, reason)


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


@contextlib.asynccontextmanager
async def _locked(files: EngineFiles) -> AsyncGenerator[None, None]:
    # A non-blocking try is one system call; waiting is left to the event loop, so that cancelling works.
    lock = filelock.FileLock(files.launch_lock, thread_local=False)
    while True:
        try:
            with writing(STATE, files.directory):
                lock.acquire(timeout=0)
            break
        except filelock.Timeout:
            await asyncio.sleep(LOCK_POLL_S)
    try:
        yield
    finally:
        lock.release()
