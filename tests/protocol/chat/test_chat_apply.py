"""Code blocks of chats, brought into their files: shown first, and never outside of the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.protocol.chat.conftest import Make
from tests.support.chat_editor import ChatEditor, titles
from tests.support.lsp_client import LspClient
from tests.support.scripted_server import Reply, ScriptedServer

SEND = "lsp_server.chat.send"
SHAPES = "import math\n\n\ndef area(r):\n    return r * r\n\n\ndef width(r):\n    return 2 * r\n"
BETTER = "def area(r):\n    return math.pi * r * r\n"
CHANGED = SHAPES.replace("return r * r", "return math.pi * r * r")
APPLY = "lsp_server.chat.apply"


def _answered(
    editor: ChatEditor, model: ScriptedServer, question: str, answer: str
) -> tuple[str, dict[str, int]]:
    """Have a question answered; return the chat and a position in the first block of the answer."""
    model.enqueue(Reply([answer]))
    uri = editor.new_chat(question)
    editor.run(SEND, uri=uri)
    return uri, editor.position(uri, editor.texts[uri].rindex("\n```", 0, editor.texts[uri].rindex("## You")))


def test_a_block_changes_the_attached_file(make: Make, model: ScriptedServer, root: Path) -> None:
    file = root / "shapes.py"
    editor = make()
    editor.open(file.as_uri(), SHAPES)
    uri, position = _answered(
        editor, model, "Fix [it](shapes.py).", f"Like this:\n\n```python\n{BETTER}```\n\nDone."
    )
    place = (position["line"], 0)
    assert titles(editor, uri, place) == ["Answer again", "Apply this block to shapes.py"]
    assert titles(editor, uri) == ["Answer again"]
    item = editor.menu(uri, place)[-1]
    assert editor.choose(item) == {"applied": True, "file": "shapes.py"}
    assert editor.texts[file.as_uri()] == CHANGED
    edit = editor.edits[-1]
    [change] = edit["documentChanges"]
    assert change["textDocument"] == {"uri": file.as_uri(), "version": 1}
    assert [it["needsConfirmation"] for it in edit["changeAnnotations"].values()] == [True]


def test_without_previews_the_user_is_asked(make: Make, model: ScriptedServer, root: Path) -> None:
    (root / "shapes.py").write_text(SHAPES, encoding="utf-8")
    editor = make("neovim")
    answer = f"```python shapes.py\n{BETTER}```"
    uri, position = _answered(editor, model, "Fix it.", answer)
    assert editor.run(APPLY, uri=uri, position=position) == {"applied": False, "file": "shapes.py"}
    editor.answer = "Apply"
    assert editor.run(APPLY, uri=uri, position=position) == {"applied": True, "file": "shapes.py"}
    assert [question["message"] for question in editor.questions] == [
        "Apply the code block to shapes.py?"
    ] * 2
    assert editor.texts[(root / "shapes.py").as_uri()] == CHANGED


def test_a_block_replaces_the_attached_lines(make: Make, model: ScriptedServer, root: Path) -> None:
    file = root / "notes.toml"
    file.write_bytes(b"a = 1\r\nb = 2\r\nc = 3\r\n")
    editor = make()
    uri, position = _answered(
        editor, model, "Fix [notes.toml:2-2](notes.toml).", "```toml\nb = 4\nd = 5\n```"
    )
    assert editor.run(APPLY, uri=uri, position=position)["applied"] is True
    assert editor.texts[file.as_uri()] == "a = 1\r\nb = 4\r\nd = 5\r\nc = 3\r\n"


def test_a_block_for_a_new_file(make: Make, model: ScriptedServer, root: Path) -> None:
    editor = make()
    uri, position = _answered(editor, model, "Write it.", "```python src/new.py\nx = 1\n```")
    assert editor.run(APPLY, uri=uri, position=position)["applied"] is True
    created = editor.edits[-1]["documentChanges"][0]
    assert (created["kind"], created["uri"]) == ("create", (root / "src" / "new.py").as_uri())
    assert created["options"] == {"overwrite": False, "ignoreIfExists": False}


@pytest.mark.parametrize(
    "path",
    ["../../etc/x.py", "/etc/passwd", "link.py", "folder/new.py", ".git/hooks/post-commit.sh"],
)
def test_a_block_is_never_applied_outside_of_the_workspace(
    make: Make, model: ScriptedServer, client: LspClient, root: Path, path: str
) -> None:
    outside = root.parent / "outside.py"
    outside.write_text(SHAPES, encoding="utf-8")
    (root / "shapes.py").write_text(SHAPES, encoding="utf-8")
    (root / "link.py").symlink_to(outside)
    (root / "folder").symlink_to(root.parent)
    editor = make()
    uri, position = _answered(editor, model, "Fix [it](shapes.py).", f"```python {path}\n{BETTER}```")
    edits = len(editor.edits)
    result = editor.run(APPLY, uri=uri, position=position)
    assert result["state"] == "refused"
    assert result["message"] in client.expect("window/showMessage")["message"]
    assert len(editor.edits) == edits
    assert "Apply" not in str(titles(editor, uri, (position["line"], 0)))
    assert outside.read_text(encoding="utf-8") == SHAPES


def test_an_edit_that_breaks_the_file_is_marked(make: Make, model: ScriptedServer, root: Path) -> None:
    (root / "shapes.py").write_text(SHAPES, encoding="utf-8")
    editor = make("neovim")
    uri, position = _answered(
        editor, model, "Fix [it](shapes.py).", "```python\ndef area(r):\n    return (r\n```"
    )
    assert editor.run(APPLY, uri=uri, position=position)["applied"] is False
    assert editor.questions[-1]["message"].startswith("Apply a code block to shapes.py: ")


def test_a_block_that_belongs_nowhere(
    make: Make, model: ScriptedServer, client: LspClient, root: Path
) -> None:
    (root / "shapes.py").write_text(SHAPES, encoding="utf-8")
    editor = make()
    uri, position = _answered(editor, model, "Fix [it](shapes.py).", "```python\nprint(1)\n```")
    assert "attach the lines" in editor.run(APPLY, uri=uri, position=position)["message"]
    client.expect("window/showMessage")
