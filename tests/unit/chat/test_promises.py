"""What an action leaves alone, in every language: what keeps to it, what does not, and what is mended."""

from __future__ import annotations

import re

import pytest

from lsp_server.chat.editing.promises import broken_promise, with_comments_of
from lsp_server.documents.languages import LANGUAGES, PLAIN

BY_NAME = {language.name: language for language in LANGUAGES}

# A comment, a name that is used, a string with what looks like a comment, in each language.
COMMENTED = {
    "python": 'def area(w, h):\n    """Say how big."""\n    # big\n    return w * h + len("# big")\n',
    "javascript": "/** Big. */\nfunction area(w, h) {\n  // big\n  return w * h + len('// big');\n}\n",
    "typescript": "/** Big. */\nfunction area(w: number) {\n  // big\n  return w + len('// big');\n}\n",
    "tsx": "/** Big. */\nfunction area(w: number) {\n  // big\n  return <b>{len}// big</b>;\n}\n",
    "go": '// Big\nfunc area(w, h int) int {\n\t// big\n\treturn w*h + len("// big")\n}\n',
    "rust": '/// Big.\nfn area(w: i32) -> i32 {\n    // big\n    w + len("// big")\n}\n',
    "java": 'class A {\n  /** Big. */\n  int area(int w) {\n    // big\n    return len("// big");\n  }\n}\n',
    "c": '/* Big. */\nint area(int w) {\n  // big\n  return w + len("// big");\n}\n',
    "cpp": '/* Big. */\nint area(int w) {\n  // big\n  return w + len("// big");\n}\n',
    "csharp": 'class A {\n  /// Big.\n  int Area(int w) {\n    // big\n    return len("// big");\n  }\n}\n',
    "ruby": "# Big.\ndef area(w)\n  # big\n  w + len('# big')\nend\n",
    "php": "<?php\n/** Big. */\nfunction area($w) {\n  // big\n  return $w + len('// big');\n}\n",
    "bash": '# Big.\narea() {\n  # big\n  len "$1 # big"\n}\n',
    "lua": "-- Big.\nfunction area(w)\n  -- big\n  return w + len('-- big')\nend\n",
    "html": "<!-- Big. -->\n<p title='area'>len <!-- big -->&lt;!-- big --&gt;</p>\n",
    "css": "/* Big. */\n.area {\n  /* big */\n  len: '/* big';\n}\n",
    "json": '// Big.\n{"area": "// big", // big\n "len": 1}\n',
    "yaml": "# Big.\narea:\n  # big\n  - 'len # big'\n",
    "toml": "# Big.\n[area]\n# big\nlen = '# big'\n",
}
CHANGED = {
    "bash": ("$1", "$2"),
    "html": ("len", "lens"),
    "css": (".area", ".areas"),
    "toml": ("len =", "lens ="),
}
"""What is code there; elsewhere it is `area`."""


def translated(text: str) -> str:
    """Return the text with other words in its comments, the second of them longer than one line."""
    return text.replace("Big.", "Groß.").replace("Say how big", "Sag, wie groß").replace(" big\n", " groß\n")


@pytest.mark.parametrize("name", COMMENTED)
def test_comments_may_change_and_code_may_not(name: str) -> None:
    language, before = BY_NAME[name], COMMENTED[name]
    after = translated(before)
    assert after != before
    assert broken_promise(["code"], before, after, language) is None
    old, new = CHANGED.get(name, ("rea", "reas"))
    changed = after.replace(old, new, 1)
    assert changed != after
    assert "code was changed" in (broken_promise(["code"], before, changed, language) or "")
    assert "code was changed" in (
        broken_promise(["code"], before, before.replace("len", "x"), language) or ""
    )


@pytest.mark.parametrize("name", COMMENTED)
def test_of_a_reply_that_changes_code_the_comments_are_taken(name: str) -> None:
    language, before = BY_NAME[name], COMMENTED[name]
    old, new = CHANGED.get(name, ("rea", "reas"))
    assert with_comments_of(before, translated(before).replace(old, new, 1), language) == translated(before)


@pytest.mark.parametrize("name", COMMENTED)
def test_code_without_the_end_of_a_reply_is_no_code_with_comments(name: str) -> None:
    language, before = BY_NAME[name], COMMENTED[name]
    lines = translated(before).splitlines(keepends=True)
    for count in range(len(lines)):
        cut = "".join(lines[:count])
        mended = with_comments_of(before, cut, language)
        assert mended is None or broken_promise(["code"], before, mended, language) is None
        if cut.strip() and count < len(lines) - 1:
            assert broken_promise(["code"], before, cut, language) is not None, cut


