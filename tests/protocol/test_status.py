"""`$/lsp_server/status`: what a status line shows of a model at work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor
from tests.support.lsp_client import LspClient
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.typist import BEFORE, DEMO, Typist

STATUS = "$/lsp_server/status"


@pytest.fixture
def client(start: Start, options: dict[str, Any], model: ScriptedServer) -> Iterator[LspClient]:
    model.default = Reply(["one"])
    options["backends"]["mistral"]["model"] = "codestral-latest"
    with start() as client:
        client.initialize({"experimental": {"lspServerStatus": True}}, options=options)
        yield client


def _current(client: LspClient) -> Any:  # noqa: ANN401
    params = {"command": "lsp_server.status", "arguments": []}
    return client.result(client.request("workspace/executeCommand", params))


def test_the_model_is_named(client: LspClient) -> None:
    assert Typist(client).completed() == ["one"]
    assert client.expect(STATUS, state="ready")["model"] == "codestral-latest"
    assert _current(client)["model"] == "codestral-latest"
    client.discard(STATUS)


def test_it_is_busy_while_a_model_is_at_work(client: LspClient, model: ScriptedServer) -> None:
    client.open(DEMO, BEFORE)
    model.enqueue(Reply(["one"], delay_s=1.0))
    request = client.complete(DEMO, 0, len(BEFORE))
    assert client.expect(STATUS, busy=True)["paused"] is False
    assert not client.is_answered(request)
    assert client.completed(request) == ["one"]
    client.expect(STATUS, busy=False, destination="this machine")
    client.discard(STATUS)


def test_it_is_busy_during_an_action(start: Start, options: dict[str, Any], model: ScriptedServer) -> None:
    with start() as client:
        editor = Editor(client, "neovim", options, experimental={"lspServerStatus": True})
        editor.open(DEMO, "def area():\n    return 1\n")
        model.enqueue(Reply(["It ", "multiplies."], hang_after=1))
        request = editor.begin(editor.item(DEMO, (0, 6), "explain"))
        client.expect(STATUS, busy=True)
        client.notify("$/cancelRequest", {"id": request})
        assert client.error_code(request) == -32800
        client.expect(STATUS, busy=False, state="ready")
        client.discard(STATUS)


def test_answers_that_are_known_are_no_work(client: LspClient) -> None:
    assert Typist(client).completed() == ["one"]
    for _ in range(20):
        assert client.completed(client.complete(DEMO, 0, len(BEFORE + "y + "))) == ["one"]
    assert not [status for status in client.arrived(STATUS) if status["busy"]]
    client.discard(STATUS)


def test_work_that_is_taken_over_by_the_next_key_ends_once(client: LspClient, model: ScriptedServer) -> None:
    client.open(DEMO, BEFORE)
    model.default = Reply(["late"], hang_after=0)
    requests = []
    for key in range(5):
        client.change(DEMO, {"text": f"{BEFORE}{key} + "})
        requests.append(client.complete(DEMO, 0, len(f"{BEFORE}{key} + ")))
        model.wait_for_request()
    while not client.expect(STATUS)["busy"]:
        pass
    client.close(DEMO)
    assert [client.completed(request) for request in requests] == [[]] * 5
    while _current(client)["busy"]:
        pass
    assert client.arrived(STATUS)[-1]["busy"] is False


def test_what_nobody_needs_is_not_told_to_start(start: Start, options: dict[str, Any]) -> None:
    options["completion"] = {**options.get("completion", {}), "enabled": False}
    with start() as client:
        client.initialize({"experimental": {"lspServerStatus": True}}, options=options)
        client.open(DEMO, BEFORE)
        assert "turned off" in client.expect(STATUS, state="ready")["message"]
        client.discard(STATUS)
