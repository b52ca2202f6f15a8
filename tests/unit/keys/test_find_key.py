"""Where a key is looked for, in which order, and that nothing but `reveal` shows it."""

from __future__ import annotations

import json
import logging
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from lsp_server.errors import ConfigurationError
from lsp_server.keys import program
from lsp_server.keys.find import find
from lsp_server.keys.key import Key
from lsp_server.keys.store import stored_keys

SECRET = "sk-planted-0123456789"
VARIABLE = "TEST_FIND_API_KEY"


def _prints(text: str, status: int = 0) -> tuple[str, ...]:
    code = f"import sys; sys.stdout.write({text!r}); sys.stderr.write('for {SECRET}'); sys.exit({status})"
    return sys.executable, "-c", code


def _store_for_llm(name: str, value: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "keys.json").write_text(json.dumps({"// Note": "Do not share!", name: value}))


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = _prints("from-command\n")
    places = []
    assert find("mistral", variable=VARIABLE) is None
    _store_for_llm("mistral", "from-llm", tmp_path / "llm")
    places.append(find("mistral", variable=VARIABLE))
    stored_keys().set("mistral", "from-file")
    places.append(find("mistral", variable=VARIABLE))
    monkeypatch.setenv(VARIABLE, " from-variable\r\n")
    places.append(find("mistral", variable=VARIABLE))
    places.append(find("mistral", variable=VARIABLE, command=command))
    assert [key and (key.reveal(), key.place) for key in places] == [
        ("from-llm", "llm's keys"),
        ("from-file", str(tmp_path / "data" / "keys.json")),
        ("from-variable", f"the environment variable {VARIABLE}"),
        ("from-command", f"the program {sys.executable}"),
    ]


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, " ")
    assert find("mistral", variable=VARIABLE) is None


def test_what_llm_itself_stores(tmp_path: Path) -> None:
    for theirs in ("mistral", "anyscale-endpoints"):
        command = [sys.executable, "-m", "llm", "keys", "set", theirs, "--value", f"{SECRET}-{theirs}"]
        subprocess.run(command, check=True, timeout=60)
    for ours, theirs in (("mistral", "mistral"), ("anyscale", "anyscale-endpoints")):
        key = find(ours)
        assert key is not None and key.reveal() == f"{SECRET}-{theirs}"


@pytest.mark.parametrize("text", ["{", '["a"]', '{"mistral": 1}'])
def test_a_broken_file_of_llm_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "llm").mkdir()
    (tmp_path / "llm" / "keys.json").write_text(text)
    assert find("mistral") is None


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-program-here", SECRET), "The program no-such-program-here.* is not on this machine"),
        (_prints(SECRET, status=3), "failed with status 3; run it in a terminal"),
        (_prints(" \n"), "printed nothing"),
        (_prints(f"{SECRET}\nuser: me\n"), "has a line break or a character that no key has"),
        (_prints(f"{SECRET}é"), "has a line break or a character that no key has"),
    ],
)
def test_a_program_that_gives_no_key(
    command: tuple[str, ...], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigurationError, match=said) as raised:
        find("mistral", variable="PATH", command=command)
    shown = "".join(traceback.format_exception(raised.value))
    assert SECRET not in shown + caplog.text


def test_a_program_that_waits_for_somebody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    command = (sys.executable, "-c", f"import time; print('{SECRET}', flush=True); time.sleep(60)")
    with pytest.raises(ConfigurationError, match=r"has not ended within 0\.5 s") as raised:
        program.printed("mistral", command, time_limit_s=0.5)
    assert SECRET not in "".join(traceback.format_exception(raised.value)) + caplog.text


def test_a_program_does_not_read_what_the_editor_says() -> None:
    key = find("mistral", command=(sys.executable, "-c", "import sys; print(f'read{sys.stdin.read()}')"))
    assert key is not None and key.reveal() == "read"


@pytest.mark.parametrize("value", [f"{SECRET}\nX-Other: header", f"{SECRET}\x00", f"{SECRET}\u2026"])
def test_a_value_that_no_header_can_carry(value: str, keys_path: Path) -> None:
    keys_path.parent.mkdir()
    keys_path.touch(mode=0o600)
    keys_path.write_text(json.dumps({"mistral": value}))
    with pytest.raises(ConfigurationError, match=r"The API key from .*keys\.json") as raised:
        find("mistral")
    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_a_key_does_not_show_itself() -> None:
    key = Key(SECRET, "the test")
    assert SECRET not in f"{key} {key!r} {[key]} {vars(type(key))}"
    with pytest.raises(TypeError):
        pickle.dumps(key)
