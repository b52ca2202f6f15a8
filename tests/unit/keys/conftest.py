"""Keys in places of the test's own: no real keyring is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from lsp_server.keys.store import stored_keys
from tests.support import keyrings

UseKeyring = Callable[[KeyringBackend], None]


@pytest.fixture(autouse=True)
def keys_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the path of the keys file, which is not there yet."""
    path = tmp_path / "data" / "keys.json"
    monkeypatch.setenv("CODESTRAL_LSP_KEYS", str(path))
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
    monkeypatch.setenv(keyrings.FILE_VARIABLE, str(tmp_path / "keyring.json"))
    stored_keys.cache_clear()
    yield path
    stored_keys.cache_clear()


@pytest.fixture(autouse=True)
def use_keyring() -> Iterator[UseKeyring]:
    """Return a way to have another keyring than none."""
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    yield keyring.set_keyring
    keyring.set_keyring(before)
