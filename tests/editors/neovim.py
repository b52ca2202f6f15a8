"""Neovim, as its users work with the plugin: the keys, commands and menus of its documentation."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.editors.editor import Feature, until
from tests.editors.neovim_session import Float, Session, setup_lines
from tests.editors.registry import Entry, Place
from tests.editors.terminal_editor import DOWN, HOME, RIGHT, UP, ViEditor

_MENU_PROMPT = "Type number and <Enter>"
_MORE = "-- More --"


class Neovim(ViEditor):
    """One Neovim in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], session: Session, place: Place) -> None:
        super().__init__(name, features, session, place)
        self._session = session
        self._opened = Path()

    def open(self, path: Path, line: int, column: int) -> None:
        self._normal_mode()
        self._terminal.send(f":edit! {path}\r")
        self._opened = path
        until("the file", lambda: self._session.ask("return vim.api.nvim_buf_get_name(0)") == str(path))
        until("the server", self._session.server_pid)
        until("the model", self._is_ready)
        length = self._session.ask("return vim.fn.strchars(vim.fn.getline(...))", line + 1)
        self._insert_at(line, column, int(length))

    def move(self, line: int, column: int) -> None:
        here = int(self._session.ask("return vim.fn.line('.')")) - 1
        self._terminal.send((DOWN if line > here else UP) * abs(line - here) + HOME + RIGHT * column)
        until("the cursor", lambda: self._cursor() == (line, column))

    def ghost(self) -> str:
        return self._session.ghost()

    def text(self) -> str:
        return str(
            self._session.ask(
                """
                local buffer = vim.fn.bufnr(...)
                local line_end = ({ dos = "\\r\\n", unix = "\\n", mac = "\\r" })[vim.bo[buffer].fileformat]
                local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), line_end)
                return text .. ((vim.bo[buffer].endofline and text ~= "") and line_end or "")
                """,
                str(self._opened),
            )
        )

    def choose_action(self, title: str) -> None:
        self._normal_mode()
        self._terminal.send("gra")
        self._choose(lambda entry: entry.startswith(title), title)

    def preview(self) -> str:
        return self._shown(lambda window: "y apply" in window.frame)

    def confirm(self) -> None:
        self._terminal.send("y")

    def explanation(self) -> str:
        return self._shown(lambda window: "q close" in window.frame)

    def close_explanation(self) -> None:
        self._terminal.send("q")

    def select_backend(self, name: str) -> None:
        self._normal_mode()
        self._terminal.send(":LspServer backend\r")
        self._choose(lambda entry: entry.split(":")[0] == name, name)

    def change_setting(self, key: str, value: object) -> None:
        self._set(key, str(value).lower() if isinstance(value, bool) else str(value))

    def server_pid(self) -> int:
        return self._session.server_pid()

    def notices(self) -> list[str]:
        said = self._session.ask("return vim.api.nvim_exec2('messages', { output = true }).output")
        return [line for line in str(said).splitlines() if line]

    def _is_ready(self) -> bool:
        """Tell whether no model is being loaded: until then the server answers with nothing."""
        said = str(self._session.ask("return require('lsp_server').status()"))
        return said != "" and not re.search(r"\b(starting|loading)\b", said)

    def _cursor(self) -> tuple[int, int]:
        line, column = self._session.ask("return { vim.fn.line('.') - 1, vim.fn.charcol('.') - 1 }")
        return int(line), int(column)

    def _choose(self, wanted: Callable[[str], bool], name: str) -> None:
        """Choose from the menu that `vim.ui.select` shows, by the number of the entry."""
        entries: dict[str, str] = {}
        while True:
            until(f"a menu with {name}", lambda: re.search(f"{_MENU_PROMPT}|{_MORE}", self._terminal.text()))
            screen = self._terminal.text()
            entries.update(re.findall(r"^\s*(\d+): (.*)$", screen, re.MULTILINE))
            if _MENU_PROMPT in screen:
                break
            self._terminal.send(" ")
            until("more of the menu", partial(self._is_not_on_screen, screen))
        numbers = [number for number, entry in entries.items() if wanted(entry)]
        if not numbers:
            raise AssertionError(f"{name} is not in the menu: {list(entries.values())}")
        self._terminal.send(f"{numbers[0]}\r")
        until("the menu is closed", lambda: _MENU_PROMPT not in self._terminal.text())

    def _is_not_on_screen(self, before: str) -> bool:
        return self._terminal.text() != before

    def _shown(self, wanted: Callable[[Float], bool]) -> str:
        windows = [window for window in self._session.floats() if wanted(window)]
        return self._session.shown(windows[-1]) if windows else ""


def start(name: str, entry: Entry, place: Place) -> Neovim:
    """Start the Neovim of this name with the lines of the README."""
    session = Session(
        _program(name, place),
        place.workspace,
        place.home,
        place.environment,
        setup=setup_lines(),
        commands=["set statusline=%f\\ %m%=%{v:lua.require'lsp_server'.status()}"],
    )
    return Neovim(name, entry.features, session, place)


def _program(name: str, place: Place) -> str:
    version = name.removeprefix("neovim-")
    if version != "0.11":
        from tests.editors.install import neovim

        return str(neovim.program())
    program = shutil.which("nvim", path=place.environment["PATH"]) or ""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if f"v{version}." not in said.splitlines()[0]:
        raise AssertionError(f"{program} is {said.splitlines()[0]}, not {version}")
    return program
