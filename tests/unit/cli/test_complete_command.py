"""`lsp_server complete`: where the cursor is, what is printed, and what is said when nothing comes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lsp_server.cli._places import position
from lsp_server.cli.complete import complete
from lsp_server.errors import ConfigurationError, UserFacingError
from tests.support.scripted_server import Reply, ScriptedServer

HEADING = "# main.py\n"
"""What the model sees before a short file of Python, see `completion.beginning`."""
PATIENCE_S = 60.0
ESCAPE = "\x1b["
SECRET = "correct7Horse9battery"
ELSEWHERE = ("--set", "backends.mistral.destination=third party")


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(complete, arguments, input=text)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("a.py", ("a.py", None, None)),
        ("a.py:3", ("a.py", 3, None)),
        ("a.py:3:4", ("a.py", 3, 4)),
        ("-", ("-", None, None)),
        ("-:3:4", ("-", 3, 4)),
        (r"C:\x.py", (r"C:\x.py", None, None)),
        (r"C:\x.py:3:4", (r"C:\x.py", 3, 4)),
        ("a:b.py:3", ("a:b.py", 3, None)),
        ("a:1:2:3", ("a:1", 2, 3)),
    ],
)
def test_target(target: str, expected: tuple[str, int | None, int | None]) -> None:
    assert position(target) == expected


@pytest.mark.parametrize("target", ["a.py:0", "a.py:1:0", "a.py:0:1"])
def test_positions_count_from_1(target: str) -> None:
    with pytest.raises(ConfigurationError, match="count from 1"):
        position(target)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "add.py"
    path.write_text("def add(a, b):\n    return \n\n\nprint(add(1, 2))\n")
    return path


def prompts(model: ScriptedServer) -> list[tuple[str, str]]:
    bodies = [request.body for request in model.history]
    return [(body["prompt"].removeprefix(HEADING), body.get("suffix", "")) for body in bodies]


@pytest.mark.parametrize(
    ("place", "typed"), [(":2", "    return "), (":2:12", "    return "), (":2:8", "    ret")]
)
def test_the_text_is_split_at_the_cursor(
    place: str, typed: str, file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    text = file.read_text()
    assert run(f"{file}{place}", *scripted).exit_code == 0
    ((prompt, suffix),) = prompts(model)
    assert prompt == "def add(a, b):\n" + typed
    assert prompt + suffix == text


def test_a_position_past_the_end_says_where_the_end_is(file: Path, scripted: list[str]) -> None:
    messages = [str(run(f"{file}{place}", *scripted).exception) for place in (":99", ":1:99")]
    assert messages == [
        "line 99 is past the end: the text has 6 lines",
        "column 99 is past the end of line 1, which has 14",
    ]


def test_the_buffer_is_printed_with_the_completion_marked(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    model.enqueue(Reply(["a + b", "\n"]))
    done = run(f"{file}:2", *scripted)
    assert done.stdout.splitlines()[:3] == ["    1 def add(a, b):", "+   2     return a + b", "    3 "]


def test_standard_input_in_the_language_named(model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(["    return a + b\n", "\nprint"]))
    done = run("-", "--language", "python", "--json", *scripted, text="def add(a, b):\n")
    assert prompts(model)[0][0].rstrip(" ") == "def add(a, b):\n"
    assert json.loads(done.stdout)["text"].strip() == "return a + b"
    off = ("--set", 'completion.disabled_languages=["python"]')
    refused = run("-", "--language", "python", *off, *scripted, text="def add(a, b):\n")
    assert "turned off for this language" in refused.stdout


def test_json_holds_text_source_and_trace(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(["a + b"]))
    answer = json.loads(run(f"{file}:2", "--json", *scripted).stdout)
    assert (answer["text"], answer["source"], answer["reason"]) == ("a + b", "backend", None)
    trace: dict[str, Any] = answer["trace"]
    assert trace["backend"] == "mistral"
    assert trace["prefix"] + trace["suffix"] == HEADING + file.read_text()
    assert trace["raw"] == "a + b"
    assert set(trace["stages_ms"]) >= {"context", "first_token"}


def test_nothing_to_offer_has_a_reason(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    model.default = Reply([])
    assert "no completion: the model had nothing to add" in run(f"{file}:2", *scripted).stdout
    answer = json.loads(run(f"{file}:2", "--json", *scripted).stdout)
    assert (answer["text"], answer["source"], answer["reason"]) == ("", None, "the model had nothing to add")


def why(*arguments: str) -> dict[str, str]:
    """Return what `--why` says, by the names in its first column."""
    lines = run(*arguments, "--why").stdout.splitlines()
    cells = [line.strip().partition("  ") for line in lines]
    return {name.strip(): value for name, gap, value in cells if gap}


def test_why_says_what_was_sent_and_what_it_cost(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    model.enqueue(Reply(["a + b"]))
    rows = why(f"{file}:2", *scripted)
    sent = file.read_text()
    typed = len("def add(a, b):\n    return ")
    before = typed + len(HEADING)
    assert rows["backend"] == "mistral, this machine"
    assert rows["sent"] == f"{before} characters before the cursor, {len(sent) - typed} after"
    assert rows["prompt"] == "7 tokens: 0 reused, 7 evaluated"
    assert rows["written"] == "1 tokens, 5 characters"


def test_a_file_that_is_excluded_is_not_sent(
    tmp_path: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    (tmp_path / ".env").write_text(f"API_KEY={SECRET}\n")
    arguments = (str(tmp_path / ".env"), *scripted, *ELSEWHERE)
    rows = why(*arguments)
    assert ".env` is excluded" in rows["withheld"]
    assert rows["sent"] == "nothing"
    answer = json.loads(run(*arguments, "--json").stdout)
    assert answer["reason"] == "the privacy rules keep this text from the backend"
    assert answer["trace"]["withheld"] == [answer["detail"]] == [rows["withheld"]]
    assert model.history == []


def test_a_secret_is_left_out_and_told_of(tmp_path: Path, model: ScriptedServer, scripted: list[str]) -> None:
    file = tmp_path / "secret.py"
    file.write_text(f'password = "{SECRET}"\nx = \n')
    arguments = (f"{file}:2", *scripted, *ELSEWHERE)
    rows = why(*arguments)
    assert rows["backend"] == "mistral, third party"
    assert rows["withheld"].startswith("1 secret in this text")
    answer = json.loads(run(*arguments, "--json").stdout)
    assert (answer["text"], answer["trace"]["destination"]) == ("done", "third party")
    assert answer["trace"]["withheld"] == [rows["withheld"]]
    assert len(model.history) == 2 and SECRET not in str(prompts(model))
    inside = json.loads(run(f"{file}:1:20", *scripted, *ELSEWHERE, "--json").stdout)
    assert "inside what looks like a secret" in inside["detail"]
    assert len(model.history) == 2


def test_a_backend_that_refuses_is_an_error(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(status=401, error={"detail": "Unauthorized"}))
    failed = run(f"{file}:2", *scripted)
    assert isinstance(failed.exception, UserFacingError)
    assert "SCRIPTED_KEY" in str(failed.exception)


def test_a_wrong_override_is_an_error_and_a_wrong_file_is_not(
    file: Path, config_file: Path, scripted: list[str]
) -> None:
    wrong = run(f"{file}:2", *scripted, "--set", "completion.max_token=3")
    assert isinstance(wrong.exception, ConfigurationError)
    assert "did you mean max_tokens?" in str(wrong.exception)
    config_file.write_text("[completion]\nmax_token = 3\n")
    told = run(f"{file}:2", *scripted)
    assert told.exit_code == 0
    assert f"{config_file}:2: max_token is not an option" in told.stderr.replace("\n", "")


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_is_no_text(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    if content is not None:
        path.write_bytes(content)
    failed = run(str(path))
    assert isinstance(failed.exception, UserFacingError)
    assert said in str(failed.exception)


def on_a_terminal(*arguments: str) -> str:
    """Return what the command writes to a terminal."""
    leader, terminal = os.openpty()
    command = [sys.executable, "-m", "lsp_server", "complete", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=terminal, env=environment) as process:
        os.close(terminal)
        written = b""
        while piece := _read(leader):
            written += piece
        assert process.wait(PATIENCE_S) == 0
    os.close(leader)
    return written.decode()


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 4096)
    except OSError:  # how Linux says that the other side is closed
        return b""


def test_colours_are_for_terminals_that_want_them(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    model.default = Reply(["a + b"])
    place = f"{file}:2"
    assert ESCAPE in on_a_terminal(place, *scripted)
    plain = on_a_terminal(place, "--no-color", *scripted)
    piped = subprocess.run(
        [sys.executable, "-m", "lsp_server", "complete", place, *scripted],
        capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
    )  # fmt: skip
    assert ESCAPE not in plain
    assert ESCAPE not in piped.stdout + piped.stderr
    assert plain.replace("\r\n", "\n") == piped.stdout


def test_a_backend_that_is_not_there_ends_the_command_with_one_sentence(file: Path) -> None:
    error = run(str(file), "--set", "backend=lamacpp").exception
    assert str(error) == "--set: there is no backend or profile lamacpp (did you mean llamacpp?)"


def test_what_is_wrong_in_a_file_is_one_line_however_long(
    config_file: Path, file: Path, scripted: list[str]
) -> None:
    config_file.write_text(f"[completion]\n{'x' * 100} = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "lsp_server", "complete", str(file), *scripted],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert len(done.stderr.splitlines()) == 1 and "x" * 100 in done.stderr
