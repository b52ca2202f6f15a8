"""The scoring of code actions: good replies are usable, each kind of bad one fails its check."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from tests.eval.actions import reading
from tests.eval.actions.case import ACTIONS, CASES, LANGUAGES, Case, cases
from tests.eval.actions.editor import applied, changed
from tests.eval.actions.scoring import Attempt, Outcome, Score, score
from tests.eval.actions.table import Result, differences, table
from tests.eval.actions.toolchains import TOOLCHAINS

ALL = {case.id: case for case in cases()}
TOOLS = TOOLCHAINS["python"]

EXPLANATION = (
    "It turns a text such as `1h 30m` into seconds. Each match of a regular expression adds to `total`; "
    "anything else raises a `DurationError`."
)
DOCUMENTED = '''def format_duration(seconds, separator=" "):
    """Return seconds as text, its parts joined by separator."""
'''
TYPED = "def clamp(value: float, lowest: float, highest: float) -> float:"
TESTS = "from durations import clamp\n\n\ndef test_clamp():\n    assert clamp(7, 0, 5) == {}\n"


def scored(folder: Path, case: Case, outcome: Outcome) -> Score:
    """Score an outcome in a workspace that is made for it."""
    TOOLS.prepare(folder)
    file = folder / case.file
    file.write_text(case.text, encoding="utf-8")
    before = tuple(TOOLS.findings(file, folder))
    for path, text in outcome.files.items():
        path.write_text(text, encoding="utf-8")
    return score(Attempt(case, folder, outcome, before))


def failed(folder: Path, case_id: str, old: str, new: str) -> set[str]:
    """Return the checks that fail when `old` is replaced in the case's file."""
    case = ALL[case_id]
    assert case.text.count(old) == 1
    outcome = Outcome({folder / case.file: case.text.replace(old, new)})
    return {name for name, holds in scored(folder, case, outcome).checks.items() if not holds}


def failed_tests(folder: Path, text: str) -> set[str]:
    outcome = Outcome({folder / "test_durations.py": text})
    result = scored(folder, ALL["python-write_tests-durations-clamp"], outcome)
    return {name for name, holds in result.checks.items() if not holds}


def failed_words(folder: Path, markdown: str) -> set[str]:
    outcome = Outcome(markdown=markdown)
    result = scored(folder, ALL["python-explain-durations-parse_duration"], outcome)
    return {name for name, holds in result.checks.items() if not holds}


def test_the_table_of_cases_is_whole() -> None:
    assert len(ALL) >= 66
    assert {(case.language, case.action) for case in ALL.values()} == {
        (language, action) for language in LANGUAGES for action in ACTIONS
    }
    for case in ALL.values():
        start, end = case.range
        assert 0 <= start <= end <= len(case.text)
        assert reading.definition(case.language, case.good, case.name) is not None, case.id
        assert reading.flaws(case.language, case.good) == 0, case.id


