"""A repository with one change that is staged, and the file that its message is written in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.eval.actions.case import MESSAGE


def stage(folder: Path, file: Path, text: str) -> Path:
    """Commit a file as it is, stage `text` in its place, and return the file of the next message."""
    _git(folder, "init", "--quiet")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "--message", "Start")
    file.write_text(text, encoding="utf-8", newline="")
    _git(folder, "add", ".")
    message = folder / ".git" / "COMMIT_EDITMSG"
    message.write_text(MESSAGE, encoding="utf-8", newline="")
    return message


def subject(written: str) -> str:
    """Return the first line of a message."""
    lines = [line for line in written.splitlines() if line.strip() and not line.startswith(("#", "==>"))]
    return lines[0].strip() if lines else ""


def _git(folder: Path, *arguments: str) -> None:
    author = ("-c", "user.name=Evaluation", "-c", "user.email=evaluation@example.invalid")
    subprocess.run(("git", *author, *arguments), cwd=folder, check=True, stdin=subprocess.DEVNULL)
