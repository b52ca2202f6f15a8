"""Requests of an editor whose cursor only moves, as Neovim 0.12 makes them: no model is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient, inline_params, insertion
from tests.support.scripted_server import Reply, ScriptedServer

URI = "file:///demo/a.py"
TEXT = "x = \ny = \n"
BY_HAND = 1


@pytest.fixture
def client(start: Start, options: dict[str, Any], model: ScriptedServer) -> Iterator[LspClient]:
    model.default = Reply(["one"])
    with start() as client:
        client.initialize(options=options)
        client.open(URI, TEXT)
        yield client


def _by_hand(client: LspClient, line: int, character: int) -> list[str]:
    params = inline_params(URI, line, character, BY_HAND)
    return client.completed(client.request("textDocument/inlineCompletion", params))


def _selected(client: LspClient, text: str) -> list[str]:
    params = inline_params(URI, 0, 4)
    place = {"line": 0, "character": 4}
    params["context"]["selectedCompletionInfo"] = {"range": {"start": place, "end": place}, "text": text}
    return client.completed(client.request("textDocument/inlineCompletion", params))


def test_a_text_is_asked_about_at_one_place(client: LspClient, model: ScriptedServer) -> None:
    assert client.completed(client.complete(URI, 0, 4)) == ["one"]
    assert client.completed(client.complete(URI, 1, 4)) == []
    assert client.completed(client.complete(URI, 0, 0)) == []
    assert len(model.history) == 1


def test_the_first_place_is_answered_again(client: LspClient, model: ScriptedServer) -> None:
    for line in (0, 1, 0):
        answer = client.completed(client.complete(URI, line, 4))
        assert answer == (["one"] if line == 0 else [])
    assert len(model.history) == 1


def test_what_is_known_elsewhere_is_offered(client: LspClient, model: ScriptedServer) -> None:
    assert client.completed(client.complete(URI, 0, 4)) == ["one"]
    assert _by_hand(client, 1, 4) == ["one"]
    assert client.completed(client.complete(URI, 1, 4)) == ["one"]
    assert len(model.history) == 2


def test_who_asks_by_hand_is_answered_anywhere(client: LspClient, model: ScriptedServer) -> None:
    assert client.completed(client.complete(URI, 0, 4)) == ["one"]
    assert _by_hand(client, 1, 4) == ["one"]
    assert len(model.history) == 2


def test_a_request_by_hand_is_not_the_first_place(client: LspClient, model: ScriptedServer) -> None:
    assert _by_hand(client, 1, 4) == ["one"]
    assert client.completed(client.complete(URI, 0, 4)) == ["one"]
    assert len(model.history) == 2


def test_the_next_text_has_a_place_of_its_own(client: LspClient, model: ScriptedServer) -> None:
    assert client.completed(client.complete(URI, 0, 4)) == ["one"]
    client.change(URI, insertion(0, 4, "one"))  # accepted
    model.enqueue(Reply(["two"]))
    assert client.completed(client.complete(URI, 1, 4)) == ["two"]
    assert client.completed(client.complete(URI, 0, 7)) == []
    assert len(model.history) == 2


def test_entries_of_the_completion_list_are_not_movement(client: LspClient, model: ScriptedServer) -> None:
    assert client.completed(client.complete(URI, 0, 4)) == ["one"]
    assert _selected(client, "abs") == ["absone"]
    assert _selected(client, "all") == ["allone"]
    assert len(model.history) == 3


def test_moving_away_answers_the_request_under_way_and_coming_back_finds_what_it_brought(
    client: LspClient, model: ScriptedServer
) -> None:
    model.enqueue(Reply(["one"], delay_s=0.5))
    first = client.complete(URI, 0, 4)
    model.wait_for_request()
    assert client.completed(client.complete(URI, 1, 4)) == []
    assert client.completed(first) == []
    assert client.completed(client.complete(URI, 0, 4)) == ["one"]
    assert len(model.history) == 1


def test_a_place_that_nothing_is_asked_about_does_not_count(client: LspClient, model: ScriptedServer) -> None:
    client.change(URI, {"text": "word = \n"})
    assert client.completed(client.complete(URI, 0, 2)) == []  # inside of a word
    assert client.completed(client.complete(URI, 0, 7)) == ["one"]
    assert len(model.history) == 1


def test_entries_of_the_menu_are_asked_for_anywhere(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    """Editors ask for those while somebody types, or by hand, and never for a movement."""
    model.default = Reply(["one"])
    options["completion"]["as_completion_items"] = True
    with start() as client:
        client.initialize(options=options)
        client.open(URI, TEXT)
        for line in (0, 1):
            place = {"textDocument": {"uri": URI}, "position": {"line": line, "character": 4}}
            result = client.result(client.request("textDocument/completion", place))
            assert [item["label"] for item in result["items"]] == ["one"]
    assert len(model.history) == 2
