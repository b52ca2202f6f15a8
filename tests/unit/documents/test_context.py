"""What stands around the cursor, in sound and in broken code, with a tree and without."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.documents.context import SyntaxContext, syntax_context
from lsp_server.documents.languages import LANGUAGES, Language
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTrees
from tests.support.drawn import cursor


def look(language_id: str, drawn: str, *, with_tree: bool = True) -> tuple[str, SyntaxContext]:
    text, offset = cursor(drawn)
    snapshot = Snapshot("file:///drawn", language_id, 1, text)
    tree = SyntaxTrees().parse(snapshot) if with_tree else None
    return text, syntax_context(snapshot, tree, offset)


PLACES = [
    ("python", "x = 1█", "code"),
    ("python", "x = 'a█'", "string"),
    ("python", "x = █'a'", "code"),
    ("python", "x = 'a'█", "code"),
    ("python", "x = '█'", "string"),
    ("python", "x = 'a█\ny = 1\n", "string"),
    ("python", "print('it█\nx(1)\n", "string"),
    ("python", "x = 1  # a█\ny = 2\n", "comment"),
    ("python", "x = 1  # a\n█\n", "code"),
    ("python", "x = '#█'", "string"),
    ("python", 'def f():\n    """Retu█\n    x = 1\n', "string"),
    ("python", 'def f():\n    """Return.\n\n    More█\n    """\n', "string"),
    ("python", 'def f():\n    """Return.\n\n    More█\n    x = 1\n', "string"),
    ("python", "x = f'{a█}'", "code"),
    ("python", "x = f'{a}█'", "string"),
    ("javascript", "a = `b ${c█} d`", "code"),
    ("javascript", "a = `b ${c} d█`", "string"),
    ("javascript", "foo(`abc ${x} █\n", "string"),
    ("javascript", "x(); /* a█ */ y();", "comment"),
    ("javascript", "x(); /* a */█ y();", "code"),
    ("javascript", "x(); /* a█\ny();\n", "comment"),
    ("javascript", "const a = <p>don't█</p>;", "code"),
    ("typescriptreact", 'const a = <p class="b█">c</p>;', "string"),
    ("go", 'func f() {\n\tx := "abc█\n\ty := 1\n}\n', "string"),
    ("go", "var x = `a\nb█\nc`\n", "string"),
    ("rust", "// hello█\nfn f() {}\n", "comment"),
    ("rust", "/// doc\n█fn f() {}\n", "code"),
    ("rust", "fn f<'a>(x: &'a█ str) {}\n", "code"),
    ("java", 'class A {\n  String x = "abc█\n  int y;\n}\n', "string"),
    ("c", 'int f() {\n  printf("a\\"b█\n  return 1;\n}\n', "string"),
    ("c", "char c = '█';\n", "string"),
    ("csharp", 'class A { string s = $"a{b█}"; }\n', "code"),
    ("ruby", 'x = "a#{b█}"\n', "code"),
    ("ruby", "x = <<~END\n  a█\nEND\n", "string"),
    ("php", "<?php\n$x = 'a█';\n", "string"),
    ("shellscript", "cat <<EOF\nhel█lo\nEOF\n", "string"),
    ("shellscript", "echo $#█\n", "code"),
    ("lua", "x = [[a█]]\n", "string"),
    ("lua", "x = 1 -- a█\n", "comment"),
    ("css", "a { /* b█ */ }\n", "comment"),
    ("html", "<!-- a█ --><p>b</p>\n", "comment"),
    ("json", '{"a": "b█"}', "string"),
    ("yaml", "a: 1 # b█\n", "comment"),
    ("toml", 'a = "b█"\n', "string"),
    ("scss", "a { // b█\n}\n", "comment"),
    ("plaintext", "it's '█", "code"),
]


@pytest.mark.parametrize(("language_id", "drawn", "place"), PLACES)
def test_place(language_id: str, drawn: str, place: str) -> None:
    assert look(language_id, drawn)[1].place == place


