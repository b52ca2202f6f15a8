"""What a model says over and over within a line, and what people write that looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion.repetition import MOST_COPIES, of_lines, within_line
from tests.support.completing import check

MANY = 50

RUNNING = [
    ("python", "print('hello', 'hello', 'hello', █)\n", "'hello', " * MANY, "'hello'"),
    ("python", "faces = {'😀': 1, '😀': 1, █}\n", "'😀': 1, " * MANY, "'😀': 1"),
    ("python", "tokens = ['[SUFFIX]', '[SUFFIX]', █]\n", "'[SUFFIX]', " * MANY, "'[SUFFIX]'"),
    ("python", "tokens = ['<|fim_middle|>', █]\n", "'<|fim_middle|>', " * MANY, "'<|fim_middle|>'"),
    ("python", "x = [█]\n", "0, " * MANY, "0"),
    ("python", "x = █\n", "a + " * MANY, "a"),
    ("javascript", "const x = [█];\n", '"日本", ' * MANY, '"日本"'),
    ("javascript", "const x = █\n", "y && " * MANY, "y"),
    ("json", '{"a": [1, 1, █]}\n', "1, " * MANY, "1"),
    ("c", "int a[] = {█};\n", "0x00, " * MANY, "0x00"),
    ("shellscript", "echo a a a █\n", "a " * MANY, "a"),
    ("sql", "SELECT a, █\n", "b, " * MANY, "b"),
    ("markdown", "Very very █\n", "very " * MANY, "very"),
    ("rust", "let x = vec![█];\n", "None, " * MANY, "None"),
    ("yaml", "a: [█]\n", "x, " * MANY, "x"),
]

WRITTEN_BY_PEOPLE = [
    ("python", "x = [█]\n", "0, 0, 0, 0]\n", "0, 0, 0, 0"),
    ("python", "m = [\n    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],\n    [█\n]\n",
     "1, 0, 0, 0, 0, 0, 0, 0, 0, 0],\n]\n",
     "1, 0, 0, 0, 0, 0, 0, 0, 0, 0],"),
    ("markdown", "A long title\n█\n", "============\n", "============"),
    ("python", "# █\n", "-" * 40 + "\n", "-" * 40),
    ("markdown", "| a | b | c |\n| █\n", "--- | --- | --- |\n", "--- | --- | --- |"),
    ("python", "x = █\n", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12\n", "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"),
    ("python", "f(█)\n", "a=a, b=b, c=c, d=d, e=e, f=f, g=g, h=h, i=i)\n",
     "a=a, b=b, c=c, d=d, e=e, f=f, g=g, h=h, i=i"),
]  # fmt: skip


@pytest.mark.parametrize("case", RUNNING, ids=lambda case: f"{case[0]} {case[1]!r}")
def test_what_only_goes_on_is_cut_after_one_member(case: tuple[str, str, str, str]) -> None:
    language_id, *rest = case
    check(language_id, (rest[0], rest[1], rest[2]))


@pytest.mark.parametrize("case", WRITTEN_BY_PEOPLE, ids=lambda case: f"{case[0]} {case[1]!r}")
def test_what_people_write_stays(case: tuple[str, str, str, str]) -> None:
    language_id, *rest = case
    check(language_id, (rest[0], rest[1], rest[2]))


UNITS = st.text("abc'\"(){}, :😀", min_size=2, max_size=12).filter(
    lambda unit: unit.strip(" ,:'\"(){}") != ""
)


@given(UNITS, st.integers(0, 3), st.integers(MOST_COPIES + 1, 60))
def test_any_run_is_cut_and_little_of_it_is_kept(unit: str, before: int, copies: int) -> None:
    head, text = "x = " + unit * before, unit * copies
    end = within_line(head, text, "")
    if len(set(unit)) > 1:
        assert end is not None
        assert end <= 2 * len(unit)


@given(UNITS, st.integers(1, 2))
def test_a_few_members_stay(unit: str, copies: int) -> None:
    assert within_line("", unit * copies, "") is None
    assert of_lines(f"{unit}\n" * copies) is None
