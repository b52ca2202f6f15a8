"""Running the programs that fetch and build: their output kept, a failure told in one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.editors.install.kept import NotInstalled

_LONGEST_S = 1200
"""For a build on a busy machine with a slow line; a hung one ends."""


def run(
    command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a program with these variables besides those of this process; fail with the end of its output."""
    program = str(command[0])
    if shutil.which(program) is None:
        raise NotInstalled(
            f"{program} is not on this machine; install it, or run the tests without this editor."
        )
    with log.open("ab") as output:
        try:
            ended = subprocess.run(
                [str(part) for part in command],
                env={**os.environ, **(env or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NotInstalled(f"{Path(program).name} took more than {_LONGEST_S} s; see {log}") from error
    if ended.returncode != 0:
        said = "\n".join(log.read_text("utf-8", "replace").splitlines()[-15:])
        raise NotInstalled(f"{Path(program).name} failed with {ended.returncode}; {log} says:\n{said}")
