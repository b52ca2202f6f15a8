"""`lsp_server ask` as a process: pipes, a terminal, Ctrl+C, and the real model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.engines import own_state
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

PATIENCE_S = 60.0
ASK = (sys.executable, "-m", "lsp_server", "ask")
CODE = "def mean(values):\n    return sum(values) / len(values)\n"


@pytest.fixture
def scripted(model: ScriptedServer, config_file: Path) -> dict[str, str]:
    """Return an environment in which the scripted model is asked."""
    config_file.write_text(
        'backend = "mistral"\n[backends.mistral]\napi_key_env = "SCRIPTED_KEY"\n'
        f'base_url = "{model.base_url}"\n'
    )
    return {**os.environ, "CODESTRAL_LSP_CONFIG": str(config_file), "SCRIPTED_KEY": API_KEY}


def run(
    *arguments: str, env: Mapping[str, str], cwd: Path, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ASK, *arguments],
        env=dict(env), cwd=cwd, input=text, capture_output=True, text=True, check=False, timeout=240,
        stdin=subprocess.DEVNULL if text is None else None,
    )  # fmt: skip


def test_a_pipe_gets_the_answer_and_nothing_else(
    model: ScriptedServer, scripted: dict[str, str], tmp_path: Path
) -> None:
    model.enqueue(Reply(["It has ", "a \x1b[31mred\x1b[0m line."]))
    done = run("Review.", env=scripted, cwd=tmp_path, text="diff --git a/x b/x\n")
    assert (done.stdout, done.stderr, done.returncode) == ("It has a \x1b[31mred\x1b[0m line.\n", "", 0)


def test_errors_are_one_line(model: ScriptedServer, scripted: dict[str, str], tmp_path: Path) -> None:
    model.default = Reply(status=401, error={"detail": "Unauthorized"})
    done = run("Why?", env=scripted, cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("lsp_server: ") and done.stderr.count("\n") == 1


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes be interrupted: those started in the background of a script inherit that they are not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_stops_the_model(model: ScriptedServer, scripted: dict[str, str], tmp_path: Path) -> None:
    model.enqueue(Reply(["One ", "two ", "three"], hang_after=2))
    with subprocess.Popen(
        [*ASK, "Count."], env=scripted, cwd=tmp_path, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(7) == "One two"
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
    assert (rest.strip(), said) == ("", "")
    assert model.history[0].disconnected.wait(PATIENCE_S)


def test_a_reader_that_has_seen_enough_stops_it_quietly(
    model: ScriptedServer, scripted: dict[str, str], tmp_path: Path
) -> None:
    model.enqueue(Reply(["first\n", "second\n"] * 1000, delay_s=0.01))
    with subprocess.Popen(
        [*ASK, "Count."], env=scripted, cwd=tmp_path, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"first\n"
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr.read() == b""
    assert model.history[0].disconnected.wait(PATIENCE_S)


def test_a_terminal_is_protected_from_what_the_model_says(
    model: ScriptedServer, scripted: dict[str, str], tmp_path: Path
) -> None:
    model.enqueue(Reply(["Safe \x1b]52;c;ZXZpbA==\x07\x9b2J", "text\r\n\tand more"]))
    leader, terminal = os.openpty()
    with subprocess.Popen(
        [*ASK, "Why?"], env=scripted, cwd=tmp_path, stdin=terminal, stdout=terminal
    ) as process:
        os.close(terminal)
        written = b""
        while piece := _read(leader):
            written += piece
        assert process.wait(PATIENCE_S) == 0
    os.close(leader)
    text = written.decode().replace("\r\n", "\n")
    assert "Safe " in text and "text" in text and "\tand more\n" in text
    assert not {"\x1b", "\x07", "\x9b", "\r"} & set(text)


def test_a_terminal_is_protected_from_what_an_error_quotes(
    model: ScriptedServer, scripted: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(CODE)
    model.default = Reply(["No: \x1b]52;c;ZXZpbA==\x07"])
    done = run("--action", "refactor", "a.py:1", env=scripted, cwd=tmp_path)
    assert done.returncode == 1
    assert "It said:\nNo: " in done.stderr
    assert "\x1b" not in done.stderr


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 4096)
    except OSError:  # how Linux says that the other side is closed
        return b""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, model_path: Path) -> Iterator[dict[str, str]]:
    """Return an environment in which the real model is asked."""
    folder = tmp_path_factory.mktemp("ask")
    config = folder / "config.toml"
    config.write_text(
        f'backend = "local"\n[local]\nmodel = "{model_path.as_posix()}"\nslots = 2\nidle_exit_s = 300\n'
    )
    with own_state(folder / "state"):
        yield {**os.environ, "CODESTRAL_LSP_CONFIG": str(config)}


def test_the_real_model_explains_a_function(real: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stats.py").write_text(CODE)
    done = run("--action", "explain", "stats.py:1", env=real, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mean" in done.stdout or "average" in done.stdout


def test_the_real_model_reviews_what_git_pipes_in(real: dict[str, str], tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q")
    (tmp_path / "stats.py").write_text(CODE)
    git("add", "stats.py")
    (tmp_path / "stats.py").write_text(CODE.replace("sum", "max"))
    done = run("Which function does this diff change? Name it.", env=real, cwd=tmp_path, text=git("diff"))
    assert done.returncode == 0, done.stderr
    assert "mean" in done.stdout