SCOPES = [
    ("python", "class A:\n    def f(self):\n        █\n\n    def g(self): pass\n", "class A: | def f(self):"),
    ("python", "class A:\n    def f(self):\n        x = 1\n    █\n", "class A:"),
    ("python", "def f():\n    x = 1\n█\n", ""),
    ("python", "def f(a, █):\n    pass\n", ""),
    ("python", "@dec\nasync def f(\n    a,\n):\n    return foo(█\n", "@dec\nasync def f(\n    a,\n):"),
    ("python", "class A:\n    def f(self):\n        foo(a, [\n            █\n", "class A: | def f(self):"),
    ("javascript", "class A {\n  m(a) {\n    return foo(a, █\n  }\n}\n", "class A | m(a)"),
    ("javascript", "export const g = async (x) => {\n  █\n};\n", "export const g = async (x) =>"),
    ("javascript", "function f() {}\n█\n", ""),
    (
        "typescript",
        "namespace N {\n  class A {\n    f(): void {\n      █\n",
        "namespace N | class A | f(): void",
    ),
    ("go", "func (a *A) F(x int) error {\n\tif x {\n\t\t█\n\t}\n}\n", "func (a *A) F(x int) error"),
    ("rust", "impl A for B {\n  fn f(&self) -> X {\n    █\n  }\n}\n", "impl A for B | fn f(&self) -> X"),
    ("java", "class A {\n  void f() {\n    █\n", "class A | void f()"),
    ("cpp", "namespace n {\nvoid A::f() {\n  █\n}\n}\n", "namespace n | void A::f()"),
    ("csharp", "namespace N { class A { int F(int x) {\n  █\n} } }", "namespace N | class A | int F(int x)"),
    ("ruby", "class A\n  def f(x)\n    if x\n      █\n    end\n", "class A | def f(x)"),
    ("php", "<?php\nclass D { function f($x) {\n  █\n } }\n", "class D | function f($x)"),
    ("lua", "M.h = function(a)\n  █\nend\n", "M.h = function(a)"),
    ("shellscript", "f() {\n  █\n}\n", "f()"),
]


@pytest.mark.parametrize(("language_id", "drawn", "signatures"), SCOPES)
def test_scopes(language_id: str, drawn: str, signatures: str) -> None:
    text, context = look(language_id, drawn)
    assert " | ".join(scope.signature for scope in context.scopes) == signatures
    for scope in context.scopes:
        assert text[scope.start :].startswith(scope.signature)


def test_a_scope_says_what_it_is() -> None:
    _, context = look("rust", "impl A for B {\n  fn f(&self) {\n    █\n  }\n}\n")
    assert [(scope.kind, scope.name) for scope in context.scopes] == [("impl", "B"), ("function", "f")]


def test_scopes_come_from_indentation_without_a_tree() -> None:
    drawn = "class A:\n    def f(self):\n        if x:\n            █\n"
    _, context = look("python", drawn, with_tree=False)
    assert [(scope.kind, scope.name) for scope in context.scopes] == [("class", "A"), ("function", "f")]
    _, context = look("java", "class A {\n  void f(int x) {\n    if (x) {\n      █\n", with_tree=False)
    assert [(scope.kind, scope.name) for scope in context.scopes] == [("class", "A"), ("function", "f")]


