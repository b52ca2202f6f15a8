"""The configuration files and folders: where they are, and the files' text as layers of options.

Knows TOML and paths; what the keys mean is for `options`, which workspaces may set what for `trust`.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lsp_server import own_folders, prompt_files, trust
from lsp_server.options import Layer, Problem
from lsp_server.options_reference import written
from lsp_server.settings import WORKSPACE_SECTIONS, Settings, workspace_file, workspace_prompts_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG_VARIABLE = "CODESTRAL_LSP_CONFIG"
"""Environment variable that names another configuration file."""

_HEADER = re.compile(r"\s*(\[[^\[].*?\])\s*(?:#.*)?$")
_PART = r"(?:[\w\-]+|\"[^\"]*\"|'[^']*')"
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")

LONGEST_BYTES = 1 << 15
"""Of a workspace's file: one that sets every option has 5 kB, and this one may be anybody's."""
MOST_DOTS = 200
"""In a line of it: tomllib needs time in the square of a key's parts, seconds for some thousands."""
DEEPEST = 3
"""Parts of the longest key there is; where longer ones stand is not kept."""

_CLOSED: dict[str, object] = {"privacy": {"excluded": ["*"]}}
"""What counts in place of a user's file that cannot be read: no text leaves this machine, since nobody can
tell what was to be kept back."""


def user_file() -> Path:
    """Return the user's configuration file, whether it exists or not."""
    if chosen := os.environ.get(CONFIG_VARIABLE):
        return own_folders.expanded(chosen)
    return own_folders.config() / "config.toml"


def layers(root: Path | None) -> list[Layer]:
    """Read the user's file and, if a workspace is open, the workspace's."""
    found = [_user_layer()]
    if root is not None:
        found.append(workspace_layer(root))
    return found


def _user_layer() -> Layer:
    path = user_file()
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if not os.environ.get(CONFIG_VARIABLE):
            return Layer(str(path))
        return _broken(path, f"there is no such file, although {CONFIG_VARIABLE} names it")
    except OSError as error:
        return _broken(path, f"cannot be read: {error.strerror}", _CLOSED)
    return parsed(path, text, instead=_CLOSED)


def workspace_layer(root: Path) -> Layer:
    """Read the workspace's file; its text as it is now decides whether it is trusted."""
    path = workspace_file(root)
    content: bytes | None = None
    try:
        content = workspace_content(path)
    except FileNotFoundError:
        layer = Layer(str(path), sections=WORKSPACE_SECTIONS)
    except OSError as error:
        layer = _broken(path, f"cannot be read: {error.strerror}")
    else:
        layer = parsed(path, content, None if trust.is_trusted(root, content) else WORKSPACE_SECTIONS)
    return replace(layer, problems=(*layer.problems, *_untrusted_prompts(root, content)))


def prompt_folders(settings: Settings, root: Path | None) -> tuple[Path, ...]:
    """Return where the user's prompt files are and, if it is trusted now, the workspace's.

    To be asked anew each time the files are read: trust ends with the first change of any of them.
    """
    given = settings.chat.prompts_folder
    # Joined to an absolute path, that one stays. Path.expanduser raises RuntimeError for an unknown user.
    folders = [user_file().parent / (os.path.expanduser(given) if given else "prompts")]  # noqa: PTH111
    if root is not None and trust.is_trusted(root):
        folders.append(workspace_prompts_folder(root))
    return tuple(folders)


def _untrusted_prompts(root: Path, content: bytes | None) -> Iterator[Problem]:
    """Say that a workspace has prompt files that are not used."""
    folder = workspace_prompts_folder(root)
    names = prompt_files.names(folder)
    if not names or trust.is_trusted(root, content):
        return
    files = "its prompt file is" if len(names) == 1 else f"its {len(names)} prompt files are"
    message = (
        f"{files} not used, for you have not trusted this workspace as it is now: "
        "run `lsp_server trust` in that folder"
    )
    yield Problem(str(folder), "", message)


def workspace_content(path: Path) -> bytes:
    """Return the bytes of a workspace's file; raises OSError, too, for what would take without end.

    A cloned repository can have a link to a device there, or a text made to be slow to read.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is no plain file")
    with path.open("rb") as file:
        content = file.read(LONGEST_BYTES + 1)
    if len(content) > LONGEST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {LONGEST_BYTES} bytes")
    if any(line.count(b".") > MOST_DOTS for line in content.splitlines()):
        raise OSError(errno.EFBIG, f"it has a line with more than {MOST_DOTS} dots")
    return content


def parsed(
    path: Path,
    content: bytes,
    sections: frozenset[str] | None = None,
    instead: dict[str, object] | None = None,
) -> Layer:
    """Return what a file with this content says, or `instead` if that cannot be told."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return Layer(str(path), tomllib.loads(text), sections, _lines(text))
    except UnicodeDecodeError as error:
        return _broken(path, f"cannot be read: {error.reason} at byte {error.start}", instead)
    except (ValueError, RecursionError) as error:  # besides TOMLDecodeError: numbers and nesting without end
        at = _AT_LINE.search(str(error))
        place = f"{path}:{at[1]}" if at else str(path)
        return _broken(place, f"not valid TOML: {_AT_LINE.sub('', str(error))}", instead)


def _broken(place: Path | str, message: str, instead: dict[str, object] | None = None) -> Layer:
    if instead:
        message = f"{message}; until it can be read, no text leaves this machine"
    file = str(place)
    return Layer(file, instead or {}, problems=(Problem(file, "", message),))


def _lines(text: str) -> dict[str, int]:
    """Find where each key stands. tomllib keeps no positions; a missing entry only costs the line."""
    found: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        parts: tuple[str, ...] = ()
        if header := _HEADER.match(line):
            parts = table = _parts(header[1])
        elif key := _KEY.match(line):
            parts = (*table, *_parts(f"{key[1]} = 0"))
        for length in range(1, min(len(parts), DEEPEST) + 1):
            found.setdefault(written(parts[:length]), number)
    return found


def _parts(line: str) -> tuple[str, ...]:
    """Return the parts of the key in a line of TOML that has one key and nothing else."""
    try:
        inner: object = tomllib.loads(line)
    except ValueError:
        return ()
    parts = []
    while isinstance(inner, dict) and inner:
        ((part, inner),) = inner.items()
        parts.append(part)
    return tuple(parts)


def parse_value(text: str) -> object:
    """Return a TOML value written on a command line; what is not TOML is taken as a string."""
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
    return value
