"""Chats in Emacs and Vim, by the commands of their documentation: sent, answered, stopped, applied."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lsp_server.config_files import CONFIG_VARIABLE
from tests.editors import emacs_session, vim_session
from tests.editors.editor import Environment, until
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

CODE = "def area(width, height):\n    return width + height\n"
BETTER = "def area(width, height):\n    return width * height\n"
ANSWER = Reply(["It adds:\n\n```python area.py\n", BETTER, "```\n"])
ENDLESS = Reply(["Once ", "upon ", *["and on "] * 600], delay_s=0.1)
STATE = '(and codestral-lsp-status (gethash "state" codestral-lsp-status))'
ESCAPE = "\x1b"


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer(ANSWER) as server:
        yield server


@pytest.fixture
def environment(scripted: ScriptedServer, tmp_path: Path) -> Environment:
    config = tmp_path / "config.toml"
    config.write_text(
        'backend = "scripted"\n[backends.scripted]\ntype = "mistral"\n'
        f'base_url = "{scripted.base_url}"\napi_key_env = "SCRIPTED_API_KEY"\n',
        "utf-8",
    )
    return {
        CONFIG_VARIABLE: str(config),
        "SCRIPTED_API_KEY": API_KEY,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "workspace" / "area.py"
    path.parent.mkdir()
    path.write_text(CODE, "utf-8")
    return path


def test_in_vim(environment: Environment, scripted: ScriptedServer, code: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with closing(vim_session.Session(code.parent, home, environment)) as vim:

        def text() -> str:
            return str(vim.ask("join(getline(1, '$'), \"\\n\")"))

        def command(words: str) -> None:
            vim.terminal.send(f":LspServer {words}\r")

        vim.terminal.send(f":edit {code}\r")
        until("the server", lambda: vim.ask("lsp_server#documents#Version(bufnr())"))
        vim.terminal.send(":1,2LspServer chat\r")
        until("a chat", lambda: "[area.py:1-2](" in text())
        vim.terminal.send("GoIs it right?" + ESCAPE)
        until("normal mode", lambda: vim.mode() == "n")
        command("send")
        until("the answer", lambda: text().count("## You") == 2)
        assert BETTER in text()
        vim.terminal.send("/width \\*\r")
        command("apply")
        vim.terminal.wait_for("y applies")
        vim.terminal.send("y")
        changed = f"join(getbufline(bufnr('{code}'), 1, '$'), \"\\n\")"
        until("the change in the file", lambda: vim.ask(changed) == BETTER.rstrip("\n"))
        scripted.default = ENDLESS
        vim.terminal.send("GoTell me more." + ESCAPE)
        until("normal mode", lambda: vim.mode() == "n")
        command("send")
        until("the beginning of an answer", lambda: "Once upon" in text())
        command("stopchat")
        until("the model is stopped", scripted.history[-1].disconnected.is_set)
        until("a place for the next question", lambda: text().count("## You") == 3)
        assert vim.ask("lsp_server#messages#Shown()") == []


def test_in_emacs(environment: Environment, scripted: ScriptedServer, code: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with closing(emacs_session.Session(code.parent, home, environment)) as emacs:

        def text() -> str:
            return str(emacs.ask("(buffer-substring-no-properties (point-min) (point-max))"))

        def command(name: str) -> None:
            emacs.terminal.send(f"\x1bx{name}\r")  # Meta-X

        emacs.terminal.send(f"\x18\x06\x01\x0b{code}\r")  # Ctrl-X Ctrl-F, and the line begun there emptied
        until("the file", lambda: emacs.ask("(buffer-file-name)") == str(code))
        until("the server", lambda: emacs.ask("(and (bound-and-true-p lsp--buffer-workspaces) t)"))
        until("the model", lambda: emacs.ask(STATE) == "ready")
        command("codestral-lsp-chat")
        until("a chat", lambda: "[area.py:" in text())
        until("its server", lambda: emacs.ask("(and (bound-and-true-p lsp--buffer-workspaces) t)"))
        emacs.terminal.send("\x1b>Is it right?")
        until("the question", lambda: "Is it right?" in text())
        command("codestral-lsp-chat-send")
        until("the answer", lambda: text().count("## You") == 2)
        assert BETTER in text()
        emacs.terminal.send("\x1b<\x13width *\r")  # searched for from the start
        until("the code block", lambda: emacs.ask('(looking-back "width [*]" 0)'))
        command("codestral-lsp-chat-apply")
        emacs.terminal.wait_for("Apply the code block to area.py?")
        emacs.terminal.send("Apply\t\r")
        changed = f"(with-current-buffer (find-buffer-visiting {json.dumps(str(code))}) (buffer-string))"
        until("the change in the file", lambda: emacs.ask(changed) == BETTER)
        scripted.default = ENDLESS
        emacs.terminal.send("\x1b>Tell me more.")
        until("the question", lambda: "Tell me more." in text())
        command("codestral-lsp-chat-send")
        until("the beginning of an answer", lambda: "Once upon" in text())
        command("codestral-lsp-chat-stop")
        until("the model is stopped", scripted.history[-1].disconnected.is_set)
        until("a place for the next question", lambda: text().count("## You") == 3)
