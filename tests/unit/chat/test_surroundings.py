"""A reply that brings what is around the target: that is never there twice, in no language and no form."""

# ruff: noqa: E501 - the cases are tables

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lsp_server.chat.actions.prompt_file import PromptFile, Scope
from lsp_server.chat.actions.site import site
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.editing.proposal import NoEdit
from lsp_server.chat.outcome import proposal
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.replies.reply import ReplyParser
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse
from tests.unit.chat.reply_forms import COMMENT, DATA, SHAPES, Place, changed_replies, places, replies, said

Outcome = Literal["exact", "refused", "warned", "wrong"]


def outcome(place: Place, reply: str, *, scope: Scope = "definition") -> tuple[Outcome, str]:
    """Return what becomes of a place with a reply, and the document."""
    snapshot = Snapshot("file:///project/a", place.language_id, 1, place.text)
    here = site(snapshot, parse(place.text, detect(place.language_id, "")), place.start, place.end)
    if place.kind == "signature":
        scope = "signature"
    target = here.target(scope)
    assert target is not None
    if not here.selected:  # a word, which an action takes for a place
        target = replace(target, start=place.start, end=place.end, kind="selection", name="")
    if place.kind != "signature":
        assert (target.start, target.end) == (place.start, place.end), place.kind
    parser = ReplyParser()
    parser.feed(reply)
    file = PromptFile("x", "x", "refactor.rewrite.codestral", "replace", "", scope=scope)
    made = proposal(file, target, Context(), parser.reply)
    if isinstance(made, NoEdit):
        return "refused", made.reason
    text = applied(place.text, made.edits)
    text = "".join(line for line in text.splitlines(keepends=True) if COMMENT not in line)
    if text == place.result:
        return "exact", ""
    return ("warned", made.warning) if made.warning else ("wrong", text)


def answered(code: str) -> str:
    return f"```\n{code}\n```"


def outcomes(language_id: str) -> Counter[Outcome]:
    counted: Counter[Outcome] = Counter()
    for place in places(language_id):
        for form, code in replies(place):
            came, shown = outcome(place, answered(code))
            counted[came] += 1
            assert came != "wrong", f"{language_id}, {place.kind}, {form}:\n{code}\nbecame\n{shown}"
    return counted


LEAST_EXACT = 0.92
"""Measured: 0.93 in C++, where the most is refused, and 0.99 in all of 2,545 replies."""


@pytest.mark.parametrize("language_id", [*SHAPES, *DATA])
def test_only_the_target_is_replaced_whatever_the_reply_brings(language_id: str) -> None:
    counted = outcomes(language_id)
    print(f"{language_id}: {dict(counted)}")
    assert counted["exact"] >= LEAST_EXACT * counted.total()


@pytest.mark.parametrize("language_id", SHAPES)
def test_changed_surroundings_are_left_or_told(language_id: str) -> None:
    """A neighbour that the model changed as well is never written beside the old one without a word."""
    for place in places(language_id):
        if place.kind in ("method", "signature"):  # these are found by their names
            continue
        for form, code, depends in changed_replies(place):
            came, shown = outcome(place, answered(code))
            wrong = came == "wrong" or (depends and came == "exact")
            assert not wrong, f"{language_id}, {place.kind}, {form}:\n{code}\nbecame\n{shown}"


@pytest.mark.parametrize("language_id", [*SHAPES, *DATA])
def test_how_the_code_stands_in_the_reply_does_not_matter(language_id: str) -> None:
    place = next(iter(places(language_id)))
    for form, code in list(replies(place))[::4]:
        expected = outcome(place, answered(code))[0]
        for way, reply in said(language_id, code):
            assert outcome(place, reply)[0] == expected, f"{language_id}, {form}, {way}:\n{reply}"


def drawn(language_id: str, text: str, new: str) -> Place:
    before, old, after = text.split("█")
    start = len(before)
    return Place(language_id, "drawn", before + old + after, start, start + len(old), new)


LOOP = """\
function f(values) {
  let sum = 0;
  █for (let i = 0; i < values.length; i++) {
    sum += values[i];
  }█
  return sum;
}
"""
TWO = """\
class A:
    size = 1

    █def f(self):
        return 1

    def g(self):
        return 2█

    def h(self):
        return 3
"""


