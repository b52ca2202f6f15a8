"""Helix, as its users work with the server: its own keys and commands."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.editors.editor import PATIENCE_S, Feature, Key, until
from tests.editors.install import helix
from tests.editors.registry import Entry, Place
from tests.editors.terminal import Terminal
from tests.editors.terminal_editor import DOWN, TerminalEditor

ROOT = Path(__file__).parent.parent.parent
LANGUAGES = ROOT / "editors/helix/languages.toml"

_KEYS: Mapping[Key, str] = {
    Key.UNDO: "u",
    Key.SAVE: ":write\r",
    Key.ENTER: "\r",
    Key.BACKSPACE: "\x7f",
}
_AGAIN_S = 0.3
_ANSWER_S = 5.0
"""For a menu, on a busy machine; then it is asked for again, as a user does."""
_ANSWERS = ".cache/codestral-lsp/answers/"

_CONFIG = """
[editor]
auto-format = false
statusline.left = ["mode", "file-name", "file-modification-indicator"]
"""


class Helix(TerminalEditor):
    """One Helix in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], terminal: Terminal, place: Place) -> None:
        super().__init__(name, features, terminal, place)
        self._path = place.workspace

    def open(self, path: Path, line: int, column: int) -> None:
        self._path = path
        # A buffer that is open already goes first: the file has been written anew.
        self._normal_mode()
        self._terminal.send(":buffer-close-all!\r")
        until("no file", lambda: path.name not in self._status_line())
        self._terminal.send(f":open {path}:{line + 1}:{column + 1}\r")
        until("the file", lambda: path.name in self._status_line())
        until("the server", self.server_pid)

    def press(self, key: Key) -> None:
        if key in (Key.UNDO, Key.SAVE):
            self._normal_mode()
        self._terminal.send(_KEYS[key])

    def move(self, line: int, column: int) -> None:
        self._normal_mode()
        self._terminal.send(f":goto {line + 1}\rgh{f'{column}l' if column else ''}")

    def ghost(self) -> str:
        raise NotImplementedError("Helix has no ghost text")

    def text(self) -> str:
        self._normal_mode()
        # The last message goes when something is typed. The file is gone for a moment, and empty then:
        # Helix writes another one in its place.
        self._terminal.send(":write!")
        until("the command", lambda: ":write!" in self._terminal.frame().lines[-1])
        self._terminal.send("\r")
        until("the file is written", lambda: "written" in self._terminal.frame().lines[-1])
        return self._path.read_text("utf-8")

    def choose_action(self, title: str) -> None:
        menu: list[str] = []

        def answered() -> bool:
            menu[:] = self._menu(title)
            return bool(menu) or "No code actions" in self._terminal.frame().lines[-1]

        # Right after it has opened a file, Helix says that no server has actions, or that none runs yet.
        deadline = time.monotonic() + PATIENCE_S
        while not menu and time.monotonic() < deadline:
            self._normal_mode()
            self._terminal.send(" a")
            with contextlib.suppress(AssertionError):
                until(f"a menu with {title}", answered, _ANSWER_S)
            time.sleep(_AGAIN_S)
        assert menu, f"{title} is in no menu: {self._terminal.text()}"
        self._terminal.send(DOWN * (len(menu) - 1) + "\r")

    def _menu(self, title: str) -> list[str]:
        """Return the entries of the menu down to one like this; the menu has backgrounds of its own."""
        frame = self._terminal.frame()
        found = [at for at, line in enumerate(frame.lines) if line.find(title) > 0]
        if not found:
            return []
        column, editor = frame.lines[found[0]].index(title), frame.rows[-3][-1].background
        first = found[0]
        while first > 0 and frame.rows[first - 1][column].background != editor:
            first -= 1
        return [frame.lines[at][column:].strip("▐ ") for at in range(first, found[0] + 1)]

    def preview(self) -> str:
        raise NotImplementedError("Helix applies edits at once")

    def confirm(self) -> None:
        raise NotImplementedError("Helix applies edits at once")

    def explanation(self) -> str:
        return self._terminal.text() if _ANSWERS in self._status_line() else ""

    def close_explanation(self) -> None:
        self._normal_mode()
        self._terminal.send(":buffer-close\r")

    def status(self) -> str:
        raise NotImplementedError("Helix shows no status of a server")

    def select_backend(self, name: str) -> None:
        raise NotImplementedError("Helix shows no questions of a server")

    def change_setting(self, key: str, value: object) -> None:
        raise NotImplementedError("Helix takes settings of a server when it starts it")

    def server_pid(self) -> int:
        for process in psutil.Process(self._terminal.pid).children(recursive=True):
            if "--stdio" in process.cmdline():
                return int(process.pid)
        return 0

    def notices(self) -> list[str]:
        return [line for line in self._terminal.frame().lines[-1:] if line]

    def close(self) -> None:
        self._normal_mode()
        self._terminal.send(":quit-all!\r")
        self._terminal.close()

    def _normal_mode(self) -> None:
        """Leave another mode; Escape and the next key must not become one Alt key."""
        if not self._status_line().startswith(" NOR"):
            self._terminal.send("\x1b")
            until("normal mode", lambda: self._status_line().startswith(" NOR"))

    def _status_line(self) -> str:
        return self._terminal.frame().lines[-2]


def start(name: str, entry: Entry, place: Place) -> Helix:
    """Start Helix with the languages of its folder."""
    config = place.home / ".config/helix"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(_CONFIG, "utf-8")
    shutil.copy(LANGUAGES, config / "languages.toml")
    variables = {
        **place.environment,
        "HOME": str(place.home),
        "XDG_CONFIG_HOME": str(place.home / ".config"),
        "XDG_CACHE_HOME": str(place.home / ".cache"),
    }
    terminal = Terminal([str(helix.program())], place.workspace, variables, columns=160)
    terminal.wait_for("NOR")
    return Helix(name, entry.features, terminal, place)
