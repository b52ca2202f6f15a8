"""What a user does in an evening with the server, the same in every editor, with the default model."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.editor import Editor, Feature, Key, until
from tests.support.scripted_server import Reply, ScriptedServer

ADD = "def add(first, second):\n    "
COUNT = "def count_words(text):\n    counts = {}\n\n"
GREET = """def greet(name, greeting):
    message = greeting + ", " + name + "!"
    print(message)
    return message
"""

Opened = Callable[[str, int, int], Path]


NAMES = {
    "": ("scratch", "notes"),
    ADD: ("sums", "shop", "prices", "orders", "billing", "stock", "totals", "report"),
    COUNT: ("words",),
    GREET: ("hello", "greet", "welcome"),
}
"""What files are called: pictures show it, and no two scenarios share one."""


@pytest.fixture(scope="session")
def names() -> Callable[[Editor, str], str]:
    """Return how to choose the next name for a file with this text in an editor."""
    left: dict[tuple[str, str], Iterator[str]] = {}

    def choose(editor: Editor, text: str) -> str:
        return next(left.setdefault((editor.name, text), iter(NAMES[text])))

    return choose


@pytest.fixture
def opened(editor: Editor, names: Callable[[Editor, str], str]) -> Opened:
    """Return how to open a new file with this text, the cursor at a line and a column."""

    def open_file(text: str, line: int, column: int) -> Path:
        path = editor.workspace / f"{names(editor, text)}.py"
        path.write_text(text, "utf-8")
        editor.open(path, line, column)
        return path

    return open_file


@pytest.fixture
def scripted_backend(editor: Editor, opened: Opened) -> Iterator[None]:
    """Let the scripted backend answer, chosen as a user chooses it."""
    opened("", 0, 0)
    editor.select_backend("scripted")
    until("the other backend in the status line", lambda: "scripted" in editor.status())
    yield
    editor.select_backend("local")
    until("the local backend in the status line", lambda: "scripted" not in editor.status())


def _prompts(scripted: ScriptedServer, end: str) -> list[str]:
    prompts = [str(request.body.get("prompt")) for request in scripted.history]
    return [prompt for prompt in prompts if prompt.endswith(end)]


def _begin(editor: Editor, typed: str) -> str:
    """Type the beginning of `return first` in `ADD`; return the ghost text that goes on with it."""
    editor.type(typed)
    until("what was typed", lambda: editor.text().rstrip("\n") == ADD + typed)
    rest = "return first".removeprefix(typed)
    # What is drawn may still be what went on with one character less.
    until(f"ghost text for {typed!r}", lambda: editor.ghost().startswith(rest))
    return editor.ghost()


@pytest.mark.needs(Feature.GHOST)
def test_typing_shows_ghost_text_and_accepting_takes_it(editor: Editor, opened: Opened) -> None:
    opened(ADD, 1, 4)
    ghost = _begin(editor, "return fir")
    editor.picture("ghost")
    editor.press(Key.ACCEPT)
    until("the accepted text", lambda: editor.text().rstrip("\n") == f"{ADD}return fir{ghost}")
    until("no ghost text of what was accepted", lambda: not editor.ghost().startswith(ghost))


@pytest.mark.needs(Feature.GHOST)
def test_typing_along_keeps_the_rest(editor: Editor, opened: Opened) -> None:
    opened(ADD, 1, 4)
    ghost = _begin(editor, "return fi")
    for typed in ghost[:3]:
        editor.type(typed)
    until("the rest of the ghost text", lambda: editor.ghost() == ghost[3:])
    editor.press(Key.BACKSPACE)
    until("one more character of it", lambda: editor.ghost() == ghost[2:])


@pytest.mark.needs(Feature.GHOST)
def test_another_character_takes_it_away(editor: Editor, opened: Opened) -> None:
    opened(ADD, 1, 4)
    ghost = _begin(editor, "return fi")
    editor.type("zz")
    until("both in the text", lambda: editor.text().rstrip("\n") == f"{ADD}return fizz")
    until("other ghost text or none", lambda: not editor.ghost().endswith(ghost[2:]))


@pytest.mark.needs(Feature.GHOST, Feature.WORDS)
def test_accepting_a_word_leaves_the_rest(editor: Editor, opened: Opened) -> None:
    opened(ADD, 1, 4)
    ghost = _begin(editor, "return fir")
    assert " " in ghost, f"one word only: {ghost!r}"
    editor.press(Key.ACCEPT_WORD)
    until("a part of it in the text", lambda: editor.text().rstrip("\n") != f"{ADD}return fir")
    taken = editor.text().rstrip("\n").removeprefix(f"{ADD}return fir")
    assert ghost.startswith(taken)
    assert 0 < len(taken) < len(ghost)
    until("the rest of it as ghost text", lambda: editor.ghost().rstrip() == ghost[len(taken) :].rstrip())


@pytest.mark.needs(Feature.GHOST)
def test_dismissing_and_going_on(editor: Editor, opened: Opened) -> None:
    opened(ADD, 1, 4)
    _begin(editor, "return fir")
    editor.press(Key.DISMISS)
    until("no ghost text", lambda: not editor.ghost())
    assert editor.text().rstrip("\n") == f"{ADD}return fir"


@pytest.mark.needs(Feature.GHOST)
def test_several_lines_and_one_undo(editor: Editor, opened: Opened) -> None:
    opened(COUNT, 2, 0)
    editor.type("    ")
    until("what was typed", lambda: editor.text().startswith(f"{COUNT[:-1]}    "))
    until("ghost text of several lines", lambda: "\n" in editor.ghost())
    ghost = editor.ghost()
    editor.picture("block")
    before = editor.text()
    editor.press(Key.ACCEPT)
    last = ghost.split("\n")[-1].strip()
    until("the whole block in the text", lambda: last in editor.text())
    assert all(line.strip() in editor.text() for line in ghost.split("\n"))
    editor.press(Key.UNDO)
    until("the text before it", lambda: last not in editor.text())
    assert len(editor.text().rstrip()) <= len(before.rstrip())


@pytest.mark.needs(Feature.GHOST, Feature.STATUS, Feature.SELECT)
@pytest.mark.usefixtures("scripted_backend")
def test_moving_the_cursor_asks_no_model(editor: Editor, opened: Opened, scripted: ScriptedServer) -> None:
    # At the end of a line: inside a word the server waits to be asked.
    scripted.default = Reply(["_it"])
    opened(GREET, 3, 18)
    editor.type("x")
    until("the answer after the first key", lambda: editor.ghost() == "_it")
    assert _prompts(scripted, "messagex")
    asked = len(scripted.history)
    for line, column in ((0, 3), (1, 8), (2, 4), (3, 2), (3, 19)):
        editor.move(line, column)
    editor.type("y")
    until("the request after the next key", lambda: _prompts(scripted, "messagexy"))
    since = [str(request.body.get("prompt")) for request in scripted.history[asked:]]
    assert all(prompt.endswith("messagexy") for prompt in since), since


@pytest.mark.needs(Feature.EXPLAIN)
def test_an_explanation_is_shown_as_markdown(editor: Editor, opened: Opened) -> None:
    opened(GREET, 1, 6)
    editor.choose_action("Explain")
    until("an explanation", lambda: len(editor.explanation()) > 200)
    assert "greet" in editor.explanation()
    editor.picture("explanation")
    editor.close_explanation()
    until("it is closed", lambda: not editor.explanation())


@pytest.mark.needs(Feature.ACTIONS)
def test_an_edit_is_previewed_applied_and_undone(editor: Editor, opened: Opened) -> None:
    opened(GREET, 0, 6)
    editor.choose_action("Document")
    if Feature.PREVIEW in editor.features:
        until("a preview", editor.preview)
        assert '"""' in editor.preview()
        assert editor.text() == GREET
        editor.picture("preview")
        editor.confirm()
    until("the edit", lambda: '"""' in editor.text())
    assert all(line in editor.text() for line in GREET.splitlines())
    editor.press(Key.UNDO)
    until("the text before it", lambda: editor.text() == GREET)