STARTS = [
    ("python", "def f():\n    █\n"),
    ("python", "def f():█"),
    ("python", "class A:\n    def f(self):\n        █\n\n    def g(self): pass\n"),
    ("python", "def f(\n    a,\n) -> None:\n    █\n"),
    ("python", "if x:  # why\n    █\n"),
    ("python", "if x:\n    y()\nelse:\n    █\n"),
    ("javascript", "if (x) {\n  █\n"),
    ("javascript", "function f(x) {█}\n"),
    ("javascript", "const g = (x) => {\n  █\n};\n"),
    ("typescript", "interface A {\n  █\n}\n"),
    ("go", "func f() {\n\tfor i := range x {\n\t\t█\n\t}\n}\n"),
    ("rust", "fn f() {\n    match x {\n        █\n    }\n}\n"),
    ("java", "class A {\n  void f() {\n    █\n"),
    ("cpp", "void A::f() {\n  █\n}\n"),
    ("ruby", "def f(x)\n  █\nend\n"),
    ("ruby", "xs.each do |x|\n  █\nend\n"),
    ("lua", "if x then\n  █\nend\n"),
    ("shellscript", "if [ x ]; then\n  █\nfi\n"),
    ("php", "<?php\nclass D { function f($x) {\n  █\n } }\n"),
    ("css", "a {\n  █\n}\n"),
]
NO_STARTS = [
    ("python", "def f():\n    x = 1\n    █\n"),
    ("python", "def f():\n    █\n    x = 1\n"),
    ("python", "x = {'a':█}\n"),
    ("python", "x[1:\n█"),
    ("python", "def f():\n    '''if x:\n    █'''\n"),
    ("javascript", "const a = {\n  █\n}\n"),
    ("javascript", "if (x) {\n  y();\n  █\n}\n"),
    ("javascript", "x = '{█'\n"),
    ("go", "x := []int{\n\t█\n}\n"),
    ("ruby", "x = 1\n█\n"),
    ("lua", "print('then')\n█\n"),
    ("plaintext", "a:\n  █\n"),
]


@pytest.mark.parametrize(("language_id", "drawn"), STARTS)
def test_an_empty_block_starts_here(language_id: str, drawn: str) -> None:
    assert look(language_id, drawn)[1].at_block_start


@pytest.mark.parametrize(
    ("language_id", "drawn"), [case for case in STARTS if case[0] != "php" and "(\n" not in case[1]]
)
def test_an_empty_block_starts_here_without_a_tree(language_id: str, drawn: str) -> None:
    # Closed on the same line, only a tree can tell what the bracket closes.
    closed_here = "█}" in drawn
    assert look(language_id, drawn, with_tree=False)[1].at_block_start is not closed_here


@pytest.mark.parametrize(("language_id", "drawn"), NO_STARTS)
def test_no_empty_block_starts_here(language_id: str, drawn: str) -> None:
    assert not look(language_id, drawn)[1].at_block_start


BLOCKS = [
    ("python", "def f():\n    x = 1\n    █\n    y = 2\nz = 3\n", "    x = 1\n    \n    y = 2"),
    ("python", "if x:\n    a\nelse:\n    b█\nc\n", "    b"),
    ("python", "def f():\n    █\n\n\ndef g():\n    pass\n", "    "),
    ("javascript", "if (x) { a(); █b(); }\nc();\n", " a(); b(); "),
    ("javascript", "function f() {\n  if (x) {\n    y(█\n  }\n  z();\n}\n", "\n    y(\n  "),
    ("java", "class A {\n  void f() {\n    x(█\n", "\n    x(\n"),
    ("go", "func f() {\n\tx()█\n}\n", "\n\tx()\n"),
    ("ruby", "def f\n  if x\n    y█\n  end\n  z\nend\n", "    y"),
]


@pytest.mark.parametrize(("language_id", "drawn", "inside"), BLOCKS)
def test_block(language_id: str, drawn: str, inside: str) -> None:
    text, context = look(language_id, drawn)
    assert text[slice(*context.block)].rstrip("\n") == inside.rstrip("\n")


STATEMENTS = [
    ("python", "x = 1\ny = foo(█)\nz = 2\n", "y = foo()"),
    ("python", "x = foo(\n    1,\n    █\n)\n", "x = foo(\n    1,\n    \n)"),
    ("python", "x = foo(a, [1, █", "x = foo(a, [1, "),
    ("python", "def f(a):\n    foo(a, █\n    return 1\n", "foo(a, "),
    ("python", "def f(a):\n    foo(\n        a,\n        b█\n    return 1\n", "foo(\n        a,\n        b"),
    ("python", "def f():\n    █return 1\n", "return 1"),
    ("python", "x = 1\n█\ny = 2\n", None),
    ("javascript", "f(); g(█); h();\n", "g();"),
    ("javascript", "function f() {\n  return foo(a, █\n}\n", "return foo(a, "),
    ("go", "func f() {\n\tx := a.█\n}\n", "x := a."),
    ("rust", "fn f() {\n    let x = y█;\n}\n", "let x = y;"),
    ("c", "int f() {\n  return g(█);\n}\n", "return g();"),
]


