"""What a model writes in steps of its own comes out in those of the file."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion.cursor import columns
from lsp_server.completion.indentation import Reindented
from lsp_server.documents.languages import LANGUAGES, Language
from tests.support.completing import check, cut_up

Body = tuple[tuple[int, str], ...]

BRACES: Body = ((0, "for (;;) {"), (1, "if (a) {"), (2, "b(a);"), (1, "}"), (0, "}"), (0, "c(a);"))
BODIES: dict[str, Body] = {
    "python": ((0, "for b in a:"), (1, "if b:"), (2, "c(b)"), (1, "d(b)"), (0, "return a")),
    "ruby": ((0, "a.each do |b|"), (1, "if b"), (2, "c b"), (1, "end"), (0, "end"), (0, "d")),
    "lua": ((0, "for _, b in ipairs(a) do"), (1, "if b then"), (2, "c(b)"), (1, "end"), (0, "end")),
    "bash": ((0, "for b in $a; do"), (1, "if $b; then"), (2, "c $b"), (1, "fi"), (0, "done"), (0, "d")),
    "json": ((0, '"a": {'), (1, '"b": ['), (2, "1"), (1, "]"), (0, "}")),
    "css": ((0, "a {"), (1, "b {"), (2, "color: red;"), (1, "}"), (0, "}")),
    "scss": ((0, "a {"), (1, "b {"), (2, "color: red;"), (1, "}"), (0, "}")),
    "toml": ((0, "a = ["), (1, "["), (2, "1,"), (1, "],"), (0, "]")),
    "rust": ((0, "for b in a {"), (1, "if b {"), (2, "c(b);"), (1, "}"), (0, "}"), (0, "d(a)")),
    "go": ((0, "for _, b := range a {"), (1, "if b {"), (2, "c(b)"), (1, "}"), (0, "}"), (0, "d(a)")),
}
AS_IT_IS = {"plain text", "markdown", "html", "yaml", "make", "sql", "dockerfile"}
CONVERTED = [language for language in LANGUAGES if language.name not in AS_IT_IS]
UNITS = ("  ", "   ", "    ", "        ", "\t")


def written(body: Body, unit: str, base: str, first: str) -> str:
    """Return a body as somebody writes it who takes steps of `unit`, the first line behind `first`."""
    lines = [base + unit * depth + line for depth, line in body]
    return "\n".join([first + body[0][1], *lines[1:]]) + "\n"


def placed(language: Language, head: str, unit: str, text: str, *, size: int = 0, fits: bool = True) -> str:
    given = Reindented(language, head, unit, fits=fits)
    return "".join(given.feed(piece) for piece in cut_up(text, size or len(text)))


@pytest.mark.parametrize("language", CONVERTED, ids=lambda one: one.name)
def test_the_steps_of_a_model_become_those_of_the_file(language: Language) -> None:
    body = BODIES.get(language.name, BRACES)
    for own, theirs, deep in product(UNITS, UNITS, (0, 1, 2)):
        head = own * deep
        wanted = written(body, own, head, "")
        for base, first in (
            (head, ""),  # it begins at the cursor
            (head + theirs, theirs),  # it means the block to be one step deeper
            (head, theirs),  # it only gives blanks to the first line
        ):
            if first and not deep:
                continue  # at the left border nothing says that a line begins too deep
            if "\t" in theirs and columns(head) % columns("\t"):
                continue  # a tab after blanks is no step
            text = written(body, theirs, base, first)
            for size in (0, 1, 3):
                assert placed(language, head, own, text, size=size) == wanted, (own, theirs, deep, text)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
@given(st.data())
def test_what_has_the_files_steps_stays_as_it_is(language: Language, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(UNITS))
    lines = data.draw(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b(", ")", "{", "}", "if x:", "'", ""])))
    )
    text = "\n".join(unit * depth + line for depth, line in lines)
    steps = [after - before for (before, _), (after, _) in pairwise(lines)]
    if all(step <= 1 for step in steps) and (not lines or lines[0][0] == 0):
        given = Reindented(language, "", unit, fits=False)
        assert (given.feed(text) + text[len(text.rstrip(" \t")) :]).rstrip() == text.rstrip()


@given(st.text("ab \t\n(){}:'\"#", max_size=80), st.integers(1, 7), st.sampled_from(LANGUAGES), st.booleans())
def test_only_blanks_at_the_start_of_lines_change_however_the_text_comes(
    text: str, size: int, language: Language, fits: bool
) -> None:
    whole = placed(language, "  ", "  ", text + "x", fits=fits)
    assert [line.lstrip(" \t") for line in whole.split("\n")] == [
        line.lstrip(" \t") for line in (text + "x").split("\n")
    ]
    assert placed(language, "  ", "  ", text + "x", size=size, fits=fits) == whole


PLACES = [
    (  # the rest of a block keeps its place in the file
        "python",
        "def f(a):\n  █\n  return b\n",
        "    b = 0\n    b += 1\n  return b\n",
        "b = 0\n  b += 1",
    ),
    ("python", "def f():\n  if a:\n    b()\n  █\n", "  c()\n", "c()"),
    ("python", "class A:\n    def f(self):\n  █", "      return 1\n", "      return 1"),  # not there yet
    ("python", "def f(a):\n  █", "    x = g(a,\n          b)\n    return x\n",
     "x = g(a,\n        b)\n  return x"),
    ("python", "def f(a):\n  █", '    """Doc.\n\n    More.\n    """\n    return a\n',
     '"""Doc.\n\n  More.\n  """\n  return a'),
    ("python", "def f(a):\n  █", '    s = """\n        x\n    y\n  """\n    return s\n',
     's = """\n        x\n    y\n  """\n  return s'),
    ("shellscript", "f() {\n  █\n}\n", "    cat <<EOF\n    a\n\tb\n  EOF\n    c\n}\n",
     "cat <<EOF\n    a\n\tb\n  EOF\n  c"),
    ("makefile", "clean:\n\t█", "\trm -f *.o\n", "rm -f *.o"),
    ("yaml", "a:\n  █", "    b: 1\n", "b: 1"),
    ("c", "int f(int a) {\n  █\n}\n", "    if (a) {\n        return 1;\n    }\n    return 2;\n}\n",
     "if (a) {\n    return 1;\n  }\n  return 2;"),
    ("go", "func f() {\n\t█\n}\n", "    if a {\n        b()\n    }\n}\n", "if a {\n\t\tb()\n\t}"),
    ("javascript", "function f() {\n  █\n}\n", "    a(function () {\n        b();\n    });\n}\n",
     "a(function () {\n    b();\n  });"),
    (  # at the start of a line the model says how deep the line is, whatever it has to be at least
        "python",
        "def f(a):\n    for b in a:\n        if b:\n            c()\n█\n    return 1\n",
        "    d()\n        e()\n    return 1\n",
        "        d()\n        e()",
    ),
    ("markdown", "- a\n  █", "  - b\n", "  - b"),
]  # fmt: skip


@pytest.mark.parametrize("case", PLACES, ids=lambda case: f"{case[0]} {case[1]!r}")
def test_completions_begin_at_the_cursor(case: tuple[str, str, str, str]) -> None:
    language_id, drawn, text, expected = case
    check(language_id, (drawn, text, expected))
