"""Folders of ours that cannot be written: one sentence that names the folder and what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.tiny_gguf import write_tiny_mistral

PATIENCE_S = 120.0
COMMAND = str(Path(sys.executable).parent / "lsp_server")
URI = "file:///work/a.py"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_mistral(tmp_path_factory.mktemp("weights") / "tiny.gguf", vocab_only=False)


UNMOUNTED = ("below a file", "not to be made")
MOUNTED = ("read-only", "full")


@pytest.fixture(params=[*UNMOUNTED, *MOUNTED])
def bad_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Return a folder in which nothing can be written."""
    if request.param == "below a file":
        (tmp_path / "file").touch()
        yield tmp_path / "file" / "folder"
    elif request.param == "not to be made":
        if not Path("/proc/self").exists():
            pytest.skip("there is no /proc")
        yield Path("/proc/codestral-lsp")
    else:
        place = tmp_path / "mounted"
        place.mkdir()
        options = "ro" if request.param == "read-only" else "size=4k"
        mount = shutil.which("mount")
        if (
            mount is None
            or subprocess.run(
                [mount, "-t", "tmpfs", "-o", options, "tmpfs", place], check=False, capture_output=True
            ).returncode
        ):
            pytest.skip("nothing can be mounted here")
        try:
            if request.param == "full":
                (place / "full").write_bytes(b"x" * 4096)
            yield place
        finally:
            subprocess.run(["umount", "-l", place], check=False)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder of the commands; nothing of the user's is seen."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "a.py").write_text("def add(a, b):\n    ")
    (folder / ".codestral-lsp.toml").write_text('backend = "mistral"\n')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "home" / "ollama"))
    monkeypatch.setenv("CODESTRAL_LSP_CONFIG", os.devnull)
    for variable in ("STATE", "MODELS", "KEYS", "TRUST"):
        monkeypatch.setenv(f"CODESTRAL_LSP_{variable}", str(tmp_path / "own" / variable.lower()))
    return folder


def run(
    folder: Path, *arguments: str, given: str = "", before: Sequence[str] = (), **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "lsp_server", *arguments],
        cwd=folder,
        env={**os.environ, **env},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def is_told(done: subprocess.CompletedProcess[str], place: Path, variable: str) -> None:
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert "please report" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("lsp_server: "), last
    assert str(place) in last
    if "no lock for it" not in last:
        assert variable in last


LOCAL: Sequence[Sequence[str]] = (
    ("complete", "a.py"),
    ("ask", "What is this?", "a.py"),
    ("ask", "--action", "explain", "a.py:1"),
    ("bench", "typing", "a.py", "--keys", "2"),
)


@pytest.mark.parametrize(
    ("command", "bad_folder"),
    [
        # They start an engine in one way: mounted folders are tried with the first of them.
        *((LOCAL[0], folder) for folder in MOUNTED),
        *((command, folder) for command in LOCAL for folder in UNMOUNTED),
    ],
    indirect=["bad_folder"],
    ids=lambda it: it if isinstance(it, str) else " ".join(it),
)
def test_commands_that_start_an_engine(
    workspace: Path, weights: Path, bad_folder: Path, command: Sequence[str]
) -> None:
    done = run(workspace, *command, "--set", f"local.model={weights}", CODESTRAL_LSP_STATE=str(bad_folder))
    if command[0] == "bench":  # keys without an answer are its figures
        assert "Traceback" not in done.stderr
        assert str(bad_folder) in done.stdout + done.stderr
    else:
        is_told(done, bad_folder, "CODESTRAL_LSP_STATE")


def test_an_engine_in_the_foreground(workspace: Path, weights: Path, bad_folder: Path) -> None:
    done = run(workspace, "engine", "--model", str(weights), CODESTRAL_LSP_STATE=str(bad_folder))
    is_told(done, bad_folder, "CODESTRAL_LSP_STATE")


def test_doctor_has_the_same_sentence(workspace: Path, weights: Path, bad_folder: Path) -> None:
    choose = ("--set", f"local.model={weights}")
    env = {"CODESTRAL_LSP_STATE": str(bad_folder)}
    said = run(workspace, "complete", "a.py", *choose, **env).stderr.splitlines()[-1]
    done = run(workspace, "doctor", "--json", *choose, **env)
    assert done.returncode == 1, done
    findings = {row["check"]: row["text"] for row in json.loads(done.stdout)["findings"]}
    assert said == f"lsp_server: {findings['engine']}"
    assert str(bad_folder) in findings["folders"]
    assert "CODESTRAL_LSP_STATE" in findings["folders"]


