"""How often the user is told, and what the log keeps to itself."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from lsp_server.options import EDITOR, Problem
from lsp_server.reporting import QUIET_S, Notice, Reporter, Severity, configure_logging


class Screen:
    """What was shown, at a time that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.notices: list[Notice] = []
        self.reporter = Reporter(self.notices.append, "the log", clock=lambda: self.now)

    @property
    def shown(self) -> list[tuple[Severity, str]]:
        return [(notice.severity, str(notice)) for notice in self.notices]


def test_the_same_cause_is_shown_once_an_hour() -> None:
    screen = Screen()
    for screen.now in (0.0, 1.0, QUIET_S - 1, QUIET_S, QUIET_S + 1):
        screen.reporter.tell("The server is gone.")
    assert screen.shown == [(Severity.ERROR, "codestral-lsp: The server is gone. (log: the log)")] * 2


def test_numbers_do_not_make_a_new_cause() -> None:
    screen = Screen()
    screen.reporter.tell("Waiting 3 s")
    screen.reporter.tell("Waiting 29 s")
    screen.reporter.tell("The key was refused")
    assert len(screen.shown) == 2


def test_an_answer_is_shown_each_time_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    screen = Screen()
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            screen.reporter.answer("Refactor function secret: it said: text of the document")
    assert len(screen.shown) == 2
    assert caplog.records == []


def test_problems_are_shown_together() -> None:
    screen = Screen()
    screen.reporter.tell_problems([])
    assert screen.shown == []
    screen.reporter.tell_problems(
        [Problem("a.toml:1", "x", "x is wrong"), Problem("a.toml:2", "y", "y is wrong")]
    )
    assert screen.shown == [
        (Severity.WARNING, "codestral-lsp: a.toml:1: x is wrong, and 1 more in the log (log: the log)")
    ]


def test_each_wrong_value_of_a_setting_is_shown_once() -> None:
    screen = Screen()
    for value in (5, 5, 6, 5):
        screen.reporter.tell_problems([Problem(EDITOR, "a.b", f"a.b must be at least 100, not {value}")])
    assert [(notice.text, notice.setting) for notice in screen.notices] == [
        ("a.b must be at least 100, not 5", "a.b"),
        ("a.b must be at least 100, not 6", "a.b"),
    ]
    assert screen.shown[0][1] == (
        "codestral-lsp: the editor's settings: a.b must be at least 100, not 5 (log: the log)"
    )


def test_the_log_file_gets_everything_but_parameters(tmp_path: Path) -> None:
    file = tmp_path / "new" / "server.log"
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        assert configure_logging("info", file) == str(file)
        logging.getLogger("lsp_server.features").info("ours")
        logging.getLogger("pygls.protocol").info("every body")
        logging.getLogger("pygls.protocol").error("Failed to handle %r: %s", "didOpen", "buffer text")
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.getLogger("lsp_server").setLevel(logging.NOTSET)
    text = file.read_text()
    assert "ours" in text
    assert "Failed to handle" in text
    assert "buffer text" not in text
    assert "every body" not in text
