"""Samples in every language with places to change in them, and the forms of a model's reply for a place."""

# ruff: noqa: E501 - the samples are tables

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

COMMENT = "This is a new comment."


@dataclass(frozen=True)
class Place:
    """A part of a sample and what a model makes of it."""

    language_id: str
    kind: str
    text: str
    start: int
    end: int
    new: str
    """Indented as in the file, but for its first line."""

    @property
    def result(self) -> str:
        """Return the sample with the new code."""
        return self.text[: self.start] + self.new + self.text[self.end :]

    @property
    def is_part_of_line(self) -> bool:
        """Tell whether there is other code on its line."""
        line = self.text.rfind("\n", 0, self.start) + 1
        rest = self.text[self.end :].partition("\n")[0]
        return bool(self.text[line : self.start].strip() or rest.strip())


@dataclass(frozen=True)
class Shape:
    """How a language writes the sample. The statements have no indentation; a tab is one level."""

    head: tuple[str, ...]
    """Lines before the function; those that open a block raise the level by themselves."""
    signature: tuple[str, str]
    """The old and the new one, without what opens the body."""
    opener: str
    statements: tuple[str, str, str]
    condition: tuple[str, str, str]
    """What stands before the condition, the condition, and what opens the block."""
    nested: tuple[str, str]
    end: str
    """What closes a block; empty where indentation does."""
    last: str
    tail: tuple[str, ...] = ()
    block_end: str = ""
    """What closes the block of the condition, where it is not the same."""


_BRACES = ("}",)
_C_STATEMENTS = ("int total = 0;", "int rate = factor(limit, 3);", "record(rate);")
_C_NESTED = ("notify(total);", "total += limit;")
SHAPES = {
    "python": Shape(("class A:", "\tsize = 4", ""), ("def f(self, items, limit)", "def f(self, items: list, limit: int) -> int"), ":",
                    ("total = 0", "rate = factor(limit, 3)", "record(rate)"), ("if ", "total == rate", ":"),
                    ("notify(total)", "total += limit"), "", "return total",
                    ("", "\tdef g(self):", "\t\treturn 9", "", "", "def other():", "\treturn 8")),
    "javascript": Shape(("class A {",), ("f(items, limit)", "f(items, limit = 1)"), " {",
                        ("let total = 0;", "const rate = factor(limit, 3);", "record(rate);"),
                        ("if (", "total === rate", ") {"), _C_NESTED, "}", "return total;",
                        ("", "\tg() {", "\t\treturn 9;", "\t}", "}")),
    "typescript": Shape(("export class A {", "\tprivate size = 4;", ""), ("f(items, limit)", "f(items: number[], limit: number): number"), " {",
                        ("let total = 0;", "const rate = factor(limit, 3);", "record(rate);"),
                        ("if (", "total === rate", ") {"), _C_NESTED, "}", "return total;",
                        ("", "\tg() {", "\t\treturn 9;", "\t}", "}")),
    "typescriptreact": Shape((), ("export function F(items, limit)", "export function F(items: number[], limit: number)"), " {",
                             ("let total = 0;", "const rate = factor(limit, 3);", "record(rate);"),
                             ("if (", "total === rate", ") {"), _C_NESTED, "}", "return <b>{total}</b>;"),
    "go": Shape(("package a", ""), ("func f(items []int, limit int) int", "func f(items []int, limit int, more bool) int"), " {",
                ("total := 0", "rate := factor(limit, 3)", "record(rate)"), ("if ", "total == rate", " {"),
                ("notify(total)", "total += limit"), "}", "return total", ("", "func g() int {", "\treturn 9", "}")),
    "rust": Shape(("struct A;", "", "impl A {"), ("fn f(&self, items: &[i32], limit: i32) -> i32", "fn f(&self, items: &[i32], limit: i32) -> i64"), " {",
                  ("let mut total = 0;", "let rate = factor(limit, 3);", "record(rate);"),
                  ("if ", "total == rate", " {"), _C_NESTED, "}", "return total;",
                  ("", "\tfn g(&self) -> i32 {", "\t\treturn 9;", "\t}", "}")),
    "java": Shape(("package x;", "", "import java.util.List;", "", "public class A {", "\tprivate int size = 4;", ""),
                  ("public int f(List<Integer> items, int limit)", "public int f(final List<Integer> items, int limit)"), " {",
                  _C_STATEMENTS, ("if (", "total == rate", ") {"), _C_NESTED, "}", "return total;",
                  ("", "\tint g() {", "\t\treturn 9;", "\t}", "}")),
    "c": Shape(("#include <stdio.h>", ""), ("static int f(int *items, int limit)", "static int f(const int *items, int limit)"), " {", _C_STATEMENTS,
               ("if (", "total == rate", ") {"), _C_NESTED, "}", "return total;", ("", "int g(void) {", "\treturn 9;", "}")),
    "cpp": Shape(("#include <vector>", "", "namespace n {", "\tclass A {", "\t\tint size = 4;", ""),
                 ("int f(std::vector<int> items, int limit)", "int f(const std::vector<int>& items, int limit)"), " {", _C_STATEMENTS,
                 ("if (", "total == rate", ") {"), _C_NESTED, "}", "return total;",
                 ("", "\t\tint g() {", "\t\t\treturn 9;", "\t\t}", "\t};", "}")),
    "csharp": Shape(("using System;", "", "namespace N {", "\tpublic class A {", "\t\tint size = 4;", ""),
                    ("public int F(int[] items, int limit)", "public long F(int[] items, int limit)"), " {", _C_STATEMENTS,
                    ("if (", "total == rate", ") {"), _C_NESTED, "}", "return total;",
                    ("", "\t\tint G() {", "\t\t\treturn 9;", "\t\t}", "\t}", "}")),
    "ruby": Shape(("class A",), ("def f(items, limit)", "def f(items, limit = 1)"), "",
                  ("total = 0", "rate = factor(limit, 3)", "record(rate)"), ("if ", "total == rate", ""),
                  ("notify(total)", "total += limit"), "end", "return total",
                  ("", "\tdef g", "\t\treturn 9", "\tend", "end")),
    "php": Shape(("<?php", "", "class A {", "\tprivate $size = 4;", ""), ("public function f($items, $limit)", "public function f(array $items, int $limit): int"), " {",
                 ("$total = 0;", "$rate = factor($limit, 3);", "record($rate);"),
                 ("if (", "$total === $rate", ") {"), ("notify($total);", "$total += $limit;"), "}", "return $total;",
                 ("", "\tfunction g() {", "\t\treturn 9;", "\t}", "}")),
    "shellscript": Shape(("#!/bin/bash", ""), ("f()", "function f()"), " {",
                         ("total=0", 'rate=$(factor "$limit" 3)', 'record "$rate"'), ("if ", '[ "$total" = "$rate" ]', "; then"),
                         ('notify "$total"', "total=$((total + limit))"), "}", 'echo "$total"',
                         ("", "g() {", "\techo 9", "}"), "fi"),
    "lua": Shape(("local A = {}", ""), ("function A.f(items, limit)", "function A.f(items, limit, more)"), "",
                 ("local total = 0", "local rate = factor(limit, 3)", "record(rate)"), ("if ", "total == rate", " then"),
                 ("notify(total)", "total = total + limit"), "end", "return total",
                 ("", "function A.g()", "\treturn 9", "end", "", "return A")),
}  # fmt: skip

