"""Keys in a file that only its owner can read: where there is no keyring, or somebody wants none."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import msgspec

from lsp_server import own_folders
from lsp_server.errors import ConfigurationError
from lsp_server.own_folders import KEYS

log = logging.getLogger(__name__)

FILE_VARIABLE = KEYS.variable
"""Environment variable that names another file for keys."""


def default_path() -> Path:
    """Return where keys are kept, whether the file exists or not."""
    return KEYS.given() or own_folders.data() / "keys.json"


class KeysFile:
    """A JSON object, name to key. Methods block; ConfigurationError says that the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._warned = False

    def get(self, name: str) -> str | None:
        """Return what is stored as NAME."""
        return self._read().get(name)

    def names(self) -> tuple[str, ...]:
        """Return the names that have a key here."""
        return tuple(self._read())

    def set(self, name: str, value: str) -> None:
        """Store a key."""
        with own_folders.alone(KEYS, self.path):
            self._write({**self._read(), name: value})

    def remove(self, name: str) -> bool:
        """Delete a key and say whether it was there."""
        if self.get(name) is None:
            return False
        with own_folders.alone(KEYS, self.path):
            self._write({known: value for known, value in self._read().items() if known != name})
        return True

    def _read(self) -> dict[str, str]:
        try:
            with self.path.open("rb") as file:
                self._check_mode(os.fstat(file.fileno()).st_mode)
                text = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be read: {error.strerror}.") from error
        try:
            return msgspec.json.decode(text, type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError):
            problem = f"{self.path} is not a JSON object of names and keys; mend it or delete it."
        raise ConfigurationError(problem)

    def _check_mode(self, mode: int) -> None:
        # Windows has no such bits; there the user's own folder keeps others out.
        if os.name == "posix" and mode & 0o077 and not self._warned:
            self._warned = True
            log.warning("Others can read your API keys: run `chmod 600 %s`", self.path)

    def _write(self, keys: dict[str, str]) -> None:
        target = self.path.resolve()  # a link stays a link
        text = msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n"
        # mkstemp makes files of mode 0600, and a file that takes the place of another brings its mode along.
        handle, temporary = tempfile.mkstemp(prefix=".keys-", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
