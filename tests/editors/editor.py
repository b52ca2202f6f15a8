"""What a scenario asks of an editor, in the user's words; one adapter per editor implements it.

Owns the vocabulary. Must not know any editor, nor how the server works: an adapter presses the keys that
its documentation names, and reads what is on the screen.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

PATIENCE_S = 60.0
"""For what a model writes on a busy machine; nothing is ever measured with it."""


class Feature(enum.Enum):
    """What an editor can do with the server; scenarios run where all that they need is there."""

    GHOST = "ghost text"
    WORDS = "accepts a word of it"
    ACTIONS = "menu of code actions"
    PREVIEW = "shows an edit before it applies it"
    EXPLAIN = "shows answers in words"
    STREAM = "shows them while they are written"
    CHAT = "chat documents with send, stop and apply"
    STATUS = "a status line"
    SELECT = "switches the backend from there"
    SETTINGS = "takes changed settings without a restart"
    REVIVAL = "starts a server again that died"


class Key(enum.Enum):
    """Keys with a meaning; each adapter knows which ones they are in its editor."""

    ACCEPT = "accept"
    ACCEPT_WORD = "accept a word"
    DISMISS = "dismiss"
    UNDO = "undo"
    SAVE = "save"
    ENTER = "enter"
    BACKSPACE = "backspace"


class Editor(Protocol):
    """One window of a real editor, with a workspace open and the server running.

    What is read is what the user sees. Nothing waits unless it says so: scenarios wait with `until`.
    """

    name: str
    features: frozenset[Feature]
    workspace: Path

    def open(self, path: Path, line: int, column: int) -> None:
        """Show a file, cursor there (from 0, in characters), ready to type; wait for the server."""

    def type(self, text: str, pause_s: float = 0.05) -> None:
        """Type characters one by one, `pause_s` between two."""

    def press(self, key: Key) -> None:
        """Press what does this in the editor."""

    def move(self, line: int, column: int) -> None:
        """Move the cursor by the editor's keys, without a change of the text; ready to type."""

    def ghost(self) -> str:
        """Return the ghost text on the screen, its lines joined by line feeds; empty without any."""

    def text(self) -> str:
        """Return the text of the document as the editor has it, saved or not."""

    def choose_action(self, title: str) -> None:
        """Open the menu of code actions at the cursor and choose the entry that begins with this."""

    def preview(self) -> str:
        """Return what the editor shows of an edit that waits to be confirmed; empty if none does."""

    def confirm(self) -> None:
        """Let the edit that is shown be applied."""

    def explanation(self) -> str:
        """Return the answer in words on the screen, as rendered; empty without one."""

    def close_explanation(self) -> None:
        """Close it as a user does."""

    def status(self) -> str:
        """Return what the status line says about the server."""

    def select_backend(self, name: str) -> None:
        """Choose a backend from the menu of the status line."""

    def change_setting(self, key: str, value: object) -> None:
        """Change an option (`completion.enabled`) as a user does while the editor runs."""

    def server_pid(self) -> int:
        """Return the process id of the running server; 0 while none runs."""

    def notices(self) -> list[str]:
        """Return the messages that have popped up since the editor started."""

    def picture(self, name: str) -> Path:
        """Keep a picture of the screen among the artefacts; return its file."""

    def close(self) -> None:
        """End the editor and everything that it started."""


def until(what: str, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait until the condition holds; fail with `what` and the last that was seen."""
    deadline = time.monotonic() + patience_s
    while not (seen := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience_s:.0f} s (last seen: {seen!r})")
        time.sleep(0.05)


Environment = Mapping[str, str]
"""Variables for the processes of an editor, on top of those of the tests."""
