"""textDocument/completion, for editors without inline completions."""

from __future__ import annotations

from typing import Any

from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient, Message, insertion
from tests.support.scripted_server import Reply, ScriptedServer

URI = "file:///demo/a.py"


def _complete(client: LspClient, line: int, character: int) -> Message:
    params = {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}
    answer: Message = client.result(client.request("textDocument/completion", params))
    return answer


def test_it_is_served_only_to_those_who_ask(start: Start, options: dict[str, Any]) -> None:
    with start() as client:
        assert "completionProvider" not in client.initialize(options=options)
        params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
        assert client.error_code(client.request("textDocument/completion", params)) == -32601


def test_the_completion_is_one_entry_that_survives_filters(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    model.enqueue(Reply(["urn a + b"]))
    options["completion"]["as_completion_items"] = True
    with start() as client:
        capabilities = client.initialize(options=options)
        assert "." in capabilities["completionProvider"]["triggerCharacters"]
        client.open(URI, '🦊 = "🦊"\ndef add(a, b):\n    ret\n')
        answer = _complete(client, 2, 7)
    assert answer["isIncomplete"] is True
    (item,) = answer["items"]
    edit = item["textEdit"]
    assert edit["newText"] == "return a + b"
    assert edit["range"] == {"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 7}}
    assert item["filterText"] == "ret"
    assert item["label"] == "return a + b"
    assert item["preselect"] is True


def test_nothing_to_offer_is_an_empty_list_that_asks_again(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    model.enqueue(Reply([""]))
    options["completion"]["as_completion_items"] = True
    with start() as client:
        client.initialize(options=options)
        assert _complete(client, 0, 0) == {"isIncomplete": True, "items": []}
        client.open(URI, "x = ")
        assert _complete(client, 0, 4) == {"isIncomplete": True, "items": []}


def test_it_can_be_turned_on_and_off_later(start: Start, options: dict[str, Any]) -> None:
    def settings(on: bool) -> dict[str, Any]:
        return {"settings": {"completion": {"as_completion_items": on}}}

    with start() as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        client.notify("workspace/didChangeConfiguration", settings(on=True))
        client.round_trip()
        assert len(_complete(client, 0, 4)["items"]) == 1
        client.round_trip()
        (registration,) = client.asked[0]["params"]["registrations"]
        assert registration["method"] == "textDocument/completion"
        client.notify("workspace/didChangeConfiguration", settings(on=False))
        client.change(URI, insertion(0, 4, "y + "))
        assert _complete(client, 0, 8)["items"] == []
