"""What an editor sees while the local model is made ready: a real engine, a tiny model of random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.engines import own_state
from tests.support.lsp_client import LspClient
from tests.support.tiny_gguf import write_tiny_mistral

URI = "file:///demo/a.py"
PROGRESS = {"window": {"workDoneProgress": True}}


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    model = write_tiny_mistral(tmp_path / "tiny.gguf", vocab_only=False)
    return {"backend": "local", "local": {"model": str(model)}, "completion": {"debounce_ms": 0}}


@pytest.fixture
def client(start: Start, tmp_path: Path) -> Iterator[LspClient]:
    with own_state(tmp_path / "state"), start() as client:
        yield client


def test_the_bar_begins_with_the_first_document_and_ends_when_ready(
    client: LspClient, options: dict[str, Any]
) -> None:
    client.initialize(PROGRESS, options=options)
    client.round_trip()
    assert client.asked == []
    client.open(URI, "x = ")
    steps = _steps(client)
    assert client.asked[0]["method"] == "window/workDoneProgress/create"
    token = client.asked[0]["params"]["token"]
    assert {step["token"] for step in steps} == {token}
    values = [step["value"] for step in steps]
    assert values[0]["title"] == "codestral-lsp"
    assert "tiny" in values[0]["message"]
    assert values[-1]["message"] == "Ready"
    client.open("file:///demo/b.py", "y = ")
    client.round_trip()
    assert len(client.asked) == 1
    status = {"command": "lsp_server.status", "arguments": []}
    assert client.result(client.request("workspace/executeCommand", status))["model"] == "tiny"


def test_a_request_that_comes_too_early_waits_for_the_model(
    client: LspClient, options: dict[str, Any]
) -> None:
    client.initialize(PROGRESS, options=options)
    client.open(URI, "x = ")
    early = client.complete(URI, 0, 4)
    newer = client.complete(URI, 0, 4)
    assert client.completed(early) == []  # at once: its place is taken
    steps = _steps(client)
    assert steps[-1]["value"]["message"] == "Ready"
    assert isinstance(client.completed(newer), list)  # what random weights say is anybody's guess
    client.round_trip()


def test_an_editor_without_bars_gets_one_message(client: LspClient, options: dict[str, Any]) -> None:
    client.initialize(options=options)
    client.open(URI, "x = ")
    client.completed(client.complete(URI, 0, 4))
    shown = client.expect("window/showMessage")
    assert shown["type"] == 3
    assert "tiny" in shown["message"]
    client.round_trip()
    assert client.asked == []


def test_a_model_that_is_not_there_is_told_once(client: LspClient, tmp_path: Path) -> None:
    client.initialize(PROGRESS, options={"backend": "local", "local": {"model": str(tmp_path / "no.gguf")}})
    client.open(URI, "x = ")
    for _ in range(3):
        assert client.completed(client.complete(URI, 0, 4)) == []
    assert "no.gguf" in client.expect("window/showMessage")["message"]
    client.round_trip()


def test_shutdown_does_not_wait_for_the_model(client: LspClient, options: dict[str, Any]) -> None:
    client.initialize(PROGRESS, options=options)
    client.open(URI, "x = ")
    early = client.complete(URI, 0, 4)
    client.shut_down()
    assert client.completed(early) == []
    client.notify("exit")
    assert client.exit_status() == 0
    client.discard("$/progress")


def _steps(client: LspClient) -> list[Any]:
    """Wait for a whole bar: begin, reports, end."""
    steps = [client.expect("$/progress")]
    assert steps[0]["value"]["kind"] == "begin"
    while steps[-1]["value"]["kind"] != "end":
        steps.append(client.expect("$/progress"))
    return steps
