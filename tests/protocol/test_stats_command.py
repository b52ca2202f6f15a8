"""`lsp_server.stats`, over the whole way: typing, accepting, asking again."""

from __future__ import annotations

from typing import Any

from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient, inline_params, insertion
from tests.support.scripted_server import Reply, ScriptedServer

URI = "file:///demo/a.py"


def _stats(client: LspClient) -> Any:  # noqa: ANN401
    params = {"command": "lsp_server.stats", "arguments": []}
    return client.result(client.request("workspace/executeCommand", params))


def test_a_session_is_counted(start: Start, options: dict[str, Any], model: ScriptedServer) -> None:
    model.enqueue(Reply(["area(width)"]), Reply([" + 1"]))
    with start() as client:
        client.initialize(options=options)
        assert _stats(client)["requests"] == 0
        client.open(URI, "x = \ny = 2\n")
        assert client.completed(client.complete(URI, 0, 4)) == ["area(width)"]
        assert client.completed(client.complete(URI, 0, 4)) == ["area(width)"]
        client.change(URI, insertion(0, 4, "a"))
        assert client.completed(client.complete(URI, 0, 5)) == ["rea(width)"]
        client.change(URI, insertion(0, 5, "rea"))
        assert client.completed(client.complete(URI, 0, 8)) == ["(width)"]
        client.change(URI, insertion(0, 8, "(width)"))
        assert client.completed(client.complete(URI, 0, 15)) == [" + 1"]
        assert client.completed(client.complete(URI, 1, 3)) == []  # the cursor only moved
        counted = _stats(client)
        client.close(URI)
    assert counted["requests"] == 6
    assert (counted["from_model"], counted["from_cache"], counted["typed_through"]) == (2, 1, 2)
    assert (counted["shown"], counted["accepted"], counted["accepted_in_part"]) == (2, 1, 0)
    assert counted["accepted_characters"] == len("rea(width)")
    assert counted["nothing"] == {"moved": 1}
    assert counted["backends"]["mistral"]["answers"] == 2
    assert counted["backends"]["mistral"]["median_ms"] > 0
    assert "| requests | 6 |" in counted["markdown"]
    assert "area" not in str(counted)


def test_an_entry_selected_in_the_list_of_the_editor(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    model.enqueue(Reply(["(width)"]))
    with start() as client:
        client.initialize(options=options)
        client.open(URI, "x = ar\n")
        params = inline_params(URI, 0, 6)
        place = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}}
        params["context"]["selectedCompletionInfo"] = {"range": place, "text": "area"}
        request = client.request("textDocument/inlineCompletion", params)
        assert client.completed(request) == ["area(width)"]
        client.change(URI, {"range": place, "text": "area(width)"})
        assert (_stats(client)["accepted"], _stats(client)["accepted_characters"]) == (1, len("(width)"))
