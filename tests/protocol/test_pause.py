"""`lsp_server.pause`: nothing comes by itself, all that is asked for does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor
from tests.support.lsp_client import LspClient, inline_params
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.typist import BEFORE, DEMO, Typist

PAUSE, STATUS = "lsp_server.pause", "$/lsp_server/status"


@pytest.fixture
def client(start: Start, options: dict[str, Any], model: ScriptedServer) -> Iterator[LspClient]:
    model.default = Reply(["one"])
    with start() as client:
        client.initialize({"experimental": {"lspServerStatus": True}}, options=options)
        client.discard(STATUS)
        yield client


def _pause(client: LspClient, *arguments: object) -> Any:  # noqa: ANN401
    params = {"command": PAUSE, "arguments": list(arguments)}
    return client.result(client.request("workspace/executeCommand", params))


def _wait_for_the_end(client: LspClient) -> None:
    for paused in (True, False):
        while client.expect(STATUS)["paused"] is not paused:
            pass


def test_a_pause_stops_what_comes_by_itself_and_nothing_else(client: LspClient) -> None:
    typist = Typist(client)
    assert typist.completed() == ["one"]
    assert _pause(client, {"paused": True})["paused"] is True
    assert typist.completed() == []
    by_hand = inline_params(DEMO, 0, len(BEFORE), 1)
    assert client.completed(client.request("textDocument/inlineCompletion", by_hand)) == ["one"]
    client.expect(STATUS, paused=True)
    assert _pause(client, {"paused": False})["paused"] is False
    assert typist.completed() == ["one"]


def test_without_arguments_it_is_the_other_way_round(client: LspClient) -> None:
    assert [_pause(client)["paused"] for _ in range(3)] == [True, False, True]
    assert _pause(client, {})["paused"] is False
    assert _pause(client, None)["paused"] is True


def test_a_pause_ends_by_itself(client: LspClient) -> None:
    typist = Typist(client)
    assert _pause(client, {"minutes": 0.01})["paused"] is True
    assert typist.completed() == []
    _wait_for_the_end(client)
    assert typist.completed() == ["one"]


def test_a_later_pause_takes_the_place(client: LspClient) -> None:
    _pause(client, {"minutes": 0.005})
    assert _pause(client, {"paused": True})["paused"] is True
    _pause(client, {"minutes": 0.02})
    _wait_for_the_end(client)
    assert _pause(client, {"minutes": 0.005, "paused": False})["paused"] is False
    assert Typist(client).completed() == ["one"]


def test_what_is_under_way_when_the_pause_begins_is_not_shown(
    client: LspClient, model: ScriptedServer
) -> None:
    client.open(DEMO, BEFORE)
    model.enqueue(Reply(["late"], delay_s=0.5))
    request = client.complete(DEMO, 0, len(BEFORE))
    model.wait_for_request()
    _pause(client)
    assert client.completed(request) == []


def test_actions_work_meanwhile(client: LspClient, start: Start, options: dict[str, Any]) -> None:
    with start() as other:
        editor = Editor(other, "neovim", options, experimental={"lspServerAnswers": True})
        editor.client.discard("$/lsp_server/partial")
        editor.open(DEMO, "def area():\n    return 1\n")
        _pause(other)
        assert editor.choose(editor.item(DEMO, (0, 6), "explain")) == {"markdown": "one"}
    assert Typist(client).completed() == ["one"]  # another window


def test_it_outlives_new_settings(client: LspClient, options: dict[str, Any]) -> None:
    _pause(client)
    changed = {**options, "completion": {"debounce_ms": 1}}
    client.notify("workspace/didChangeConfiguration", {"settings": changed})
    assert Typist(client).completed() == []
    params = {"command": "lsp_server.status", "arguments": []}
    assert client.result(client.request("workspace/executeCommand", params))["paused"] is True


@pytest.mark.parametrize(
    "wrong", [7, "yes", [True], {"paused": 1}, {"minutes": 0}, {"minutes": "5"}, {"minutes": 1e9}]
)
def test_what_makes_no_sense_changes_nothing(client: LspClient, wrong: object) -> None:
    params = {"command": PAUSE, "arguments": [wrong]}
    assert client.error_code(client.request("workspace/executeCommand", params)) == -32602
    assert Typist(client).completed() == ["one"]
