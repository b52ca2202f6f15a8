"""Whatever happens to the files of an engine that lives, it is found, and there is one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from lsp_server.engine.health import EngineAddress, is_ready
from lsp_server.engine.launcher import engine_lives, ensure_engine
from lsp_server.engine.state import EngineFiles, EngineState, running_states
from lsp_server.errors import BackendUnavailable
from tests.support.engines import own_state, small, wait_until_gone
from tests.support.tiny_gguf import write_tiny_mistral

LOOKS = 1200
"""One in 0.05 s, for a minute: a test that looks so often fails."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_mistral(tmp_path_factory.mktemp("weights") / "tiny.gguf", vocab_only=False)


@pytest.fixture
async def engine(tmp_path: Path, weights: Path) -> AsyncIterator[EngineAddress]:
    """Return an engine that runs; its own log may be deleted, too, so that it is ended by its number."""
    with own_state(tmp_path / "state"):
        found = await ensure_engine(small(weights))
        try:
            yield found
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(found.pid).kill()


@pytest.fixture
def files(engine: EngineAddress, weights: Path) -> EngineFiles:
    return EngineFiles.of(weights)


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if holds():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it does not come to be so")


def _another(model: object = "/elsewhere/other.gguf") -> bytes:
    return msgspec.json.encode(EngineState(1, 9, "another's", str(model)))


def _both_gone(files: EngineFiles) -> None:
    files.state.unlink()
    files.owner_lock.unlink()


def _lock_replaced(files: EngineFiles) -> None:
    files.owner_lock.unlink()
    files.owner_lock.touch()


def _state_linked(files: EngineFiles) -> None:
    files.state.unlink()
    files.state.symlink_to("nowhere.json")


def _folder_replaced(files: EngineFiles) -> None:
    shutil.rmtree(files.directory)
    files.prepare()
    files.state.write_bytes(_another())
    files.owner_lock.touch()


Harm = Callable[[EngineFiles], object]

STATE_HARMED: dict[str, Harm] = {
    "gone": lambda files: files.state.unlink(),
    "empty": lambda files: files.state.write_bytes(b""),
    "truncated": lambda files: os.truncate(files.state, 20),
    "no JSON": lambda files: files.state.write_bytes(b"\xff\xfe"),
    "other JSON": lambda files: files.state.write_bytes(b"[]"),
    "half a state": lambda files: files.state.write_bytes(b'{"pid": 1}'),
    "of another model": lambda files: files.state.write_bytes(_another()),
    "of another engine": lambda files: files.state.write_bytes(_another(files.model)),
    "moved": lambda files: files.state.rename(files.state.with_suffix(".old")),
    "a link to nothing": _state_linked,
}
LOCK_HARMED: dict[str, Harm] = {
    "lock": lambda files: files.owner_lock.unlink(),
    "lock, replaced": _lock_replaced,
    "lock and state": _both_gone,
    "folder": lambda files: shutil.rmtree(files.directory),
    "folder, moved": lambda files: files.directory.rename(files.directory.with_name("old")),
    "folder, replaced": _folder_replaced,
    "all folders": lambda files: shutil.rmtree(files.directory.parent),
}


@pytest.mark.parametrize("harm", STATE_HARMED.values(), ids=list(STATE_HARMED))
async def test_an_engine_whose_state_file_is_harmed_is_found(
    engine: EngineAddress, files: EngineFiles, weights: Path, harm: Harm
) -> None:
    harm(files)
    assert await ensure_engine(small(weights)) == engine
    assert [found.pid for found in running_states() if found.token == engine.token] == [engine.pid]
    assert stat.S_IMODE(files.state.stat().st_mode) == 0o600


@pytest.mark.parametrize("harm", LOCK_HARMED.values(), ids=list(LOCK_HARMED))
async def test_an_engine_whose_lock_is_harmed_takes_another(
    engine: EngineAddress, files: EngineFiles, weights: Path, harm: Harm
) -> None:
    # Held open, as the engine holds it: its number is not given to the next one.
    with files.owner_lock.open("rb") as lost:
        harm(files)
        await _until(
            lambda: (
                files.owner_lock.exists()
                and not os.path.samestat(os.fstat(lost.fileno()), files.owner_lock.stat())
                and engine_lives(files)
                and files.read_state() is not None
            )
        )
    assert await ensure_engine(small(weights)) == engine
    assert stat.S_IMODE(files.directory.stat().st_mode) == 0o700
    psutil.Process(engine.pid).terminate()
    await asyncio.to_thread(wait_until_gone, engine.pid)
    assert not files.state.exists() and not engine_lives(files)


async def test_an_engine_that_was_replaced_meanwhile_leaves(
    engine: EngineAddress, files: EngineFiles, weights: Path
) -> None:
    first = psutil.Process(engine.pid)
    first.suspend()
    shutil.rmtree(files.directory)
    second = await ensure_engine(small(weights))
    assert second.pid != engine.pid
    first.resume()
    await asyncio.to_thread(wait_until_gone, engine.pid)
    assert await ensure_engine(small(weights)) == second
    assert engine_lives(files)


async def test_an_engine_that_cannot_write_goes_on_and_is_found_later(
    engine: EngineAddress, files: EngineFiles, weights: Path
) -> None:
    shutil.rmtree(files.directory)
    files.directory.touch()  # what is in its place
    await _until(lambda: str(files.directory) in files.log.read_text("utf-8"))
    assert await is_ready(engine)
    files.directory.unlink()
    await _until(lambda: files.read_state() is not None)
    assert await ensure_engine(small(weights)) == engine


async def test_an_engine_that_is_frozen_is_named(
    engine: EngineAddress, files: EngineFiles, weights: Path
) -> None:
    process = psutil.Process(engine.pid)
    process.suspend()
    try:
        files.state.unlink()
        with pytest.raises(BackendUnavailable, match=f"engine --model {files.model}"):
            await ensure_engine(small(weights))
        assert {"engine", "--model", str(files.model)} <= set(process.cmdline())
    finally:
        process.resume()
