"""The animated picture of the README, made from a real Neovim with the real default model.

    python -m tests.editors.capture          # writes editors/pictures/typing.svg

What is seen is what was on the screen. The times are not: a key takes `_KEY_S`, and the wait for the model is
shown as `_MODEL_S` however long it was (what it really takes is among the README's figures). So two runs make
the same picture, but for how much of the explanation has come at each of its steps.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lsp_server.config_files import CONFIG_VARIABLE
from lsp_server.engine.state import STATE_VARIABLE
from lsp_server.models import store
from tests.editors.editor import Environment, until
from tests.editors.neovim_session import ROOT, Session, setup_lines
from tests.editors.terminal_animation import Shown, animation
from tests.support.engines import own_state

PICTURE = ROOT / "editors/pictures/typing.svg"
TITLE = "Neovim: ghost text is typed along, taken by the word and as a block; an explanation is written"

_KEY_S = 0.09
_MODEL_S = 0.5
_READ_S = 1.5
_STREAM_S = 0.2
_STREAM_CHARACTERS = 30
"""Of an explanation that are new in a frame, so that its frames are few."""
_LAST_S = 5.0

_COLUMNS, _LINES = 78, 16
_COMMANDS = ("set laststatus=0 noshowmode noshowcmd noruler", "set fillchars=eob:\\ ")
_WORD = "\x1b[1;5C"


class Story:
    """The frames so far, and the session that they come from."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.shown: list[Shown] = []
        self.poster = 0
        """The frame for readers where nothing moves."""

    def show(self, seconds: float) -> None:
        """Take what is on the screen."""
        self.shown.append(Shown(self.session.terminal.frame(), seconds))

    def press(self, key: str, seconds: float = _KEY_S) -> None:
        """Press a key, and take what Neovim draws then."""
        terminal = self.session.terminal
        before = terminal.frame()
        terminal.send(key)
        self.shown.append(Shown(terminal.after(before), seconds))

    def type(self, text: str) -> None:
        """Type at a steady pace."""
        for character in text:
            self.press(character)

    def await_ghost(self, *, lines: int = 1) -> None:
        """Wait for ghost text of so many lines at least, and give time to read it."""
        until("ghost text", lambda: len(self.session.ghost().splitlines()) >= lines)
        self.shown[-1] = self.shown[-1]._replace(seconds=_MODEL_S)
        self.show(_READ_S)

    def follow_explanation(self) -> None:
        """Take the explanation while it is written."""
        terminal = self.session.terminal
        seen = 0
        while not any("keep in a split" in window.frame for window in self.session.floats()):
            written = sum(len(self.session.shown(window)) for window in self.session.floats())
            if written - seen >= _STREAM_CHARACTERS or (written and not seen):
                self.show(_STREAM_S)
                seen = written
            with contextlib.suppress(AssertionError):
                terminal.after(terminal.frame(), 0.2)


def _tell(story: Story) -> None:
    session, terminal = story.session, story.session.terminal
    terminal.send(":edit statistics.py\r")
    until("the server", session.server_pid)
    until("the model", lambda: _is_ready(session))
    terminal.send("\x0ci")  # Ctrl-L: without what the start has said
    until("insert mode", lambda: session.mode() == "i")
    until("an empty screen", lambda: not terminal.text().strip())
    story.show(0.8)
    story.type("def median(values):")
    story.press("\r")
    story.type("ordered = ")
    story.await_ghost()
    story.type("so")
    story.show(0.6)
    story.press(_WORD, 0.9)
    story.press("\t", 0.6)
    story.press("\r")
    story.await_ghost(lines=3)
    story.poster = len(story.shown) - 1
    story.press("\t", 1.2)
    terminal.send("\x1b")
    until("normal mode", lambda: session.mode() == "n")
    story.type(":LspServer explain")
    terminal.send("\r")
    story.follow_explanation()
    story.show(_LAST_S)


def _is_ready(session: Session) -> bool:
    said = str(session.ask("return require('lsp_server').status()"))
    return said != "" and "starting" not in said and "loading" not in said


def record(environment: Environment, folder: Path) -> Story:
    """Run the session in an empty folder; return what was seen."""
    workspace, home = folder / "workspace", folder / "home"
    workspace.mkdir()
    home.mkdir()
    with Session(
        "nvim",
        workspace,
        home,
        environment,
        setup=setup_lines(),
        commands=_COMMANDS,
        columns=_COLUMNS,
        lines=_LINES,
    ) as session:
        story = Story(session)
        _tell(story)
    return story


def drawn(story: Story) -> str:
    """Return the animated picture of a session."""
    return animation(story.shown, story.poster, TITLE)


@contextlib.contextmanager
def _environment(folder: Path) -> Iterator[Environment]:
    """Give the server the default model, and an engine of its own."""
    given = os.environ.get("LSP_SERVER_TEST_MODEL")
    model = Path(given) if given else store.ensure("qwen2.5-coder-0.5b")
    config = folder / "config.toml"
    config.write_text(f'[local]\nmodel = "{model.as_posix()}"\n', "utf-8")
    with own_state(folder / "state"):
        yield {
            CONFIG_VARIABLE: str(config),
            STATE_VARIABLE: str(folder / "state"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=PICTURE)
    output: Path = parser.parse_args().output
    with tempfile.TemporaryDirectory() as name, _environment(Path(name)) as environment:
        picture = drawn(record(environment, Path(name)))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(picture, "utf-8")
    print(f"{output}: {len(picture.encode()) // 1000} kB")


if __name__ == "__main__":
    main()
