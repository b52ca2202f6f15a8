"""Code that a rewrite took away: what is missed, and what may go."""

from __future__ import annotations

import pytest

from lsp_server.chat.editing.check import damage
from lsp_server.documents.languages import LANGUAGES

BY_NAME = {language.name: language for language in LANGUAGES}


def body(head: str, tail: str, let: str = "", end: str = ";", sigil: str = "", assign: str = "=") -> str:
    """Return a function of five statements that each are needed."""
    lines = ["LET$x := g($a)", "$x = $x + fee($a)", "log($x)", "LET$y := h($x)", "return $y"]
    text = "".join(f"  {line}{end}\n" for line in lines)
    text = text.replace("LET", let).replace(":=", assign).replace("$", sigil)
    return f"{head}\n{text}{tail}"


BODIES = {
    "python": body("def f(a):", "", end=""),
    "javascript": body("function f(a) {", "}\n", "let "),
    "typescript": body("function f(a: A): B {", "}\n", "let "),
    "tsx": body("function f(a: A): B {", "}\n", "let "),
    "go": body("func f(a A) B {", "}\n", end="", assign=":="),
    "rust": body("fn f(a: A) -> B {", "}\n", "let mut "),
    "java": body("class A { B f(A a) {", "} }\n", "B "),
    "c": body("int f(int a) {", "}\n", "int "),
    "cpp": body("int f(int a) {", "}\n", "auto "),
    "csharp": body("class A { B F(A a) {", "} }\n", "var "),
    "ruby": body("def f(a)", "end\n", end=""),
    "php": body("<?php\nfunction f($a) {", "}\n", sigil="$"),
    "lua": body("function f(a)", "end\n", "local ", end=""),
}


def said(name: str, before: str, after: str) -> str | None:
    return damage(before, after, BY_NAME[name], replaces=True)


def without(text: str, *parts: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not any(part in line for part in parts))


@pytest.mark.parametrize("name", BODIES)
def test_a_statement_that_is_gone_is_missed(name: str) -> None:
    before = BODIES[name]
    for part in ("g(", "fee(", "log(", "h(", "return"):
        after = without(before, part)
        assert after != before
        assert said(name, before, after) is not None, part
        assert damage(before, after, BY_NAME[name]) is None or name == "go", "what is left parses"


@pytest.mark.parametrize("name", BODIES)
def test_a_reply_that_stops_early_is_missed_wherever_it_stops(name: str) -> None:
    before = BODIES[name]
    lines = before.splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if "g(" in line)
    last = next(at for at, line in enumerate(lines) if "return" in line)
    for stop in range(first, last + 1):
        assert said(name, before, "".join(lines[:stop] + lines[last + 1 :])) is not None, stop


@pytest.mark.parametrize("name", BODIES)
def test_what_stands_elsewhere_or_otherwise_is_not_missed(name: str) -> None:
    before = BODIES[name]
    assert said(name, before, before) is None
    assert said(name, before, before.replace("log(x)", "note(x)").replace("log($x)", "note($x)")) is None
    lines = before.splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if "log(" in line)
    moved = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
    assert said(name, before, "".join(moved)) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A loop becomes an expression.
        (
            "def f(a):\n  out = []\n  for x in a:\n    if x:\n      out.append(x)\n  return out\n",
            "def f(a):\n    return [x for x in a if x]\n",
        ),
        # Branches become one value.
        (
            "def f(a):\n    if a > 1:\n        return True\n    else:\n        return False\n",
            "def f(a):\n    return a > 1\n",
        ),
        # A name that nobody reads.
        ("def f(a):\n    unused = 1\n    return a\n", "def f(a):\n    return a\n"),
        # A comment, a docstring, blank lines, what closes a block.
        ("def f(a):\n    # one\n    # two\n    # three\n\n    return a\n", "def f(a):\n    return a\n"),
        # A value that is given a name only to be returned.
        ("def f(a):\n    x = g(a)\n    return x\n", "def f(a):\n    return g(a)\n"),
        # A part that becomes a function.
        (
            "def f(a):\n    x = g(a)\n    y = h(x)\n    log(x)\n    log(y)\n    return y\n",
            "def k(a):\n    x = g(a)\n    y = h(x)\n    log(x)\n    log(y)\n    return y\n\n\n"
            "def f(a):\n    return k(a)\n",
        ),
        # A variable that is assigned once less, and is assigned still.
        ("def f(a):\n    x = 0\n    x = g(a)\n    return x\n", "def f(a):\n    x = g(a)\n    return x\n"),
    ],
)
def test_what_simplifying_does_is_not_missed(before: str, after: str) -> None:
    assert said("python", before, after) is None


def test_a_line_that_somebody_complained_of_may_go() -> None:
    before = "def f(a):\n    g(a)\n    boom(a)\n    return a\n"
    after = without(before, "boom")
    assert "`boom(a)` is gone" in (said("python", before, after) or "")
    assert damage(before, after, BY_NAME["python"], replaces=True, spared=[2]) is None


def test_a_function_that_gives_nothing_back_any_more_is_missed() -> None:
    before = "def f(a):\n    x = g(a)\n    return x + 1\n"
    assert said("python", before, "def f(a):\n    x = g(a)\n    x + 1\n") == "`f` returns nothing any more"
    assert said("javascript", "const f = (a) => {\n  return a;\n};\n", "const f = (a) => a;\n") is None


def test_a_long_line_costs_no_more_than_its_length() -> None:
    line = "a " * 150_000
    assert said("python", f"x = 1\n{line}\n", "x = 1\n") is None
