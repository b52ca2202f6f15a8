"""Our own folders: where each is, which variable moves it, and what is said when one cannot be used.

Owns that one sentence names the folder and says what to do, wherever the failure is met, and that an account
without a home writes to no folder called `~` and reads none.
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from lsp_server.errors import ConfigurationError

log = logging.getLogger(__name__)

APP = "codestral-lsp"
LOCK_WAIT_S = 10.0
"""For a lock that is held while a small file is written; some file systems never give one."""

_NO_HOME = Path(os.devnull, "no-home")
"""Stands for every folder of an account without a home: nothing can be there."""
_TRIAL = b"\0" * 4096
"""A full disk takes a file, but no block of one."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Kind:
    """What a folder holds, and the environment variable that names another place for it, if there is one."""

    holds: str
    variable: str = ""

    def given(self) -> Path | None:
        """Return the place that the variable names."""
        given = os.environ.get(self.variable) if self.variable else None
        return expanded(given) if given else None


STATE = Kind("state and logs", "CODESTRAL_LSP_STATE")
MODELS = Kind("models", "CODESTRAL_LSP_MODELS")
KEYS = Kind("API keys", "CODESTRAL_LSP_KEYS")
TRUST = Kind("trusted workspaces", "CODESTRAL_LSP_TRUST")
CHATS = Kind("chats", "CODESTRAL_LSP_CHATS")
ANSWERS = Kind("answers")


def expanded(path: str) -> Path:
    """Return an absolute path; a `~` that leads nowhere stays one."""
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111  # Path.expanduser raises RuntimeError


def home() -> Path:
    """Return the user's home folder, or a place where nothing is."""
    try:
        return Path.home()
    except RuntimeError:
        return _NO_HOME


def config() -> Path:
    """Return the folder of configuration files."""
    return _of_user(platformdirs.user_config_path)


def state() -> Path:
    """Return the folder of what programs remember."""
    return _of_user(platformdirs.user_state_path)


def logs() -> Path:
    """Return the folder of logs."""
    return _of_user(platformdirs.user_log_path)


def data() -> Path:
    """Return the folder of what must not be lost."""
    return _of_user(platformdirs.user_data_path)


def cache() -> Path:
    """Return the folder of what may be lost."""
    return _of_user(platformdirs.user_cache_path)


def _of_user(folder: Callable[..., Path]) -> Path:
    try:
        path = folder(APP, appauthor=False)
    except RuntimeError:  # newer versions of platformdirs
        return _NO_HOME
    return _NO_HOME if path.parts[:1] == ("~",) else path


@contextmanager
def writing(kind: Kind, path: Path) -> Generator[None, None, None]:
    """Turn an OSError about a file or folder of ours into ConfigurationError, one sentence for the user.

    A TimeoutError stays one: a lock is held, and nothing is wrong with the folder.
    """
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        log.debug("%s cannot be written", path, exc_info=error)
        raise failure(error, kind, path) from error


def failure(error: OSError, kind: Kind, path: Path) -> ConfigurationError:
    """Return what to tell the user of a file or folder at `path` that cannot be written."""
    other = f"choose another place for {kind.holds} with {kind.variable}" if kind.variable else ""
    if path.is_relative_to(_NO_HOME):
        remedy = " or ".join(filter(None, ("set HOME", other)))
        return ConfigurationError(f"This account has no home folder for {kind.holds}: {remedy}.")
    if error.errno in _FULL:
        remedy = ", or ".join(filter(None, ("make room there", other)))
        return ConfigurationError(f"The disk of {path} is full: {remedy}.")
    reason = error.strerror or str(error)
    what, do = f"{path} cannot be written ({reason})", "correct its permissions"
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        do = "move away what is in its place"
    return ConfigurationError(f"{what}: {', or '.join(filter(None, (do, other)))}.")


@contextmanager
def alone(kind: Kind, file: Path) -> Generator[None, None, None]:
    """Hold the lock of a file of ours while it is changed; raises ConfigurationError as `writing` does."""
    import filelock  # most starts only read

    try:
        with writing(kind, file):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with filelock.FileLock(f"{file}.lock", timeout=LOCK_WAIT_S):
                yield
    except filelock.Timeout as error:
        raise ConfigurationError(
            f"{file} cannot be written, since no lock for it was to be had within {LOCK_WAIT_S:.0f} s: "
            "another process holds it, or the file system has none."
        ) from error


def make(path: Path) -> None:
    """Make a folder for this user alone; raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o700)


def nearest(path: Path) -> Path:
    """Return `path`, or what is there of the folders above it."""
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path


def why_not(kind: Kind, path: Path) -> ConfigurationError | None:
    """Return why no file can be written in a folder that may not exist yet, if so; leaves nothing there."""
    try:
        with tempfile.TemporaryFile(dir=nearest(path)) as file:
            file.write(_TRIAL)
            file.flush()
    except OSError as error:
        return failure(error, kind, path)
    return None
