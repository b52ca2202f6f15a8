"""Line edits give the new text and touch nothing else; moved to a changed text they keep both changes."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lsp_server.chat.editing.edits import Edit, applied, line_edits, rebased
from lsp_server.chat.editing.line_diff import hunks, lines_of

CONTENTS = ("a", "b", "", "  c", "é🦊", "x\u2028y", "f\x0c\x0bg", "{", "}", "a b", "\ud83d", "\x00")
ENDS = ("\n", "\r\n", "\r")

lines = st.tuples(st.sampled_from(CONTENTS), st.sampled_from(ENDS)).map("".join)
texts = st.tuples(st.lists(lines, max_size=12).map("".join), st.sampled_from(CONTENTS)).map("".join)
anything = st.one_of(texts, st.text(max_size=40), st.text("ab\r\n", max_size=30))


@given(anything, anything)
def test_the_edits_of_two_texts_make_one_of_the_other(old: str, new: str) -> None:
    assert applied(old, line_edits(old, new)) == new


@given(anything, anything, st.integers(0, 5))
def test_edits_of_a_part_are_at_its_place(old: str, new: str, before: int) -> None:
    head = "=" * before
    assert applied(head + old + "tail", line_edits(old, new, before)) == head + new + "tail"


@given(anything, anything)
def test_edits_are_in_order_apart_and_between_lines(old: str, new: str) -> None:
    edits = line_edits(old, new)
    assert all(first.end < second.start for first, second in pairwise(edits))
    starts = {0, len(old), *(match.end() for match in re.finditer(r"\r\n|\r|\n", old))}
    ends = {match.start() for match in re.finditer(r"\r\n|\r|\n", old)}
    for edit in edits:
        assert edit.start in starts | ends
        assert edit.end in starts | ends


@given(texts, st.data())
def test_lines_that_are_in_both_stay(old: str, data: st.DataObject) -> None:
    """A text with lines put in keeps each of its own; one with lines taken out loses only those."""
    parts = lines_of(old)
    at = data.draw(st.integers(0, len(parts)))
    assume(at < len(parts) or old.endswith(ENDS) or not old)
    new = "".join([*parts[:at], "new line\n", *parts[at:]])
    assert len(line_edits(old, new)) == 1
    assert all(edit.start == edit.end for edit in line_edits(old, new)), "nothing is replaced"
    assert all(edit.text == "" for edit in line_edits(new, old)), "nothing is written"


@pytest.mark.parametrize(
    ("old", "new", "edits"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", (Edit(2, 4, "B\n"),)),
        ("a\nb", "a\nb\nc", (Edit(3, 3, "\nc"),)),
        ("a\r\nb", "a\r\nb\r\nc", (Edit(4, 4, "\r\nc"),)),
        ("a\nb", "a", (Edit(1, 3, ""),)),
        ("a", "a\n", (Edit(0, 1, "a\n"),)),
        ("", "a\n", (Edit(0, 0, "a\n"),)),
        ("a\n", "", (Edit(0, 2, ""),)),
        ("a\n", "a\n", ()),
        ("f\x0cg\nh\n", "f\x0cg\ni\n", (Edit(4, 6, "i\n"),)),
        ("a\u2028b\nc\n", "a\u2028b\nd\n", (Edit(4, 6, "d\n"),)),
    ],
)
def test_the_smallest_edits(old: str, new: str, edits: tuple[Edit, ...]) -> None:
    assert line_edits(old, new) == edits


def test_a_function_put_between_two_others_changes_neither() -> None:
    first, second = "def a():\n    x = 1\n    return x\n\n\n", "def b():\n    y = 1\n    return y\n"
    middle = "def c():\n    z = 1\n    return z\n\n\n"
    assert (
        applied(first + second, line_edits(first + second, first + middle + second))
        == first + middle + second
    )
    assert [edit.start == edit.end for edit in line_edits(first + second, first + middle + second)] == [True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x\n" * 20_000, "x\n" * 15_000 + "y\n" + "x\n" * 10_000),
        ("x\ny\n" * 10_000, "y\nx\nz\n" * 8_000),
        ("".join(f"{n * 7919 % 40_009}\n" for n in range(40_000)), "".join(f"{n}\n" for n in range(40_000))),
        ("".join("abcd"[n * n % 7 % 4] + "\n" for n in range(20_000)), "dcba\n".join("abdc" * 3_000)),
    ],
    ids=["one line", "two lines", "shuffled", "four lines"],
)
def test_long_texts_of_the_kind_that_makes_diffs_slow(old: str, new: str) -> None:
    """The time limit of a test is the assertion: a plain longest match takes hours on some of these."""
    assert applied(old, line_edits(old, new)) == new


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_hunks_cover_what_differs_and_nothing_else(old: list[str], new: list[str]) -> None:
    at = new_at = 0
    for first, last, new_first, new_last in hunks(old, new):
        assert old[at:first] == new[new_at:new_first]
        assert (first, new_first) != (last, new_last)
        at, new_at = last, new_last
    assert old[at:] == new[new_at:]


BASE = "import a\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n"
REGION = (BASE.index("def f"), BASE.index("\n\n\ndef g"))
EDITS = line_edits(BASE, BASE.replace("return 1", "return 10"))


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("import a\n", "import a\nimport b\n"),
        ("import a\n", ""),
        ("import a\n", "# 🦊\r\nimport a\r\n"),
        ("def g", "def h():\n    pass\n\n\ndef g"),
        ("return 2", "return 3"),
        ("\n\n\ndef f", "\n\n\n@cached\ndef f"),
        ("return 1\n\n\n", "return 1\n# below\n"),
        ("return 1\n\n\ndef g():\n    return 2\n", "return 1\n"),
    ],
)
def test_a_change_elsewhere_moves_the_edits(there: str, instead: str) -> None:
    now = BASE.replace(there, instead)
    moved = rebased(EDITS, BASE, now, REGION)
    assert moved is not None
    assert applied(now, moved) == now.replace("return 1", "return 10", 1)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("return 1", "return 7"),
        ("return 1", "return 1 + 1"),
        ("def f():", "async def f():"),
        ("def f():", "  def f():"),
        ("def f():\n", "def f():\n    x = 1\n"),
        ("def f():\n    return 1\n", ""),
        ("\n\n\ndef f", "\n\n\ndef"),
        ("\n\n\ndef f", "def f"),
        ("return 1\n\n\ndef g", "return 1def g"),
    ],
)
def test_a_change_in_the_region_makes_the_edits_void(there: str, instead: str) -> None:
    assert rebased(EDITS, BASE, BASE.replace(there, instead), REGION) is None


def test_several_changes_at_once() -> None:
    now = "# top\n" + BASE.replace("return 2", "return 3") + "\nx = 1\n"
    moved = rebased(EDITS, BASE, now, REGION)
    assert moved is not None
    assert applied(now, moved) == now.replace("return 1", "return 10")


def test_an_edit_outside_of_the_region_moves_on_its_own() -> None:
    edits = (Edit(8, 8, "\nimport b"), *EDITS)
    now = BASE.replace("\n\n\ndef f", "\n\nX = 1\n\n\ndef f")
    moved = rebased(edits, BASE, now, REGION)
    assert moved is not None
    assert applied(now, moved) == now.replace("import a", "import a\nimport b").replace(
        "return 1", "return 10"
    )
    assert rebased(edits, BASE, BASE.replace("import a\n", ""), REGION) is None
    assert rebased(edits, BASE, BASE.replace("a\n\n\ndef f", "a b\ndef f"), REGION) is None


def test_edits_that_are_made_already_are_none() -> None:
    assert rebased(EDITS, BASE, applied(BASE, EDITS), REGION) == ()


def test_without_a_region_only_the_edits_count() -> None:
    now = BASE.replace("import a", "import aaa")
    moved = rebased(EDITS, BASE, now, (0, 0))
    assert moved is not None
    assert applied(now, moved) == now.replace("return 1", "return 10")


parts = st.lists(lines, max_size=6).map("".join)


@given(parts, parts, parts, parts, parts, parts)
def test_both_changes_are_in_the_result(
    above: str, old: str, below: str, new_above: str, new: str, new_below: str
) -> None:
    """Whatever becomes of the lines above and below, the region comes out as the edits want it."""
    old, new = f"first\n{old}\nlast", f"first\n{new}\nlast"
    base, now = f"{above}\n{old}\n{below}", f"{new_above}\n{old}\n{new_below}"
    start = len(above) + 1
    moved = rebased(line_edits(old, new, start), base, now, (start, start + len(old)))
    assert moved is not None
    assert applied(now, moved) in (now, f"{new_above}\n{new}\n{new_below}")


@given(anything, anything, anything, st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_any_three_texts(base: str, new: str, now: str, region: tuple[int, int]) -> None:
    start, end = sorted((min(region[0], len(base)), min(region[1], len(base))))
    moved = rebased(line_edits(base, new), base, now, (start, end))
    if moved:
        assert all(0 <= edit.start <= edit.end <= len(now) for edit in moved)
        assert all(first.end <= second.start for first, second in pairwise(moved))
        for edit, new_edit in zip(line_edits(base, new), moved, strict=True):
            assert base[edit.start : edit.end] == now[new_edit.start : new_edit.end]
