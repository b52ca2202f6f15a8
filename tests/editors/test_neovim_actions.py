"""Neovim 0.11 with the plugin: edits shown first, answers that stream, runs that can be stopped, chats.

The model is a script, so that replies can hang half-way; keys and screen are a terminal's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp_server.config_files import CONFIG_VARIABLE
from lsp_server.engine.state import STATE_VARIABLE
from tests.editors.editor import until
from tests.editors.neovim_session import ROOT, Session
from tests.support.scripted_server import API_KEY, Recorded, Reply, ScriptedServer

SETUP = f"""
vim.opt.runtimepath:append("{ROOT}/editors/neovim")
vim.lsp.enable("lsp_server")
"""
GREET = """def greet(name, greeting):
    message = greeting + ", " + name + "!"
    print(message)
    return message
"""
SHORT = 'def greet(name, greeting):\n    return f"{greeting}, {name}!"\n'
ESCAPE, NORMAL = "\x1b", "\x1c\x0e"
"""The second one leaves any mode; the first one and a key after it would be one key with Alt."""
CONTROL_C, CONTROL_R, CONTROL_S, CONTROL_W = "\x03", "\x12", "\x13", "\x17"

Opened = Callable[[str], Path]


def _code(text: str, fence: str = "python") -> Reply:
    return Reply([f"```{fence}\n", *text.splitlines(keepends=True), "```\n"])


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, model: ScriptedServer) -> Iterator[Session]:
    """Start one Neovim for all tests, in a workspace of its own."""
    folder = tmp_path_factory.mktemp("neovim")
    (folder / "workspace/.git").mkdir(parents=True)
    config = folder / "config.toml"
    config.write_text(
        f'backend = "scripted"\n[completion]\nenabled = false\n[backends.scripted]\ntype = "mistral"\n'
        f'base_url = "{model.base_url}"\napi_key_env = "SCRIPTED_KEY"\n',
        "utf-8",
    )
    environment = {
        CONFIG_VARIABLE: str(config),
        STATE_VARIABLE: str(folder / "state"),
        "SCRIPTED_KEY": API_KEY,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    workspace, home = folder / "workspace", folder / "home"
    home.mkdir()
    program = str(Path(sys.executable).with_name("nvim"))
    with Session(program, workspace, home, environment, setup=SETUP, lines=40) as session:
        yield session


@pytest.fixture
def opened(session: Session, request: pytest.FixtureRequest) -> Iterator[Opened]:
    """Return how to open a new file with a text, cursor in its first line; afterwards all is closed."""

    def open_file(text: str) -> Path:
        path = _workspace(session) / f"{request.node.originalname.removeprefix('test_')}.py"
        path.write_bytes(text.encode())
        session.terminal.send(f":edit! {path}\r:messages clear\r")
        until("the file", lambda: session.ask("return vim.api.nvim_buf_get_name(0)") == str(path))
        until("the server", session.server_pid)
        return path

    yield open_file
    session.terminal.send(NORMAL)
    for command in ("LspServer stop", "fclose!", "only!", "%bwipeout!"):
        session.ask("vim.cmd(...)", f"silent! {command}")
    until("no floating window", lambda: not session.floats())


def _workspace(session: Session) -> Path:
    return Path(session.ask("return vim.fn.getcwd()"))


def _text(session: Session) -> str:
    return "\n".join(session.ask("return vim.api.nvim_buf_get_lines(0, 0, -1, false)")) + "\n"


def _command(session: Session, command: str) -> None:
    session.terminal.send(f":{command}\r")


def _float(session: Session, frame: str) -> str:
    """Return the text of the floating window that has this in its frame; empty without one."""
    found = [window for window in session.floats() if frame in window.frame]
    return session.shown(found[-1]) if found else ""


def _preview(session: Session) -> str:
    until("a preview", lambda: _float(session, "y apply"))
    return _float(session, "y apply")


def _messages(session: Session) -> str:
    return str(session.ask("return vim.api.nvim_exec2('messages', { output = true }).output"))


def _running(session: Session) -> str:
    return str(session.ask('return require("lsp_server.runs").text()'))


def _gone(request: Recorded) -> None:
    until("the request is cancelled", request.disconnected.is_set)


def _next_request(model: ScriptedServer, before: int) -> Recorded:
    return model.wait_for_request(before + 1)


def _asked(request: Recorded) -> str:
    """Return the question of a chat request."""
    return str(request.body["messages"][-1]["content"])


def test_an_edit_of_the_menu_is_shown_first_applied_and_undone(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    model.enqueue(_code(SHORT))
    session.terminal.send("gra")
    session.terminal.wait_for("2: Refactor function greet")
    session.terminal.send("2\r")
    shown = _preview(session)
    assert "-     print(message)" in shown
    assert '+     return f"{greeting}, {name}!"' in shown
    assert _float(session, "Refactor function greet")
    session.terminal.send("y")
    until("the edit", lambda: _text(session) == SHORT)
    assert not session.floats()
    session.terminal.send("u")
    until("the text before it, after one undo", lambda: _text(session) == GREET)


@pytest.mark.parametrize("key", ["q", "n", ESCAPE, ":quit\r"])
def test_a_declined_edit_changes_nothing_and_is_not_talked_about(
    session: Session, opened: Opened, model: ScriptedServer, key: str
) -> None:
    opened(GREET)
    model.enqueue(_code(SHORT))
    _command(session, "LspServer action refactor")
    _preview(session)
    session.terminal.send(key)
    until("the window is closed", lambda: not session.floats())
    assert _text(session) == GREET
    until("the end of the run", lambda: _running(session) == "")
    assert "apply" not in _messages(session)


def test_an_edit_for_a_text_that_has_changed_is_refused(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    model.enqueue(_code(SHORT))
    _command(session, "LspServer action refactor")
    _preview(session)
    session.terminal.send(f"{CONTROL_W}pggO# new{NORMAL}{CONTROL_W}p")
    until(
        "the keys in the window", lambda: session.ask("return #vim.api.nvim_win_get_config(0).relative") > 0
    )
    session.terminal.send("y")
    until("the window is closed", lambda: not session.floats())
    until("the reason", lambda: "the text has changed" in _messages(session))
    assert _text(session) == f"# new\n{GREET}"


def test_a_preview_takes_no_keys_from_somebody_who_types(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    model.enqueue(Reply(_code(SHORT).chunks, delay_s=0.2))
    session.terminal.send(":LspServer action refactor\rGo")  # at once, before the window opens
    _preview(session)
    session.terminal.send("yyy")
    until("the keys in the text", lambda: _text(session) == f"{GREET}yyy\n")
    assert _float(session, "y apply")
    session.terminal.send(ESCAPE)
    until(
        "the keys in the window",
        lambda: session.ask("return vim.api.nvim_win_get_config(0).relative") == "editor",
    )


def test_windows_line_ends_and_wide_characters(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    path = opened('def greet(name):\r\n    message = "👋 " + name\r\n    return message\r\n')
    model.enqueue(_code('def greet(name):\n    return f"👋 {name}"\n'))
    _command(session, "LspServer action refactor")
    assert "👋 {name}" in _preview(session)
    session.terminal.send("\r")
    until("the edit", lambda: "message" not in _text(session))
    _command(session, "write")
    until("the file", lambda: path.read_bytes() == 'def greet(name):\r\n    return f"👋 {name}"\r\n'.encode())


def test_a_new_file_is_shown_whole_made_and_opened(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    path = opened(GREET)
    model.enqueue(_code("def test_greet():\n    assert greet('a', 'b') == 'b, a!'\n"))
    _command(session, "LspServer action write_tests")
    assert "+ def test_greet():" in _preview(session)
    assert _float(session, "(new file)")
    before = set(path.parent.iterdir())
    session.terminal.send("y")
    until("the file", lambda: set(path.parent.iterdir()) - before)
    until("its window", lambda: len(session.ask("return vim.api.nvim_tabpage_list_wins(0)")) == 2)
    [made] = set(path.parent.iterdir()) - before
    until("its text on the screen", lambda: "def test_greet" in session.terminal.text())
    made.unlink()


def test_an_explanation_streams_and_stops(session: Session, opened: Opened, model: ScriptedServer) -> None:
    opened(GREET)
    before = len(model.history)
    model.enqueue(Reply(["It **greets**", " somebody.\n\n", "By"], delay_s=0.2, hang_after=3))
    _command(session, "LspServer explain")
    until("the words so far", lambda: "It greets somebody." in _float(session, "<C-c> stop"))
    assert not _next_request(model, before).finished.is_set()
    session.terminal.send(CONTROL_C)
    _gone(_next_request(model, before))
    until("that it was stopped", lambda: "Stopped." in _float(session, "keep in a split"))
    assert "It greets somebody." in _float(session, "q close")
    session.terminal.send("q")
    until("the window is closed", lambda: not session.floats())


def test_an_answer_can_be_seen_again_and_kept(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    model.enqueue(Reply(["It greets.\n\n```python\nprint(1)\n```\n"]))
    _command(session, "LspServer explain")
    until("the answer", lambda: "print(1)" in _float(session, "keep in a split"))
    session.terminal.send(ESCAPE)
    until("the window is closed", lambda: not session.floats())
    _command(session, "LspServer answer")
    until("the answer again", lambda: "It greets." in _float(session, "keep in a split"))
    session.terminal.send("o")
    until("no floating window", lambda: not session.floats())
    session.terminal.wait_for("It greets.")
    model.enqueue(Reply(["Something else."]))
    session.terminal.send(f"{CONTROL_W}p")
    _command(session, "LspServer explain")
    until("the next answer", lambda: "Something else." in _float(session, "keep in a split"))
    assert "It greets." in session.terminal.text()


def test_an_answer_takes_no_keys_from_somebody_who_has_moved_on(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    model.enqueue(Reply(["It ", "greets."], delay_s=0.5))
    session.terminal.send(":LspServer explain\rjA")  # at once, before the window opens
    until("the answer", lambda: "It greets." in _float(session, "q close"))
    session.terminal.send("  # q")
    until("the keys in the text", lambda: "  # q\n" in _text(session))


def test_no_control_character_of_a_title_reaches_the_terminal(session: Session, opened: Opened) -> None:
    """Neovim makes text visible in windows, but not in their frames: this one sets the clipboard."""
    opened(GREET)
    clipboard = "\x1b]52;c;eA==\x07"
    partial = {"token": "t", "answer": True, "title": f"About\n{clipboard}", "text": "It.", "done": True}
    session.ask('require("lsp_server.explanation").on_partial(...)', partial)
    until("the answer", lambda: "About ^[]52;c;eA==^G" in "".join(it.frame for it in session.floats()))
    file = {"uri": "file:///new%1B%5D52%3Bc%3BeA==%07.py", "creates": True, "edits": []}
    ask = "local files, title = ... "
    ask += 'coroutine.wrap(require("lsp_server.preview").ask)(files, "utf-8", title)'
    session.ask(ask, [file], f"Make {clipboard}")
    until("the preview", lambda: any("Make ^[]52" in it.frame for it in session.floats()))
    assert not [it.frame for it in session.floats() if "\x1b" in it.frame]
    session.ask('require("lsp_server.preview").decide(false)')


def test_a_failure_is_said_in_the_window(session: Session, opened: Opened, model: ScriptedServer) -> None:
    opened(GREET)
    model.enqueue(Reply([" \n"]))
    _command(session, "LspServer explain")
    until("why", lambda: "said nothing" in _float(session, "q close"))


def test_what_runs_is_shown_beside_the_line_and_stops(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    before = len(model.history)
    model.enqueue(Reply(["```python\n", "def greet"], hang_after=2))
    _command(session, "LspServer action simplify")
    session.terminal.wait_for("… Simplify function greet: ")
    assert "Simplify function greet" in _running(session)
    _command(session, "LspServer stop")
    _gone(_next_request(model, before))
    until("nothing beside the line", lambda: "… Simplify" not in session.terminal.text())
    assert _text(session) == GREET
    _command(session, "LspServer stop")
    session.terminal.wait_for("Nothing runs")


def test_ranges_and_selections(session: Session, opened: Opened, model: ScriptedServer) -> None:
    opened(GREET)
    before = len(model.history)
    model.enqueue(Reply(["It prints."]), Reply(["It joins."]))
    _command(session, "2,3LspServer explain")
    asked = _asked(_next_request(model, before))
    assert "print(message)" in asked
    assert "return message" not in asked
    until("the answer", lambda: "It prints." in _float(session, "keep in a split"))
    session.terminal.send("q")
    session.terminal.send("2G$vFn:LspServer explain\r")
    asked = _asked(_next_request(model, before + 1))
    until("the answer", lambda: "It joins." in _float(session, "keep in a split"))
    assert 'name + "!"' in asked
    assert "message = greeting" not in asked


def test_actions_by_id_and_title(session: Session, opened: Opened, model: ScriptedServer) -> None:
    opened(GREET)
    ids = session.ask("return vim.fn.getcompletion('LspServer action ', 'cmdline')")
    assert {"explain", "refactor", "write_tests"} <= set(ids)
    model.enqueue(Reply(["Fine."]))
    _command(session, "LspServer action review this file")
    until("the answer", lambda: "Fine." in _float(session, "keep in a split"))
    session.terminal.send("q")
    _command(session, "LspServer action nonsense")
    until("that there is none", lambda: "There is no action nonsense" in _messages(session))


def _chat(session: Session, command: str = "LspServer chat") -> None:
    _command(session, command)
    until("a chat", lambda: session.ask("return vim.b.lsp_server_chat or false"))


def test_a_chat_is_sent_followed_undone_and_applied(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    path = opened(GREET)
    before = len(model.history)
    _chat(session, "1,2LspServer chat")
    assert f"[{path.name}:1-2]" in _text(session)
    assert session.ask("return #vim.lsp.get_clients({ name = 'lsp_server' })") == 1
    session.terminal.send(f"GoShorter?{NORMAL}")
    block = [f"```python {path.name}\n", *SHORT.splitlines(keepends=True), "```\n", "Good."]
    model.enqueue(Reply(["It greets.\n\n", *block], delay_s=0.2))
    session.terminal.send("\r")
    assert "Shorter?" in _asked(_next_request(model, before))
    until("some of the answer", lambda: "It greets." in _text(session))
    until("the end", lambda: _text(session).rstrip().endswith("Good.\n\n## You"))
    until("the cursor below it", lambda: session.ask("return vim.fn.line('.') == vim.fn.line('$')"))
    session.terminal.send("u")
    until("the chat without the answer, after one undo", lambda: "## Model" not in _text(session))
    session.terminal.send(f"{CONTROL_R}?return f\r\\a")
    assert '+     return f"{greeting}, {name}!"' in _preview(session)
    session.terminal.send("y")
    until("the window is closed", lambda: not session.floats())
    session.terminal.send(f"{CONTROL_W}k")
    until("the file", lambda: _text(session) == SHORT)


def test_an_answer_in_a_chat_stops_and_is_written_anew(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    before = len(model.history)
    _chat(session)
    model.enqueue(Reply(["One. ", "Two. ", "Thr"], delay_s=0.1, hang_after=3))
    session.terminal.send(f"GiWhat?{CONTROL_S}")
    until("some of the answer", lambda: "One. Two." in _text(session))
    assert session.mode() == "n"
    session.terminal.send(CONTROL_C)
    _gone(_next_request(model, before))
    until("room for the next question", lambda: _text(session).count("## You") == 2)
    until("the end of the run", lambda: _running(session) == "")
    assert "One. Two." in _text(session)
    model.enqueue(Reply(["Another."]))
    session.terminal.send("\\r")
    until("another answer", lambda: "Another." in _text(session))
    until("instead of the first one", lambda: "One." not in _text(session))


def test_other_buffers_are_edited_while_a_chat_is_written(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    _chat(session)
    model.enqueue(Reply([f"Word {number}.\n\n" for number in range(12)], delay_s=0.1))
    session.terminal.send(f"GiWhat?{NORMAL}\r{CONTROL_W}pggO")
    for character in "# a comment":
        session.terminal.send(character)
    session.terminal.wait_for("Word 11.")
    session.terminal.send(ESCAPE)
    assert _text(session) == f"# a comment\n{GREET}"
    session.terminal.send("u")
    until("the text before it", lambda: _text(session) == GREET)


def test_a_file_that_another_vim_edits_is_left_alone(
    session: Session, opened: Opened, model: ScriptedServer
) -> None:
    opened(GREET)
    other = _workspace(session) / "other.py"
    other.write_text(GREET, "utf-8")
    (_workspace(session) / ".other.py.swp").write_bytes(b"b0VIM 9.0" + bytes(4087))
    session.ask("vim.o.directory, vim.go.swapfile = '.', true")
    _chat(session)
    model.enqueue(_code(SHORT, "python other.py"))
    session.terminal.send(f"GiShorter?{NORMAL}\r")
    until("the end", lambda: _text(session).count("## You") == 2)
    session.terminal.send("?return f\r\\a")
    _preview(session)
    session.terminal.send("y")
    until("why not", lambda: "swap file" in _messages(session))
    assert other.read_text("utf-8") == GREET
    session.ask("vim.go.swapfile = false")


def test_keys_of_a_chat_are_those_of_chats_alone(session: Session, opened: Opened) -> None:
    opened(GREET)
    assert session.ask("return vim.fn.maparg('<CR>', 'n')") == ""
    assert "Plug" not in session.ask("return vim.fn.maparg('<C-s>', 'i')")
