"""Small programs that start others with variables: what is unpacked somewhere has to be told where."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path


def wrapper(
    path: Path, program: Path, variables: Mapping[str, object], arguments: Sequence[str | Path] = ()
) -> None:
    """Write a shell script that takes the place of its process by the program."""
    settings = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in variables.items())
    words = shlex.join([str(program), *map(str, arguments)])
    path.write_text(f'#!/bin/sh\nexec env {settings} {words} "$@"\n', "utf-8")
    path.chmod(0o755)
