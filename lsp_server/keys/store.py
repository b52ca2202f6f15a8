"""Stored keys: in the keyring of the operating system, else in a file that only its owner can read."""

from __future__ import annotations

import logging
from functools import cache

from lsp_server.errors import ConfigurationError
from lsp_server.keys.check import checked
from lsp_server.keys.key import Key
from lsp_server.keys.keys_file import KeysFile, default_path
from lsp_server.keys.system_keyring import KeyringUnusable, SystemKeyring

log = logging.getLogger(__name__)


class Store:
    """The keyring and the file as one; methods block."""

    def __init__(self, keyring: SystemKeyring, file: KeysFile) -> None:
        self._keyring = keyring
        self._file = file
        self._told = False

    def get(self, name: str) -> Key | None:
        """Return the key NAME: the keyring's, else the file's."""
        try:
            found = self._keyring.get(name)
        except KeyringUnusable as unusable:
            self._tell(unusable)
            found = None
        if found is not None:
            password, keyring = found
            return checked(password, f"the keyring ({keyring})")
        value = self._file.get(name)
        return None if value is None else checked(value, str(self._file.path))

    def set(self, name: str, value: str, *, in_file: bool = False) -> str:
        """Store a key and return in words where it is now; one that is nowhere else is used from then on."""
        key = checked(value, "what was given")
        if key is None:
            raise ConfigurationError("There is no key in what was given; nothing was stored.")
        if not in_file:
            try:
                keyring = self._keyring.set(name, key.reveal())
            except KeyringUnusable as unusable:
                log.info("%s; using the file", unusable)
            else:
                self._file.remove(name)  # an old one would come back the day the keyring is away
                return f"the keyring ({keyring})"
        self._file.set(name, key.reveal())
        if in_file:
            self._remove_from_keyring(name)  # it would win
        return str(self._file.path)

    def remove(self, name: str) -> list[str]:
        """Delete a key wherever it is stored and return those places in words."""
        keyring = self._remove_from_keyring(name)
        places = [f"the keyring ({keyring})"] if keyring else []
        return [*places, str(self._file.path)] if self._file.remove(name) else places

    def names_in_file(self) -> tuple[str, ...]:
        """Return the names in the file; a keyring cannot be asked for names."""
        return self._file.names()

    def _remove_from_keyring(self, name: str) -> str | None:
        try:
            return self._keyring.remove(name)
        except KeyringUnusable as unusable:
            self._tell(unusable)
            return None

    def _tell(self, unusable: KeyringUnusable) -> None:
        """Warn once; that a machine without a desktop has no keyring is nothing to warn of."""
        quiet = self._told or unusable.is_normal
        self._told = self._told or not quiet
        level = logging.DEBUG if quiet else logging.WARNING
        log.log(level, "API keys: %s; looking for them in %s", unusable, self._file.path)


@cache
def stored_keys() -> Store:
    """Return the store of this process: a keyring that hangs is to be waited for once, whoever asks."""
    return Store(SystemKeyring(), KeysFile(default_path()))