def test_every_language_with_a_grammar_has_a_row() -> None:
    assert set(COMMENTED) == {item.name for item in LANGUAGES if item.module} - {"markdown"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(1, 2)\n", "f(\n    1,\n    2\n)\n"),
        ("if a:\n    f()\n    g()\n", "if a:\n    f()\ng()\n"),
        ("x = 'a' # b\n", "x = 'a # b'\n"),
        ("x = 1\n", "x = 1;\n"),
        ('x = """doc"""\n', 'x = """dok"""\n'),
        ('def f():\n    g()\n    """doc"""\n', 'def f():\n    """doc"""\n    g()\n'),
        ("x = f'{a}'\n", "x = f'{b}'\n"),
        ("a.b\n", "a.c\n"),
        ("x = 1\r\n", "x = 2\r\n"),
        ("# one\n", "one\n"),
    ],
)
def test_layout_does_not_count_but_everything_else_does(before: str, after: str) -> None:
    same = "".join(before.split()) == "".join(after.split()) and "if" not in before
    assert (broken_promise(["code"], before, after, BY_NAME["python"]) is None) is same


def test_comments_keep_their_own_indentation_and_more_lines_are_no_fault() -> None:
    before = "class A:\n    def f(self):\n        # one\n        return g()  # two\n"
    after = "def f(self):\n    # eins\n    # und mehr\n    return h()  # zwei\n"
    expected = "class A:\n    def f(self):\n        # eins\n        # und mehr\n        return g()  # zwei\n"
    assert with_comments_of(before, after, BY_NAME["python"]) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("f(a /* one */, b);\n", "f(a /* eins */, c);\n", "f(a /* eins */, b);\n"),
        ("f(a /* one */, b);\n", "f(a // eins\n, c);\n", None),
        ("// one\nf();\n", "g();\n", None),
        ("f();\n", "// eins\ng();\n", None),
        ("// one\nf();\n", "// one\ng();\n", None),
    ],
)
def test_only_what_is_certain_is_mended(before: str, after: str, expected: str | None) -> None:
    assert with_comments_of(before, after, BY_NAME["javascript"]) == expected


def test_where_nobody_can_check_it_says_so() -> None:
    sql = "select 1; -- one\n"
    sentence = broken_promise(["code"], sql, sql.replace("one", "eins"), PLAIN)
    assert sentence is not None and "has no grammar" in sentence


TYPED = [
    (
        "python",
        "def f(a, *b, c=1):\n    return a\n",
        "def f(a: int, *b: str, c: int = 1) -> int:\n    return a\n",
    ),
    (
        "python",
        "def f(a):\n    return a\n",
        "from typing import Any\n\n\ndef f(a: Any) -> Any:\n    return a\n",
    ),
    ("python", "x = []\n", "x: list[int] = []\n"),
    (
        "typescript",
        "function f(a, b = 'x') { return a; }",
        "function f<T>(a?: T, b: string = 'x'): T { return a; }",
    ),
    ("typescript", "const f = (a) => a;", "const f = (a: number): number => a;"),
    (
        "php",
        "<?php function f($a, $b = 1) { return $a; }",
        "<?php function f(?int $a, int|string $b = 1): ?int { return $a; }",
    ),
    (
        "java",
        "class A { void f() { var x = 1; for (var y : z) {} } }",
        "class A { void f() { int x = 1; for (String y : z) {} } }",
    ),
    (
        "csharp",
        "class A { void F() { var x = 1; foreach (var y in z) {} } }",
        "class A { void F() { int x = 1; foreach (string y in z) {} } }",
    ),
    (
        "cpp",
        "int f() { auto x = 1; for (const auto& y : z) {} }",
        "int f() { int x = 1; for (const std::string& y : z) {} }",
    ),
    (
        "rust",
        "fn f() { let x = 1; let y = Vec::new(); }",
        "fn f() { let x: i32 = 1; let y: Vec<u8> = Vec::new(); }",
    ),
    (
        "java",
        "class A { void f() { List x = new ArrayList(); } }",
        "class A { void f() { List<String> x = new ArrayList<>(); } }",
    ),
]


@pytest.mark.parametrize(("name", "before", "after"), TYPED)
def test_types_may_be_added_and_nothing_else(name: str, before: str, after: str) -> None:
    language = BY_NAME[name]
    assert broken_promise(["untyped_code"], before, after, language) is None
    assert broken_promise(["code"], before, after, language) is not None
    for old, new in (
        (" = 1", " = 2"),
        ("'x'", "'y'"),
        ("return a", "return b"),
        ("(a", "(q"),
        ("x = ", "w = "),
    ):
        if old in after:
            assert broken_promise(["untyped_code"], before, after.replace(old, new, 1), language), old


