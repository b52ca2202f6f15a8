"""`lsp_server bench`: which keys are typed, and what is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server.cli._waiting import Waits, hard_texts
from lsp_server.cli.bench import Keystroke, _parts, _summary, _waits_row, hover, split_keys, typing
from lsp_server.errors import ConfigurationError
from tests.support.scripted_server import Reply, ScriptedServer


def run(*arguments: str) -> Result:
    return CliRunner().invoke(typing, arguments)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", []),
        ("ab", ["a", "b"]),
        ("a b", ["a", " ", "b"]),
        ("if a:\n    b", ["i", "f", " ", "a", ":", "\n    ", "b"]),
        ("a\n\n\n\tb", ["a", "\n\n\n\t", "b"]),
        ("  a", [" ", " ", "a"]),
        ("a\n", ["a", "\n"]),
    ],
)
def test_enter_brings_the_indentation(text: str, keys: list[str]) -> None:
    assert split_keys(text) == keys
    assert "".join(split_keys(text)) == text


def test_what_is_typed_is_taken_out_of_the_file() -> None:
    text = "one\ntwo\nthree\nfour\n"
    assert _parts(text, 2, 4) == ("one\n", ["t", "w", "o"], "\nthree\nfour\n")
    above, typed, below = _parts(text, 0, 200)
    assert above + "".join(typed) + below == text


def test_a_line_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match="between 1 and 2"):
        _parts("a\nb\n", 3, 1)


def asked(evaluated: int, ms: float) -> Keystroke:
    return Keystroke("a", "backend", evaluated, 10, 5, ms, ghost=True)


def test_the_summary_counts_what_the_model_evaluated() -> None:
    known = Keystroke("b", "typed_through", None, None, None, 0.0, ghost=True)
    nothing = Keystroke("c", "the model had nothing to add", 2, 10, 0, 30.0, ghost=False)
    lines = _summary([asked(4, 100.0), known, known, nothing]).splitlines()
    assert lines == [
        "keystrokes 4, of which the model was asked 2, ghost text came for 3",
        "prompt tokens evaluated per keystroke: mean 1.50, max 4; per request: mean 3.00",
        "time to ghost text (all): p50 0 ms, p90 100 ms",
        "time to ghost text (model asked): p50 100 ms, p90 100 ms",
    ]


def test_a_summary_of_nothing() -> None:
    assert _summary([]) == "nothing was typed"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "words.py"
    path.write_text("first = 1\nsecond = 2\nthird = 3\n")
    return path


def test_keys_that_the_model_has_foreseen_cost_nothing(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    model.default = Reply(["second = 2\n"])
    done = run(str(file), "--from-line", "2", "--keys", "5", "--json", *scripted)
    strokes = [json.loads(line) for line in done.stdout.splitlines()]
    assert "".join(stroke["key"] for stroke in strokes) == "secon"
    assert [stroke["source"] for stroke in strokes] == ["typed_through"] * 5
    assert {stroke["evaluated"] for stroke in strokes} == {None}
    assert len(model.history) == 1


def test_keys_that_it_has_not_foreseen_are_counted(
    file: Path, model: ScriptedServer, scripted: list[str]
) -> None:
    model.default = Reply(["zzz = 9\n"])
    done = run(str(file), "--from-line", "2", "--keys", "5", *scripted)
    rows = done.stdout.splitlines()
    assert len([row for row in rows if " evaluated " in row and " ms  " in row]) == 5
    assert "keystrokes 5, of which the model was asked" in done.stdout


def test_a_server_that_does_not_tell_what_a_request_cost() -> None:
    untold = Keystroke("a", "backend", None, None, None, 100.0, ghost=True)
    first, tokens, *_ = _summary([untold]).splitlines()
    assert first == "keystrokes 1, of which the model was asked 1, ghost text came for 1"
    assert tokens == "prompt tokens evaluated: the server does not tell"


def test_a_backend_that_fails_says_why(file: Path, model: ScriptedServer, scripted: list[str]) -> None:
    model.default = Reply(status=401, error={})
    last = run(str(file), "--from-line", "2", "--keys", "3", *scripted).stdout.splitlines()[-1]
    assert last.startswith("3 keystrokes without an answer: ") and "SCRIPTED_KEY" in last


def test_hovers_are_timed_at_rest_and_beside_each_hard_text(
    model: ScriptedServer, scripted: list[str]
) -> None:
    model.default = Reply(["a + b\n"])
    done = CliRunner().invoke(hover, ["--keys", "1", "--json", *scripted])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in rows] == ["at rest", *(hard.name for hard in hard_texts())]
    assert all(row["ms"] and min(row["ms"]) > 0 for row in rows)
    assert model.history


def test_hovers_for_people_are_told_as_multiples() -> None:
    rest, beside = Waits("at rest", (1.0, 2.0, 2.0)), Waits("a long line", (2.0, 4.0, 6.0))
    assert "times" not in _waits_row(rest, rest)
    row = _waits_row(beside, rest)
    assert "3 hovers" in row
    assert row.endswith("p99 is 3.0 times that at rest")