DATA = {
    "json": ('{\n  "name": "a",\n  "sizes": {\n    "small": 1,\n    "large": 2,\n    "huge": 3\n  },\n  "list": [1, 2]\n}\n',
             ('"small": 1,', '"small": 10,'), ('"large": 2,', '"large": 20,\n    "larger": 25,'), ("[1, 2]", "[1, 2, 3]"), ("3\n", "30\n")),
    "yaml": ("name: a\nsizes:\n  small: 1\n  large: 2\n  huge: 3\nlist:\n  - one\n  - two\n",
             ("small: 1", "small: 10"), ("large: 2", "large: 20\n  larger: 25"), ("- two", "- three"), ("1\n", "10\n")),
    "toml": ('name = "a"\n\n[sizes]\nsmall = 1\nlarge = 2\nhuge = 3\n\n[other]\nlist = [1, 2]\n',
             ("small = 1", "small = 10"), ("large = 2", "large = 20\nlarger = 25"), ("[1, 2]", "[1, 2, 3]"), ("3\n", "30\n")),
    "html": ("<html>\n  <body>\n    <p>one</p>\n    <p>two</p>\n    <ul>\n      <li>three</li>\n    </ul>\n  </body>\n</html>\n",
             ("<p>one</p>", "<p>first</p>"), ("<p>two</p>", "<p>two</p>\n    <hr>"), ("<li>three</li>", "<li>third</li>"), ("one", "first")),
    "css": ("a {\n  color: red;\n  margin: 0;\n  padding: 1px;\n}\n\nb {\n  color: blue;\n}\n",
            ("color: red;", "color: green;"), ("margin: 0;", "margin: 0 auto;\n  border: 0;"), ("padding: 1px;", "padding: 2px;"), ("blue", "black")),
}  # fmt: skip
"""Samples of data with pieces and what becomes of them."""

