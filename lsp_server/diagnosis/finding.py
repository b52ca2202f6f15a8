"""What a check has found, and what to do about it. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How much it matters."""

    OK = "ok"
    WARNING = "warning"
    """Completions come, or will, but not as they could."""
    PROBLEM = "problem"
    """Something does not work."""


@dataclass(frozen=True)
class Finding:
    """One line of `lsp_server doctor`."""

    check: str
    level: Level
    text: str
    advice: str = ""
    """What to do; empty where nothing is to be done or `text` says it."""


def ok(check: str, text: str) -> Finding:
    """Return a finding that needs no advice."""
    return Finding(check, Level.OK, text)


def warning(check: str, text: str, advice: str = "") -> Finding:
    """Return a finding about something that works, but not as it could."""
    return Finding(check, Level.WARNING, text, advice)


def problem(check: str, text: str, advice: str = "") -> Finding:
    """Return a finding about something that does not work."""
    return Finding(check, Level.PROBLEM, text, advice)
