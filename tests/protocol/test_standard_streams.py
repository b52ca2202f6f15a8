"""Every command with every kind of standard output: text with replacements, or one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from lsp_server.cli import command
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

PATIENCE_S = 120.0
TEXT = "# Prüfung → ✓\nprices = [1]\n\n\ndef total():\n    "
REPLY = "return sum(prices)  # Σ → é 名前"

COMMANDS: dict[str, Sequence[str]] = {
    "version": ("--version",),
    "help": ("--help",),
    "complete": ("complete", "prüfung.py", "--why"),
    "complete-json": ("complete", "prüfung.py", "--json"),
    "ask": ("ask", "Warum → ?", "prüfung.py"),
    "ask-json": ("ask", "Warum → ?", "prüfung.py", "--json"),
    "ask-dry-run": ("ask", "Warum → ?", "prüfung.py", "--dry-run"),
    "ask-patch": ("ask", "--action", "simplify", "prüfung.py:2"),
    "doctor": ("doctor",),
    "doctor-json": ("doctor", "--json"),
    "settings": ("settings", "--backends"),
    "settings-json": ("settings", "--json"),
    "models": ("models", "list"),
    "models-json": ("models", "list", "--json"),
    "prompts": ("prompts", "list"),
    "prompts-show": ("prompts", "show", "explain"),
    "keys": ("keys", "list"),
    "trust": ("trust", "--list"),
    "bench": ("bench", "typing", "prüfung.py", "--keys", "3"),
    "engine": ("engine", "--status"),
}
EVERY = pytest.mark.parametrize("name", COMMANDS)
SOME = pytest.mark.parametrize("name", ["complete", "ask", "prompts", "version"])


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply([REPLY])) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, model: ScriptedServer) -> Path:
    """Return a workspace in which each command has something to say that is not ASCII."""
    folder = tmp_path_factory.mktemp("äußerst")
    (folder / "prüfung.py").write_text(TEXT, encoding="utf-8")
    (folder / "config.toml").write_text(
        f'backend = "mistral"\n[backends.mistral]\nbase_url = "{model.base_url}"\n'
        'api_key_env = "SCRIPTED_KEY"\n'
    )
    (folder / "trusted.json").write_text(json.dumps({str(folder): "0"}))
    return folder


@pytest.fixture
def env(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CODESTRAL_LSP_CONFIG": str(folder / "config.toml"),
        "CODESTRAL_LSP_TRUST": str(folder / "trusted.json"),
        "CODESTRAL_LSP_STATE": str(folder / "state"),
        "CODESTRAL_LSP_MODELS": str(folder / "models"),
        "SCRIPTED_KEY": API_KEY,
    }


def run(
    folder: Path, env: dict[str, str], name: str, redirected: str = "", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a shell does that redirects its streams."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", sys.executable, "-m", "lsp_server", *COMMANDS[name]],
        cwd=folder,
        env={**env, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )


def test_the_table_has_every_command() -> None:
    group = command
    names = group.list_commands(click.Context(group))
    assert {words[0] for words in COMMANDS.values() if not words[0].startswith("-")} == set(names)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@EVERY
def test_text_is_written_in_the_encoding_of_standard_output(
    folder: Path, env: dict[str, str], name: str, encoding: str
) -> None:
    done = run(folder, env, name, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done
    assert b"Traceback" not in done.stderr
    text = done.stdout.decode(encoding)
    assert text.strip()
    if name.endswith("json"):
        found = json.loads(text)
        assert found["text"] == REPLY if name in ("complete-json", "ask-json") else found


@pytest.mark.parametrize("name", ["complete", "ask"])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437", "koi8-r", "shift_jis", "utf-8"])
def test_what_an_encoding_does_not_have_is_replaced(
    folder: Path, env: dict[str, str], name: str, encoding: str
) -> None:
    done = run(folder, env, name, PYTHONIOENCODING=encoding)
    replaced = REPLY.encode(encoding, "replace").decode(encoding)
    assert replaced in done.stdout.decode(encoding)


@SOME
def test_a_locale_without_a_language(folder: Path, env: dict[str, str], name: str) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run(folder, env, name, **plain)
    assert done.returncode == 0, done
    assert done.stdout.decode("ascii")
    assert b"Traceback" not in done.stderr


@EVERY
def test_a_full_disk_is_one_sentence(folder: Path, env: dict[str, str], name: str) -> None:
    done = run(folder, env, name, ">/dev/full")
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert last == "lsp_server: The output cannot be written: No space left on device."
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@EVERY
def test_closed_output_is_one_sentence(folder: Path, env: dict[str, str], name: str) -> None:
    done = run(folder, env, name, ">&-")
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert last == "lsp_server: The output cannot be written: standard output is closed."
    assert b"Traceback" not in done.stderr


@EVERY
def test_a_reader_that_has_left_is_no_news(folder: Path, env: dict[str, str], name: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lsp_server", *COMMANDS[name]],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            timeout=PATIENCE_S,
        )
    finally:
        os.close(writing)
    assert done.returncode == 1
    for words in (b"Traceback", b"Exception ignored", b"written", b"Broken pipe"):
        assert words not in done.stderr


@SOME
@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-", "2>&- <&-"])
def test_messages_that_cannot_be_written_end_nothing(
    folder: Path, env: dict[str, str], name: str, redirected: str
) -> None:
    done = run(folder, env, name, redirected)
    assert done.returncode == 0
    assert done.stdout


@SOME
@pytest.mark.parametrize("redirected", [">/dev/full 2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
def test_without_any_stream_the_status_says_it(
    folder: Path, env: dict[str, str], name: str, redirected: str
) -> None:
    done = run(folder, env, name, redirected)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


@pytest.mark.parametrize("redirected", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_a_server_without_an_editor_says_so(env: dict[str, str], redirected: str) -> None:
    script = f'exec "$@" {redirected}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-m", "lsp_server", "--stdio"],
        env=env,
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    said = b"lsp_server: --stdio needs standard input and output, and one of them is closed\n"
    assert done.stderr == (b"" if "2>" in redirected else said)


def test_a_slow_reader_of_a_pipe_that_does_not_block_gets_everything(
    folder: Path, env: dict[str, str]
) -> None:
    """Node.js makes the pipes of its children non-blocking, and a pipe holds 64 kB."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    script = "from lsp_server.cli._standard_streams import prepared\nimport sys\n"
    script += "with prepared():\n    print('x' * 300_000)\n"
    with subprocess.Popen([sys.executable, "-c", script], stdout=writing, env=env) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            assert pipe.read() == b"x" * 300_000 + b"\n"
        assert process.wait(PATIENCE_S) == 0
