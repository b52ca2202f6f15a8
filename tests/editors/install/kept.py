"""Folders that are made once per machine and kept: whole, or made again.

Owns where they are and when one counts as whole. Must not know what is in them.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import platformdirs

FOLDER_VARIABLE = "LSP_SERVER_TEST_EDITORS"
"""Environment variable that moves all of them to another folder."""

_WHOLE = ".whole"
_ATTEMPTS = 2
"""A download that breaks off is made again here, where no test's time limit counts."""


class NotInstalled(Exception):
    """An editor cannot be had on this machine; the text says what to do."""


def folder() -> Path:
    """Return where everything is kept."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else platformdirs.user_cache_path("codestral-lsp") / "test-editors"


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name, filled by `make` unless that was done before.

    The name holds the versions of what is inside. Runs side by side wait for one another; what was cut off is
    thrown away. It is filled where it stays, since programs may remember where they were put.
    """
    place = folder() / name
    place.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(place.with_name(f"{name}.lock")):
        if not (place / _WHOLE).exists():
            started = time.monotonic()
            say(f"getting {name} (once per machine)")
            _make(place, make)
            (place / _WHOLE).touch()
            say(f"{name} is there after {time.monotonic() - started:.0f} s")
    return place


def _make(place: Path, make: Callable[[Path], None]) -> None:
    for left in reversed(range(_ATTEMPTS)):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        try:
            make(place)
        except NotInstalled as error:
            if not left:
                raise
            say(f"once more, since: {str(error).splitlines()[0]}")
        else:
            return


def say(line: str) -> None:
    """Tell who waits what is going on."""
    print(f"[editors] {line}", file=sys.stderr, flush=True)
