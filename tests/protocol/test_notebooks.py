"""Notebooks, with the messages that VS Code's language client sends for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor
from tests.support.lsp_client import LspClient, insertion
from tests.support.scripted_server import Reply, ScriptedServer

HEADING = "# main.py\n"
"""What the model sees before a short file of Python, see `completion.beginning`."""
BOOK = "file:///demo/book.ipynb"
CELL = "vscode-notebook-cell:/demo/book.ipynb#W"
CAPABILITIES = {
    "notebookDocument": {"synchronization": {"dynamicRegistration": True, "executionSummarySupport": True}},
    "general": {"positionEncodings": ["utf-16"]},
}
CODE, MARKDOWN = 2, 1
TEXTS = {
    "0": "# Areas",
    "1": "def area(width, height):\n    return width * height",
    "2": "x = ",
    "3": "print(x)\n",
}


@pytest.fixture
def client(start: Start, options: dict[str, Any], model: ScriptedServer) -> Iterator[LspClient]:
    model.default = Reply(["area(1, 2)"])
    with start() as client:
        offered = client.initialize(CAPABILITIES, options=options)
        assert offered["notebookDocumentSync"] == {"notebookSelector": [{"notebook": "*"}]}
        yield client


def _document(number: str) -> dict[str, Any]:
    language = "markdown" if number == "0" else "python"
    return {"uri": CELL + number, "languageId": language, "version": 1, "text": TEXTS.get(number, "")}


def _cell(number: str) -> dict[str, Any]:
    kind = MARKDOWN if number == "0" else CODE
    return {"kind": kind, "document": CELL + number, "metadata": {"tags": ["jsonrpc"], "collapsed": False}}


def _open(client: LspClient, numbers: str = "0123", book: str = BOOK) -> None:
    notebook = {
        "uri": book,
        "notebookType": "jupyter-notebook",
        "version": 0,
        "metadata": {"language_info": {"name": "python"}, "nested": [{"a": 1}]},
        "cells": [_cell(number) for number in numbers],
    }
    documents = [_document(number) for number in numbers]
    client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": documents})


def _change(client: LspClient, **cells: object) -> None:
    params = {"notebookDocument": {"uri": BOOK, "version": 1}, "change": {"cells": cells}}
    client.notify("notebookDocument/didChange", params)


def _structure(start: int, deleted: int, cells: str, opened: str = "", closed: str = "") -> dict[str, Any]:
    return {
        "array": {"start": start, "deleteCount": deleted, "cells": [_cell(number) for number in cells]},
        "didOpen": [_document(number) for number in opened],
        "didClose": [{"uri": CELL + number} for number in closed],
    }


def _type(client: LspClient, number: str, version: int, change: object) -> None:
    document = {"uri": CELL + number, "version": version}
    _change(client, textContent=[{"document": document, "changes": [change]}])


def _close(client: LspClient, numbers: str) -> None:
    documents = [{"uri": CELL + number} for number in numbers]
    params = {"notebookDocument": {"uri": BOOK}, "cellTextDocuments": documents}
    client.notify("notebookDocument/didClose", params)


def _seen(model: ScriptedServer) -> tuple[str, str]:
    """Return what the model was shown last: the text before and after the cursor."""
    body = model.history[-1].body
    return body["prompt"].removeprefix(HEADING), body.get("suffix", "")


def test_a_completion_sees_the_code_cells_around_it(client: LspClient, model: ScriptedServer) -> None:
    _open(client)
    result = client.result(client.complete(CELL + "2", 0, 4))
    place = {"line": 0, "character": 4}
    assert result["items"] == [{"insertText": "area(1, 2)", "range": {"start": place, "end": place}}]
    assert _seen(model) == (f"{TEXTS['1']}\n\nx = ", "\n\nprint(x)")
    _close(client, "0123")


def test_cells_are_typed_in_added_moved_and_deleted(client: LspClient, model: ScriptedServer) -> None:
    _open(client, "02")
    _type(client, "2", 2, insertion(0, 0, "🦊🦊 = 1; "))
    assert client.completed(client.complete(CELL + "2", 0, 14)) == ["area(1, 2)"]
    assert _seen(model) == ("🦊🦊 = 1; x = ", "")
    _change(client, structure=_structure(2, 0, "3", opened="3"))
    _type(client, "2", 3, insertion(0, 0, "1; "))
    assert client.completed(client.complete(CELL + "2", 0, 17)) == ["area(1, 2)"]
    assert _seen(model) == ("1; 🦊🦊 = 1; x = ", "\n\nprint(x)")
    _change(client, structure=_structure(1, 2, "32"))  # the other way round
    assert client.completed(client.complete(CELL + "2", 0, 17)) == ["area(1, 2)"]
    assert _seen(model) == ("print(x)\n\n1; 🦊🦊 = 1; x = ", "")
    _change(client, structure=_structure(1, 1, "", closed="3"))
    assert client.completed(client.complete(CELL + "3", 0, 0)) == []
    _type(client, "2", 4, {"text": "y = "})
    assert client.completed(client.complete(CELL + "2", 0, 4)) == ["area(1, 2)"]
    assert _seen(model) == ("y = ", "")


def test_a_cell_that_is_made_markdown_gives_no_code(client: LspClient, model: ScriptedServer) -> None:
    _open(client)
    _change(client, data=[{**_cell("1"), "kind": MARKDOWN}])
    client.result(client.complete(CELL + "2", 0, 4))
    assert _seen(model) == ("x = ", "\n\nprint(x)")


def test_what_is_typed_along_asks_nothing(client: LspClient, model: ScriptedServer) -> None:
    _open(client)
    assert client.completed(client.complete(CELL + "2", 0, 4)) == ["area(1, 2)"]
    _type(client, "2", 2, insertion(0, 4, "are"))
    assert client.completed(client.complete(CELL + "2", 0, 7)) == ["a(1, 2)"]
    assert len(model.history) == 1


def test_an_execution_and_metadata_change_nothing(client: LspClient, model: ScriptedServer) -> None:
    _open(client)
    executed = {**_cell("1"), "executionSummary": {"executionOrder": 3, "success": True}}
    _change(client, data=[executed])
    params = {"notebookDocument": {"uri": BOOK, "version": 2}, "change": {"metadata": {"a": {"b": None}}}}
    client.notify("notebookDocument/didChange", params)
    client.result(client.complete(CELL + "2", 0, 4))
    assert _seen(model)[0].startswith("def area")


def test_closing_answers_what_is_under_way(client: LspClient, model: ScriptedServer) -> None:
    _open(client)
    model.enqueue(Reply(["late"], hang_after=0))
    request = client.complete(CELL + "2", 0, 4)
    recorded = model.wait_for_request()
    _close(client, "0123")
    assert client.completed(request) == []
    assert recorded.disconnected.wait(20)
    assert client.completed(client.complete(CELL + "2", 0, 4)) == []


def test_unknown_notebooks_and_cells_hurt_nobody(client: LspClient) -> None:
    _type(client, "7", 2, insertion(0, 0, "x"))
    _close(client, "7")
    _change(client, structure=_structure(5, 3, "2", opened="2"))
    assert client.completed(client.complete(CELL + "2", 0, 4)) == ["area(1, 2)"]


def test_a_client_that_tells_cells_as_text_documents_is_served(
    client: LspClient, model: ScriptedServer
) -> None:
    client.open(CELL + "2", "x = ")
    assert client.completed(client.complete(CELL + "2", 0, 4)) == ["area(1, 2)"]
    assert _seen(model) == ("x = ", "")


def test_who_knows_no_notebooks_is_offered_none(start: Start, options: dict[str, Any]) -> None:
    with start() as client:
        assert "notebookDocumentSync" not in client.initialize(options=options)


@pytest.mark.parametrize("scheme", ["vscode-notebook-cell:/demo/secret.ipynb#W", "jupyter-cell:"])
def test_the_path_of_the_notebook_decides_what_may_be_sent(
    start: Start, options: dict[str, Any], model: ScriptedServer, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options["backends"]["mistral"]["destination"] = "third party"
    options["privacy"] = {"excluded": ["secret.ipynb"]}
    monkeypatch.setattr("tests.protocol.test_notebooks.CELL", scheme)
    with start() as client:
        editor = Editor(client, "vscode", options, experimental={"lspServerAnswers": True})
        client.discard("$/lsp_server/partial")
        _open(client, book="file:///demo/secret.ipynb")
        assert client.completed(client.complete(scheme + "2", 0, 4)) == []
        said = editor.choose(editor.item(scheme + "1", (0, 6), "explain"))
        assert "secret.ipynb" in said["message"]
    assert model.history == []


def test_actions_work_in_a_cell(start: Start, options: dict[str, Any], model: ScriptedServer) -> None:
    better = 'def area(width, height):\n    """Multiply."""\n    return width * height'
    model.enqueue(Reply([f"```python\n{better}\n```\n"]))
    with start() as client:
        editor = Editor(client, "vscode", options)
        _open(client)
        resolved = editor.choose(editor.item(CELL + "1", (0, 6), "refactor"))
        [operation] = resolved["edit"]["documentChanges"]
        assert operation["textDocument"] == {"uri": CELL + "1", "version": 1}
        assert operation["edits"][0]["range"]["start"]["line"] in (0, 1)


def test_actions_see_the_cells_before_and_edit_their_own(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    def told() -> str:
        said: str = model.history[-1].body["messages"][-1]["content"]
        return said

    with start() as client:
        editor = Editor(client, "vscode", options)
        _open(client, "0123")
        model.enqueue(Reply(["```python\nprint(f'{x}')\n```\n"]))
        resolved = editor.choose(editor.item(CELL + "3", (0, 0), "refactor", (0, 8)))
        [operation] = resolved["edit"]["documentChanges"]
        assert operation["textDocument"] == {"uri": CELL + "3", "version": 1}
        assert [edit["newText"] for edit in operation["edits"]] == ["print(f'{x}')"]
        assert "before this one" in told() and TEXTS["1"] + "\n\n" + TEXTS["2"].rstrip() in told()
        assert TEXTS["0"] not in told()
        _change(client, structure=_structure(0, 4, "1023"))
        model.enqueue(Reply([f"```python\n{TEXTS['1'].replace('width', 'w')}\n```\n"]))
        editor.choose(editor.item(CELL + "1", (0, 6), "refactor"))
        assert "before this one" not in told() and "print" not in told()