@pytest.mark.needs(Feature.GHOST, Feature.REVIVAL)
def test_the_server_comes_back(editor: Editor, opened: Opened) -> None:
    opened(ADD, 1, 4)
    killed = editor.server_pid()
    os.kill(killed, signal.SIGKILL)
    until("another server", lambda: editor.server_pid() not in (0, killed))
    _begin(editor, "return fir")


@pytest.mark.needs(Feature.GHOST, Feature.SETTINGS)
def test_settings_change_without_a_restart(editor: Editor, opened: Opened) -> None:
    opened(ADD, 1, 4)
    server = editor.server_pid()
    editor.change_setting("completion.enabled", False)
    try:
        editor.type("return fir", pause_s=0.5)
        until("what was typed", lambda: editor.text().rstrip("\n") == f"{ADD}return fir")
        assert editor.ghost() == ""
    finally:
        editor.change_setting("completion.enabled", True)
    editor.type("s")
    until("ghost text", editor.ghost)
    assert editor.server_pid() == server


@pytest.mark.needs(Feature.GHOST, Feature.STATUS, Feature.SELECT)
@pytest.mark.usefixtures("scripted_backend")
def test_the_backend_is_switched_from_the_status_line(
    editor: Editor, opened: Opened, scripted: ScriptedServer
) -> None:
    scripted.default = Reply(["st - second"])
    opened(ADD, 1, 4)
    editor.type("return fir")
    until("what the script says", lambda: editor.ghost() == "st - second")
    editor.picture("backend")


def test_ordinary_events_show_no_messages(editor: Editor) -> None:
    """Run as the last one: everything above is ordinary, but for the server that was killed."""
    ours = [notice for notice in editor.notices() if "lsp_server" in notice or "codestral" in notice.lower()]
    killed = ("restart", "signal 9")
    assert [notice for notice in ours if not any(word in notice.lower() for word in killed)] == []
