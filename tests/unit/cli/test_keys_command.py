"""`lsp_server keys`, as a process: what it stores where, and that no key is ever shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import keyrings

SECRET = "sk-planted-0123456789"
REPOSITORY = Path(__file__).parents[3]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path, config_file: Path) -> dict[str, str]:
    """Return the environment of a user without a keyring and without keys."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")} | {
        "CODESTRAL_LSP_KEYS": str(tmp_path / "keys.json"),
        "LLM_USER_PATH": str(tmp_path / "llm"),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        keyrings.FILE_VARIABLE: str(tmp_path / "keyring.json"),
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Return a way to run `lsp_server --log-level debug keys …`."""

    def run(*arguments: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lsp_server", "--log-level", "debug", "keys", *arguments]
        done = subprocess.run(
            command,
            input=given,
            env=environment | more,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert SECRET not in done.stdout + done.stderr
        return done

    return run


def _listed(run: Run, **more: str) -> dict[str, str]:
    lines = run("list", **more).stdout.splitlines()[1:]
    return {line.split()[0]: line for line in lines}


def test_without_a_keyring(run: Run, tmp_path: Path) -> None:
    done = run("set", "mistral", given=f"{SECRET}\n")
    assert (done.returncode, done.stdout) == (0, f"Stored the key mistral in {tmp_path / 'keys.json'}.\n")
    assert json.loads((tmp_path / "keys.json").read_text()) == {"mistral": SECRET}
    assert f"{tmp_path / 'keys.json'}  backend mistral" in _listed(run)["mistral"]
    done = run("remove", "mistral")
    assert done.stdout == f"Removed the key mistral from {tmp_path / 'keys.json'}.\n"
    assert json.loads((tmp_path / "keys.json").read_text()) == {}
    assert "There are no API keys" in run("list").stdout


def test_with_a_keyring(run: Run, tmp_path: Path) -> None:
    one = {"PYTHON_KEYRING_BACKEND": "tests.support.keyrings.FileKeyring"}
    done = run("set", "mistral", given=SECRET, **one)
    assert done.stdout == "Stored the key mistral in the keyring (keyrings FileKeyring).\n"
    assert json.loads((tmp_path / "keyring.json").read_text()) == {"codestral-lsp/mistral": SECRET}
    assert not (tmp_path / "keys.json").exists()
    assert "the keyring (keyrings FileKeyring)" in _listed(run, **one)["mistral"]
    done = run("set", "mistral", "--file", given=SECRET, **one)
    assert str(tmp_path / "keys.json") in done.stdout
    assert str(tmp_path / "keys.json") in _listed(run, **one)["mistral"]
    assert run("remove", "mistral", **one).returncode == 0
    assert json.loads((tmp_path / "keyring.json").read_text()) == {}


@pytest.mark.parametrize("named", ["no.such.Keyring", "tests.support.keyrings.LockedKeyring"])
def test_with_a_keyring_that_fails(run: Run, tmp_path: Path, named: str) -> None:
    done = run("set", "mistral", given=SECRET, PYTHON_KEYRING_BACKEND=named)
    assert done.returncode == 0 and str(tmp_path / "keys.json") in done.stdout


def test_the_prompt_of_a_terminal_shows_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lsp_server", "keys", "set", "mistral"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as child:
        os.close(theirs)
        shown = b""
        while b"API key for mistral" not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, f"{SECRET}\n".encode())
        while b"Stored the key" not in shown:
            shown += os.read(ours, 1024)
        assert child.wait(60) == 0
    os.close(ours)
    assert SECRET.encode() not in shown
    assert json.loads((tmp_path / "keys.json").read_text()) == {"mistral": SECRET}


def test_a_key_is_no_argument(run: Run) -> None:
    assert run("set", "mistral", "sk-on-the-command-line").returncode == 2


@pytest.mark.parametrize("given", ["", "\n", f"{SECRET}\n{SECRET}", f"{SECRET}é"])
def test_what_is_no_key(run: Run, tmp_path: Path, given: str) -> None:
    done = run("set", "mistral", given=given)
    assert done.returncode != 0 and done.stdout == ""
    assert not (tmp_path / "keys.json").exists()


def test_an_unknown_name_is_hinted_at(run: Run, config_file: Path) -> None:
    config_file.write_text('[backends.gpu-box]\ntype = "openai"\nbase_url = "http://gpu-box:8000"\n')
    assert "did you mean mistral?" in run("set", "mistrall", given="k").stderr
    assert "did you mean gpu-box?" in run("set", "gpubox", given="k").stderr
    assert "There is no backend" not in run("set", "gpu-box", given="k").stderr
    listed = _listed(run)
    assert "backend gpu-box" in listed["gpu-box"]
    assert "backend" not in listed["mistrall"]


def test_where_else_keys_come_from(run: Run, config_file: Path, tmp_path: Path) -> None:
    config_file.write_text(
        '[backends.work]\ntype = "openai"\nbase_url = "https://llm.example.org"\n'
        f'api_key_command = ["pass", "{SECRET}"]\n'
        '[backends.home]\ntype = "openai"\nbase_url = "https://home.example.org"\napi_key_env = "HOME_KEY"\n'
    )
    (tmp_path / "llm").mkdir()
    (tmp_path / "llm" / "keys.json").write_text(json.dumps({"// Note": "x", "openai": SECRET}))
    listed = _listed(run, MISTRAL_API_KEY=SECRET)
    assert "the environment variable MISTRAL_API_KEY" in listed["mistral"]
    assert "llm's keys" in listed["openai"]
    assert "the program pass (not run now)" in listed["work"]
    assert "nowhere" in listed["home"]
    assert "//" not in listed


def test_a_key_that_another_one_hides(run: Run) -> None:
    done = run("set", "mistral", given=SECRET, MISTRAL_API_KEY="sk-other")
    assert "not used while the environment variable MISTRAL_API_KEY is set" in done.stderr
    done = run("remove", "mistral", MISTRAL_API_KEY="sk-other")
    assert "There still is a key mistral in the environment variable MISTRAL_API_KEY" in done.stderr


def test_removing_what_is_not_there(run: Run) -> None:
    done = run("remove", "mistrall")
    assert done.returncode == 1
    assert "did you mean mistral?" in done.stderr


def test_without_a_subcommand_there_is_help(run: Run) -> None:
    done = run()
    assert "set" in done.stdout + done.stderr and "remove" in done.stdout + done.stderr
