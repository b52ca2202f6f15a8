"""Vim 9, as its users work with the plugin: the keys, commands and menus of its documentation."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from tests.editors.editor import Feature, Key, until
from tests.editors.registry import Entry, Place
from tests.editors.vim_session import Session

_KEYS: Mapping[Key, str] = {
    Key.ACCEPT: "\t",
    Key.ACCEPT_WORD: "\x1b[1;5C",  # Ctrl-Right
    Key.DISMISS: "\x05",  # Ctrl-E
    Key.ENTER: "\r",
    Key.BACKSPACE: "\x7f",
}
_UP, _DOWN, _RIGHT, _HOME = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[H"


class Vim:
    """One Vim in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], session: Session, place: Place) -> None:
        self.name = name
        self.features = features
        self.workspace = place.workspace
        self._session = session
        self._terminal = session.terminal
        self._artefacts = place.artefacts

    def open(self, path: Path, line: int, column: int) -> None:
        self._normal_mode()
        self._terminal.send(f":edit! {path}\r")
        until("the file", lambda: self._session.ask("expand('%:p')") == str(path))
        until("the server", lambda: self._session.ask("lsp_server#documents#Version(bufnr())"))
        length = self._session.ask(f"strchars(getline({line + 1}))")
        right = f"{column}l" if column else ""
        self._terminal.send(f"{line + 1}G" + ("A" if column and column >= length else f"0{right}i"))
        until("insert mode", lambda: self._session.mode() == "i")

    def type(self, text: str, pause_s: float = 0.05) -> None:
        for character in text:
            self._terminal.send(character)
            time.sleep(pause_s)

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
        here = int(self._session.ask("line('.')")) - 1
        self._terminal.send((_DOWN if line > here else _UP) * abs(line - here) + _HOME + _RIGHT * column)
        until("the cursor", lambda: self._session.ask("[line('.') - 1, charcol('.') - 1]") == [line, column])

    def ghost(self) -> str:
        return self._session.ghost()

    def text(self) -> str:
        return str(self._session.ask("join(getline(1, '$'), \"\\n\") .. (&endofline ? \"\\n\" : '')"))

    def choose_action(self, title: str) -> None:
        self._normal_mode()
        self._terminal.send("gra")
        self._choose(title)

    def preview(self) -> str:
        screen = self._terminal.text()
        return screen if "y applies" in screen else ""

    def confirm(self) -> None:
        self._terminal.send("y")

    def explanation(self) -> str:
        return str(self._session.ask(f"join(getbufline({_PREVIEWED}, 1, '$'), \"\\n\")"))

    def close_explanation(self) -> None:
        self._normal_mode()
        self._terminal.send(":pclose\r")

    def status(self) -> str:
        return self._terminal.frame().lines[-2]

    def select_backend(self, name: str) -> None:
        self._normal_mode()
        self._terminal.send(":LspServer backend\r")
        self._choose(name)

    def change_setting(self, key: str, value: object) -> None:
        was_typing = self._session.mode() == "i"
        self._normal_mode()
        self._terminal.send(f":LspServer set {key} {json.dumps(value)}\r")
        if was_typing:
            self._terminal.send("a")
            until("insert mode", lambda: self._session.mode() == "i")

    def server_pid(self) -> int:
        return int(self._session.ask("lsp_server#client#Ready() ? lsp_server#client#Pid() : 0"))

    def notices(self) -> list[str]:
        return [str(line) for line in self._session.ask("lsp_server#messages#Shown()")]

    def picture(self, name: str) -> Path:
        return self._terminal.picture(self._artefacts / f"{self.name}-{name}.svg")

    def close(self) -> None:
        self._session.close()

    def _normal_mode(self) -> None:
        """Leave whatever mode there is; Escape and the next key must not become one Alt key."""
        if self._session.mode() != "n":
            self._terminal.send("\x1b")
            until("normal mode", lambda: self._session.mode() == "n")

    def _choose(self, title: str) -> None:
        """Choose from a popup menu: its entries are texts that the user moves through."""
        until(f"a menu with {title}", lambda: title in self._terminal.text())
        entries = self._session.ask("getbufline(winbufnr(popup_list()[-1]), 1, '$')")
        found = [at for at, entry in enumerate(entries) if str(entry).startswith(title)]
        if not found:
            raise AssertionError(f"{title} is not in the menu: {entries}")
        self._terminal.send("j" * found[0] + "\r")
        until(
            "the menu is closed",
            lambda: not self._session.ask("popup_list()->filter('popup_getoptions(v:val).cursorline')"),
        )


_PREVIEWED = "winbufnr(get(filter(range(1, winnr('$')), 'getwinvar(v:val, \"&previewwindow\")'), 0, 99))"
"""The buffer in the preview window; of a window that there is not, there is none."""


def start(name: str, entry: Entry, place: Place) -> Vim:
    """Start Vim with the plugin."""
    return Vim(name, entry.features, Session(place.workspace, place.home, place.environment), place)
