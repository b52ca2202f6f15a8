"""The terminal of the tests: what programs write is what a screen shows, and nothing is left of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.editors.editor import until
from tests.editors.terminal import Terminal
from tests.editors.terminal_animation import Shown, animation
from tests.editors.terminal_screen import Emulator, Frame
from tests.editors.terminal_svg import drawing


def _screen(data: bytes, columns: int = 20, lines: int = 4) -> Frame:
    emulator = Emulator(columns, lines, lambda answer: None)
    emulator.feed(data)
    return emulator.frame()


@pytest.mark.parametrize(
    ("written", "colour", "underline"),
    [
        (b"\x1b[38;2;1;2;3mx", "#010203", False),
        (b"\x1b[38:2::1:2:3mx", "#010203", False),
        (b"\x1b[38:2:1:2:3mx", "#010203", False),
        (b"\x1b[31mx", "#cd0000", False),
        (b"\x1b[4:3;58:2::9:9:9mx", "", True),
        (b"\x1b[4m\x1b[4:0mx", "", False),
        (b"\x1b[58;2;4;7;9mx", "", False),
        (b"\x1b[>4;2mx", "", False),
        (b"\x1b[?4mx", "", False),
        (b"\x1bP+q544e\x1b\\x", "", False),
        (b"\x1b]11;?\x07x", "", False),
    ],
)
def test_looks_of_a_character(written: bytes, colour: str, underline: bool) -> None:
    cell = _screen(written).rows[0][0]
    assert (cell.text, cell.foreground, cell.underline) == ("x", colour, underline)


def test_sequences_and_characters_may_come_in_pieces() -> None:
    emulator = Emulator(20, 4, lambda answer: None)
    for byte in "\x1b[31mä日\x1b]0;title\x1b\\\x1bP1$r0m\x1b\\!".encode():
        emulator.feed(bytes([byte]))
    assert emulator.frame().lines[0] == "ä日!"
    assert emulator.frame().column == 4


def test_repeating_and_scrolling() -> None:
    assert _screen(b"ab\x1b[3b|").lines[0] == "abbbb|"
    assert _screen(b"one\r\ntwo\r\nthree\x1b[1S").lines == ["two", "three", "", ""]
    assert _screen(b"one\r\ntwo\x1b[1T").lines == ["", "one", "two", ""]


def test_a_picture_in_two_halves_is_not_whole() -> None:
    answers: list[str] = []
    emulator = Emulator(20, 4, answers.append)
    emulator.feed(b"\x1b[?2026$p\x1b[?2026hhalf")
    assert (answers, emulator.whole) == (["\x1b[?2026;2$y"], False)
    emulator.feed(b"\x1b[?2026l")
    assert emulator.whole


def test_drawings_hold_the_text_and_nothing_else() -> None:
    frame = _screen(b"<a & b>   \x1b[7mrev\x1b[0m\x1b[6 q", columns=30)
    texts = [element.text for element in ElementTree.fromstring(drawing(frame)).iter() if element.text]
    assert texts[1:] == ["<a & b>", "rev"]
    moving = animation([Shown(frame, 1), Shown(_screen(b"<a & b>\r\nmore", columns=30), 1)], 1, "Title")
    root = ElementTree.fromstring(moving)
    assert [text for text in (element.text for element in root.iter()) if text == "<a & b>"] != []
    assert "@keyframes" in moving


def test_a_program_its_keys_its_size_and_its_end(tmp_path: Path) -> None:
    program = (
        "import os, subprocess\n"
        "child = subprocess.Popen(['sh', '-c', 'trap \"\" HUP; sleep 600'])\n"
        "print('child', child.pid, os.environ['TERM'], flush=True)\n"
        "while True: print('got', input(), os.get_terminal_size().columns, flush=True)\n"
    )
    with Terminal([sys.executable, "-c", program], tmp_path, columns=60, lines=10) as terminal:
        terminal.wait_for("xterm-256color")
        child = int(terminal.text().split()[1])
        terminal.resize(50, 10)
        terminal.send("wörter\r")
        terminal.wait_for("got wörter 50")
        pid = terminal.pid
    until("both have ended", lambda: not psutil.pid_exists(child) and not psutil.pid_exists(pid), 20)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
