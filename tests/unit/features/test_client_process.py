"""Which numbers of processes have an end that can be seen from here."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lsp_server.features import client_process
from lsp_server.features.client_process import leave_with


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as started:
        yield started  # it leaves when its input is closed


@pytest.fixture(params=["by descriptor", "by number"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take away what only some systems have."""
    if request.param == "by number":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    return str(request.param)


@pytest.mark.parametrize("pid", [0, -1, -2, -(2**31), 2**22 + 1, 2**31 - 1, 2**31, 2**63, 2**80, -(2**80)])
async def test_who_was_never_here_does_not_end(way: str, pid: int) -> None:
    left: list[int] = []
    await leave_with(pid, lambda: left.append(pid))
    assert left == []


async def test_another_users_process_lives(
    way: str, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    monkeypatch.setattr(client_process, "LOOK_S", 0.001)
    left: list[int] = []
    watch = asyncio.create_task(leave_with(process.pid, lambda: left.append(0)))
    await asyncio.sleep(0.1)
    assert not watch.done() and left == []
    watch.cancel()


async def test_an_end_is_seen(
    way: str, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_process, "LOOK_S", 0.001)
    left: list[int] = []
    watch = asyncio.create_task(leave_with(process.pid, lambda: left.append(process.pid)))
    await asyncio.sleep(0.1)
    assert not watch.done()
    process.kill()
    process.wait()
    await watch
    assert left == [process.pid]