def test_what_acts_is_no_type() -> None:
    for name, before, after in (
        ("rust", "fn f() { g(x as u8); }", "fn f() { g(x as u16); }"),
        ("java", "class A { Object f() { return new B(); } }", "class A { Object f() { return new C(); } }"),
        ("cpp", "int f() { return (int) x; }", "int f() { return (long) x; }"),
        (
            "csharp",
            "class A { object F() { return new B(); } }",
            "class A { object F() { return new C(); } }",
        ),
        ("rust", "impl A { fn f() {} }", "impl B { fn f() {} }"),
    ):
        assert broken_promise(["untyped_code"], before, after, BY_NAME[name]) is not None, name


DEFINED = [
    ("python", "class A:\n    def f(self, a, b=1):\n        return a\n", "(self, a, b=1)", "    def f"),
    ("javascript", "class A {\n  f(a, b = 1) {\n    return a;\n  }\n}\n", "(a, b = 1)", "  f("),
    (
        "typescript",
        "class A {\n  f(a: number, b = 1) {\n    return a;\n  }\n}\n",
        "(a: number, b = 1)",
        "  f(",
    ),
    ("go", "func (s *A) f(a int, b int) int {\n\treturn a\n}\n", "(a int, b int)", " f("),
    (
        "rust",
        "impl A {\n    fn f(&self, a: i32, b: i32) -> i32 {\n        a\n    }\n}\n",
        "(&self, a: i32, b: i32)",
        "fn f(",
    ),
    ("java", "class A {\n  int f(int a, int b) {\n    return a;\n  }\n}\n", "(int a, int b)", "int f("),
    ("c", "int f(int a, int b) {\n  return a;\n}\n", "(int a, int b)", "int f("),
    ("cpp", "int f(int a, int b = 1) {\n  return a;\n}\n", "(int a, int b = 1)", "int f("),
    (
        "csharp",
        "class A {\n  int F(int a, int b = 1) {\n    return a;\n  }\n}\n",
        "(int a, int b = 1)",
        "int F(",
    ),
    ("ruby", "class A\n  def f(a, b = 1)\n    a\n  end\nend\n", "(a, b = 1)", "def f("),
    ("php", "<?php\nfunction f($a, $b = 1) {\n  return $a;\n}\n", "($a, $b = 1)", "function f("),
    ("lua", "function f(a, b)\n  return a\nend\n", "(a, b)", "function f("),
    ("python", "@app.route('/f')\ndef f(a):\n    return a\n", "(a)", "def f"),
]


@pytest.mark.parametrize(("name", "before", "parameters", "head"), DEFINED)
def test_definitions_and_their_parameters_stay(name: str, before: str, parameters: str, head: str) -> None:
    language, keeps = BY_NAME[name], ["signatures"]
    assert parameters in before and head in before
    body = before.replace("return a", "return g(a)")
    assert broken_promise(keeps, before, body, language) is None
    renamed = re.sub(r"\b[fF](?=\()", "other", before, count=1)
    assert "is gone" in (broken_promise(keeps, before, renamed, language) or ""), renamed
    assert "is gone" in (broken_promise(["definitions"], before, renamed, language) or "")
    dropped = before.replace(parameters, "()")
    assert "parameters" in (broken_promise(keeps, before, dropped, language) or ""), dropped
    assert broken_promise(["definitions"], before, dropped, language) is None
    if " = 1" in parameters:
        assert "parameters" in (broken_promise(keeps, before, before.replace(" = 1", " = 2"), language) or "")
    if ", " in parameters:
        inner = parameters.strip("()").split(", ")
        swapped = before.replace(parameters, f"({', '.join([*inner[:-2], inner[-1], inner[-2]])})")
        assert "parameters" in (broken_promise(keeps, before, swapped, language) or ""), swapped


def test_a_private_method_may_go_once_nobody_calls_it() -> None:
    before = "class A:\n    def f(self):\n        return self._g()\n\n    def _g(self):\n        return 1\n"
    after = "class A:\n    def f(self):\n        return 1\n"
    assert broken_promise(["signatures"], before, after, BY_NAME["python"]) is None
    still_called = after.replace("1", "self._g()")
    assert broken_promise(["signatures"], before, still_called, BY_NAME["python"]) is not None


@pytest.mark.parametrize(
    ("after", "kept"),
    [
        ("a\nnew\nb\nc\n", True),
        ("new\na\nb\nc\n", True),
        ("a\nb\nc\nnew", True),
        ("a\n\n\nb\nc\nnew\n", True),
        ("a\r\nb\r\nc\r\n", True),
        ("a\nb\n", False),
        ("a\nc\nb\n", False),
        ("a\nB\nc\n", False),
        ("", False),
        ("new\n", False),
    ],
)
def test_something_is_added_and_nothing_else(after: str, kept: bool) -> None:
    assert (broken_promise(["text"], "a\nb\n\nc\n", after, PLAIN) is None) is kept
