"""A terminal with a program in it: a pseudo terminal, and a screen that can be read.

    with Terminal(["nvim", "demo.py"], folder, environment) as terminal:
        terminal.wait_for("def main")
        terminal.send("ihello")

Owns the process and the thread that reads from it. Must not know which program it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from ptyprocess import PtyProcess  # type: ignore[import-untyped]

from tests.editors.editor import PATIENCE_S, until
from tests.editors.terminal_screen import Emulator, Frame
from tests.editors.terminal_svg import drawing

_OWN = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
_FOREIGN = (
    "NVIM",
    "VIM",
    "VIMRUNTIME",
    "TMUX",
    "TERM_PROGRAM",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "EDITOR",
    "VISUAL",
)
"""Variables of a terminal that the tests may run in; programs would behave otherwise with them."""

_END_S = 10.0
"""For a program to end after its terminal is gone, before it is killed."""


class Terminal:
    """A program in a terminal of its own."""

    def __init__(
        self,
        argv: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        columns: int = 100,
        lines: int = 30,
    ) -> None:
        """Start the program with these variables on top of those of the tests."""
        self._lock = threading.Condition()
        self._emulator = Emulator(columns, lines, self._write)
        self.on_frame: Callable[[], None] = lambda: None
        """Called by another thread when the screen has changed."""
        ours = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        environment = {**ours, **_OWN, **(environment or {})}
        # ptyprocess looks on our own PATH.
        program = shutil.which(argv[0], path=environment["PATH"]) or argv[0]
        # With threads about (there are in tests), Python 3.12 warns of a fork; the child only calls exec.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process: Any = PtyProcess.spawn(
                [program, *argv[1:]], str(folder), environment, dimensions=(lines, columns)
            )
        self._reader = threading.Thread(target=self._read, name=f"terminal of {argv[0]}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return bool(self._process.isalive())

    def send(self, keys: str) -> None:
        """Type these characters, escape sequences among them."""
        self._write(keys)

    def paste(self, text: str) -> None:
        """Paste as a terminal does it: bracketed."""
        self._write(f"\x1b[200~{text}\x1b[201~")

    def frame(self) -> Frame:
        """Return what is on the screen; waits for the rest of a picture that the program draws."""
        with self._lock:
            self._lock.wait_for(lambda: self._emulator.whole, 1.0)
            return self._emulator.frame()

    def text(self) -> str:
        """Return the text on the screen, a line each row."""
        return "\n".join(self.frame().lines)

    def wait_for(self, text: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until this is on the screen; fail with the screen."""
        with contextlib.suppress(AssertionError):
            until(text, lambda: text in self.text(), patience_s)
            return
        raise AssertionError(f"{text!r} is not on the screen (running: {self.alive}):\n{self.text()}")

    def after(self, frame: Frame, patience_s: float = PATIENCE_S) -> Frame:
        """Return what is on the screen as soon as it is something else."""
        with self._lock:
            changed = self._lock.wait_for(
                lambda: self._emulator.whole and self._emulator.frame() != frame, patience_s
            )
        if not changed:
            raise AssertionError(f"nothing changes on the screen:\n{self.text()}")
        return self.frame()

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the window."""
        with self._lock:
            self._emulator.resize(columns, lines)
        self._process.setwinsize(lines, columns)

    def picture(self, path: Path) -> Path:
        """Draw the screen into an SVG file."""
        path.write_text(drawing(self.frame()), "utf-8")
        return path

    def close(self) -> None:
        """End the program and everything of its session."""
        descendants = _descendants(self.pid)
        if self.alive:
            self._signal(signal.SIGHUP)
        deadline = time.monotonic() + _END_S
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.02)
        self._signal(signal.SIGKILL)
        _, left = psutil.wait_procs(descendants, timeout=_END_S)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.close(force=True)
        self._reader.join()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the program may be gone
            self._process.write(text.encode())

    def _read(self) -> None:
        while True:
            try:
                data = self._process.read(65536)
            except (EOFError, OSError, ValueError):
                return
            with self._lock:
                self._emulator.feed(data)
                whole = self._emulator.whole
                self._lock.notify_all()
            if whole:
                self.on_frame()


def _descendants(pid: int) -> list[psutil.Process]:
    """Return what a program has started and waits for; daemons that serve others too are not its own."""
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [child for child in children if "engine" not in child.cmdline()]
    except psutil.NoSuchProcess:
        return []
