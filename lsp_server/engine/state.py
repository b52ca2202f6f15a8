"""What engines leave on disk so that front ends find them: state, locks, failures, logs.

Light on purpose: the front end reads it through `launcher`. Must not know what a model is made of,
nor how the engine is spoken to.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from lsp_server import __version__, own_folders
from lsp_server.own_folders import STATE

log = logging.getLogger(__name__)

PROTOCOL = 1
"""Raised when front ends and engines of different versions could not talk: each then has its own engine."""

STATE_VARIABLE = STATE.variable
"""Environment variable that moves state and logs to another directory."""

_T = TypeVar("_T")

FIRST_BACKOFF_S = 30.0
"""How long a failed start is answered from memory: long enough that typing does not start engines."""

LONGEST_BACKOFF_S = 600.0
"""Longest such pause: what is wrong is mostly memory, which comes back as programs are closed."""


class EngineState(msgspec.Struct, frozen=True):
    """Where a running engine is and how to be let in."""

    pid: int
    port: int
    token: str
    model: str
    protocol: int = PROTOCOL
    version: str = __version__

    @property
    def base_url(self) -> str:
        """Return the address of the engine's HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    def __repr__(self) -> str:
        return (
            f"EngineState(pid={self.pid}, port={self.port}, model={self.model!r})"  # a token is never printed
        )


class Failure(msgspec.Struct, frozen=True):
    """A start that failed, and which file it failed with."""

    reason: str
    size: int
    mtime_ns: int
    count: int
    at: float
    """Seconds since the epoch: read by other processes, which share no other clock."""

    @property
    def retry_in_s(self) -> float:
        """Return how long the failure is to be believed without another try."""
        pause = min(FIRST_BACKOFF_S * 2.0 ** min(self.count - 1, 10), LONGEST_BACKOFF_S)
        return max(0.0, min(pause, self.at + pause - time.time()))


def state_root() -> Path:
    """Return the directory of everything this module writes, except logs."""
    return STATE.given() or own_folders.state()


def log_directory() -> Path:
    """Return the directory of the engines' logs."""
    given = STATE.given()
    return given / "log" if given else own_folders.logs()


def variables() -> dict[str, str]:
    """Return what leads a process in another folder to the same directories."""
    given = STATE.given()
    return {STATE_VARIABLE: str(given)} if given else {}


@dataclass(frozen=True)
class EngineFiles:
    """The files of the engine for one model; `key` is the model's identity."""

    model: Path
    directory: Path
    key: str

    @classmethod
    def of(cls, model: Path) -> EngineFiles:
        """Return the files for `model`; nothing is made."""
        real = Path(os.path.realpath(model))
        identity = f"{os.path.normcase(real)}\0{PROTOCOL}"
        key = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return cls(real, _directory(), key)

    def prepare(self) -> None:
        """Make the private directory; raises ConfigurationError if no file can be written there."""
        with own_folders.writing(STATE, self.directory):
            own_folders.make(self.directory)
        if (reason := own_folders.why_not(STATE, self.directory)) is not None:
            raise reason

    @property
    def state(self) -> Path:
        """Return the path of the state file."""
        return self.directory / f"{self.key}.json"

    @property
    def launch_lock(self) -> Path:
        """Return the lock a front end holds while it starts the engine."""
        return self.directory / f"{self.key}.launch.lock"

    @property
    def owner_lock(self) -> Path:
        """Return the lock the engine holds as long as it lives; free means there is none."""
        return self.directory / f"{self.key}.owner.lock"

    @property
    def failure(self) -> Path:
        """Return the path of the record of the last failed start."""
        return self.directory / f"{self.key}.failed.json"

    @property
    def log(self) -> Path:
        """Return the path of the engine's log."""
        return log_directory() / f"engine-{self.key}.log"

    @property
    def stderr(self) -> Path:
        """Return the path of what llama.cpp prints, last words before an abort included."""
        return log_directory() / f"engine-{self.key}.stderr"

    def read_state(self) -> EngineState | None:
        """Return what the engine of this model wrote, or None if there is nothing usable."""
        state = read_state(self.state)
        same = state is not None and os.path.normcase(state.model) == os.path.normcase(self.model)
        return state if same else None

    def write_state(self, state: EngineState) -> None:
        """Publish a running engine; raises ConfigurationError if that cannot be written."""
        with own_folders.writing(STATE, self.directory):
            _write(self.state, msgspec.json.encode(state))

    def remove_state(self, token: str | None = None) -> None:
        """Remove the state file; with `token`, only if it is that engine's."""
        state = self.read_state()
        if token is None or state is None or secrets.compare_digest(state.token, token):
            _remove(self.state)

    def remember_failure(self, reason: str) -> None:
        """Record that the engine could not start with the file as it is now."""
        size, mtime_ns = _stamp(self.model)
        known = _decode(self.failure, Failure)
        same = known is not None and (known.size, known.mtime_ns) == (size, mtime_ns)
        count = known.count + 1 if known is not None and same else 1
        failure = Failure(reason, size, mtime_ns, count, time.time())
        try:
            _write(self.failure, msgspec.json.encode(failure))
        except OSError as error:
            log.warning("%s cannot be written: %s", self.failure, error.strerror)

    def remembered_failure(self) -> Failure | None:
        """Return the last failure while it is to be believed: same file, pause not over."""
        known = _decode(self.failure, Failure)
        if known is None or (known.size, known.mtime_ns) != _stamp(self.model) or known.retry_in_s <= 0:
            return None
        return known

    def forget_failure(self) -> None:
        """Forget failures: the engine has started."""
        _remove(self.failure)


def read_state(path: Path) -> EngineState | None:
    """Return the engine described by the state file at `path`, or None."""
    state = _decode(path, EngineState)
    return state if state is not None and state.protocol == PROTOCOL else None


def running_states() -> list[EngineState]:
    """Return every engine of this user that has left a state file, alive or not.

    Raises ConfigurationError for a directory that cannot be read.
    """
    directory = _directory()
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise own_folders.failure(error, STATE, directory) from error
    found = map(read_state, paths)
    return [state for state in found if state is not None]


def _directory() -> Path:
    return state_root() / "engines"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # whoever reads it asks the engine, and finds that there is none
        log.warning("%s cannot be removed: %s", path, error.strerror)


def _stamp(model: Path) -> tuple[int, int]:
    try:
        status = model.stat()
    except OSError:
        return (0, 0)
    return status.st_size, status.st_mtime_ns


def _decode(path: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _write(path: Path, data: bytes) -> None:
    # mkstemp makes the file with mode 0600; the rename makes it appear whole or not at all.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
