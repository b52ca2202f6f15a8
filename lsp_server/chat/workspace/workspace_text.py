"""Text of the workspace's files, for attachments and tools. Owns that nothing outside of it is read.

Paths come from models and from text that anybody may have written.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lsp_server.errors import UserFacingError

LONGEST_BYTES = 1 << 20
"""Of a file that is read; larger ones are data or bundles, and syntax trees end there, too."""

OpenText = Callable[[str], str | None]
"""Returns the text of a document, by its uri, if the editor has it open."""

_DRIVE = re.compile(r"[A-Za-z]:")
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST_SHOWN = 120


class Unreadable(UserFacingError):
    """A file of the workspace cannot be read, or a path is of none."""


@dataclass(frozen=True)
class Place:
    """A path inside of the workspace."""

    name: str
    """Relative to the workspace, with slashes."""
    uri: str
    """As it was spelled: a link keeps its own name, so that rules for names apply to it, too."""
    path: Path
    """What it leads to, inside of the workspace as well."""


def place(root: Path, path: str) -> Place:
    """Return where `path` is, which is relative to `root` or absolute; raises `Unreadable` outside of it."""
    if not path.strip() or _NOT_PRINTED.search(path):
        raise Unreadable(f"{shown(path) or 'an empty text'} is not a path.")
    # Looked at before the file system is: on Windows, asking for a share of another machine logs in there.
    elsewhere = path.startswith(("//", "\\\\")) or bool(_DRIVE.match(path) and os.name != "nt")
    spelled = Path(os.path.normpath(root / path))
    try:
        real_root = root.resolve()
        home = next((base for base in (root.absolute(), real_root) if spelled.is_relative_to(base)), None)
        real = None if elsewhere or home is None else spelled.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        raise Unreadable(f"{shown(path)} cannot be read.") from error
    if home is None or real is None or not real.is_relative_to(real_root):
        raise Unreadable(f"{shown(path)} is outside of the workspace.")
    name = spelled.relative_to(home).as_posix()
    if os.name == "nt" and ":" in name:  # a stream of a file
        raise Unreadable(f"{shown(path)} is not a path.")
    return Place(name, spelled.as_uri(), real)


def text_of(where: Place, open_text: OpenText) -> str:
    """Return the text as the editor has it, else as it is on the disk; raises `Unreadable`."""
    for uri in dict.fromkeys((where.uri, where.path.as_uri())):
        text = open_text(uri)
        if text is not None:
            if len(text) > LONGEST_BYTES:
                raise _too_long(where.name)
            return text
    return _decoded(where)


def _decoded(where: Place) -> str:
    data = content(where.path, where.name)
    name = shown(where.name)
    if b"\0" in data:
        raise Unreadable(f"{name} is not text.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not UTF-8 text.") from error


def content(path: Path, called: str) -> bytes:
    """Return what is in a file, whose links have been followed; raises `Unreadable` for what is none."""
    name = shown(called)
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    # Neither a link that was put there just now nor a pipe that nobody writes to.
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise Unreadable(f"{name} is a folder." if stat.S_ISDIR(mode) else f"{name} is not a file.")
            data = file.read(LONGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise Unreadable(f"There is no file {name}.") from error
    except IsADirectoryError as error:
        raise Unreadable(f"{name} is a folder.") from error
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise Unreadable(f"{name} cannot be read: {reason}.") from error
    if len(data) > LONGEST_BYTES:
        raise _too_long(name)
    return data


def _too_long(name: str) -> Unreadable:
    return Unreadable(f"{name} has more than {LONGEST_BYTES >> 20} MiB.")


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """Return a text of unknown origin as one short line for sentences; no control characters."""
    line = _NOT_PRINTED.sub("\ufffd", text)
    return line if len(line) <= longest else f"{line[:longest]}…"
