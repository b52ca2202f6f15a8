"""textDocument/inlineCompletion: what is asked, what is answered, exactly once on every path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient, inline_params, insertion
from tests.support.scripted_server import Reply, ScriptedServer

URI, OTHER = "file:///demo/a.py", "file:///demo/b.py"
METHOD = "textDocument/inlineCompletion"
CANCELLED = -32800


@pytest.fixture
def client(start: Start, options: dict[str, Any]) -> Iterator[LspClient]:
    with start() as client:
        client.initialize(options=options)
        yield client


def test_the_text_around_the_cursor_is_completed(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply(["a ", "+ b"]))
    client.open(URI, "def add(a, b):\n    return \n\nprint(add(1, 2))\n")
    answer = client.result(client.complete(URI, 1, 11))
    here = {"line": 1, "character": 11}
    assert answer == {"items": [{"insertText": "a + b", "range": {"start": here, "end": here}}]}
    body = model.history[0].body
    assert body["prompt"].endswith("def add(a, b):\n    return ")
    assert body["suffix"] == "\n\nprint(add(1, 2))\n"


@pytest.mark.parametrize(("encoding", "width"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_columns_count_in_the_negotiated_units(
    start: Start, options: dict[str, Any], model: ScriptedServer, encoding: str, width: int
) -> None:
    model.enqueue(Reply(["1"]))
    text = 'a = "🦊"\r\nb = "🦊" + \r\nc = 3\r\n'
    column = len('b = "') + width + len('" + ')
    with start() as client:
        client.initialize({"general": {"positionEncodings": [encoding]}}, options=options)
        client.open(URI, text)
        client.change(URI, insertion(1, len('b = "') + width, "é"))
        column += len("é".encode()) if encoding == "utf-8" else 1
        (item,) = client.result(client.complete(URI, 1, column))["items"]
    assert item["range"]["end"] == {"line": 1, "character": column}
    body = model.history[0].body
    assert _unix(body["prompt"]).endswith('a = "🦊"\nb = "🦊é" + ')
    assert _unix(body["suffix"]) == "\nc = 3\n"


@pytest.mark.parametrize("separator", ["\f", "\v", "\u2028", "\u2029", "\x85", "\x1c"])
def test_only_lsps_line_ends_end_a_line(client: LspClient, model: ScriptedServer, separator: str) -> None:
    client.open(URI, f"# a{separator}b\nx = 1\ny = \n")
    client.change(URI, insertion(2, 4, "x + "))
    assert client.completed(client.complete(URI, 2, 8)) == ["done"]
    assert model.history[0].body["prompt"].endswith(f"# a{separator}b\nx = 1\ny = x + ")


def test_a_position_outside_of_the_document_means_its_end(client: LspClient, model: ScriptedServer) -> None:
    client.open(URI, "x = ")
    (item,) = client.result(client.complete(URI, 90, 90))["items"]
    end = {"line": 0, "character": 4}
    assert item["range"] == {"start": end, "end": end}
    assert model.history[0].body["prompt"].endswith("x = ")


def test_documents_that_are_not_open_get_nothing(client: LspClient, model: ScriptedServer) -> None:
    client.change(URI, insertion(0, 0, "x = "))
    assert client.completed(client.complete(URI, 0, 4)) == []
    client.close(URI)
    client.open(URI, "x = ")
    assert client.completed(client.complete(URI, 0, 4)) == ["done"]
    client.close(URI)
    assert client.completed(client.complete(URI, 0, 4)) == []
    assert len(model.history) == 1


def test_a_cancelled_request_is_answered_and_stops_the_model(
    client: LspClient, model: ScriptedServer
) -> None:
    model.enqueue(Reply(["1"], hang_after=1))
    client.open(URI, "x = ")
    request = client.complete(URI, 0, 4)
    asked = model.wait_for_request()
    client.notify("$/cancelRequest", {"id": request})
    assert client.error_code(request) == CANCELLED
    assert asked.disconnected.wait(20)
    client.round_trip()


def test_a_request_cancelled_in_the_same_write(client: LspClient, model: ScriptedServer) -> None:
    client.open(URI, "x = ")
    request = client.new_request(METHOD, inline_params(URI, 0, 4))
    client.send(request, {"method": "$/cancelRequest", "params": {"id": request["id"]}})
    assert client.error_code(request["id"]) == CANCELLED
    assert model.history == []


def test_a_newer_request_supersedes_the_older(client: LspClient, model: ScriptedServer) -> None:
    """Neovim 0.12 never cancels: without this the model would work on every key press."""
    model.enqueue(Reply(["1"], hang_after=1), Reply(["2"]))
    client.open(URI, "x = ")
    older = client.complete(URI, 0, 4)
    asked = model.wait_for_request()
    client.change(URI, insertion(0, 4, "y * "))
    newer = client.complete(URI, 0, 8)
    assert client.completed(older) == []
    assert client.completed(newer) == ["2"]
    assert asked.disconnected.wait(20)


def test_a_document_that_changed_meanwhile_gets_nothing(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply(["1", "2"], delay_s=0.3))
    client.open(URI, "x = ")
    request = client.complete(URI, 0, 4)
    model.wait_for_request()
    client.change(URI, insertion(0, 0, "# "))
    assert client.completed(request) == []


def test_a_request_is_about_the_text_before_the_next_message(
    client: LspClient, model: ScriptedServer
) -> None:
    client.open(URI, "x = ")
    request = client.new_request(METHOD, inline_params(URI, 0, 4))
    client.send(request, client.new_change(URI, {"text": "entirely different\n"}))
    assert client.completed(request["id"]) == []
    assert all(asked.body["prompt"].endswith("x = ") for asked in model.history)


def test_closing_a_document_ends_the_work_on_it(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply(hang_before_headers=True))
    client.open(URI, "x = ")
    request = client.complete(URI, 0, 4)
    asked = model.wait_for_request()
    client.close(URI)
    assert client.completed(request) == []
    assert asked.disconnected.wait(20)


def test_two_documents_do_not_disturb_each_other(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply(["1"], delay_s=0.3), Reply(["2"]))
    client.open(URI, "x = ")
    client.open(OTHER, "y = ")
    slow = client.complete(URI, 0, 4)
    model.wait_for_request()
    quick = client.complete(OTHER, 0, 4)
    assert client.completed(quick) == ["2"]
    assert client.completed(slow) == ["1"]


def test_the_selected_entry_of_the_completion_list_is_continued(
    client: LspClient, model: ScriptedServer
) -> None:
    model.enqueue(Reply(["(1)"]))
    client.open(URI, "x = ad\n")
    params = inline_params(URI, 0, 6)
    word = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}}
    params["context"]["selectedCompletionInfo"] = {"range": word, "text": "add"}
    (item,) = client.result(client.request(METHOD, params))["items"]
    assert item == {"insertText": "add(1)", "range": word}
    assert model.history[0].body["prompt"].endswith("x = add")


def test_a_backend_that_is_down_is_told_once(client: LspClient, model: ScriptedServer) -> None:
    place = model.base_url
    model.stop()
    client.open(URI, "x = ")
    for key in "abc":
        client.change(URI, insertion(0, 4, f"{key} + "))
        assert client.completed(client.complete(URI, 0, 8)) == []
    shown = client.expect("window/showMessage")
    assert place in shown["message"]
    assert "(log: " in shown["message"]
    client.round_trip()


def test_a_refused_key_is_told(start: Start, options: dict[str, Any], model: ScriptedServer) -> None:
    with start(env={"SCRIPTED_KEY": "wrong"}) as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        assert client.completed(client.complete(URI, 0, 4)) == []
        assert "SCRIPTED_KEY" in client.expect("window/showMessage")["message"]
        client.round_trip()
        assert "wrong" not in client.log.read_text()


def test_a_failure_may_pass(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply(status=500, error={"message": "oops"}), Reply(["1"]))
    client.open(URI, "x = ")
    assert client.completed(client.complete(URI, 0, 4)) == []
    assert client.expect("window/showMessage")["type"] == 1
    assert client.completed(client.complete(URI, 0, 4)) == ["1"]


def test_the_log_does_not_hold_the_text(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply(["tr", "easure"]))
    client.open(URI, "secret_in_the_buffer = ")
    assert client.completed(client.complete(URI, 0, 23)) == ["treasure"]
    log = client.log.read_text()
    assert "secret_in_the_buffer" not in log
    assert "treasure" not in log


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")