@pytest.mark.parametrize("name", sorted(path.name for path in (CASES / "python").glob("*.py")))
def test_python_files_pass_their_own_tests_without_findings(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text((CASES / "python" / name).read_text(encoding="utf-8"), encoding="utf-8")
    assert TOOLS.self_test(file, tmp_path).passed
    assert TOOLS.findings(file, tmp_path) == []


def test_explanations(tmp_path: Path) -> None:
    assert failed_words(tmp_path, EXPLANATION) == set()


def test_explanations_that_say_nothing(tmp_path: Path) -> None:
    assert failed_words(tmp_path, "") == {"applied", "length", "facts"}
    assert failed_words(tmp_path, "This code does something that is useful to somebody.") == {"facts"}
    assert failed_words(tmp_path, f"```python\n{EXPLANATION}\n```") == {"applied", "length", "facts"}
    assert failed_words(tmp_path, EXPLANATION * 20) == {"length"}


DOCUMENT = "python-document-durations-format_duration"
HEAD = 'def format_duration(seconds, separator=" "):\n'


@pytest.mark.parametrize(
    ("new", "fails"),
    [
        (DOCUMENTED, set()),
        (DOCUMENTED.replace("seconds as", "a duration as"), {"parameters"}),
        ("# Return seconds as text, its parts joined by separator.\n" + HEAD, {"attached", "parameters"}),
        (DOCUMENTED.replace('separator=" "', 'separator="  "'), {"tests pass", "code unchanged"}),
        (DOCUMENTED + "    x = 1\n", {"code unchanged"}),
        (HEAD.replace(":\n", "\n"), {"parses", "tests pass", "attached", "parameters", "code unchanged"}),
    ],
)
def test_documentation(tmp_path: Path, new: str, fails: set[str]) -> None:
    assert failed(tmp_path, DOCUMENT, HEAD, new) == fails


@pytest.mark.parametrize(
    ("new", "fails"),
    [
        (TYPED, set()),
        (TYPED.replace("highest: float", "highest"), {"annotated"}),
        (TYPED.replace(" -> float", ""), {"annotated"}),
        (TYPED.replace("value: float", "value: Number"), {"tests pass", "compiles"}),
    ],
)
def test_types(tmp_path: Path, new: str, fails: set[str]) -> None:
    old = "def clamp(value, lowest, highest):"
    assert failed(tmp_path, "python-add_types-durations-clamp", old, new) == fails


@pytest.mark.parametrize(
    ("new", "fails"),
    [
        ("divmod(seconds, SECONDS", set()),
        ("divmod(total, SECONDS", {"tests pass", "compiles"}),
        ("divmod(parts, SECONDS", {"tests pass"}),
        ("divmod((second), SECONDS", {"tests pass", "diagnostic gone"}),
    ],
)
def test_fixes(tmp_path: Path, new: str, fails: set[str]) -> None:
    old = "divmod(second, SECONDS"
    assert failed(tmp_path, "python-fix-durations-format_duration", old, new) == fails


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        (TESTS.format(5), set()),
        (TESTS.format(6), {"new tests pass"}),
        (TESTS.format(5).replace("assert", "print("), {"parses", "asserts", "new tests pass"}),
        (
            "import unittest.mock as expect\n" + TESTS.format(5).replace("assert", "pass  # assert"),
            {"asserts"},
        ),
        (TESTS.format(5).replace("def test_clamp", "def clamped"), {"new tests pass"}),
        ("def test_nothing():\n    assert True\n", {"names it"}),
    ],
)
def test_new_tests(tmp_path: Path, text: str, fails: set[str]) -> None:
    assert failed_tests(tmp_path, text) == fails


def test_nothing_done_is_not_usable(tmp_path: Path) -> None:
    result = scored(tmp_path, ALL[DOCUMENT], Outcome(problem="the model gave no code"))
    assert not result.usable
    assert result.checks == {"applied": False}


@pytest.mark.parametrize(
    ("language", "comment", "attached"),
    [
        ("javascript", "/** Short. */\nexport ", True),
        ("javascript", "/* Short. */\n", False),
        ("typescript", "/**\n * Longer.\n * @param a first\n */\nexport async ", True),
        ("java", "class A {\n  /** Short. */\n  @Override\n  public int ", True),
        ("rust", "/// Short.\n#[inline]\npub ", True),
        ("rust", "// Short.\npub ", False),
        ("cpp", "/// Short.\ntemplate <class T>\n", True),
        ("cpp", "/** Short. */\nint other;\n", False),
    ],
)
def test_comments_above_a_definition(language: str, comment: str, attached: bool) -> None:
    rest = {
        "java": "f(int a) { return a; }\n}",
        "rust": "fn f(a: u8) {}",
        "cpp": "int f(int a) { return a; }",
    }
    text = comment + rest.get(language, "function f(a) {}")
    assert bool(reading.documentation(language, text, "f")) is attached


def test_edits_are_made_for_the_text_as_it_was(tmp_path: Path) -> None:
    def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextEdit:
        return types.TextEdit(types.Range(types.Position(*start), types.Position(*end)), text)

    edits = [edit((0, 0), (0, 0), "x\n"), edit((1, 0), (1, 3), "two"), edit((0, 1), (0, 99), "")]
    assert applied("a🙂b\n...\n", edits) == "x\na\ntwo\n"
    new = tmp_path / "new.py"
    made = types.WorkspaceEdit(
        document_changes=[
            types.CreateFile(new.as_uri()),
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(new.as_uri()), [edit((0, 0), (0, 0), "x\n")]
            ),
        ]
    )
    assert changed(made) == {new: "x\n"}


def test_a_table_counts_and_compares() -> None:
    good = Result("a", "python", "fix", True, {"applied": True, "parses": True}, 2.0)
    bad = Result("b", "rust", "fix", False, {"applied": True, "parses": False}, 4.0)
    absent = Result("c", "java", "fix", False, {}, 0.0, missing="javac")
    drawn = table([good, bad, absent])
    row = next(line.split() for line in drawn.splitlines() if line.startswith("fix"))
    assert row == ["fix", "1/1", "-", "0/1", "1/2", "2/2", "1/2", "3.0"]
    assert "not scored, java: no javac" in drawn
    old = [{"id": "a", "usable": False}, {"id": "b", "usable": True}]
    assert differences(old, [good, bad]).splitlines() == [
        "+ a", "- b parses", "usable: 1 before, 1 now, of 2 cases in both",
    ]  # fmt: skip
