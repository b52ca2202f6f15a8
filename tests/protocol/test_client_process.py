"""The server leaves when the process of its editor has died, whoever holds the pipe open."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lsp_server.features.client_process import LOOK_S
from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient

NEVER = 2**22 + 1
"""More than Linux gives."""

CLIENT = """
import json, os, subprocess, sys, time
log = sys.argv[1]
holds = "import sys, time; print('holds', flush=True); time.sleep(600)"
server = subprocess.Popen([sys.executable, "-m", "lsp_server", "--stdio"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=open(log, "wb"))
# A terminal of the editor, say: it has all that the editor has open.
ends = [server.stdin.fileno(), server.stdout.fileno()]
holder = subprocess.Popen([sys.executable, "-c", holds], pass_fds=ends, stdout=subprocess.PIPE)
holder.stdout.readline()
params = {"processId": os.getpid(), "rootUri": None, "capabilities": {}}
body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
server.stdin.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
server.stdin.flush()
server.stdout.readline()
print(json.dumps([server.pid, holder.pid]), flush=True)
time.sleep(600)
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """Return a client that has initialized a server, the server and the process that holds the pipe."""
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(tmp_path / "server.log")], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    server, holder = json.loads(client.stdout.readline())
    try:
        yield client, server, holder
    finally:
        client.kill()
        client.wait()
        client.stdout.close()
        for pid in (server, holder):
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("reaped", [True, False], ids=["taken note of", "a zombie"])
def test_a_client_that_was_killed(
    started: tuple[subprocess.Popen[str], int, int], tmp_path: Path, reaped: bool
) -> None:
    client, server, holder = started
    process = psutil.Process(server)
    client.kill()
    if reaped:
        client.wait()
    process.wait(60)
    assert psutil.Process(holder).is_running()
    log = (tmp_path / "server.log").read_text()
    assert f"{client.pid} has ended" in log
    assert "Traceback" not in log and "ERROR" not in log


def _initialize(client: LspClient, pid: int) -> None:
    params: dict[str, Any] = {"processId": pid, "rootUri": None, "capabilities": {}}
    assert client.result(client.request("initialize", params))
    client.notify("initialized", {})


@pytest.mark.parametrize("pid", [os.getpid(), NEVER], ids=["lives", "elsewhere"])
def test_no_end_is_no_reason_to_leave(start: Start, pid: int) -> None:
    with start() as client:
        _initialize(client, pid)
        time.sleep(LOOK_S * 1.5)
        client.round_trip()


def test_looking_does_not_keep_the_server(start: Start) -> None:
    with start() as client:
        _initialize(client, os.getpid())
        client.end_of_input()
        assert client.exit_status() == 1


def test_a_client_that_dies_between_shutdown_and_exit(start: Start) -> None:
    waits = [sys.executable, "-c", "input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE) as editor, start() as client:
        _initialize(client, editor.pid)
        client.shut_down()
        editor.kill()
        assert client.exit_status() == 0
