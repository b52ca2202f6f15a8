"""One document under several spellings of its uri: it is one, and the editor gets the spelling it used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor, call
from tests.support.lsp_client import LspClient, insertion
from tests.support.scripted_server import Reply, ScriptedServer

SPELLINGS = [
    ("file:///c%3A/x.py", "file:///C:/x.py", "file:///c:/x.py"),
    ("file:///C:/x.py", "file:///c:/x.py", "file:///c%3a/x.py"),
    ("file:///work/x.py", "file://localhost/work/x.py", "file:///work/%78.py"),
    ("file://localhost/work/x.py", "file:/work/x.py", "FILE:///work/x.py"),
    ("file:///gr%c3%bc/x.py", "file:///gr%C3%BC/x.py", "file:///grü/x.py"),
    ("file:///a b/x.py", "file:///a%20b/x.py", "file:///a%20b/%78%2Epy"),
    ("file:///%40types/%5Bid%5D.py", "file:///@types/[id].py", "file:///@types/%5bid%5d.py"),
    ("file:///C:\\a\\x.py", "file:///c:/a/x.py", "file:///C%3A%5Ca%5Cx.py"),
    ("file://server/share/x.py", "file://SERVER/share/x.py", "file://server/share/%78.py"),
    ("untitled:Untitled-1", "untitled:%55ntitled-1", "UNTITLED:Untitled%2D1"),
    ("git:/x.py?%7b%7d", "git:/x.py?%7B%7D", "git:/%78.py?%7b%7D"),
]
AREA = "def area(width, height):\n    return width * height\n"
BETTER = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'


@pytest.fixture
def client(start: Start, tmp_path: Path) -> Iterator[LspClient]:
    with start(env={"XDG_CACHE_HOME": str(tmp_path / "cache")}) as client:
        yield client


def _change(client: LspClient, uri: str, version: int, text: str) -> None:
    document = {"uri": uri, "version": version}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda it: it[0])
def test_a_document_is_one(
    client: LspClient, options: dict[str, Any], model: ScriptedServer, spellings: tuple[str, str, str]
) -> None:
    opened, changed, asked = spellings
    model.default = Reply([f"```python\n{BETTER}```\n"])
    editor = Editor(client, "vscode", options)
    editor.open(opened, "")
    _change(client, changed, 2, AREA)
    editor.texts[opened], editor.versions[opened] = AREA, 2
    item = editor.item(asked, (0, 6), "document", diagnostics=[])
    assert call(item)["uri"] == opened
    editor.choose({**item, "data": {**call(item), "uri": changed}})
    assert editor.texts[opened] == BETTER
    [edit] = editor.edits
    assert {operation["textDocument"]["uri"] for operation in edit["documentChanges"]} == {opened}


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda it: it[0])
def test_it_is_completed_and_closed_under_every_spelling(
    client: LspClient, options: dict[str, Any], model: ScriptedServer, spellings: tuple[str, str, str]
) -> None:
    opened, changed, asked = spellings
    client.initialize(options=options)
    client.open(opened, "x = ", "python")
    document = {"uri": changed, "version": 2}
    changes = [insertion(0, 0, "seen")]
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
    assert client.completed(client.complete(asked, 0, 8)) == ["done"]
    assert model.wait_for_request().body["prompt"].endswith("seenx = ")
    client.close(asked)
    assert client.completed(client.complete(opened, 0, 8)) == []
    assert "not open" not in client.log.read_text()


def test_opened_again_under_another_spelling_it_is_replaced(
    client: LspClient, options: dict[str, Any], model: ScriptedServer
) -> None:
    client.initialize(options=options)
    client.open("file:///c%3A/x.py", "first = ")
    client.open("file:///C:/x.py", "second = ")
    assert client.completed(client.complete("file:///c%3A/x.py", 0, 9)) == ["done"]
    assert model.wait_for_request().body["prompt"].endswith("second = ")


def test_cells_of_a_notebook(client: LspClient, options: dict[str, Any], model: ScriptedServer) -> None:
    client.initialize(options=options)
    book, cell = "file:///c%3A/b.ipynb", "vscode-notebook-cell:/b.ipynb#W"
    cells = [{"kind": 2, "document": f"{cell}{number}"} for number in (1, 2)]
    texts = [
        {
            "uri": f"vscode-notebook-cell:/%62.ipynb#W{number}",
            "languageId": "python",
            "version": 1,
            "text": text,
        }
        for number, text in ((1, "first = 1"), (2, ""))
    ]
    notebook = {"uri": book, "notebookType": "jupyter-notebook", "version": 0, "cells": cells}
    client.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})
    change = {"document": {"uri": f"{cell}2", "version": 2}, "changes": [insertion(0, 0, "second = ")]}
    client.notify(
        "notebookDocument/didChange",
        {
            "notebookDocument": {"uri": "file:///C:/b.ipynb", "version": 1},
            "change": {"cells": {"textContent": [change]}},
        },
    )
    assert client.completed(client.complete(f"{cell}2", 0, 9)) == ["done"]
    assert model.wait_for_request().body["prompt"].endswith("first = 1\n\nsecond = ")
    closed = {"notebookDocument": {"uri": "file:///C:/b.ipynb"}, "cellTextDocuments": []}
    client.notify("notebookDocument/didClose", closed)
    assert client.completed(client.complete(f"{cell}2", 0, 9)) == []


@pytest.mark.parametrize("begin", ["file://", "file://localhost", "FILE://LOCALHOST", "file:"])
def test_the_folder_of_a_workspace(
    client: LspClient, options: dict[str, Any], model: ScriptedServer, tmp_path: Path, begin: str
) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / ".codestral-lsp.toml").write_text("[completion]\nmax_tokens = 7\n")
    uri = begin + folder.as_uri().removeprefix("file://")
    folders = [{"uri": uri, "name": "a"}]
    params = {"capabilities": {}, "workspaceFolders": folders, "initializationOptions": options}
    client.result(client.request("initialize", {"processId": None, "rootUri": None, **params}))
    client.notify("initialized", {})
    client.open(f"{uri}/open.py", "x = ")
    assert client.completed(client.complete(f"{uri}/open.py", 0, 4)) == ["done"]
    [asked] = model.history
    assert asked.body["max_tokens"] == 7
