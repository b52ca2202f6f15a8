"""Emacs with lsp-mode, as its users work with the package: the keys and commands of its documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.editors.editor import Feature, Key, until
from tests.editors.emacs_session import GHOST_COLOUR, Session
from tests.editors.registry import Entry, Place
from tests.editors.terminal_editor import DOWN, RIGHT, UP, TerminalEditor

_KEYS: Mapping[Key, str] = {
    Key.ACCEPT: "\t",
    Key.ACCEPT_WORD: "\x1b[1;5C",  # Ctrl-Right
    Key.DISMISS: "\x07",  # Ctrl-G
    Key.UNDO: "\x1f",  # Ctrl-/
    Key.SAVE: "\x18\x13",  # Ctrl-X Ctrl-S
    Key.ENTER: "\r",
    Key.BACKSPACE: "\x7f",
}
_LINE_START, _TEXT_START = "\x01", "\x1b<"

_STATE = '(and codestral-lsp-status (gethash "state" codestral-lsp-status))'
_ANSWER_BUFFER = "*codestral-lsp*"


class Emacs(TerminalEditor):
    """One Emacs in a terminal."""

    def __init__(self, name: str, features: frozenset[Feature], session: Session, place: Place) -> None:
        super().__init__(name, features, session.terminal, place)
        self._session = session
        self.close = session.close

    def open(self, path: Path, line: int, column: int) -> None:
        self._forget(path)
        self._session.quit()
        self._terminal.send(f"\x18\x06\x01\x0b{path}\r")  # Ctrl-X Ctrl-F, and the line begun there emptied
        until("the file", lambda: self._session.ask("(buffer-file-name)") == str(path))
        until("the server", self.server_pid)
        # lsp-mode gives up after ten seconds, and does not ask again before the next key.
        until("the model", lambda: self._session.ask(_STATE) == "ready")
        self._terminal.send(_TEXT_START)
        until("the beginning", lambda: self._session.ask("(point)") == 1)
        self.move(line, column)

    def press(self, key: Key) -> None:
        self._terminal.send(_KEYS[key])

    def move(self, line: int, column: int) -> None:
        here = int(self._session.ask("(line-number-at-pos)")) - 1
        self._terminal.send((DOWN if line > here else UP) * abs(line - here) + _LINE_START + RIGHT * column)
        at = "(list (1- (line-number-at-pos)) (- (point) (line-beginning-position)))"
        until("the cursor", lambda: self._session.ask(at) == [line, column])

    def ghost(self) -> str:
        return self._terminal.frame().in_colour(GHOST_COLOUR)

    def text(self) -> str:
        return str(self._session.ask("(buffer-substring-no-properties (point-min) (point-max))"))

    def choose_action(self, title: str) -> None:
        self._command("lsp-execute-code-action")
        until("the menu", lambda: "Select code action" in self._terminal.text())
        self._terminal.send(f"{title}\t")
        until(
            "the entry", lambda: len(self._terminal.frame().lines[-1]) > len(f"Select code action: {title}")
        )
        self._terminal.send("\r")

    def preview(self) -> str:
        raise NotImplementedError("lsp-mode applies edits at once")

    def confirm(self) -> None:
        raise NotImplementedError("lsp-mode applies edits at once")

    def explanation(self) -> str:
        shown = f'(get-buffer-window "{_ANSWER_BUFFER}")'
        text = f'(with-current-buffer "{_ANSWER_BUFFER}" (buffer-string))'
        return str(self._session.ask(f'(if {shown} {text} "")'))

    def close_explanation(self) -> None:
        self._terminal.send("\x18o")  # Ctrl-X o: into its window
        until("the window", lambda: self._session.ask("(buffer-name)") == _ANSWER_BUFFER)
        self._terminal.send("q")

    def status(self) -> str:
        return next(line for line in reversed(self._terminal.frame().lines) if line.startswith("-U"))

    def select_backend(self, name: str) -> None:
        self._command("codestral-lsp-select-backend")
        until("the question", lambda: "Which backend" in self._terminal.text())
        self._terminal.send(f"{name}:\t\r")

    def change_setting(self, key: str, value: object) -> None:
        self._command("codestral-lsp-set")
        self._terminal.send(f"\x01\x0b{key}\r")
        until("the value's prompt", lambda: "as JSON" in self._terminal.text())
        self._terminal.send(f"{json.dumps(value)}\r")

    def server_pid(self) -> int:
        server = "(car (bound-and-true-p lsp--buffer-workspaces))"
        ready = f"(and {server} (eq 'initialized (lsp--workspace-status {server})))"
        return int(self._session.ask(f"(if {ready} (process-id (lsp--workspace-cmd-proc {server})) 0)"))

    def notices(self) -> list[str]:
        said = self._session.ask('(with-current-buffer "*Messages*" (buffer-string))')
        # lsp-mode tells of every server that it has started, and Emacs of how lsp-mode's files are written.
        ours = r"LSP :: (Connected to|codestral-lsp:\d+ initialized|codestral-lsp has exited)"
        ordinary = rf"{ours}|Loading |.*/elpa-src/.*Warning"
        return [line for line in str(said).splitlines() if line and not re.match(ordinary, line)]

    def _forget(self, path: Path) -> None:
        """Close the buffer of a file, saved or not: the file has been written anew."""
        if self._session.ask(f"(and (get-file-buffer {json.dumps(str(path))}) t)") is None:
            return
        self._terminal.send(f"\x18k{path.name}\r")  # Ctrl-X k
        gone = f"(null (get-file-buffer {json.dumps(str(path))}))"
        until(
            "a question or the end", lambda: "kill anyway" in self._terminal.text() or self._session.ask(gone)
        )
        if not self._session.ask(gone):
            self._terminal.send("y")
        until("the end of the buffer", lambda: self._session.ask(gone))

    def _command(self, name: str) -> None:
        """Run a command by its name."""
        self._session.quit()
        self._terminal.send(f"\x1bx{name}\r")  # Meta-x


def start(name: str, entry: Entry, place: Place) -> Emacs:
    """Start Emacs with lsp-mode."""
    return Emacs(name, entry.features, Session(place.workspace, place.home, place.environment), place)
