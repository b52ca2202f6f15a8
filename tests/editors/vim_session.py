"""Vim in a terminal, on a home of its own, and questions to it that no key could answer.

Keys go through the terminal, as a user's do. What Vim is asked beside them, over a channel that it opens
itself (`:help channel-commands`), changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
from pathlib import Path
from typing import Any

from tests.editors.editor import Environment, until
from tests.editors.install import vim
from tests.editors.terminal import Terminal

ROOT = Path(__file__).parent.parent.parent
PLUGIN = ROOT / "editors/vim"
GHOST_COLOUR = "#8a93a6"

_ANSWER_S = 60.0
"""For an answer, on a busy machine."""

_VIMRC = f"""
set nocompatible noswapfile viminfo= hidden laststatus=2 termguicolors background=dark encoding=utf-8
filetype plugin indent on
syntax on
set statusline=%f\\ %m%=%{{lsp_server#status#Text()}}
highlight LspServerGhost guifg={GHOST_COLOUR}
"""


class Session:
    """One Vim."""

    def __init__(self, workspace: Path, home: Path, environment: Environment) -> None:
        """Start it with the plugin as a package (`:help packages`)."""
        package = home / ".vim/pack/codestral-lsp/start/lsp_server"
        shutil.copytree(PLUGIN, package)
        vimrc = home / ".vimrc"
        vimrc.write_text(_VIMRC, "utf-8")
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(_ANSWER_S)
            port = server.getsockname()[1]
            self.terminal = Terminal(
                [str(vim.program()), "-u", str(vimrc), "--cmd", f"let g:asks = ch_open('127.0.0.1:{port}')"],
                workspace,
                {**environment, "HOME": str(home)},
            )
            self._socket, _ = server.accept()
        self._socket.settimeout(_ANSWER_S)
        self._read = ""

    def ask(self, expression: str) -> Any:  # noqa: ANN401
        """Return what an expression of Vim's legacy script is; None if Vim cannot tell now."""
        self._socket.sendall(json.dumps(["expr", expression, -1]).encode() + b"\n")
        while True:
            with contextlib.suppress(json.JSONDecodeError):
                (_, answer), end = json.JSONDecoder().raw_decode(self._read)
                self._read = self._read[end:].lstrip()
                return answer
            data = self._socket.recv(65536).decode()
            if not data:
                raise AssertionError("Vim has ended.")
            self._read = (self._read + data).lstrip()

    def mode(self) -> str:
        """Return the mode (`:help mode()`)."""
        return str(self.ask("mode(1)"))

    def ghost(self) -> str:
        """Return what is on the screen in the colour of ghost text."""
        return self.terminal.frame().in_colour(GHOST_COLOUR)

    def close(self) -> None:
        """End Vim as a user does, and by force if that takes too long."""
        self.terminal.send("\x1c\x0e:qa!\r")  # Ctrl-\ Ctrl-N: normal mode, wherever one is
        with contextlib.suppress(AssertionError):
            until("the end of Vim", lambda: not self.terminal.alive, 10)
        self._socket.close()
        self.terminal.close()