@pytest.mark.parametrize(
    ("language_id", "text", "new", "reply"),
    [
        ("javascript", LOOP, "for (const value of values) sum += value;",
         "let sum = 0;\nfor (const value of values) sum += value;\nreturn sum;"),
        ("javascript", LOOP, "for (const value of values) sum += value;",
         "let sum = 0;\n\nfor (const value of values) sum += value;"),
        ("javascript", LOOP, "for (const value of values) sum += value;",
         "let sum = 0; for (const value of values) sum += value; return sum;"),
        ("python", "def f(a):\n    if █a == True█:\n        return 1\n", "a", "if a:"),
        ("python", "def f(a):\n    if █a == True█:\n        return 1\n", "a", "if a:\n    return 1"),
        ("python", "def f(a):\n    if █a == True█:\n        return 1\n", "a", "def f(a):\n    if a:\n        return 1"),
        ("python", "def f(a):\n    if █a == True█:\n        return 1\n", "a", "a:"),
        ("python", TWO, TWO.split("█")[1].replace("1", "11").replace("2", "22"),
         "class A:\n    def f(self):\n        return 11\n\n    def g(self):\n        return 22"),
        ("python", "class A:\n    █size = 1█\n\n    def f(self):\n        return 1\n", "size = 2", "class A:\n    size = 2"),
        ("rust", "fn f() {\n    █let a = 1;█\n    g(a);\n}\n", "let a = 2;", "fn main() {\n    let a = 2;\n}"),
        ("java", "class A {\n    void f() {\n        █int a = 1;█\n        g(a);\n    }\n}\n", "int a = 2;",
         "public class Main {\n    public static void main(String[] args) {\n        int a = 2;\n    }\n}"),
        ("go", "package a\n\nfunc f() {\n\t█a := 1█\n\tg(a)\n}\n", "a := 2", "package main\n\nfunc main() {\n\ta := 2\n}"),
        ("c", "int f(void) {\n    █int a = 1;█\n    return a;\n}\n", "int a = 2;", "int main(void) {\n    int a = 2;\n    return a;\n}"),
        ("php", "<?php\nfunction f() {\n    █$a = 1;█\n    return $a;\n}\n", "$a = 2;", "<?php\n$a = 2;\n?>"),
        ("php", "<?php\nclass A {\n    █public function f() {\n        return 1;\n    }█\n}\n",
         "public function f() {\n        return 2;\n    }", "public function f() {\n    return 2;\n}"),
        ("shellscript", "#!/bin/bash\n█a=1█\necho $a\n", "a=2", "#!/bin/bash\na=2\necho $a"),
        ("javascript", "function f(a) {\n  return █g(a)█;\n}\n", "h(a)", "return h(a);"),
        ("javascript", "const s = \"█one█\";\n", "two", "\"two\""),
        ("typescript", "interface A {\n  b: string;\n  █c: any;█\n}\n", "c: number;", "interface A {\n  c: number;\n}"),
        ("cpp", "void f() {\n    try {\n        █a();█\n    } catch (E& e) {\n        b();\n    }\n}\n", "c();", "try {\n    c();\n}"),
        # The target itself begins or ends like the line beside it.
        ("python", "def f(i):\n    i += 1\n    █i += 1\n    g(i)█\n", "i += 1\n    h(i)", "i += 1\nh(i)"),
        ("python", "def f(i):\n    i += 1\n    █i += 1\n    g(i)█\n", "i += 1\n    h(i)", "i += 1\ni += 1\nh(i)"),
        ("python", "def f(i):\n    █g(i)\n    i += 1█\n    i += 1\n", "h(i)\n    i += 1", "h(i)\ni += 1"),
        ("ruby", "def f(a)\n  if a\n    █if b\n      c\n    end█\n  end\nend\n", "if b\n      d\n    end", "if b\n  d\nend"),
        ("lua", "function f(a)\n  █if b then\n    c()\n  end█\nend\n", "if b then\n    d()\n  end", "if b then\n  d()\nend"),
        ("javascript", "f(█a█);\n", "(a, b)", "((a, b))"),
        ("javascript", "function f() {\n  █a();█\n}\n", "if (a) {\n    a();\n  }", "if (a) {\n  a();\n}"),
    ],
)  # fmt: skip
def test_what_is_around_the_target_is_not_there_twice(
    language_id: str, text: str, new: str, reply: str
) -> None:
    place = drawn(language_id, text, new)
    assert outcome(place, answered(reply)) == ("exact", "")


@pytest.mark.parametrize(
    ("language_id", "text", "reply"),
    [
        ("javascript", LOOP, "let total = 0;\nfor (const value of values) total += value;\nreturn total;"),
        ("javascript", LOOP, "for (const value of values) total += value;"),
        ("javascript", LOOP, "function f(values) {\n  return values.reduce((a, b) => a + b, 0);\n}"),
        ("python", "class A:\n    █size = 1█\n    more = 2\n", "class A:\n    width = 1\n    height = 2"),
        ("python", "def f(a):\n    █a = 1\n    b = 2█\n    return a\n", "def g(x):\n    return x"),
        ("python", "def f(a):\n    if █a == True█:\n        return 1\n", "if a:\n    return 2"),
        ("rust", "fn f(a: i32) -> i32 {\n    █let b = a;█\n    b\n}\n", "fn f(a: i32) -> i32 { a }"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_apart_is_told(language_id: str, text: str, reply: str) -> None:
    assert outcome(drawn(language_id, text, "?"), answered(reply))[0] in ("refused", "warned")


NAMES = ("alpha", "beta", "gamma", "delta")
statements = st.one_of(
    st.builds("{} = {}".format, st.sampled_from(NAMES), st.integers(0, 99)),
    st.builds("{}({})".format, st.sampled_from(["run", "stop", "log"]), st.sampled_from(NAMES)),
    st.builds("{} = {} + {}".format, st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 99)),
)


@given(
    st.lists(statements, min_size=3, max_size=8, unique=True),
    st.lists(statements, min_size=1, max_size=3, unique=True),
    st.data(),
)
def test_generated_programs(body: list[str], new: list[str], data: st.DataObject) -> None:
    """Any number of the statements before and after, with or without the header, around any new statements."""
    first = data.draw(st.integers(0, len(body) - 1))
    last = data.draw(st.integers(first + 1, len(body)))
    assume(not set(new) & set(body))
    above, below = data.draw(st.integers(0, first)), data.draw(st.integers(0, len(body) - last))
    text = "def f():\n" + "".join(f"    {line}\n" for line in body)
    start = text.index("\n", 0) + 1 + sum(len(line) + 5 for line in body[:first]) + 4
    old = "\n    ".join(body[first:last])
    place = Place("python", "drawn", text, start, start + len(old), "\n    ".join(new))
    reply = [*body[first - above : first], *new, *body[last : last + below]]
    if above == first and data.draw(st.booleans()):
        reply = ["def f():", *(f"    {line}" for line in reply)]
    came, shown = outcome(place, answered("\n".join(reply)))
    if reply[0] != "def f():" or below == len(body) - last:
        assert came in ("exact", "warned"), shown
    else:
        assert came != "wrong", shown
