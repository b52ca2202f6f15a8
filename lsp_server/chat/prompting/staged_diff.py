"""What is staged for the next commit, as git says it, and which files that text is from.

Runs git so that nothing a repository brings along is run: no external diff, no text conversion, no file
system monitor, no hook. Must not know what the diff is for.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from lsp_server.chat.prompting.wording import head, size
from lsp_server.uris import file_path

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0  # git answers in milliseconds; a repository on a slow network drive takes seconds
_MOST_BYTES = 1 << 20  # read of a diff: far more than any budget, and nothing to be afraid of in memory
_ARGUMENTS = (
    *("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    *("-c", "safe.bareRepository=explicit", "-c", "diff.external=", "-c", "core.quotePath=true"),
    *("diff", "--cached", "--no-ext-diff"),
    *("--no-textconv", "--no-color", "--submodule=short", "--ignore-submodules=dirty", "--no-relative"),
    *("--find-renames", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3"),
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",  # no index is written, so no hook has a reason to run
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone fetches by a command of its configuration
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
}
_GITDIR = re.compile(r"^(.*?)[/\\]\.git\s*$", re.MULTILINE)
_WORKTREE = re.compile(r"^\s*worktree\s*=\s*(.+?)\s*$", re.MULTILINE)
_MOST_CONFIG_BYTES = 1 << 16
_FILE = re.compile(r"^diff --git ", re.MULTILINE)
_PATH = r'("(?:[^"\\]|\\.)*"|[^\t\r\n]*)'
_OLD_OR_NEW = re.compile(rf"^(?:---|\+\+\+) {_PATH}", re.MULTILINE)
_MOVED = re.compile(rf"^(?:rename|copy) (?:from|to) {_PATH}", re.MULTILINE)
_HUNK = re.compile(r"^@@ ", re.MULTILINE)
_TITLE = re.compile(r'diff --git (?:"?[a-z]/)?(.*?)"? "?(?:[a-z]/)?\1"?\s*$')
_LONGEST_TITLE = 10_000  # two paths of 4,096 bytes at most; looking for the same path twice costs the square
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_STATES = {
    "new file": "new (Add)",
    "deleted file": "deleted (Remove)",
    "rename": "renamed (Rename)",
    "copy": "copied (Copy)",
}
"""How lines of git's header of a file start, and what they say: to small models all is an addition."""
_SHORTEST = 200  # bytes of one file's part: less says nothing


def staged_diff(folder: Path) -> str:
    """Return the diff between the last commit and the index; empty if git has none, or is not there."""
    git = _git()
    if git is None:
        log.info("git is not there for the staged changes")
        return ""
    try:
        process = subprocess.Popen(
            (git, *_ARGUMENTS),
            cwd=folder,
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,  # ours may be the editor's
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        log.info("git cannot be run for the staged changes: %s", error)
        return ""
    timer = threading.Timer(_TIMEOUT_S, process.kill)
    timer.start()
    with process:
        assert process.stdout is not None
        try:
            data = process.stdout.read(_MOST_BYTES)
            if len(data) == _MOST_BYTES:
                process.kill()  # the rest is not wanted
        finally:
            timer.cancel()
    whole = len(data) == _MOST_BYTES or process.returncode == 0
    return data.decode("utf-8", "replace") if whole else ""


@cache
def _git() -> str | None:
    """Return where git is; never a program in the current folder, which may be anybody's repository."""
    folders = [folder for folder in os.get_exec_path() if Path(folder).is_absolute()]
    name = "git.exe" if os.name == "nt" else "git"
    return next((str(path) for folder in folders if os.access(path := Path(folder) / name, os.X_OK)), None)


def top_folder(uri: str, root: Path | None) -> Path | None:
    """Return the folder of the work tree that a document is in, or belongs to as a commit message."""
    path, start = file_path(uri), root
    if path is not None:
        folder = path.parent
        start = _work_tree(folder) if ".git" in folder.parts else root or folder
    if start is None:
        return None
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)


