"""What the model is told besides the code, and what of it goes first when there is little room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.actions import prompt_file
from lsp_server.chat.actions.prompt_file import Scope
from lsp_server.chat.actions.site import Diagnostic, Target
from lsp_server.chat.prompting.context import gather
from lsp_server.chat.prompting.wording import estimated_tokens
from tests.unit.chat.drawn_site import drawn_site, problem
from tests.unit.chat.test_site import SAMPLES

PYTHON = '''\
import os
from dataclasses import dataclass

LIMIT = 3  # 🦊


@dataclass
class Point:
    """A place."""

    x: int
    y: int


def helper(point: Point) -> int:
    """Return the sum of both coordinates."""
    return point.x + point.y


def unused() -> None:
    print("never")


class Shape:
    def area(self, scale):
        long = scale
        return long

    def target(self, point: Point):
        return helper(point) + self.area(2)█

    def after(self):
        return self.target(None)
'''


def target(
    language_id: str, drawn: str, *diagnostics: Diagnostic, scope: Scope = "definition", uri: str = ""
) -> Target:
    found = drawn_site(language_id, drawn, *diagnostics, uri=uri or "file:///project/src/code").target(scope)
    assert found is not None
    return found


def piece(name: str, of: Target, budget_tokens: int = 2048) -> str:
    return gather(of, [name], budget_tokens).pieces.get(name, "")


def test_definitions_are_those_that_the_code_names() -> None:
    assert (
        piece("definitions", target("python", PYTHON))
        == '''\
@dataclass
class Point:
    """A place."""

    x: int
    y: int
def helper(point: Point) -> int:
    """Return the sum of both coordinates."""
    return point.x + point.y
class Shape:
    def area(self, scale):
        long = scale
        return long'''
    )


def test_definitions_become_signatures_and_then_vanish_the_farthest_first() -> None:
    drawn = PYTHON.replace("        long = scale\n", "        long = scale\n" * 40)
    of = target("python", drawn)
    assert "area(self, scale): ..." in piece("definitions", of)
    found = [piece("definitions", of, budget) for budget in range(200, 20, -10)]
    shown = [
        [name for name in ("area", "helper", "Point") if re.search(rf"^ *\w+ {name}", text, re.M)]
        for text in found
    ]
    assert shown[0] == ["area", "helper", "Point"]
    assert shown[-1] == []
    assert all(names[0] == "area" for names in shown if names)
    assert any("helper(point: Point) -> int: ..." in text for text in found)


def test_the_cells_before_are_for_those_who_want_to_know_the_rest() -> None:
    of = target("python", "total = helper(█LIMIT)\n", scope="file")
    cells = ["LIMIT = 3" * 20, "def helper(limit):\n    return limit"]
    assert gather(of, ["definitions"], 2048, cells=cells).pieces["cells"] == "\n\n".join(cells)
    assert gather(of, ["definitions"], 60, cells=cells).pieces["cells"] == cells[1], "the nearest"
    assert "cells" not in gather(of, ["diagnostics", "conventions"], 2048, cells=cells).pieces
    assert "cells" not in gather(of, ["definitions"], 2048).pieces


OTHER_LANGUAGES = [
    ("typescript", "interface A { b: number }\nfunction c(a: A) {\n  return d(█a);\n}\nfunction e() {}\n",
     "interface A { b: number }"),
    ("go", "package a\n\nfunc b() int {\n\treturn 1\n}\n\nfunc c() int {\n\treturn █b()\n}\n",
     "func b() int {\n\treturn 1\n}"),
    ("rust", "struct A;\nimpl A {\n    fn b(&self) -> u8 { 1 }\n    fn c(&self) { self.b();█ }\n}\n",
     "impl A {\n    fn b(&self) -> u8 { 1 }\n}"),
    ("java", "class A {\n  int b() { return 1; }\n  int c() { return b();█ }\n  int d() { return 2; }\n}\n",
     "class A {\n  int b() { return 1; }\n}"),
    ("c", "struct a { int b; };\nint c(void) { return 1; }\nint d(struct a x) { return █x.b; }\n",
     "struct a { int b; }"),
    ("cpp", "class A { int b(); };\nint A::b() { return c();█ }\nint c() { return 1; }\n",
     "class A { int b(); }\nint c() { return 1; }"),
    ("ruby", "def a\n  1\nend\n\ndef b\n  a█()\nend\n", "def a\n  1\nend"),
    ("lua", "function M.a()\n  return 1\nend\nfunction b()\n  return M.a()█\nend\n",
     "function M.a()\n  return 1\nend"),
    ("php", "<?php\nfunction a() { return 1; }\nfunction b() { return a();█ }\n",
     "function a() { return 1; }"),
    ("shellscript", "a() {\n  echo\n}\nb() {\n  a█\n}\n", "a() {\n  echo\n}"),
    ("csharp", "class A {\n  int B() { return 1; }\n  int C() { return B();█ }\n}\n",
     "class A {\n  int B() { return 1; }\n}"),
]  # fmt: skip


@pytest.mark.parametrize(("language_id", "drawn", "text"), OTHER_LANGUAGES)
def test_definitions_of_other_languages(language_id: str, drawn: str, text: str) -> None:
    assert piece("definitions", target(language_id, drawn)) == text


MEMBERS = [
    ("rust", "struct A;\nimpl A {\n    fn new() -> A { A }\n}\nfn c() -> Vec<u8> { Vec::new()█ }\n", ""),
    ("rust", "struct B;\nimpl B {\n    fn new() -> B { B }\n}\nfn c() { B::new();█ }\n", "fn new() -> B"),
    ("rust", "fn c() -> u8 { let total = 1; total█ }\nmod tests {\n    fn total() {}\n}\n", ""),
    ("cpp", "class A { int mean() { return 1; } };\nint c() { int mean = 2; return mean;█ }\n", ""),
    ("cpp", "class A { int mean() { return 1; } };\nint c(A a) { return a.mean();█ }\n", "int mean()"),
    ("python", "class A:\n    def f(self): ...\n\ndef c(f):\n    return█ f\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("language_id", "drawn", "shown"), MEMBERS)
def test_a_member_of_another_class_is_not_meant_by_its_bare_name(
    language_id: str, drawn: str, shown: str
) -> None:
    text = piece("definitions", target(language_id, drawn))
    assert shown in text if shown else text == "", text


def test_names_in_strings_and_comments_name_nothing() -> None:
    drawn = "def a(): return 1\n\ndef b():\n    # a()\n    return 'a()'█\n"
    assert piece("definitions", target("python", drawn)) == ""


def test_outline_and_imports_do_not_say_the_same() -> None:
    of = target("python", PYTHON)
    both = gather(of, ["outline", "imports"], 2048).pieces
    assert both["imports"] == "import os\nfrom dataclasses import dataclass"
    assert "import" not in both["outline"]
    assert "def helper(point: Point) -> int: ..." in both["outline"]
    assert piece("outline", of).startswith("import os\n")
    assert "def target" not in piece("outline", of)


def test_an_outline_is_closed_and_in_file_order() -> None:
    drawn = "fn a() {\n    1\n}\n\nimpl B {\n    fn c() {\n        2█\n    }\n}\n\nfn d() {\n    3\n}\n"
    assert piece("outline", target("rust", drawn)) == "fn a() { ... }\nimpl B {\n}\nfn d() { ... }"


def test_imports_in_the_target_are_not_repeated() -> None:
    of = target("python", "█import os\n█import re\n\nx = 1\n", scope="selection")
    assert piece("imports", of) == "import re"


def test_diagnostics_say_where_and_what() -> None:
    drawn = "def f():\n    retu█rn g(\n        undefined)\n"
    of = target(
        "python",
        drawn,
        problem(drawn, "undefined", "undefined name\n  'undefined'", "pyflakes", "F821"),
        problem(drawn, "g(", "no g"),
    )
    assert piece("diagnostics", of) == (
        "- line 2, `return g(`: no g\n- line 3, `undefined)`: undefined name 'undefined' (pyflakes F821)"
    )


@pytest.mark.parametrize(
    ("language_id", "drawn", "text"),
    [
        ("python", PYTHON, 'def helper(point: Point) -> int:\n    """Return the sum of both coordinates."""'),
        (
            "javascript",
            "class A {\n  /** One. */\n  b() {}\n\n  c() {█}\n\n  // no\n  d() {}\n}\n",
            "/** One. */\nb()",
        ),
        ("go", "// A does.\n// More.\nfunc A() {}\n\nfunc B() {█}\n", "// A does.\n// More.\nfunc A()"),
        ("python", "def a(): pass\n\ndef b():█ pass\n", ""),
    ],
)
def test_conventions_are_the_nearest_documented_definition(language_id: str, drawn: str, text: str) -> None:
    assert piece("conventions", target(language_id, drawn)) == text


def test_existing_tests_are_shown_and_named(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    source, existing = tmp_path / "shapes.py", tmp_path / "tests" / "test_shapes.py"
    source.write_text("def area(): return 1\n", encoding="utf-8")
    existing.write_bytes(b"import pytest\r\n\r\nfrom shapes import area\r\n")
    of = target("python", "def area():█ return 1\n", uri=source.as_uri())
    found = gather(of, ["tests"], 2048, tmp_path)
    assert found.new_file is not None
    assert found.new_file.path == existing
    assert found.documents == (existing.as_uri(),)
    assert "```\nimport pytest\n\nfrom shapes import area\n```" in found.pieces["tests"]
    assert "pytest" in found.pieces["tests"].partition("```")[0]
    existing.unlink()
    fresh = gather(of, ["tests"], 2048, tmp_path)
    assert fresh.new_file is not None
    assert not fresh.new_file.exists
    assert fresh.documents == ()


def test_a_file_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    of = target("python", "def f():█ pass\n", uri=(tmp_path / "new" / "a.py").as_uri())
    found = gather(of, ["tests"], 2048, tmp_path)
    assert found.new_file is not None
    assert not found.new_file.exists


def test_a_document_that_is_no_file_has_no_place_for_tests() -> None:
    found = gather(target("python", "def f():█ pass\n", uri="untitled:Untitled-1"), ["tests"], 2048)
    assert (found.new_file, found.pieces) == (None, {})


def test_only_what_is_wanted_is_gathered() -> None:
    assert gather(target("python", PYTHON), [], 2048).pieces == {}
    assert set(gather(target("python", PYTHON), ["outline"], 2048).pieces) == {"outline"}


def test_line_ends_are_those_that_models_write() -> None:
    windows = gather(target("python", PYTHON.replace("\n", "\r\n")), NEAR, 2048)
    assert windows.pieces == gather(target("python", PYTHON), NEAR, 2048).pieces


NEAR = sorted(prompt_file.PIECES - {"tests", "staged_diff"})


@given(st.sampled_from(sorted({**SAMPLES, "python": PYTHON.replace("█", "")})), st.data())
def test_the_budget_holds(language_id: str, data: st.DataObject) -> None:
    text = {**SAMPLES, "python": PYTHON.replace("█", "")}[language_id]
    at = data.draw(st.integers(0, len(text)))
    budget = data.draw(st.integers(0, 400))
    drawn = text[:at] + "█" + text[at:]
    scopes: list[Scope] = ["definition", "statement", "signature", "file"]
    scope = data.draw(st.sampled_from(scopes))
    of = drawn_site(language_id, drawn, problem(drawn, text[5:9], "wrong 🦊" * 9)).target(scope)
    if of is None:
        return
    wanted = data.draw(st.permutations(NEAR))
    found = gather(of, wanted, budget)
    pieces = list(found.pieces.values())
    assert all(text.strip() for text in pieces)
    if pieces:
        assert sum(map(estimated_tokens, (*pieces, of.text))) <= budget + len(pieces) + 1
    assert found == gather(of, sorted(wanted), budget)
