"""Keyring and file as one store."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path

import pytest
from keyring.backends.null import Keyring as NullKeyring

from lsp_server.errors import ConfigurationError
from lsp_server.keys.keys_file import KeysFile
from lsp_server.keys.store import Store, stored_keys
from lsp_server.keys.system_keyring import SystemKeyring
from tests.support.keyrings import FileKeyring, LockedKeyring, WaitingKeyring
from tests.unit.keys.conftest import UseKeyring

SECRET = "sk-planted-0123456789"
posix_only = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def _revealed(store: Store, name: str) -> str | None:
    key = store.get(name)
    return key.reveal() if key else None


def test_in_the_keyring_where_there_is_one(use_keyring: UseKeyring, keys_path: Path, tmp_path: Path) -> None:
    use_keyring(FileKeyring())
    store = stored_keys()
    assert store.get("mistral") is None
    assert store.set("mistral", f" {SECRET}\n") == "the keyring (keyrings FileKeyring)"
    assert json.loads((tmp_path / "keyring.json").read_text()) == {"codestral-lsp/mistral": SECRET}
    assert not keys_path.exists()
    key = store.get("mistral")
    assert key is not None and (key.reveal(), key.place) == (SECRET, "the keyring (keyrings FileKeyring)")
    assert store.remove("mistral") == ["the keyring (keyrings FileKeyring)"]
    assert store.get("mistral") is None
    assert store.remove("mistral") == []


@pytest.mark.parametrize("keyring", [None, NullKeyring, LockedKeyring])
def test_in_the_file_where_no_keyring_works(
    use_keyring: UseKeyring,
    keyring: type[NullKeyring | LockedKeyring] | None,
    keys_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    if keyring is not None:
        use_keyring(keyring())
    store = stored_keys()
    assert store.set("mistral", SECRET) == str(keys_path)
    assert store.set("other", "sk-2") == str(keys_path)
    assert (_revealed(store, "mistral"), _revealed(store, "other")) == (SECRET, "sk-2")
    assert store.names_in_file() == ("mistral", "other")
    assert store.remove("mistral") == [str(keys_path)]
    assert _revealed(store, "mistral") is None
    assert SECRET not in caplog.text


def test_a_keyring_that_does_not_answer_is_waited_for_once(
    use_keyring: UseKeyring, keys_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keyring = WaitingKeyring()
    use_keyring(keyring)
    store = Store(SystemKeyring(look_up_s=0.2), KeysFile(keys_path))
    KeysFile(keys_path).set("mistral", SECRET)
    assert [_revealed(store, "mistral") for _ in range(3)] == [SECRET] * 3
    assert keyring.questions == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "has not answered within 0.2 s" in caplog.text
    FileKeyring().set_password("codestral-lsp", "mistral", "unlocked")
    keyring.unlocked.set()
    for thread in threading.enumerate():
        if thread.name == "keyring":
            thread.join()
    assert _revealed(store, "mistral") == "unlocked"


def test_the_last_place_chosen_is_the_one_that_counts(use_keyring: UseKeyring, keys_path: Path) -> None:
    use_keyring(FileKeyring())
    store = stored_keys()
    store.set("mistral", "sk-1")
    assert store.set("mistral", "sk-2", in_file=True) == str(keys_path)
    assert _revealed(store, "mistral") == "sk-2"
    store.set("mistral", "sk-3")
    assert _revealed(store, "mistral") == "sk-3"
    assert store.names_in_file() == ()


@pytest.mark.parametrize("value", ["", " \n", f"{SECRET}\nsecond line", f"{SECRET}…"])
def test_what_is_no_key_is_not_stored(value: str, keys_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        stored_keys().set("mistral", value)
    assert SECRET not in str(raised.value)
    assert not keys_path.exists()


@posix_only
def test_nobody_else_can_read_the_file_at_any_time(keys_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen at the moment the first byte is written, under the most generous umask there is."""
    modes = []
    fsync = os.fsync

    def look(handle: int) -> None:
        modes.append(os.fstat(handle).st_mode & 0o777)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", look)
    umask = os.umask(0)
    try:
        stored_keys().set("mistral", SECRET)
    finally:
        os.umask(umask)
    assert modes == [0o600]
    assert keys_path.stat().st_mode & 0o777 == 0o600
    assert keys_path.parent.stat().st_mode & 0o777 == 0o700


@posix_only
def test_a_file_that_others_can_read_is_warned_of_once(
    keys_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = stored_keys()
    store.set("mistral", SECRET)
    keys_path.chmod(0o644)
    assert [_revealed(store, "mistral") for _ in range(3)] == [SECRET] * 3
    assert [record.getMessage() for record in caplog.records] == [
        f"Others can read your API keys: run `chmod 600 {keys_path}`"
    ]


@posix_only
def test_a_link_to_the_file_stays_one(keys_path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    real.chmod(0o600)
    keys_path.parent.mkdir()
    keys_path.symlink_to(real)
    stored_keys().set("mistral", SECRET)
    assert keys_path.is_symlink()
    assert json.loads(real.read_text()) == {"mistral": SECRET}


def test_a_write_that_fails_leaves_the_file_as_it_was(
    keys_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_keys().set("mistral", SECRET)

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        stored_keys().set("mistral", "sk-2")
    assert _revealed(stored_keys(), "mistral") == SECRET
    assert {path.name for path in keys_path.parent.iterdir()} <= {"keys.json", "keys.json.lock"}


@pytest.mark.parametrize("text", ["{", '["a"]', f'{{"mistral": ["{SECRET}"]}}', "\xff"])
def test_a_file_that_is_not_ours_to_overwrite(keys_path: Path, text: str) -> None:
    keys_path.parent.mkdir()
    keys_path.write_text(text, encoding="latin-1")
    keys_path.chmod(0o600)
    for use in (lambda: stored_keys().get("mistral"), lambda: stored_keys().set("mistral", "sk-2")):
        with pytest.raises(ConfigurationError, match="is not a JSON object of names and keys") as raised:
            use()
        assert SECRET not in str(raised.value)
    assert keys_path.read_text(encoding="latin-1") == text


def test_many_at_once_lose_nothing(keys_path: Path) -> None:
    threads = [
        threading.Thread(target=KeysFile(keys_path).set, args=(f"name{number}", SECRET))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(KeysFile(keys_path).names()) == 8


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"keys\.json cannot be"):
        KeysFile(tmp_path / "keys.json").set("mistral", "a-key")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        KeysFile(tmp_path / "file" / "keys.json").set("mistral", "a-key")
