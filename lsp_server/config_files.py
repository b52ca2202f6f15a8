"""The configuration files: where they are, and their text as layers of options.

Knows TOML and paths; what the keys mean is for `options`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import platformdirs

from lsp_server.options import Layer, Problem
from lsp_server.settings import WORKSPACE_SECTIONS, workspace_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG_VARIABLE = "CODESTRAL_LSP_CONFIG"
"""Environment variable that names another configuration file."""

_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"\s*([\w.\-\"']+)\s*=")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")


def user_file() -> Path:
    """Return the user's configuration file, whether it exists or not."""
    if chosen := os.environ.get(CONFIG_VARIABLE):
        return Path(chosen).expanduser()
    return platformdirs.user_config_path("codestral-lsp", appauthor=False) / "config.toml"


def layers(root: Path | None) -> list[Layer]:
    """Read the user's file and, if a workspace is open, the workspace's."""
    wanted = bool(os.environ.get(CONFIG_VARIABLE))
    found = [_read(user_file(), must_exist=wanted)]
    if root is not None:
        found.append(_read(workspace_file(root), sections=WORKSPACE_SECTIONS))
    return found


def _read(path: Path, *, sections: frozenset[str] | None = None, must_exist: bool = False) -> Layer:
    place = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        return Layer(place, tomllib.loads(text), sections, _lines(text))
    except FileNotFoundError:
        if not must_exist:
            return Layer(place, sections=sections)
        problem = Problem(place, "", f"there is no such file, although {CONFIG_VARIABLE} names it")
    except tomllib.TOMLDecodeError as error:
        problem = _syntax_problem(place, str(error))
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(place, "", f"cannot be read: {error}")
    return Layer(place, sections=sections, problems=(problem,))


def _syntax_problem(place: str, message: str) -> Problem:
    if at := _AT_LINE.search(message):
        place = f"{place}:{at[1]}"
        message = _AT_LINE.sub("", message)
    return Problem(place, "", f"not valid TOML: {message}")


def _lines(text: str) -> dict[str, int]:
    """Find where each key stands. tomllib keeps no positions; a missing entry only costs the line."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _TABLE.match(line):
            table = header[1].strip("\"'")
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            name = key[1].strip("\"'")
            found.setdefault(f"{table}.{name}" if table else name, number)
    return found


def parse_value(text: str) -> object:
    """Return a TOML value written on a command line; what is not TOML is taken as a string."""
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value
