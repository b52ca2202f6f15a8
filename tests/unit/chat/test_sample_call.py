"""How examples of tests call what is tested: by its full name, with a place for each argument it needs."""

from __future__ import annotations

import pytest

from lsp_server.chat.new_files.sample_call import SampleCall, sample_call
from tests.unit.chat.drawn_site import drawn_site

CALLS = {
    "python": ("def clamp(value, lowest=0):\n    return█ value\n", "clamp", "<value>"),
    "python, method": ("class A:\n    def f(self, x: int, *more):\n        return█ x\n", "A().f", "<x>"),
    "python, static": (
        "class A:\n    @staticmethod\n    def f(x: int, *, y: int = 1):\n        return█ x\n",
        "A.f", "<x>",
    ),
    "javascript": ("export function pad(text, width = 2) {\n  return█ text;\n}\n", "pad", "<text>"),
    "javascript, arrow": (
        "export const pad = (text, width) => {\n  return█ text;\n};\n",
        "pad", "<text>, <width>",
    ),
    "javascript, static": ("class A {\n  static f(x) {\n    return█ x;\n  }\n}\n", "A.f", "<x>"),
    "typescript": (
        "export function f(a: string, b?: number, c: number = 1) {\n  return█ a;\n}\n",
        "f", "<a>",
    ),
    "typescript, method": ("class A {\n  f(a: string) {\n    return█ a;\n  }\n}\n", "new A().f", "<a>"),
    "java": ("class A {\n  int f(int x) {\n    return█ x;\n  }\n}\n", "new A().f", "<x>"),
    "java, static": (
        "class A {\n  public static int f(String[] x, int y) {\n    return█ y;\n  }\n}\n",
        "A.f", "<x>, <y>",
    ),
    "rust": ("pub fn f(x: &str, n: u8) -> u8 {\n    n█\n}\n", "f", "<x>, <n>"),
    "rust, associated": (
        "impl<T> A<T> {\n    fn new(n: u8) -> Self {\n        A█\n    }\n}\n",
        "A::new", "<n>",
    ),
    "cpp": (
        "namespace a {\nnamespace b {\nint f(const std::string& x, int y = 2) {\n    return█ 1;\n}\n}\n}\n",
        "a::b::f", "<x>",
    ),
    "cpp, method": (
        "namespace a {\nclass B {\n  int f(int* x) {\n    return█ 1;\n  }\n};\n}\n",
        "a::B().f", "<x>",
    ),
    "cpp, static": ("class B {\n  static int f() {\n    return█ 1;\n  }\n};\n", "B::f", ""),
    "go": ("package a\n\nfunc F(x int) int {\n\treturn█ x\n}\n", "F", "<x>"),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_the_call_is_as_the_signature_says(case: str) -> None:
    drawn, subject, arguments = CALLS[case]
    target = drawn_site(case.partition(",")[0], drawn).target("definition")
    assert target is not None
    assert sample_call(target, "outer") == SampleCall(subject, arguments)


def test_without_a_signature_the_arguments_are_not_known() -> None:
    target = drawn_site("python", "class A:█\n    x = 1\n").target("definition")
    assert target is not None
    assert sample_call(target, "A") == SampleCall("A", "<arguments>")
