"""Keyrings for tests, through keyring's own way of adding one: `PYTHON_KEYRING_BACKEND` names a class."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

FILE_VARIABLE = "TEST_KEYRING_FILE"


class FileKeyring(KeyringBackend):
    """Keeps passwords in the JSON file that `TEST_KEYRING_FILE` names."""

    # Below what keyring chooses by itself, so that no other test gets it; ours takes whatever is above 0.
    priority = 0.5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._read(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        passwords = self._read()
        del passwords[f"{service}/{username}"]
        self._write(passwords)

    def _path(self) -> Path:
        return Path(os.environ[FILE_VARIABLE])

    def _read(self) -> dict[str, str]:
        path = self._path()
        passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return passwords

    def _write(self, passwords: dict[str, str]) -> None:
        self._path().write_text(json.dumps(passwords))


class LockedKeyring(FileKeyring):
    """Refuses, quoting more than it should."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"locked: {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"locked: {username}={password}")


class WaitingKeyring(FileKeyring):
    """Waits, as a locked wallet does for somebody at the screen."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()
        self.questions = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.questions += 1
        self.unlocked.wait()
        return super().get_password(service, username)
