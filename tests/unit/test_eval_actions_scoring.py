"""The scoring of code actions: good replies are usable, each kind of bad one fails its check."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from lsp_server.chat.actions.catalogue import load
from tests.eval.actions import reading
from tests.eval.actions.case import ACTIONS, CASES, LANGUAGES, MESSAGE, Case, cases
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
    found = list(cases())
    assert len(found) == len(ALL) >= 100
    assert {case.prompt for case in found} == {file.id for file in load([]).files}
    assert {case.action for case in found} == set(ACTIONS)
    assert {case.language for case in found} == set(LANGUAGES)
    for case in ALL.values():
        start, end = (0, 0) if case.is_commit else case.range
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


DELAYS = "python-refactor-durations-backoff_delays"
LOOP = """    delays = []
    for _ in range(attempts):
        delays.append(clamp(delay, 0, longest))
        delay *= 2
    return delays
"""
SHORT = "    return [clamp(delay * 2**step, 0, longest) for step in range(attempts)]\n"


@pytest.mark.parametrize(
    ("old", "new", "fails"),
    [
        (LOOP, SHORT, set()),
        (LOOP, LOOP + "    # done\n", {"changed"}),
        (LOOP, SHORT.replace("delay *", "delays *"), {"tests pass", "compiles"}),
        (LOOP, SHORT.replace("2**step", "step"), {"tests pass"}),
    ],
)
def test_code_written_again(tmp_path: Path, old: str, new: str, fails: set[str]) -> None:
    assert failed(tmp_path, DELAYS, old, new) == fails


def harmed(folder: Path, case_id: str, old: str, new: str, *, doubtful: bool = False) -> set[str]:
    case = ALL[case_id]
    assert case.text.count(old) == 1
    files = {folder / case.file: case.text.replace(old, new)}
    result = scored(folder, case, Outcome(files, doubtful=doubtful))
    return {name for name, holds in result.edit.items() if not holds}


@pytest.mark.parametrize("doubtful", [False, True])
def test_what_an_edit_must_leave_alone(tmp_path: Path, doubtful: bool) -> None:
    signature = 'def backoff_delays(attempts, first="1s", limit="1m"):'
    other = "def clamp(value, lowest, highest):\n    if lowest > highest:\n"
    for case_id, old, new, harm in (
        (DELAYS, LOOP, SHORT, set()),
        (DELAYS, signature, signature.replace("limit", "longest"), {"promises kept"}),
        (DELAYS, other, other.partition("\n")[0] + "\n    if False:\n", {"nothing lost"}),
        (DOCUMENT, HEAD, HEAD + "    x = 1\n", {"promises kept"}),
    ):
        assert harmed(tmp_path, case_id, old, new, doubtful=doubtful) == (set() if doubtful else harm)


TRANSLATED = "python-translate_comments-intervals-overlap"


@pytest.mark.parametrize(
    ("new", "fails"),
    [
        ("# the later start of both", set()),
        ("# der spätere Anfang von beiden!", {"translated"}),
        ("x = 'the later start'", {"code unchanged"}),
        ("# a sentence", {"translated"}),
    ],
)
def test_translated_comments(tmp_path: Path, new: str, fails: set[str]) -> None:
    assert failed(tmp_path, TRANSLATED, "# der spätere Anfang von beiden", new) == fails


GENERATED = "python-generate-durations-clamp"
CLAMP = "def clamp(value, lowest, highest):\n    return max(lowest, min(value, highest))\n"


@pytest.mark.parametrize(
    ("new", "fails"),
    [(CLAMP, set()), (CLAMP.replace("max", "min"), {"tests pass"}), ("x = 1\n", {"tests pass", "there"})],
)
def test_generated_code(tmp_path: Path, new: str, fails: set[str]) -> None:
    comment = ALL[GENERATED].bug_lines[0]
    assert failed(tmp_path, GENERATED, f"{comment}\n", f"{comment}\n{new}") == fails


@pytest.mark.parametrize(
    ("markdown", "fails"),
    [
        ("```javascript\nconst clamp = (a, b, c) => 1;\n```\n", set()),
        ("```python\nclamp = 1\n```\n", {"language"}),
        ("```javascript\nconst clamp = (a, b, c => 1;\n```\n", {"parses"}),
        ("```javascript\nconst a = 1;\n```\n", {"present"}),
        ("It cannot be done.", {"applied", "language", "parses", "present"}),
    ],
)
def test_conversions(tmp_path: Path, markdown: str, fails: set[str]) -> None:
    result = scored(tmp_path, ALL["python-convert-durations-clamp"], Outcome(markdown=markdown))
    assert {name for name, holds in result.checks.items() if not holds} == fails


def test_reviews(tmp_path: Path) -> None:
    case = ALL["python-review-durations-parse_duration"]
    for said, good in ((f"`clamp`: {EXPLANATION}", True), ("All of it is fine as far as I can see.", False)):
        assert scored(tmp_path, case, Outcome(markdown=said)).usable is good


@pytest.mark.parametrize(
    ("message", "fails"),
    [
        ("Double the delay after each attempt\n", set()),
        ("Change the file\n", {"facts"}),
        (f"Double the delay {'and so on ' * 9}\n", {"length"}),
        ("    delay *= 2\n", set()),
        ("delays = []\n", set()),
    ],
)
def test_commit_messages(tmp_path: Path, message: str, fails: set[str]) -> None:
    case = ALL["python-commit_message-durations-backoff_delays"]
    file = tmp_path / "COMMIT_EDITMSG"
    result = scored(tmp_path, case, Outcome({file: message + MESSAGE}))
    wrong = {name for name, holds in result.checks.items() if not holds}
    assert wrong == (fails or ({"own words"} if message.strip() in case.good else set()))
    assert result.edit == {"promises kept": True, "nothing lost": True}
    assert not any(scored(tmp_path, case, Outcome({file: message})).edit.values())


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
    lost = {"promises kept": True, "nothing lost": False}
    bad = Result("b", "rust", "fix", False, {"applied": True, "parses": False}, 4.0, edit=lost)
    absent = Result("c", "java", "fix", False, {}, 0.0, missing="javac")
    drawn = table([good, bad, absent])
    row = next(line.split() for line in drawn.splitlines() if line.startswith("fix"))
    assert row == ["fix", "1/1", "-", "0/1", "1/2", "1/2", "1/1", "0/1", "2/2", "1/2", "3.0"]
    assert "not scored, java: no javac" in drawn
    old = [{"id": "a", "usable": False}, {"id": "b", "usable": True}]
    assert differences(old, [good, bad]).splitlines() == [
        "+ a", "- b parses", "usable: 1 before, 1 now, of 2 cases in both",
    ]  # fmt: skip
