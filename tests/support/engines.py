"""Engines for tests: in a state directory of their own, and none left behind."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lsp_server.engine import launcher, state
from lsp_server.engine.health import EngineAddress
from lsp_server.engine.launcher import Launch


@contextlib.contextmanager
def own_state(directory: Path) -> Iterator[None]:
    """Let engines keep their files in `directory`; kill every engine started meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(state.STATE_VARIABLE, str(directory))
        try:
            yield
        finally:
            for pid in started_engines(directory):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process = psutil.Process(pid)
                    if "engine" in process.cmdline():
                        process.kill()
                        process.wait(20)


def started_engines(directory: Path) -> list[int]:
    """Return the process ids of all engines that ever held a model there."""
    logs = sorted((directory / "log").glob("*.log"))
    return [int(pid) for log in logs for pid in re.findall(r"engine (\d+) starts", log.read_text("utf-8"))]


def small(model: Path, *, idle_exit_s: float = 120, context_tokens: int = 512, slots: int = 2) -> Launch:
    """Return a launch that leaves room for other tests on this machine."""
    return Launch(model, context_tokens=context_tokens, slots=slots, idle_exit_s=idle_exit_s)


def ensure(launch: Launch) -> EngineAddress:
    """Return a loaded engine, from a test that has no event loop."""
    return asyncio.run(launcher.ensure_engine(launch))


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process that this one did not start, or did."""
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(60)