UNITS = {"go": "\t", "java": "    ", "c": "    ", "cpp": "    ", "csharp": "    ", "python": "    ", "rust": "    ", "php": "    "}  # fmt: skip


def sample(language_id: str) -> tuple[str, str]:
    """Return a sample of a language and one level of its indentation."""
    shape, unit = SHAPES[language_id], UNITS.get(language_id, "  ")
    openers = tuple(
        line
        for line in shape.head
        if line.endswith(("{", "class A:", "class A")) and not line.startswith("#")
    )
    level = len(openers)
    before, condition, opens = shape.condition
    close = shape.block_end or shape.end
    body = [
        *shape.statements,
        f"{before}{condition}{opens}",
        *(f"\t{line}" for line in shape.nested),
        *([close] if close else []),
        shape.last,
    ]
    lines = [
        *shape.head,
        "\t" * level + shape.signature[0] + shape.opener,
        *("\t" * (level + 1) + line for line in body),
        *(["\t" * level + shape.end] if shape.end else []),
        *shape.tail,
    ]
    return "\n".join(lines).replace("\t", unit) + "\n", unit


def places(language_id: str) -> Iterator[Place]:
    """Yield the places of a language's sample."""
    if language_id in DATA:
        text, *changes = DATA[language_id]
        for number, (old, new) in enumerate(changes):
            yield _place(language_id, f"piece {number}", text, old.rstrip("\n"), new.rstrip("\n"))
        return
    shape = SHAPES[language_id]
    text, unit = sample(language_id)
    first, second, third = shape.statements
    before, condition, opens = shape.condition
    inner, more = shape.nested
    header = f"{before}{condition}{opens}"
    at = text.index(first)
    indent = text[text.rfind("\n", 0, at) + 1 : at]
    deep = indent + unit
    close = shape.block_end or shape.end
    block = f"{header}\n{deep}{inner}\n{deep}{more}" + (f"\n{indent}{close}" if close else "")
    loud = inner.replace("notify", "announce")
    expression = second.partition("= ")[2].removesuffix(";") or second.partition("=")[2]
    argument = "$limit" if "$limit" in second else "limit"
    whole_end = f"{indent}{shape.last}" + (f"\n{indent.removesuffix(unit)}{shape.end}" if shape.end else "")
    start, stop = text.index(shape.signature[0]), text.index(whole_end) + len(whole_end)
    method = text[start:stop]
    yield _place(language_id, "first statement", text, first, first.replace("0", "10"))
    yield _place(language_id, "middle statement", text, second, second.replace("3", "7"))
    yield _place(language_id, "grown statement", text, third, f"{third}\n{indent}{loud}")
    yield _place(language_id, "last statement", text, shape.last, shape.last.replace("total", "rate"))
    two = f"{first}\n{indent}{second}"
    yield _place(language_id, "two statements", text, two, two.replace("3", "7").replace("0", "10"))
    yield _place(
        language_id,
        "simplified statements",
        text,
        f"{second}\n{indent}{third}",
        second.replace("rate", "pace"),
    )
    yield _place(language_id, "block", text, block, block.replace(inner, loud))
    yield _place(language_id, "simplified block", text, block, loud)
    yield _place(language_id, "nested statement", text, inner, loud)
    yield _place(language_id, "nested statements", text, f"{inner}\n{deep}{more}", f"{loud}\n{deep}{more}")
    yield _place(language_id, "expression", text, expression, expression.replace("3", "7"))
    yield _place(language_id, "condition", text, condition, condition.replace("total", "limit"))
    where = text.index(second) + second.index(argument)
    yield Place(
        language_id, "argument", text, where, where + len(argument), argument.replace("limit", "items")
    )
    yield Place(language_id, "method", text, start, stop, method.replace(inner, loud).replace("3", "7"))
    yield _place(language_id, "signature", text, *shape.signature)


def _place(language_id: str, kind: str, text: str, old: str, new: str) -> Place:
    start = text.index(old)
    return Place(language_id, kind, text, start, start + len(old), new)


