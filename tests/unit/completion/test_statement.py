"""Where the first statement of a candidate ends, and what a candidate breaks."""

from __future__ import annotations

import pytest

from tests.support.completing import context_of

PY = "a = 1\n█\nz = 1\n"
BROKEN = "def broken(:\n\n" + PY

ENDS = [
    ("python", PY, "b = 1\nc = 1\n", "b = 1"),
    ("python", PY, "b = 1\n", None),
    ("python", PY, "b = (\n    1,\n", None),
    ("python", PY, "b = (\n1,\n)\nc = 1\n", "b = (\n1,\n)"),
    ("python", PY, "b = '''\ntext\n'''\nc = 1\n", "b = '''\ntext\n'''"),
    ("python", PY, "b = 1  # one\nc = 1\n", "b = 1  # one"),
    ("python", PY, "b = 1; c = 1\nd = 1\n", "b = 1; c = 1"),
    ("python", PY, "# why\nb = 1\nc = 1\n", "# why\nb = 1"),
    ("python", PY, "# why\n", None),
    ("python", PY, "@cache\ndef f():\n    pass\n\n\nc = 1\n", "@cache\ndef f():\n    pass"),
    ("python", PY, "@cache(\n    1,\n)\ndef f():\n    pass\nc = 1\n",
     "@cache(\n    1,\n)\ndef f():\n    pass"),
    ("python", PY, "if b:\n    c()\n", None),
    ("python", PY, "if b:\n    c()\nelse:\n", None),
    ("python", PY, "if b:\n    c()\n\nelse:\n    d()\nelse_ = 1\n", "if b:\n    c()\n\nelse:\n    d()"),
    ("python", BROKEN, "if b:\n    c()\nelse:\n    d()\ne = 1\n", "if b:\n    c()\nelse:\n    d()"),
    ("python", "try:\n    a()\n█\nz = 1\n", "except E:\n    b()\nfinally:\n    c()\nd = 1\n",
     "except E:\n    b()\nfinally:\n    c()"),
    ("c", "int a;\n█\nint z;\n", "int f(void)\n{\n    g();\n", None),
    ("c", "int a;\n█\nint z;\n", "int f(void)\n{\n    g();\n}\nint b;\n", "int f(void)\n{\n    g();\n}"),
    ("ruby", "a = 1\n█\nz = 1\n", "begin\n  b\nrescue\n  c\nend\nd\n", "begin\n  b\nrescue\n  c\nend"),
    ("ruby", "a = 1\n█\nz = 1\n", "begin\n  b\n", None),
    ("lua", "a = 1\n█\nz = 1\n", "repeat\n  b()\nuntil c\nd()\n", "repeat\n  b()\nuntil c"),
    ("rust", "struct A;\n█\nstruct Z;\n", "#[test]\nfn f() {\n}\nfn g() {}\n", "#[test]\nfn f() {\n}"),
    ("csharp", "class A\n{\n    █\n}\n", "[Test]\n    void F()\n    {\n    }\n    int x;\n",
     "[Test]\n    void F()\n    {\n    }"),
    ("html", "<a>\n  █\n  <z/>\n</a>\n", "<ul>\n    <li>\n  </ul>\n  <p>\n", "<ul>\n    <li>\n  </ul>"),
    ("plaintext", "█", "one\n  two\nthree\n", "one\n  two"),
    ("markdown", "# a\n\n█\n", "```\nx\n```\ny\n", "```\nx\n```"),
]  # fmt: skip


@pytest.mark.parametrize(("language_id", "drawn", "text", "statement"), ENDS)
def test_statement_end(language_id: str, drawn: str, text: str, statement: str | None) -> None:
    end = context_of(language_id, drawn).judge.statement_end(text)
    assert (None if end is None else text[:end]) == statement


@pytest.mark.parametrize(
    ("language_id", "drawn", "text", "broken"),
    [
        ("python", "x = f(█)\n", "1", False),
        ("python", "x = f(█)\n", "1)", True),
        ("python", "x = f(█)\n", "'a", True),
        ("python", "x = f(\n█\ny = 1\n", "    1,", False),  # no worse than it was
        ("json", '{"a": █}', "1", False),
        ("json", '{"a": 1█}', ",", True),
        ("plaintext", "f(█)", "'a", False),
    ],
)
def test_breaks(language_id: str, drawn: str, text: str, broken: bool) -> None:
    assert context_of(language_id, drawn).judge.breaks(text) is broken


def test_brackets_nested_deeper_than_python_may_call() -> None:
    context = context_of("python", "x = f(█)\n")
    assert context.judge.breaks("(" * 3000)
    assert not context.judge.breaks("(" * 1500 + "1" + ")" * 1500)
    assert context.judge.statement_end("(" * 3000 + "\ny = 1\n") is None
