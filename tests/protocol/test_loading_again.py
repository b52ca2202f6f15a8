"""An engine that is gone between two requests: what a client is told until its successor answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import psutil
import pytest

from lsp_server.engine.state import EngineFiles
from tests.protocol.conftest import Start
from tests.support.engines import own_state, started_engines, wait_until_gone
from tests.support.lsp_client import LspClient

DEMO, TEXT = "file:///demo/a.py", "import os\nimport "
PLACE = (DEMO, 1, len("import "))
STATUS = "$/lsp_server/status"


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Path]:
    with own_state(tmp_path / "engines"):
        yield tmp_path / "engines"


@pytest.fixture
def client(engines: Path, smollm2_path: Path, start: Start) -> Iterator[LspClient]:
    local = {"model": str(smollm2_path), "context_tokens": 512, "slots": 1}
    options = {"backend": "local", "local": local, "completion": {"debounce_ms": 0, "timeout_ms": 120_000}}
    capabilities = {"window": {"workDoneProgress": True}, "experimental": {"lspServerStatus": True}}
    with start() as client:
        client.initialize(capabilities, options=options)
        client.open(DEMO, TEXT)
        _until(client, "loading")
        _until(client, "ready")
        client.discard("window/showMessage")  # this model knows no fill-in-the-middle
        yield client
        client.discard(STATUS)
        client.discard("$/progress")


def _until(client: LspClient, state: str) -> dict[str, Any]:
    """Return the first status with this state, and consume those before it."""
    while (status := client.expect(STATUS))["state"] != state:
        pass
    return dict(status)


def _states(client: LspClient) -> set[str]:
    return {status["state"] for status in client.arrived(STATUS)}


def _bars(client: LspClient) -> list[dict[str, Any]]:
    return [progress["value"] for progress in client.arrived("$/progress")]


def _lose_engine(engines: Path) -> None:
    pid = started_engines(engines)[-1]
    psutil.Process(pid).kill()
    wait_until_gone(pid)


def test_a_client_is_told_when_to_ask_again(client: LspClient, engines: Path, smollm2_path: Path) -> None:
    assert client.completed(client.complete(*PLACE))
    _lose_engine(engines)
    _states(client), _bars(client)
    files = EngineFiles.of(smollm2_path)
    files.prepare()
    with filelock.FileLock(files.launch_lock):  # nothing can be started yet
        client.change(DEMO, {"text": f"# one\n{TEXT}"})
        requests = [client.complete(DEMO, 2, len("import "))]
        assert "Starting" in _until(client, "loading")["message"]
        for line in range(3, 6):
            client.change(DEMO, {"text": "#\n" * (line - 1) + TEXT})
            requests.append(client.complete(DEMO, line, len("import ")))
        client.notify("$/cancelRequest", {"id": requests[-1]})
        assert [client.completed(request) for request in requests[:-1]] == [[]] * 3
        assert client.error_code(requests[-1]) == -32800
        assert _states(client) <= {"loading"}
    _until(client, "ready")
    assert client.completed(client.complete(DEMO, 5, len("import ")))
    assert _states(client) <= {"ready"}
    kinds = [bar["kind"] for bar in _bars(client)]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    assert kinds.count("begin") == kinds.count("end") == 1
    assert len(started_engines(engines)) == 2


def test_a_load_that_fails_is_told(client: LspClient, engines: Path, smollm2_path: Path) -> None:
    _lose_engine(engines)
    _states(client), _bars(client)
    files = EngineFiles.of(smollm2_path)
    with filelock.FileLock(files.launch_lock):
        request = client.complete(*PLACE)
        _until(client, "loading")
        assert client.expect("$/progress")["value"]["kind"] == "begin"
        files.remember_failure("there is no memory left")
    assert client.completed(request) == []
    assert "no memory left" in _until(client, "failed")["message"]
    assert _bars(client)[-1]["kind"] == "end"
