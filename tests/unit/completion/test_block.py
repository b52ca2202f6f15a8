"""What the block around the cursor asks of a completion: indentation and closing brackets."""

from __future__ import annotations

import pytest

from tests.support.completing import context_of

OPENINGS = [
    ("python", "def f():\n█", "    "),
    ("python", "def f():\n█\n\nx = 1\n", "    "),
    ("python", "def f():\r\n█\r\n", "    "),
    ("python", "class A:\n\tdef f(self):\n█\n", "\t\t"),
    ("python", 'def f():\n    """Doc."""\n█\n', "    "),
    ("python", "def f():\n  x = 1\n█\n  return x\n", "  "),
    ("python", "def f():\n    █\n", ""),
    ("python", "x = 1\n█\n", ""),
    ("python", "def f():\n    return 1\n\n\n█\n", ""),
    ("python", "def f():\n    return 1\n\n\n█\n\ndef g():\n    pass\n", ""),
    ("python", 'def f():\n    """\n█\n', ""),
    ("go", "func f() {\n█\n}\n", "\t"),
    ("go", "func f() {\n\tx := 1\n█\n\treturn x\n}\n", "\t"),
    ("javascript", "function f() {\n█\n}\n", "    "),
    ("javascript", "function f() {\n  x();\n█\n  return 1;\n}\n", "  "),
    ("javascript", "f();\n█\ng();\n", ""),
    ("plaintext", "text\n█\n", ""),
    ("javascript", "if (x) {\n  y();\n}\n\nfunction f() {\n█\n}\n", "  "),
    ("javascript", "if (x) {\n\ty();\n}\n\nfunction f() {\n█\n}\n", "\t"),
    ("python", "class A:\n  def f(self):\n█\n", "    "),
]


@pytest.mark.parametrize(("language_id", "drawn", "opening"), OPENINGS)
def test_opening(language_id: str, drawn: str, opening: str) -> None:
    assert context_of(language_id, drawn).cursor.opening == opening


FLOORS = [
    ("python", "def f():\n    █\n", 4),
    ("python", "def f():\n█\n", 4),
    ("python", "def f():█\n", 1),
    ("python", "if x:\n█\n", 1),
    ("python", "x = 1\n█\n", 0),
    ("go", "func f() {\n\t█\n}\n", 4),
    ("go", "func f() {\n\tif x {█\n}\n", 5),
    ("yaml", "a:\n  b:\n█\n", 3),
]


@pytest.mark.parametrize(("language_id", "drawn", "floor"), FLOORS)
def test_floor(language_id: str, drawn: str, floor: int) -> None:
    assert context_of(language_id, drawn).cursor.floor == floor


UNCLOSED = [
    ("python", "foo(█\n", ")"),
    ("python", "foo(█)\n", ""),
    ("python", "foo([█\n", "])"),
    ("python", "foo([█)\n", "]"),
    ("python", "foo(\n    [\n        █\n", "])"),
    ("javascript", "const o = {\n  a: [█\n", "]}"),
    ("json", '{\n  "a": [█\n', "]}"),
    ("rust", "let v = vec![█;\n", "]"),
]


@pytest.mark.parametrize(("language_id", "drawn", "unclosed"), UNCLOSED)
def test_unclosed(language_id: str, drawn: str, unclosed: str) -> None:
    assert context_of(language_id, drawn).cursor.unclosed == unclosed
