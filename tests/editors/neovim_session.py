"""Neovim in a terminal, on a home of its own, and questions to it that no key could answer.

Keys go through the terminal, as a user's do. What Neovim is asked beside them (`--listen`) changes nothing.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import psutil

from tests.editors.editor import Environment, until
from tests.editors.neovim_rpc import NeovimSocket
from tests.editors.terminal import Terminal

ROOT = Path(__file__).parent.parent.parent

_README = ROOT / "README.md"
_CHECKOUT = "codestral-lsp"
"""Where the README takes the repository to be, in the home."""

_CONVENIENCES = (
    "set noswapfile shadafile=NONE termguicolors background=dark",
    # A colour of its own, so that ghost text is told from comments on the screen.
    "highlight LspServerGhost guifg=#8a93a6",
    "highlight ComplHint guifg=#8a93a6",
)
GHOST_COLOUR = "#8a93a6"

_CORNERS = "╭┌╔"
"""One of them is left of and above the text of a window with a frame."""


class Float(NamedTuple):
    """A floating window: where its text is on the screen, and what is in its frame."""

    row: int
    column: int
    width: int
    height: int
    frame: str


def setup_lines() -> str:
    """Return the lines that the README tells users of Neovim to copy, as they are there."""
    blocks = re.findall(r"```lua\n(.*?)```", _README.read_text("utf-8"), re.DOTALL)
    found = [str(block) for block in blocks if f"~/{_CHECKOUT}/editors/neovim" in block]
    if not found:
        raise AssertionError("The README has no lines for Neovim.")
    return found[0]


class Session:
    """One Neovim."""

    def __init__(
        self,
        program: str,
        workspace: Path,
        home: Path,
        environment: Environment,
        *,
        setup: str,
        commands: Sequence[str] = (),
        columns: int = 100,
        lines: int = 30,
    ) -> None:
        """Start it with an `init.lua` of these lines; `commands` are run before that."""
        config = home / ".config/nvim"
        config.mkdir(parents=True, exist_ok=True)
        (config / "init.lua").write_text(setup, "utf-8")
        if not (home / _CHECKOUT).exists():
            (home / _CHECKOUT).symlink_to(ROOT)
        # Names of sockets may have 107 bytes, and folders of tests have long names.
        self._folder = Path(tempfile.mkdtemp(prefix="nvim-"))
        before = [part for command in (*_CONVENIENCES, *commands) for part in ("--cmd", command)]
        self.terminal = Terminal(
            [program, *before, "--listen", str(self._folder / "s")],
            workspace,
            {**environment, **_homes(home)},
            columns=columns,
            lines=lines,
        )
        until("the socket of Neovim", self._connects)
        # Neovim listens before it has read its configuration.
        until("the end of Neovim's start", lambda: self.ask("return vim.v.vim_did_enter"))

    def ask(self, lua: str, *arguments: object) -> Any:  # noqa: ANN401
        """Run a chunk of Lua that returns something; waits while Neovim waits for a key in a prompt."""
        until("Neovim takes requests", self._takes_requests)
        return self._socket.request("nvim_exec_lua", lua, arguments)

    def _connects(self) -> bool:
        """Connect, if Neovim listens already: the file of a socket is there a moment before."""
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            self._socket = NeovimSocket(self._folder / "s")
            return True
        return False

    def _takes_requests(self) -> bool:
        if self.mode() != "blocked":
            return True
        # Neovim's own words about a server that was killed do not fit into a line: a user presses Enter then.
        if re.search(r"Client lsp_server quit[^~]*Press ENTER", self.terminal.text()):
            self.terminal.send("\r")
        return False

    def mode(self) -> str:
        """Return the mode (`:help mode()`); `blocked` while Neovim waits for a key in a prompt."""
        mode = self._socket.request("nvim_get_mode")
        return "blocked" if mode["blocking"] else str(mode["mode"])

    def floats(self) -> list[Float]:
        """Return the floating windows with a frame, the newest last."""
        found = self.ask(
            """
            local found = {}
            for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
              local config = vim.api.nvim_win_get_config(win)
              if config.relative ~= "" and not config.hide and config.title then
                local info, frame = vim.fn.getwininfo(win)[1], ""
                for _, part in ipairs(vim.list_extend(vim.deepcopy(config.title), config.footer or {})) do
                  frame = frame .. part[1]
                end
                -- A frame is one place wide on each side, and belongs to what getwininfo() tells.
                local row, column = unpack(vim.api.nvim_win_get_position(win))
                found[#found + 1] = { row + 1, column + 1, info.width, info.height, frame }
              end
            end
            return found
            """
        )
        return [Float(*each) for each in found]

    def shown(self, window: Float) -> str:
        """Return the text in a floating window as it is on the screen; empty before it is drawn."""
        screen = self.terminal.frame().rows
        if screen[window.row - 1][window.column - 1].text not in _CORNERS:
            return ""
        rows = screen[window.row : window.row + window.height]
        cells = (row[window.column : window.column + window.width] for row in rows)
        return "\n".join("".join(cell.text for cell in row).rstrip() for row in cells).strip("\n")

    def ghost(self) -> str:
        """Return what is on the screen in the colour of ghost text."""
        return self.terminal.frame().in_colour(GHOST_COLOUR)

    def server_pid(self) -> int:
        """Return the process id of the server that serves the current buffer; 0 without one."""
        ready = self.ask(
            """
            local client = vim.lsp.get_clients({ bufnr = 0, name = "lsp_server" })[1]
            return client ~= nil and client.initialized == true and not client:is_stopped()
            """
        )
        return self._server() if ready else 0

    def _server(self) -> int:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.terminal.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.status() != psutil.STATUS_ZOMBIE and "--stdio" in process.cmdline():
                        return int(process.pid)
        return 0

    def close(self) -> None:
        """End Neovim as a user does, and by force if that takes too long."""
        self._socket.close()
        self.terminal.send("\x1c\x0e:qa!\r")  # Ctrl-\ Ctrl-N: normal mode, wherever one is
        with contextlib.suppress(AssertionError):
            until("the end of Neovim", lambda: not self.terminal.alive, 5)
        self.terminal.close()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _homes(home: Path) -> dict[str, str]:
    """Return variables that keep Neovim from the files of the user who runs the tests."""
    names = {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}
    return {"HOME": str(home), **{f"XDG_{name}_HOME": str(home / folder) for name, folder in names.items()}}
