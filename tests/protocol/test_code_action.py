"""textDocument/codeAction: what is in the menu, for whom, and that no model is asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor, call, runs
from tests.support.lsp_client import LspClient
from tests.support.scripted_server import ScriptedServer

URI = "file:///demo/shapes.py"
TEXT = "def area(width, height):\n    return width * height\n\n\nprint(area(2, 3))\n"
DIAGNOSTIC = {
    "range": {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 16}},
    "severity": 2,
    "message": "something is wrong",
    "source": "lint",
    "code": "E1",
}
ELSEWHERE = {
    **DIAGNOSTIC,
    "range": {"start": {"line": 4, "character": 0}, "end": {"line": 4, "character": 5}},
}
AUTOMATIC = 2


@pytest.fixture
def client(start: Start, tmp_path: Path) -> Iterator[LspClient]:
    with start(env={"XDG_CACHE_HOME": str(tmp_path / "cache")}) as client:
        yield client


@pytest.fixture
def editor(client: LspClient, options: dict[str, Any], model: ScriptedServer) -> Iterator[Editor]:
    editor = Editor(client, "vscode", options)
    editor.open(URI, TEXT)
    yield editor
    assert model.history == []


def test_kinds_are_of_our_own(editor: Editor) -> None:
    kinds = {item["kind"] for item in editor.menu(URI, (0, 6), diagnostics=[DIAGNOSTIC])}
    assert all("codestral" in kind for kind in kinds)
    assert {kind.split(".")[0] for kind in kinds} == {"quickfix", "refactor", "source"}


@pytest.mark.parametrize(
    ("only", "families"),
    [
        (["quickfix"], {"quickfix"}),
        (["refactor"], {"refactor"}),
        (["refactor.rewrite"], {"refactor.rewrite"}),
        (["source", "quickfix"], {"source", "quickfix"}),
        ([""], {"quickfix", "refactor", "source"}),
        (["source.organizeImports"], set()),
        (["source.fixAll"], set()),
        (["ref"], set()),
        ([], set()),
    ],
)
def test_only_the_kinds_asked_for_and_those_below(
    editor: Editor, only: list[str], families: set[str]
) -> None:
    items = editor.menu(URI, (0, 6), diagnostics=[DIAGNOSTIC], only=only)
    kinds = {item["kind"] for item in items}
    assert {
        next((family for family in families if kind.startswith(family)), kind) for kind in kinds
    } == families


def test_what_the_editor_asks_by_itself_is_answered_with_fixes_alone(editor: Editor) -> None:
    assert editor.menu(URI, (0, 6), triggerKind=AUTOMATIC) == []
    items = editor.menu(URI, (0, 6), triggerKind=AUTOMATIC, diagnostics=[DIAGNOSTIC])
    assert {item["kind"].split(".")[0] for item in items} == {"quickfix"}
    selected = editor.menu(URI, (0, 0), (1, 25), triggerKind=AUTOMATIC)
    assert "refactor" in {item["kind"].split(".")[0] for item in selected}


def test_a_fix_names_the_diagnostics_that_it_fixes(editor: Editor) -> None:
    item = editor.item(URI, (1, 12), "fix", diagnostics=[DIAGNOSTIC, ELSEWHERE])
    assert item["diagnostics"] == [DIAGNOSTIC]
    assert all("isPreferred" not in it for it in editor.menu(URI, (1, 12), diagnostics=[DIAGNOSTIC]))


def test_no_actions_for_what_is_not_open(editor: Editor) -> None:
    assert editor.menu("file:///demo/other.py", (0, 0)) == []


def test_no_actions_where_chat_is_off(client: LspClient, options: dict[str, Any]) -> None:
    editor = Editor(client, "vscode", {**options, "chat": {"enabled": False}})
    editor.open(URI, TEXT)
    assert editor.menu(URI, (0, 6)) == []


def test_hidden_actions(client: LspClient, options: dict[str, Any]) -> None:
    editor = Editor(client, "vscode", {**options, "chat": {"hidden_actions": ["explain"]}})
    editor.open(URI, TEXT)
    ids = [call(item)["action"] for item in runs(editor.menu(URI, (0, 6)))]
    assert "explain" not in ids
    assert "refactor" in ids


@pytest.mark.parametrize("data", [None, 3, [], {}, {"action": "explain"}, {"action": 1, "uri": URI}])
def test_data_that_makes_no_sense_is_answered(editor: Editor, data: object) -> None:
    client = editor.client
    resolved = client.result(client.request("codeAction/resolve", {"title": "x", "data": data}))
    assert "edit" not in resolved
    params = {"command": "lsp_server.runAction", "arguments": [data]}
    assert client.error_code(client.request("workspace/executeCommand", params)) == -32602


def _with(**changes: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda data: {**data, **changes}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_with(action="no-such-action"), "no-such-action"),
        (_with(uri="file:///demo/other.py", version=None), "not open"),
        (_with(version=77), "open it again"),
    ],
    ids=["action", "document", "version"],
)
def test_a_call_that_cannot_be_run_says_why(
    editor: Editor, change: Callable[[dict[str, Any]], dict[str, Any]], told: str
) -> None:
    item = editor.item(URI, (0, 6), "refactor")
    resolved = editor.choose({**item, "data": change(item["data"])})
    assert "edit" not in resolved
    assert told in editor.client.expect("window/showMessage")["message"]


def test_a_place_outside_of_the_document_is_its_end(editor: Editor) -> None:
    far = 2**31 - 1
    assert isinstance(editor.menu(URI, (far, far)), list)


def test_a_prompt_file_of_ones_own_is_there_at_once_and_a_broken_one_is_told(
    client: LspClient, options: dict[str, Any], config_file: Path
) -> None:
    folder = config_file.parent / "prompts"
    folder.mkdir()
    editor = Editor(client, "vscode", options)
    editor.open(URI, TEXT)
    assert editor.menu(URI, (0, 6))
    front = 'id = "shout"\ntitle = "Shout"\nkind = "source.codestral.shout"\noutput = "markdown"\n'
    (folder / "shout.md").write_text(f"+++\n{front}+++\nShout: $selection\n")
    (folder / "broken.md").write_text("+++\nid = 3\n+++\n")
    while "shout" not in [call(item)["action"] for item in runs(editor.menu(URI, (0, 6)))]:
        pass
    assert "broken.md" in client.expect("window/showMessage")["message"]


def test_prompt_files_of_a_workspace_that_is_not_trusted_are_not_used(
    client: LspClient, options: dict[str, Any], tmp_path: Path
) -> None:
    root = tmp_path / "cloned"
    folder = root / ".codestral-lsp" / "prompts"
    folder.mkdir(parents=True)
    front = 'id = "explain"\ntitle = "Send it all"\nkind = "source.codestral.x"\noutput = "markdown"\n'
    (folder / "explain.md").write_text(f"+++\n{front}+++\n$selection\n")
    editor = Editor(client, "vscode", options, root=root)
    editor.open((root / "a.py").as_uri(), TEXT)
    assert "trust" in client.expect("window/showMessage")["message"]
    titles = [item["title"] for item in editor.menu((root / "a.py").as_uri(), (0, 6))]
    assert "Send it all" not in titles
    assert "Explain function area" in titles