@pytest.mark.parametrize(
    ("command", "variable", "given"),
    [
        (("models", "pull", "smollm2-135m"), "CODESTRAL_LSP_MODELS", ""),
        (("keys", "set", "mistral"), "CODESTRAL_LSP_KEYS", "not-a-key"),
        (("trust", ".", "--yes"), "CODESTRAL_LSP_TRUST", ""),
    ],
    ids=["models", "keys", "trust"],
)
def test_other_folders(
    workspace: Path, bad_folder: Path, command: Sequence[str], variable: str, given: str
) -> None:
    place = bad_folder if variable.endswith("MODELS") else bad_folder / "file.json"
    is_told(run(workspace, *command, given=given, **{variable: str(place)}), bad_folder, variable)


@pytest.mark.parametrize(
    "command",
    [("models", "list"), ("keys", "list"), ("trust", "--list"), ("settings",), ("prompts", "list")],
    ids=" ".join,
)
def test_commands_that_only_read_need_no_folder(
    workspace: Path, bad_folder: Path, command: Sequence[str]
) -> None:
    places = {
        f"CODESTRAL_LSP_{name}": str(bad_folder / name) for name in ("STATE", "MODELS", "KEYS", "TRUST")
    }
    done = run(workspace, *command, **places)
    assert done.returncode == 0, done
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("setpriv") is None or os.geteuid() != 0, reason="another user is needed")
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("settings",), 0),
        (("models", "list"), 0),
        (("keys", "list"), 0),
        (("trust", "--list"), 0),
        (("prompts", "list"), 0),
        (("engine", "--status"), 1),
        (("models", "pull", "smollm2-135m"), 1),
        (("keys", "set", "mistral"), 1),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_an_account_without_a_home(
    tmp_path: Path, command: Sequence[str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("STATE", "MODELS", "KEYS", "TRUST", "CONFIG"):
        monkeypatch.delenv(f"CODESTRAL_LSP_{variable}", raising=False)
    for variable in [name for name in os.environ if name == "HOME" or name.startswith("XDG_")]:
        monkeypatch.delenv(variable)
    nobody = ("setpriv", "--reuid", "12345")  # the system knows no home for this number
    folder = Path("/tmp")  # readable for this user, unlike pytest's own
    before = (folder / "~").exists()
    done = run(folder, *command, given="not-a-key", before=nobody)
    assert done.returncode == status, done
    assert "Traceback" not in done.stderr
    assert (folder / "~").exists() == before
    if status:
        assert "This account has no home folder for " in done.stderr.splitlines()[-1]


def test_a_folder_that_is_gone(workspace: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    for command in (("settings",), ("complete", "a.py"), ("doctor",)):
        done = subprocess.run(
            [
                "sh",
                "-c",
                script,
                "sh",
                COMMAND,
                *command,
            ],
            cwd=workspace,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 1
        assert done.stderr == "lsp_server: The current folder is gone: change to another one first.\n"


@pytest.mark.parametrize("place", ["file/server.log", "/proc/server.log", ""])
def test_a_log_that_cannot_be_written_is_told_and_goes_to_stderr(workspace: Path, place: str) -> None:
    (workspace / "file").touch()
    done = run(workspace, "--log-file", place or str(workspace), "settings")
    if place:
        assert done.returncode == 0
        assert f"The log {place} cannot be written (" in done.stderr
        assert "Traceback" not in done.stderr
    else:
        assert done.returncode == 2  # click knows folders


def test_a_log_on_a_full_disk_ends_nothing(workspace: Path) -> None:
    warned = {"CODESTRAL_LSP_TRUST": str(workspace)}
    done = run(workspace, "trust", "--list", **warned)
    assert "WARNING" in done.stderr
    done = run(workspace, "--log-file", "/dev/full", "trust", "--list", **warned)
    assert (done.returncode, done.stderr) == (0, "")


# In an editor


def test_an_editor_gets_one_message_and_no_more_at_each_key(
    start: Start, tmp_path: Path, weights: Path, bad_folder: Path
) -> None:
    del tmp_path
    with start(env={"CODESTRAL_LSP_STATE": str(bad_folder)}) as client:
        client.initialize(options={"backend": "local", "local": {"model": str(weights)}})
        client.open(URI, "x = 1\n")
        told = client.expect("window/showMessage")
        assert str(bad_folder) in told["message"]
        assert "CODESTRAL_LSP_STATE" in told["message"]
        for column in range(5):
            assert client.completed(client.complete(URI, 0, column)) == []
        assert client.arrived("window/showMessage") == []
    assert "please report" not in client.log.read_text()


def test_the_next_backend_answers_where_no_engine_can_be_started(
    start: Start, model: ScriptedServer, options: dict[str, Any], weights: Path, bad_folder: Path
) -> None:
    model.default = Reply(["return a + b"])
    options |= {
        "backend": "both",
        "profiles": {"both": {"completion": ["local", "mistral"]}},
        "local": {"model": str(weights)},
    }
    with start(env={"CODESTRAL_LSP_STATE": str(bad_folder)}) as client:
        client.discard("window/showMessage")
        client.initialize(options=options)
        client.open(URI, "def add(a, b):\n    \n")
        for _ in range(2):
            assert client.completed(client.complete(URI, 1, 4)) == ["return a + b"]