def replies(place: Place) -> Iterator[tuple[str, str]]:
    """Yield the forms of a reply, with their names."""
    text, new = place.text, place.new
    line = text.rfind("\n", 0, place.start) + 1
    end = text.find("\n", place.end)
    end = end if end >= 0 else len(text)
    alone = textwrap.dedent(text[line : place.start] + new) if not place.is_part_of_line else new
    yield "exact", alone
    yield "exact, indented as in the file behind the first line", new
    before, after = text[:line].splitlines(), text[end + 1 :].splitlines()
    this = text[line : place.start] + new + text[place.end : end]
    if place.is_part_of_line:
        yield "rest of the line", new + text[place.end : end]
        yield "start of the line", (text[line : place.start] + new).strip()
        yield "whole line", this.strip()
    indent = len(this) - len(this.lstrip())
    above, below = _simple(before[::-1], indent)[::-1], _simple(after, indent)
    for count in (1, 2, 3):
        if len(above) >= count:
            yield f"{count} before", textwrap.dedent("\n".join([*above[-count:], this]))
        if len(below) >= count:
            yield f"{count} after", textwrap.dedent("\n".join([this, *below[:count]]))
        if len(above) >= count and len(below) >= count:
            both = textwrap.dedent("\n".join([*above[-count:], this, *below[:count]]))
            yield f"{count} before and after", both
            if place.language_id not in ("shellscript", "json"):
                other = [line.replace('"', "'") for line in (*above[-count:], *below[:count])]
                quoted = [*other[:count], this, *other[count:]]
                yield f"{count} before and after, other quotes", textwrap.dedent("\n".join(quoted))
            if "\t" not in both:
                yield f"{count} before and after, wide", _widened(both)
    if above and below:
        mark = {"python": "#", "ruby": "#", "shellscript": "#", "yaml": "#", "toml": "#", "lua": "--"}.get(
            place.language_id, "//"
        )
        if place.language_id not in ("json", "html", "css"):
            commented = [above[-1], f"{this[:indent]}{mark} {COMMENT}", this, below[0]]
            yield "a comment in between", textwrap.dedent("\n".join(commented))
    yield from _blocks(place, this, before, after)
    yield "whole file", place.result
    if "\t" not in text:
        yield "whole file, wide", _widened(place.result)


def _blocks(place: Place, this: str, before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the line in its block, with and without what else is there, and in the blocks around that."""
    level = _indent(this)
    inside, top, bottom = this, len(before), 0
    number = 0
    while level > 0:
        top = max((at for at in range(top) if before[at].strip() and _indent(before[at]) < level), default=0)
        level = _indent(before[top])
        bottom = next(
            (at for at in range(bottom, len(after)) if after[at].strip() and _indent(after[at]) <= level),
            len(after),
        )
        closes = (
            bottom < len(after)
            and _indent(after[bottom]) == level
            and after[bottom].strip().startswith(("}", "]", "end", "fi", "</"))
        )
        closer = [after[bottom]] if closes else []
        number += 1
        shown = [before[top], inside, *closer]
        yield f"header and closer {number}", textwrap.dedent("\n".join(shown))
        inside = "\n".join(shown)
        all_of = [*before[top:], this, *after[: bottom + len(closer)]]
        yield f"block {number}", textwrap.dedent("\n".join(all_of)).rstrip()
        bottom += len(closer)


def changed_replies(place: Place) -> Iterator[tuple[str, str, bool]]:
    """Yield replies in which what is beside the place was changed, too, and whether the place depends on it."""
    for form, code in replies(place):
        if "comment" in form or form.startswith("exact") or form.endswith(("quotes", "wide")):
            continue
        if code.count("total") > place.new.count("total"):
            yield f"renamed, {form}", re.sub(r"\btotal\b", "amount", code), "total" in place.new
        if "record(rate)" in code and "record" not in place.new:
            yield f"other call, {form}", code.replace("record(", "register("), False
        if "factor(" in code and "factor" not in place.new:
            yield f"other value, {form}", code.replace(", 3", ", 44"), False


def _simple(lines: list[str], indent: int) -> list[str]:
    """Return lines that stand beside a place and are whole statements."""
    found = []
    for line in lines:
        if not line.strip() or _indent(line) != indent or line.rstrip().endswith(("{", "[", ":", "then")):
            break
        if line.strip().startswith(
            ("}", "]", "end", "fi", "if ", "def ", "class ", "</", "<ul", "function ")
        ):
            break
        found.append(line)
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _widened(code: str) -> str:
    """Return code with twice the indentation."""
    return "\n".join(line[: _indent(line)] * 2 + line.lstrip() for line in code.split("\n"))


def said(language_id: str, code: str) -> Iterator[tuple[str, str]]:
    """Yield ways to put code into a reply."""
    code = code.rstrip("\n")
    yield "fence", f"```{language_id}\n{code}\n```"
    yield "sentences", f"Here is it:\n\n```\n{code}\n```\n\nThis is shorter."
    yield "tildes", f"~~~{language_id}\n{code}\n~~~"
    yield "not closed", f"```{language_id}\n{code}"
    yield "indented fence", textwrap.indent(f"```{language_id}\n{code}\n```", "  ")
