"""Every action that ships, in three editors: what the editor shows or has in its buffer in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lsp_server.chat.actions.catalogue import load
from tests.protocol.conftest import Start
from tests.support.editor import Editor, command
from tests.support.scripted_server import Reply, ScriptedServer

AREA = "def area(width, height):\n    return width * height\n"
USE = "\n\nprint(area(2, 3))\n"
COMMIT = "\n# Please enter the commit message for your changes.\n"
DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


@dataclass(frozen=True)
class Case:
    """One action on one document."""

    action: str
    reply: str
    text: str = AREA + USE
    expected: str = ""
    """The whole text in the end."""
    shown: str = ""
    """Text of the answer in words."""
    at: tuple[int, int] = (0, 6)
    file: str = "shapes.py"
    language: str = "python"
    context: dict[str, Any] = field(default_factory=dict)


def fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}```\n"


DIAGNOSTIC = {
    "range": {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 16}},
    "severity": 1,
    "message": 'undefined name "widht"',
    "source": "pyflakes",
}

BETTER = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'
SCRIPT = "function area(width) {\n  return width * width;\n}\n"
JSDOC = "/**\n * Square a width.\n * @param {number} width\n * @returns {number}\n */\n"
RUST = "fn sizes() -> Vec<u32> {{\n    let mut sizes{} = Vec::new();\n    sizes.push(1);\n    sizes\n}}\n"
CPP = "int area(int width) {{\n    {} size = width * width;\n    return size;\n}}\n"
COMMENTED = "def area(width, height):\n    # la surface\n    return width * height\n"

CASES = [
    Case("explain", "It multiplies `width` by `height`.", shown="It multiplies `width`"),
    Case("refactor", "Here it is:\n" + fenced(BETTER), expected=BETTER + USE),
    Case("simplify", fenced(BETTER), expected=BETTER + USE),
    Case(
        "fix",
        fenced(AREA),
        text=AREA.replace("return width", "return widht") + USE,
        expected=AREA + USE,
        context={"diagnostics": [DIAGNOSTIC]},
    ),
    Case("document", '```python\n"""Return the area."""\n```', expected=BETTER + USE),
    Case(
        "add_types",
        fenced("def area(width: float, height: float) -> float:\n"),
        expected=AREA.replace("width, height", "width: float, height: float").replace("):", ") -> float:")
        + USE,
    ),
    Case(
        "add_jsdoc_types",
        fenced(f"{JSDOC}{SCRIPT}", "javascript"),
        text=SCRIPT,
        expected=JSDOC + SCRIPT,
        at=(0, 10),
        file="shapes.js",
        language="javascript",
    ),
    Case(
        "add_explicit_types",
        fenced("let mut sizes: Vec<u32> = Vec::new();\n", "rust"),
        text=RUST.format(""),
        expected=RUST.format(": Vec<u32>"),
        at=(1, 12),
        file="shapes.rs",
        language="rust",
    ),
    Case(
        "add_declared_types",
        fenced(CPP.format("int"), "cpp"),
        text=CPP.format("auto"),
        expected=CPP.format("int"),
        at=(1, 10),
        file="shapes.cpp",
        language="cpp",
    ),
    Case("write_tests", fenced("def test_area():\n    assert area(2, 3) == 6\n")),
    Case("optimise", fenced(BETTER), expected=BETTER + USE),
    Case(
        "translate_comments",
        fenced(COMMENTED.replace("la surface", "the area")),
        text=COMMENTED + USE,
        expected=COMMENTED.replace("la surface", "the area") + USE,
    ),
    Case("convert", fenced("fn area() {}\n", "rust"), shown="fn area() {}"),
    Case(
        "generate",
        fenced("def double(x):\n    return 2 * x\n"),
        text="# A function that doubles a number.\n",
        expected="# A function that doubles a number.\ndef double(x):\n    return 2 * x\n",
        at=(0, 8),
    ),
    Case(
        "commit_message",
        fenced("Set x to two\n", ""),
        text=COMMIT + DIFF,
        expected="Set x to two\n" + COMMIT + DIFF,
        at=(0, 0),
        file="COMMIT_EDITMSG",
        language="gitcommit",
    ),
    Case("review", "- `area`: no check of negative numbers", shown="no check of negative"),
]


def test_every_action_that_ships_has_a_case() -> None:
    assert {file.id for file in load([]).files} == {case.action for case in CASES}


@pytest.mark.parametrize("name", ["vscode", "neovim", "minimal"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.action)
def test_an_action_does_what_it_says(
    case: Case, name: str, start: Start, options: dict[str, Any], model: ScriptedServer, tmp_path: Path
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    path = root / case.file
    path.write_text(case.text)
    uri = path.as_uri()
    model.enqueue(Reply([case.reply[:7], case.reply[7:]]))
    with start(env={"XDG_CACHE_HOME": str(tmp_path / "cache")}) as client:
        editor = Editor(client, name, options, root=root)
        editor.answer = {"translate_comments": "English", "convert": "Rust"}.get(case.action)
        editor.open(uri, case.text, case.language)
        item = editor.item(uri, case.at, case.action, **case.context)
        assert model.history == []  # the menu asks no model
        result = editor.choose(item)
        assert len(model.history) == 1
        if case.shown:
            _shown(editor, case, result)
        elif name == "minimal":
            _not_applied(editor, case, result)
        else:
            _applied(editor, case, uri)


def _shown(editor: Editor, case: Case, result: dict[str, Any]) -> None:
    assert case.shown in result["markdown"]
    path = Path(result["uri"].removeprefix("file://"))
    assert case.shown in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o400
    if editor.shown:
        assert editor.shown == [result["uri"]]
    else:
        assert case.shown in editor.client.expect("window/showMessage")["message"]
    assert editor.edits == []


def _not_applied(editor: Editor, case: Case, result: dict[str, Any]) -> None:
    """An editor that can apply nothing shows what it would have applied."""
    assert result["applied"] is False
    editor.client.expect("window/showMessage")
    if case.expected:
        assert editor.apply(result["edit"])
        editor.client.round_trip()
        assert list(editor.texts.values()) == [case.expected]


def _applied(editor: Editor, case: Case, uri: str) -> None:
    if case.action == "write_tests":
        [new] = [text for it, text in editor.texts.items() if it != uri]
        assert "def test_area():" in new
        assert "shapes import area" in new
        assert editor.texts[uri] == case.text
    else:
        assert editor.texts[uri] == case.expected
    assert len(editor.edits) == 1


def test_commands_only_for_clients_without_literals(start: Start, options: dict[str, Any]) -> None:
    with start() as client:
        editor = Editor(client, "minimal", options)
        editor.open("file:///a.py", AREA)
        items = editor.menu("file:///a.py", (0, 6))
        assert items
        for item in items:
            assert command(item)["command"] == "lsp_server.runAction"
            assert "kind" not in item
