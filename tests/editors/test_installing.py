"""The README's steps to an editor with the server in it, run exactly as they are written there.

Its lines for Neovim are the `init.lua` of every test with Neovim, see `neovim_session.setup_lines`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.editors.editor import Environment, until
from tests.editors.install.node import VARIABLES
from tests.editors.neovim_session import Session, setup_lines
from tests.editors.vscode.process import with_code
from tests.support.lsp_client import framed
from tests.test_readme import EDITOR_LINES, README, ROOT, blocks, shell

_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "__pycache__", "node_modules", "*.vsix", "dist"
)

BUILDING_S = 400
"""For npm on a busy machine, without its cache."""


@pytest.mark.timeout(BUILDING_S + 60)
def test_the_lines_for_vscode_build_and_install_the_extension(tmp_path: Path) -> None:
    checkout, home = tmp_path / "checkout", tmp_path / "home"
    shutil.copytree(ROOT / "editors", checkout / "editors", ignore=_NOT_COPIED)
    home.mkdir()
    code = with_code(home)
    environment = {**VARIABLES, **code, "PATH": f"{code['PATH']}:{VARIABLES['PATH']}"}
    assert len(EDITOR_LINES) == 2
    for line in EDITOR_LINES:
        shell(line, checkout, environment, BUILDING_S)
    listed = subprocess.run(
        ["code", "--list-extensions"], env=environment, capture_output=True, text=True, check=True,
        executable=shutil.which("code", path=environment["PATH"]),
    )  # fmt: skip
    assert "codestral-lsp.codestral-lsp" in listed.stdout.split()


def test_the_lines_for_neovim_start_the_server(tmp_path: Path, environment: Environment) -> None:
    assert len(setup_lines().strip().splitlines()) <= 3
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    workspace.mkdir()
    home.mkdir()
    (workspace / "a.py").write_text("x = 1\n", "utf-8")
    with Session("nvim", workspace, home, environment, setup=setup_lines()) as session:
        session.terminal.send(":edit a.py\r")
        until("a server", lambda: session.ask("return #vim.lsp.get_clients()"))
        names = session.ask(
            "return vim.tbl_map(function(client) return client.name end, vim.lsp.get_clients())"
        )
    assert names == ["lsp_server"]


def test_the_command_for_other_clients_serves_them(environment: Environment) -> None:
    readme = README.read_text("utf-8")
    [command] = {span for span in re.findall(r"`([^`]*)`", readme) if span == "lsp_server --stdio"}
    [options] = [block for block in blocks("json", README) if "as_completion_items" in block]
    initialize = {"capabilities": {}, "initializationOptions": json.loads(options)}
    messages: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": initialize},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    said = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, **environment},
        input=b"".join(framed({"jsonrpc": "2.0", **message}) for message in messages),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    assert "inlineCompletionProvider" in said
    assert '"completionProvider"' in said
