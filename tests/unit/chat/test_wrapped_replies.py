"""A reply that wraps what it adds into the class that the place lies in already."""

from __future__ import annotations

from textwrap import indent

import pytest

from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.placing.placement import placed
from tests.unit.chat.drawn_site import drawn_site

BRACES = "int c() {\n    return 2;\n}"
CASES = {
    "java": ("class A {", "int b() { return 1; }", "// returns █two", BRACES, "}"),
    "csharp": ("public class A {", "int b() { return 1; }", "// returns █two", BRACES, "}"),
    "cpp": ("class A {", "int b() { return 1; }", "// returns █two", BRACES, "};"),
    "javascript": (
        "export class A {",
        "b() { return 1; }",
        "// returns █two",
        "c() {\n    return 2;\n}",
        "}",
    ),
    "typescript": ("class A {", "b(): void {}", "// returns █two", "c(): number {\n    return 2;\n}", "}"),
    "typescriptreact": (
        "class A {",
        "b(): void {}",
        "// returns █two",
        "c(): number {\n    return 2;\n}",
        "}",
    ),
    "python": ("class A:", "b = 1", "# returns █two", "def c(self):\n    return 2", ""),
    "ruby": ("class A", "b = 1", "# returns █two", "def c\n    2\nend", "end"),
    "php": ("class A {", "public $b = 1;", "// returns █two", "function c() {\n    return 2;\n}", "}"),
    "rust": ("impl A {", "fn b() {}", "// returns █two", "fn c() -> u8 {\n    2\n}", "}"),
}


@pytest.mark.parametrize("language", CASES)
def test_what_is_generated_in_a_class_is_not_wrapped_into_it_again(language: str) -> None:
    header, member, comment, code, closer = CASES[language]
    start = "<?php\n" if language == "php" else ""
    inside = indent(f"{member}\n\n{comment}", "    ")
    place = drawn_site(language, f"{start}{header}\n{inside}\n{closer}\n")
    file, target = load([]).get("generate"), place.target("comment")
    assert file is not None
    assert target is not None
    expected = placed(file, target, f"{code}\n")
    for wrapped in (
        f"{header}\n{indent(code, '    ')}\n{closer}\n",
        f"{header}\n{indent(code, '  ')}\n{closer}\n",
        f"{start}{header}\n\n{indent(code, '    ')}\n\n{closer}\n\n",
    ):
        assert placed(file, target, wrapped) == expected
    made = applied(target.snapshot.text, expected)
    assert indent(code, "    ") in made


OTHERS = [
    "class C {\n    int d;\n}",
    f"{BRACES}\n\nint d() {{\n    return 3;\n}}",
    "class A {\n}\n\nclass B {\n}",
]


@pytest.mark.parametrize("code", OTHERS)
def test_other_code_stays_whole(code: str) -> None:
    place = drawn_site("java", "class A {\n    // a class █C\n}\n")
    file, target = load([]).get("generate"), place.target("comment")
    assert file is not None
    assert target is not None
    assert indent(code, "    ").replace("    \n", "\n") in applied(
        target.snapshot.text, placed(file, target, code)
    )
