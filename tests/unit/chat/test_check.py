"""What an edit breaks is said with its line; what was broken before, and what is only new, is not."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.editing.check import damage
from lsp_server.documents.languages import LANGUAGES, detect

WHOLE = {
    "python": "import os\n\n\ndef f(a):\n    if a:\n        return os.sep\n    return 1\n",
    "javascript": "function f(a) {\n  if (a) {\n    return g(a);\n  }\n}\n",
    "typescript": "function f(a: number): number {\n  return g(a);\n}\n",
    "java": "class A {\n    int f(int a) {\n        return g(a);\n    }\n}\n",
    "rust": "fn f(a: i32) -> i32 {\n    g(a)\n}\n",
    "go": "package a\n\nfunc f(a int) int {\n\treturn g(a)\n}\n",
    "c": "int f(int a) {\n    return g(a);\n}\n",
    "cpp": "int f(int a) {\n    return g(a);\n}\n",
    "csharp": "class A {\n    int F(int a) {\n        return G(a);\n    }\n}\n",
    "ruby": "def f(a)\n  g(a)\nend\n",
    "php": "<?php\nfunction f($a) {\n    return g($a);\n}\n",
    "lua": "local function f(a)\n  return g(a)\nend\n",
    "shellscript": 'f() {\n  echo "$1"\n}\n',
    "json": '{\n  "a": [1, 2]\n}\n',
    "css": "a {\n  color: red;\n}\n",
}


def said(language_id: str, before: str, after: str) -> str | None:
    return damage(before, after, detect(language_id, ""))


@pytest.mark.parametrize("language_id", WHOLE)
def test_whole_code_that_changes_is_whole(language_id: str) -> None:
    before = WHOLE[language_id]
    after = before.replace("(a)", "(b)").replace("red", "blue").replace("2]", "3]").replace("$", "$b")
    assert after != before
    assert said(language_id, before, after) is None
    assert said(language_id, "", before) is None


@pytest.mark.parametrize("language_id", WHOLE)
def test_a_bracket_or_an_end_that_is_lost_is_said(language_id: str) -> None:
    before = WHOLE[language_id]
    for closer in ("}\n", "end\n", "]", ")"):
        if closer in before:
            at = before.rindex(closer)
            found = said(language_id, before, before[:at] + before[at + len(closer.strip()) :])
            assert found is not None, closer
            assert found.startswith("line "), closer


@pytest.mark.parametrize(
    ("language_id", "before", "after", "sentence"),
    [
        ("python", "x = 1\n", "x = 1\nretrun x\n", "line 2 does not parse (invalid syntax): `retrun x`"),
        ("javascript", "f(1);\n", "f(1);\ng(1;\n", "line 2: `)` is missing"),
        ("java", WHOLE["java"], WHOLE["java"].replace("g(a);", "g(a)"), "line 3: `;` is missing"),
        (
            "rust",
            "fn f() {}\n",
            f"fn f() {{}}\nfn fn {'x' * 60}\n",
            f"line 2 does not parse: `fn fn {'x' * 33}…`",
        ),
    ],
)
def test_the_sentence(language_id: str, before: str, after: str, sentence: str) -> None:
    assert said(language_id, before, after) == sentence


@pytest.mark.parametrize(
    "after",
    [
        "def f():\n",
        "def f():\nreturn 1\n",
        "print 1\n",
        "return 1\n",
        "f() = 1\n",
        "def f(a, a): pass\n",
        "x = 'a\n",
    ],
)
def test_what_only_python_itself_says_of_python(after: str) -> None:
    assert (said("python", "x = 1\n", after) or "").startswith("line ")


def test_strange_escapes_are_no_errors_and_are_not_warned_of() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert said("python", "x = 1\n", "x = '\\d'\nassert (1, 2)\n") is None
    assert caught == []


BROKEN = "def f(:\n    pass\n\n\ndef g():\n    return 1\n"


def test_what_was_broken_elsewhere_stays_so() -> None:
    assert said("python", BROKEN, BROKEN.replace("return 1", "return 2")) is None
    assert said("python", BROKEN, BROKEN.replace("f(:", "f():")) is None
    assert said("javascript", "f(;\n\n\ng(1);\n", "f(;\n\n\ng(2);\n") is None


def test_what_breaks_in_a_broken_file_is_said() -> None:
    assert said("python", BROKEN, BROKEN.replace("return 1", "return (1")) is not None
    assert said("javascript", "f(;\n\n\ng(1);\n", "f(;\n\n\ng(2;\n") == "line 4 does not parse: `g(2;`"


@pytest.mark.parametrize(
    "comment",
    [
        "# ...",
        "// ... existing code ...",
        "# rest of the function unchanged",
        "/* ... */",
        "// Other methods...",
        "# Your existing code here",
        "// (rest of code)",
        "-- … the rest of the file …",
        "# remaining implementation",
        "    // ... other tests",
        "# ... (rest of the class stays as it is)",
        "// implementation omitted",
        "# same as before",
        "<!-- ... -->",
    ],
)
def test_comments_that_stand_for_code(comment: str) -> None:
    assert said("plaintext", "a\nb\n", f"a\n{comment}\n") == f"line 2: code was left out: `{comment.strip()}`"
    assert said("plaintext", f"a\n{comment}\nb\n", f"a\n{comment}\nc\n") is None, "it was there"


@pytest.mark.parametrize(
    "comment",
    [
        "# the rest of the list is sorted",
        "// existing code paths are slow",
        "# compute the remaining lines of the file",
        "# previous code point",
        "# other tests that fail",
        "# ... and then some",
        "-- body of the request",
        "// rest parameters",
        "# the original file name",
        "# unchanged files are skipped",
        "... rest of the code",
        "# skips the rest",
    ],
)
def test_comments_that_are_about_code(comment: str) -> None:
    assert said("plaintext", "a\nb\n", f"a\n{comment}\nb\n") is None


def test_dots_in_place_of_a_body() -> None:
    body = "def f():\n    a()\n    b()\n    c()\n    return d()\n"
    assert said("python", body, "def f():\n    ...\n") == "line 2: code was left out: `...`"
    assert said("python", "x = 1\n", "x = 1\n\n\ndef f() -> int:\n    ...\n") is None


@pytest.mark.parametrize(
    ("language_id", "before", "after", "sentence"),
    [
        (
            "python",
            "def f(a):\n    return 1\n",
            "def f(a):\n    return 1\n\n\ndef f( a ):\n    return 2\n",
            "`f` is defined 2 times",
        ),
        (
            "python",
            "class A:\n    def f(self):\n        pass\n",
            "class A:\n    def f(self):\n        pass\n\n\nclass B:\n    def f(self):\n        pass\n",
            None,
        ),
        (
            "python",
            "x = 1\n",
            "class A:\n    @property\n    def f(self):\n        pass\n\n    @f.deleter\n"
            "    def f(self):\n        pass\n",
            None,
        ),
        (
            "java",
            "class A { int f() { return 1; } }\n",
            "class A { int f() { return 1; }\n int f(int a) { return 1; } }\n",
            None,
        ),
        (
            "rust",
            "struct A;\nimpl A { fn a() {} }\n",
            "struct A;\nimpl A { fn a() {} }\nimpl A { fn b() {} }\n",
            None,
        ),
        (
            "go",
            "package a\n\nfunc f() {}\n",
            "package a\n\nfunc f() {}\n\nfunc f() {}\n",
            "`f` is defined 2 times",
        ),
    ],
)
def test_definitions_that_are_there_twice(
    language_id: str, before: str, after: str, sentence: str | None
) -> None:
    assert said(language_id, before, after) == sentence


@given(st.sampled_from(LANGUAGES), st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_checked(language: object, before: str, after: str) -> None:
    found = damage(before, after, next(item for item in LANGUAGES if item is language))
    assert found is None or found.startswith(("line ", "`"))
    assert damage(before, before, next(item for item in LANGUAGES if item is language)) is None