@pytest.mark.parametrize(("language_id", "drawn", "statement"), STATEMENTS)
def test_statement(language_id: str, drawn: str, statement: str | None) -> None:
    text, context = look(language_id, drawn)
    assert (text[slice(*context.statement)] if context.statement else None) == statement


BRACKETS = [
    ("python", "x = foo(a, [1, █])\n", "(+ [+"),
    ("python", "x = foo(a, [1, █\n", "(- [-"),
    ("python", "x = foo(a, [1, █]\ny = 1\n", "(- [+"),
    ("python", "x = foo('(', a)  # [█\n", ""),
    ("python", "x = foo(')', █)\n", "(+"),
    ("javascript", "function f() {\n  foo({ a: [█] });\n}\n", "(+ {+ [+"),
    ("javascript", "function f() {\n  return foo(a, █\n}\n", "(-"),
    ("javascript", "const a = {\n  b: 1,\n  █\n};\n", "{+"),
    ("javascript", "foo(() => {\n  bar(█\n});\n", "(-"),
    ("go", 'func f() {\n\tx := foo("{", █)\n}\n', "(+"),
    ("rust", "fn f() {\n    let v = vec![1, █];\n}\n", "[+"),
    ("java", "class A { void f() { x(y(█)); } }\n", "(+ (+"),
    ("json", '{"a": [1, █', "{- [-"),
]


@pytest.mark.parametrize(("language_id", "drawn", "brackets"), BRACKETS)
def test_open_brackets(language_id: str, drawn: str, brackets: str) -> None:
    text, context = look(language_id, drawn)
    found = [f"{bracket.text}{'+' if bracket.closed_after else '-'}" for bracket in context.open_brackets]
    assert " ".join(found) == brackets
    assert all(text[bracket.offset :].startswith(bracket.text) for bracket in context.open_brackets)


def test_the_line_is_told_apart_at_the_cursor() -> None:
    _, context = look("python", "if é:\n    😀 █  \r\nx\n")
    assert (context.left, context.right, context.indent) == ("    😀 ", "  ", "    ")
    assert (context.left_is_blank, context.right_is_blank) == (False, True)


FRAGMENTS = (*"()[]{}\"'`#=,x\\\t\x0c\n", "\n    ", "\r\n", "${", "//", "/*", "*/", '"""', "é😀", "<p>")
HEADERS = ("if x:", "def f():", "class A {", "function f() {", "end", "then", "do")
fragments = st.sampled_from(FRAGMENTS + HEADERS)


@settings(max_examples=300)
@given(
    st.sampled_from(LANGUAGES),
    st.lists(fragments, max_size=30).map("".join),
    st.integers(0, 200),
    st.booleans(),
)
def test_any_text_has_an_answer(language: Language, text: str, at: int, with_tree: bool) -> None:
    snapshot = Snapshot("file:///drawn", language.ids[0], 1, text)
    offset = min(at, len(text))
    context = syntax_context(snapshot, SyntaxTrees().parse(snapshot) if with_tree else None, offset)
    assert 0 <= context.block[0] <= offset <= context.block[1] <= len(text)
    for scope in context.scopes:
        assert 0 <= scope.start <= offset <= scope.end <= len(text)
    if context.statement:
        assert 0 <= context.statement[0] <= offset <= context.statement[1] <= len(text)
    assert all(bracket.offset < offset for bracket in context.open_brackets)
    assert text[:offset].endswith(context.left)
    assert text[offset:].startswith(context.right)
