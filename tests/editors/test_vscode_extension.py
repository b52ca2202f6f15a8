"""What the extension does besides, in real VS Code: keys, trust, trouble, chats, the menu of its status."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.engine.state import STATE_VARIABLE
from tests.editors.editor import Environment, Key, until
from tests.editors.vscode.app import App
from tests.editors.vscode.window import Window
from tests.support.engines import started_engines
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

EXTENSION = "codestral-lsp.codestral-lsp"
ADD = "def add(first, second):\n    "


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, environment: Environment) -> Iterator[App]:
    """Run VS Code for a user who has another backend besides those of all editors, which wants a key."""
    app = App(tmp_path_factory.mktemp("home"), environment)
    yield app
    app.close()
    assert app.refused == []


@pytest.fixture(scope="module")
def window(app: App, tmp_path_factory: pytest.TempPathFactory, artefacts: Path) -> Iterator[Window]:
    """Open a window that all tests share, with the scripted backend."""
    window = Window(app, tmp_path_factory.mktemp("workspace"), artefacts)
    window.change_setting("backend", "scripted")
    yield window
    window.close()


@pytest.fixture(autouse=True)
def _answers(scripted: ScriptedServer) -> Iterator[None]:
    before = scripted.default
    scripted.default = Reply(["st + second"])
    scripted.history.clear()
    yield
    scripted.default = before


def _open(window: Window, request: pytest.FixtureRequest, text: str, line: int, column: int) -> Path:
    path = window.workspace / f"{request.node.name}.py"
    path.write_bytes(text.encode())
    window.open(path, line, column)
    until("the scripted backend", lambda: "scripted" in window.status())
    return path


def _asked(scripted: ScriptedServer, end: str) -> list[str]:
    prompts = [str(request.body.get("prompt")) for request in scripted.history]
    return [prompt for prompt in prompts if prompt.endswith(end)]


def test_activation_does_not_wait_for_the_server(window: Window, capsys: pytest.CaptureFixture[str]) -> None:
    api = f"vscode.extensions.getExtension('{EXTENSION}').exports"
    milliseconds = window.spy.run(f"return {api}.activationMs")
    told = window.activation("Codestral LSP")
    with capsys.disabled():
        print(f" activate() took {milliseconds:.1f} ms; VS Code says: {told}", end="")
    assert re.search(r"\d+ ?ms", told)
    assert milliseconds < 100


def test_ghost_text_that_vscode_does_not_wait_for_is_shown(
    window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    # After 750 ms the menu of suggestions opens instead; it has words of the file.
    window.change_setting("wordBasedSuggestions", "offWithInlineSuggestions", "editor")
    scripted.default = Reply(["st + second"], delay_s=1)
    _open(window, request, ADD, 1, 4)
    window.type("return fir")
    until("ghost text", lambda: window.ghost() == "st + second")
    assert len(_asked(scripted, "return fir")) == 1
    assert _asked(scripted, "return first") == []
    until("the menu", window.suggestions)
    window.press(Key.ACCEPT)
    until("the entry of the menu", lambda: window.text() == f"{ADD}return first")
    until("what is left", lambda: window.ghost() == " + second")
    window.press(Key.ACCEPT)
    until("all of it", lambda: window.text() == f"{ADD}return first + second")
    window.change_setting("wordBasedSuggestions", "off", "editor")


def test_late_ghost_text_where_nothing_is_suggested(
    window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    scripted.default = Reply(["zz + 1"], delay_s=1)
    _open(window, request, "def add():\n    ", 1, 4)
    window.type("return xyx")
    until("ghost text", lambda: window.ghost() == "zz + 1")
    assert len(_asked(scripted, "return xyx")) == 1


def test_text_typed_while_the_server_starts_gets_ghost_text(
    window: Window, request: pytest.FixtureRequest
) -> None:
    _open(window, request, ADD, 1, 4)
    os.kill(window.server_pid(), signal.SIGKILL)
    until("another server is being started", lambda: "starting" in window.status())
    window.type("return fir")
    until("ghost text", lambda: window.ghost() == "st + second")
    assert window.text() == f"{ADD}return fir"


def test_a_file_with_windows_line_ends_keeps_them(
    window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    scripted.default = Reply(
        ["total = 0\n    for price in prices:\n        total += price\n    return total\n"]
    )
    path = _open(window, request, "def total(prices):\r\n    # with a loop\r\n    \r\n", 2, 4)
    window.keys("Backspace")
    window.type("    ")
    until("the block", lambda: "return total" in window.ghost())
    window.press(Key.ACCEPT)
    until("the block in the text", lambda: "return total" in window.text())
    assert "\n" not in window.text().replace("\r\n", "")
    window.press(Key.SAVE)
    until("the file", lambda: path.read_bytes().count(b"\r\n") == window.text().count("\r\n"))


def test_a_key_from_the_secret_storage_reaches_the_server_and_no_log(
    app: App, window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    _open(window, request, ADD, 1, 4)
    keyed = {"keyed": {"type": "mistral", "base_url": scripted.base_url}}
    window.change_setting("backends", keyed)
    window.command("Codestral: Set an API Key")
    window.pick("keyed")
    window.secret(API_KEY)
    window.change_setting("backend", "keyed")
    try:
        until("the backend with a key", lambda: "keyed" in window.status())
        window.open(window.workspace / f"{request.node.name}.py", 1, 4)
        window.type("return fir")
        until("its ghost text", window.ghost)
        assert scripted.history[-1].headers["authorization"] == f"Bearer {API_KEY}"
    finally:
        window.change_setting("backend", "scripted")
    logs = [path for path in app.home.data.rglob("*.log") if API_KEY in path.read_text("utf-8", "replace")]
    assert logs == []


def test_pause_and_statistics_from_the_menu(
    window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    _open(window, request, ADD, 1, 4)
    window.menu("Pause Completions")
    until("paused", lambda: "paused" in window.status())
    until("the cursor in the text", window.in_text)
    window.type("return fir")
    until("the text", lambda: window.text().endswith("return fir"))
    window.menu("Resume Completions")
    until("going on", lambda: "paused" not in window.status())
    assert scripted.history == []
    until("the cursor in the text", window.in_text)
    window.type("s")
    until("ghost text", window.ghost)
    window.menu("Statistics")
    until("the page", lambda: "ompletions" in window.explanation())


def test_a_chat_is_sent_and_a_block_of_it_applied(
    window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    path = _open(window, request, f"{ADD}pass\n", 1, 4)
    better = f"{ADD}return first + second\n"
    scripted.default = Reply(["Like this:\n\n", f"```python {path.name}\n{better}```\n"])
    window.command("Codestral: Open Chat")
    until("a chat", lambda: "## You" in window.front())
    window.type("What should it do?")
    window.keys("Control+Enter")
    until("the answer, and room for a question", lambda: window.front().count("## You") == 2)
    assert "return first + second" in window.front()
    window.picture("chat")
    window.lens(f"Apply this block to {path.name}")
    until("a preview", lambda: "return first" in window.preview())
    window.confirm()
    until("the block in its file", lambda: window.text() == better)


def test_closing_an_explanation_stops_the_model_and_asking_again_shows_another(
    window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    _open(window, request, ADD, 0, 6)
    scripted.default = Reply(["It adds ", "them"], hang_after=1)
    window.choose_action("Explain")
    until("the start of it", lambda: "It adds" in window.explanation())
    window.close_explanation()
    assert scripted.history[-1].disconnected.wait(30)
    until("it is closed", lambda: not window.explanation())
    scripted.default = Reply(["The sum of two numbers."])
    window.choose_action("Explain")
    until("the other answer", lambda: "The sum of two numbers." in window.explanation())
    assert "It adds" not in window.explanation()
    window.close_explanation()


def test_ghost_text_in_the_cell_of_a_notebook(window: Window, scripted: ScriptedServer) -> None:
    path = window.workspace / "areas.ipynb"
    cells = (
        ["def area(width, height):\n", "    return width * height\n"],
        ["def volume(a, b, c):\n", "    return ar"],
    )
    notes = {"cell_type": "markdown", "metadata": {}, "source": ["# Areas\n"]}
    code: dict[str, object] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    notebook = {
        "cells": [notes, *({**code, "source": source} for source in cells)],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook), "utf-8")
    scripted.default = Reply(["a(a, b) * c"])
    window.open_notebook(path)
    window.keys("Control+End")
    window.type("e")
    until("ghost text", lambda: window.ghost() == "a(a, b) * c")
    assert "def area" in _asked(scripted, "return are")[0]
    window.press(Key.ACCEPT)
    until("it in the cell", lambda: window.front().endswith("return area(a, b) * c"))


def test_an_answer_in_a_chat_is_stopped(
    window: Window, request: pytest.FixtureRequest, scripted: ScriptedServer
) -> None:
    _open(window, request, ADD, 1, 4)
    scripted.default = Reply(["It goes on ", "and on"], hang_after=1)
    window.command("Codestral: Open Chat")
    until("a chat", lambda: "## You" in window.front())
    window.type("And then?")
    window.title_button("Send")
    until("the start of the answer", lambda: "It goes on" in window.front())
    window.title_button("Stop")
    assert scripted.history[-1].disconnected.wait(30)
    until("room for another question", lambda: window.front().count("## You") == 2)


def test_a_folder_that_is_not_trusted_sets_nothing(
    app: App, tmp_path: Path, artefacts: Path, scripted: ScriptedServer
) -> None:
    program = tmp_path / ".venv/bin/lsp_server"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", "utf-8")
    program.chmod(0o755)
    (tmp_path / ".vscode").mkdir()
    (tmp_path / ".vscode/settings.json").write_text(
        f'{{"lsp_server.server.path": "{program}", "lsp_server.backend": "local",'
        ' "lsp_server.completion.enabled": false}',
        "utf-8",
    )
    (tmp_path / "add.py").write_text(ADD, "utf-8")
    window = Window(app, tmp_path, artefacts, profile="stranger", trusted=False)
    try:
        window.open(tmp_path / "add.py", 1, 4)
        assert "scripted" in window.status()
        window.type("return fir")
        until("ghost text", window.ghost)
        assert not (tmp_path / "ran").exists()
    finally:
        window.close()


def test_a_second_window_shares_the_engine(
    app: App, window: Window, tmp_path: Path, artefacts: Path, environment: Environment
) -> None:
    (tmp_path / "add.py").write_text(ADD, "utf-8")
    window.change_setting("backend", "local")
    second = Window(app, tmp_path, artefacts)
    try:
        for each, path in ((window, window.workspace / "add.py"), (second, tmp_path / "add.py")):
            path.write_text(ADD, "utf-8")
            each.open(path, 1, 4)
            until("the local backend", lambda: "local" in each.status())  # noqa: B023
            each.type("return fir")
            until("ghost text", each.ghost)
        assert window.server_pid() != second.server_pid()
        assert len(started_engines(Path(environment[STATE_VARIABLE]))) == 1
    finally:
        second.close()
        window.change_setting("backend", "scripted")


def test_a_wrong_setting_is_named_once_and_shown(window: Window, request: pytest.FixtureRequest) -> None:
    _open(window, request, ADD, 1, 4)
    before = len(window.notices())
    window.change_setting("completion.timeout_ms", 5)
    try:
        until("the message", lambda: len(window.notices()) > before)
        window.change_setting("completion.max_tokens", 7)
        window.answer_notice("Open Settings")
        until("the setting", lambda: any("Timeout_ms" in each for each in window.settings_listed()))
        told = "Codestral LSP: lsp_server.completion.timeout_ms must be at least 100, not 5"
        assert window.notices()[before:] == [told]
        window.picture("wrong-setting")
    finally:
        for key in ("completion.timeout_ms", "completion.max_tokens"):
            window.change_setting(key, None)


def test_a_missing_server_is_offered_to_be_installed(window: Window, request: pytest.FixtureRequest) -> None:
    _open(window, request, ADD, 1, 4)
    before = len(window.notices())
    window.change_setting("server.path", "/nowhere/lsp_server")
    try:
        until("the status", lambda: "not found" in window.status())
        until("the message", lambda: len(window.notices()) == before + 1)
        assert "/nowhere/lsp_server" in window.notices()[-1]
        window.picture("missing")
        until("the offer", lambda: window.shown("Install…"))
    finally:
        window.change_setting("server.path", None)
    until("the server", window.server_pid)


def test_a_server_that_keeps_dying_is_told_once(window: Window, request: pytest.FixtureRequest) -> None:
    _open(window, request, ADD, 1, 4)
    before = len(window.notices())
    killed = 0
    for _ in range(5):
        until("a server", lambda: window.server_pid() not in (0, killed))  # noqa: B023
        killed = window.server_pid()
        os.kill(killed, signal.SIGKILL)
    until("the message", lambda: len(window.notices()) > before)
    told = window.notices()[before:]
    assert len(told) == 1
    assert "5 times" in told[0]
    window.picture("crashed")
    window.answer_notice("Restart")
    until("the server", window.server_pid)