def _work_tree(git_folder: Path) -> Path | None:
    """Return what a folder of git's own is for: `.git`, or that of a work tree or a submodule in it."""
    if git_folder.name == ".git":
        return git_folder.parent
    for name, pattern in (("gitdir", _GITDIR), ("config", _WORKTREE)):
        try:
            text = (git_folder / name).read_bytes()[:_MOST_CONFIG_BYTES].decode("utf-8", "replace")
        except OSError:
            continue
        if (match := pattern.search(text)) is not None:
            return Path(os.path.normpath(git_folder / match[1]))
    return None


def shortened(diff: str, limit: int) -> str:
    """Return a diff of `limit` bytes at most: of each file as much as of every other, from its beginning."""
    parts = list(_parts(diff))
    if size(diff) <= limit or not parts:
        return diff if size(diff) <= limit else head(diff, limit)
    parts = parts[: max(1, limit // _SHORTEST)]
    room = {}
    left = limit
    for rank, index in enumerate(sorted(range(len(parts)), key=lambda index: size(parts[index]))):
        room[index] = min(size(parts[index]), left // (len(parts) - rank))
        left -= room[index]
    return "".join(_cut(part, room[index]) for index, part in enumerate(parts))


def file_states(diff: str) -> str:
    """Return a line for each file of a diff: whether it is new, deleted or changed, and the verb for that."""
    return "\n".join(f"- {' → '.join(files(part))}: {_state(part)}" for part in _parts(diff))


def _state(part: str) -> str:
    hunk = _HUNK.search(part)
    header = part[: hunk.start()] if hunk is not None else part
    return next(
        (state for line, state in _STATES.items() if f"\n{line}" in header),
        "not new, changed (Change or Update)",
    )


def _cut(part: str, limit: int) -> str:
    if size(part) <= limit:
        return part
    note = "[…]\n" if limit >= _SHORTEST else ""
    return head(part, limit - size(note)) + note


def _parts(diff: str) -> Iterator[str]:
    starts = [match.start() for match in _FILE.finditer(diff)]
    for start, end in pairwise([*starts, len(diff)]):
        yield diff[start:end]


def files(diff: str) -> list[str]:
    """Return the paths of all files that a diff is about, from the top of the work tree.

    Rather one too many than one too few: prefixes other than `a/` and `b/` are a matter of configuration.
    """
    found: dict[str, None] = {}
    for part in _parts(diff):
        hunk = _HUNK.search(part)
        header = part[: hunk.start()] if hunk is not None else part
        prefixed = [_unquoted(name) for name in _OLD_OR_NEW.findall(header)]
        names = [form for name in prefixed if name != "/dev/null" for form in _forms(name)]
        names += [_unquoted(name) for name in _MOVED.findall(header)]
        if not names and (title := _TITLE.match(header.partition("\n")[0][:_LONGEST_TITLE])) is not None:
            names = [_unquoted(f'"{title[1]}"')]
        found.update(dict.fromkeys(name for name in names if name))
    return list(found)


def _forms(name: str) -> Sequence[str]:
    prefix, slash, rest = name.partition("/")
    if not slash or prefix not in ("a", "b", "i", "w", "c", "o"):
        return [name]
    return [rest] if prefix in ("a", "b") else [rest, name]


def _unquoted(name: str) -> str:
    """Return a path as it is; git puts those with unusual characters in quotes, as C does."""
    if not (len(name) >= 2 and name[0] == name[-1] == '"'):
        return name
    return _ESCAPE.sub(_character, name[1:-1].encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _character(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if code.isdigit() and len(code) == 3 else _ESCAPED.get(code, code)


def uris(diff: str, folder: Path) -> list[str]:
    """Return the uris of the files of a diff; `folder` is the top of their work tree."""
    return [(folder / path).as_uri() for path in files(diff)]
