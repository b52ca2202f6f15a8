"""Neovim, as its users work with the plugin: the keys, commands and menus of its documentation."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.editors.editor import Feature, Key, until
from tests.editors.neovim_session import Float, Session, setup_lines
from tests.editors.registry import Entry, Place

_KEYS: Mapping[Key, str] = {
    Key.ACCEPT: "\t",
    Key.ACCEPT_WORD: "\x1b[1;5C",  # Ctrl-Right
    Key.DISMISS: "\x05",  # Ctrl-E
    Key.ENTER: "\r",
    Key.BACKSPACE: "\x7f",
}
_UP, _DOWN, _RIGHT, _HOME = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[H"

_MENU_PROMPT = "Type number and <Enter>"
_MORE = "-- More --"


class Neovim:
    """One Neovim in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], session: Session, place: Place) -> None:
        self.name = name
        self.features = features
        self.workspace = place.workspace
        self._session = session
        self._terminal = session.terminal
        self._artefacts = place.artefacts
        self._opened = Path()

    def open(self, path: Path, line: int, column: int) -> None:
        self._normal_mode()
        self._terminal.send(f":edit! {path}\r")
        self._opened = path
        until("the file", lambda: self._session.ask("return vim.api.nvim_buf_get_name(0)") == str(path))
        until("the server", self._session.server_pid)
        until("the model", self._is_ready)
        length = self._session.ask("return vim.fn.strchars(vim.fn.getline(...))", line + 1)
        right = f"{column}l" if column else ""
        self._terminal.send(f"{line + 1}G" + ("A" if column and column >= length else f"0{right}i"))
        until("insert mode", lambda: self._session.mode() == "i")

    def type(self, text: str, pause_s: float = 0.05) -> None:
        for character in text:
            self._terminal.send(character)
            if pause_s:
                self._pause(pause_s)

    def press(self, key: Key) -> None:
        if key is Key.UNDO:
            self._normal_mode()
            self._terminal.send("u")
        elif key is Key.SAVE:
            self._normal_mode()
            self._terminal.send(":write\r")
        else:
            self._terminal.send(_KEYS[key])

    def move(self, line: int, column: int) -> None:
        here = int(self._session.ask("return vim.fn.line('.')")) - 1
        self._terminal.send((_DOWN if line > here else _UP) * abs(line - here) + _HOME + _RIGHT * column)
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

    def status(self) -> str:
        return self._terminal.frame().lines[-2]

    def select_backend(self, name: str) -> None:
        self._normal_mode()
        self._terminal.send(":LspServer backend\r")
        self._choose(lambda entry: entry.split(":")[0] == name, name)

    def change_setting(self, key: str, value: object) -> None:
        was_typing = self._session.mode() == "i"
        self._normal_mode()
        written = str(value).lower() if isinstance(value, bool) else str(value)
        self._terminal.send(f":LspServer set {key} {written}\r")
        if was_typing:
            self._terminal.send("a")
            until("insert mode", lambda: self._session.mode() == "i")

    def server_pid(self) -> int:
        return self._session.server_pid()

    def notices(self) -> list[str]:
        said = self._session.ask("return vim.api.nvim_exec2('messages', { output = true }).output")
        return [line for line in str(said).splitlines() if line]

    def picture(self, name: str) -> Path:
        return self._terminal.picture(self._artefacts / f"{self.name}-{name}.svg")

    def close(self) -> None:
        self._session.close()

    def _normal_mode(self) -> None:
        """Leave whatever mode or prompt there is; Escape and the next key must not become one Alt key."""
        if self._session.mode() != "n":
            self._terminal.send("\x1b")
            until("normal mode", lambda: self._session.mode() == "n")

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

    def _pause(self, pause_s: float) -> None:
        """Wait as people do between two keys."""
        time.sleep(pause_s)


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
