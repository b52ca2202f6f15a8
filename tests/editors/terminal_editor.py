"""What all editors in a terminal have in common, and what those have that are driven as Vi is.

Must not know how an editor is asked about what is not on its screen: that is its session's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.editors.editor import Feature, Key, until
from tests.editors.registry import Place
from tests.editors.terminal import Terminal

UP, DOWN, RIGHT, HOME = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[H"
"""The keys beside the letters, as terminals send them."""

_VI_KEYS: Mapping[Key, str] = {
    Key.ACCEPT: "\t",
    Key.ACCEPT_WORD: "\x1b[1;5C",  # Ctrl-Right
    Key.DISMISS: "\x05",  # Ctrl-E
    Key.ENTER: "\r",
    Key.BACKSPACE: "\x7f",
}


class ViSession(Protocol):
    """A running Vim or Neovim."""

    terminal: Terminal

    def mode(self) -> str:
        """Return the mode (`:help mode()`)."""

    def close(self) -> None:
        """End it."""


class TerminalEditor:
    """One editor in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], terminal: Terminal, place: Place) -> None:
        self.name = name
        self.features = features
        self.workspace = place.workspace
        self._terminal = terminal
        self._artefacts = place.artefacts

    def type(self, text: str, pause_s: float = 0.05) -> None:
        for character in text:
            self._terminal.send(character)
            if pause_s:
                self._pause(pause_s)

    def picture(self, name: str) -> Path:
        return self._terminal.picture(self._artefacts / f"{self.name}-{name}.svg")

    def _pause(self, pause_s: float) -> None:
        """Wait as people do between two keys."""
        time.sleep(pause_s)


class ViEditor(TerminalEditor):
    """One Vim or Neovim in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], session: ViSession, place: Place) -> None:
        super().__init__(name, features, session.terminal, place)
        self._mode = session.mode
        self.close = session.close

    def press(self, key: Key) -> None:
        if key is Key.UNDO:
            self._normal_mode()
            self._terminal.send("u")
        elif key is Key.SAVE:
            self._normal_mode()
            self._terminal.send(":write\r")
        else:
            self._terminal.send(_VI_KEYS[key])

    def status(self) -> str:
        return self._terminal.frame().lines[-2]

    def _insert_at(self, line: int, column: int, length: int) -> None:
        """Begin to insert there, in a line of this length."""
        right = f"{column}l" if column else ""
        self._terminal.send(f"{line + 1}G" + ("A" if column and column >= length else f"0{right}i"))
        until("insert mode", lambda: self._mode() == "i")

    def _set(self, key: str, written: str) -> None:
        """Change an option and go on as before."""
        was_typing = self._mode() == "i"
        self._normal_mode()
        self._terminal.send(f":LspServer set {key} {written}\r")
        if was_typing:
            self._terminal.send("a")
            until("insert mode", lambda: self._mode() == "i")

    def _normal_mode(self) -> None:
        """Leave whatever mode or prompt there is; Escape and the next key must not become one Alt key."""
        if self._mode() != "n":
            self._terminal.send("\x1b")
            until("normal mode", lambda: self._mode() == "n")
