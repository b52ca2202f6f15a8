"""Vim 9, as its users work with the plugin: the keys, commands and menus of its documentation."""

from __future__ import annotations

import json
from pathlib import Path

from tests.editors.editor import Feature, until
from tests.editors.registry import Entry, Place
from tests.editors.terminal_editor import DOWN, HOME, RIGHT, UP, ViEditor
from tests.editors.vim_session import Session


class Vim(ViEditor):
    """One Vim in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], session: Session, place: Place) -> None:
        super().__init__(name, features, session, place)
        self._session = session

    def open(self, path: Path, line: int, column: int) -> None:
        self._normal_mode()
        self._terminal.send(f":edit! {path}\r")
        until("the file", lambda: self._session.ask("expand('%:p')") == str(path))
        until("the server", lambda: self._session.ask("lsp_server#documents#Version(bufnr())"))
        length = self._session.ask(f"strchars(getline({line + 1}))")
        self._insert_at(line, column, int(length))

    def move(self, line: int, column: int) -> None:
        here = int(self._session.ask("line('.')")) - 1
        self._terminal.send((DOWN if line > here else UP) * abs(line - here) + HOME + RIGHT * column)
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

    def select_backend(self, name: str) -> None:
        self._normal_mode()
        self._terminal.send(":LspServer backend\r")
        self._choose(name)

    def change_setting(self, key: str, value: object) -> None:
        self._set(key, json.dumps(value))

    def server_pid(self) -> int:
        return int(self._session.ask("lsp_server#client#Ready() ? lsp_server#client#Pid() : 0"))

    def notices(self) -> list[str]:
        return [str(line) for line in self._session.ask("lsp_server#messages#Shown()")]

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
