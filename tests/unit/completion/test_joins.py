"""Where generated text meets what follows the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given

from lsp_server.completion import joins, repetition
from lsp_server.documents.languages import detect
from tests.unit.completion.texts import languages, texts


@given(languages, texts)
def test_brackets_open_at_line_ends(language_id: str, text: str) -> None:
    language = detect(language_id, "")
    ends = [place for place, character in enumerate(text) if character == "\n"]
    assert joins.open_at(text, ends, language) == [joins.open_brackets(text[:end], language) for end in ends]


@pytest.mark.parametrize(
    ("text", "following", "rest"),
    [
        ("a\nb\nc\n", "c\n", "c\n"),
        ("a\nb\nc\n", "\n\n  c\n", None),
        ("a\n  }\n}\n", "}\n", "}\n"),
        ("a\nc   \n", "c\n", "c   \n"),
        ("a\nc\n", "", None),
        ("a\n\nc\n", "\n\nc\n", "c\n"),
        ("c\nc\n", "c\n", "c\nc\n"),
        ("a\x0cb\nc\n", "b\nc\n", None),  # a form feed ends no line
    ],
)
def test_line_join(text: str, following: str, rest: str | None) -> None:
    at = joins.line_join(text, following)
    assert (None if at is None else text[at:]) == rest


@pytest.mark.parametrize(
    ("language", "text", "tail", "kept"),
    [
        ("python", "a, b)", ")", "a, b"),
        ("python", "g(a), b)", ")", "g(a), b"),
        ("python", "')', b)", ")", "')', b"),
        ("python", '"\\")", b)', ")", '"\\")", b'),
        ("python", "a]", ")", None),
        ("python", "a", ")", None),
        ("python", "a)", "", None),
        ("python", "a)", "x)", None),
        ("javascript", "a, b }", " }", "a, b"),
        ("javascript", "a, b }", "}", "a, b "),
        ("javascript", "() => {\n  f();\n})", ")", "() => {\n  f();\n}"),
        ("javascript", "a // )\n)", ")", "a // )\n"),
        ("rust", "x: &'a str)", ")", "x: &'a str"),
        ("plaintext", "don't)", ")", "don't"),
        ("shellscript", "$#)", ")", "$#"),
    ],
)
def test_closing_join(language: str, text: str, tail: str, kept: str | None) -> None:
    at = joins.closing_join(text, tail, detect(language, ""))
    assert (None if at is None else text[:at]) == kept


@pytest.mark.parametrize(
    ("head", "text", "tail", "kept"),
    [
        ("x = ", "a + b\nc\n", " + b", "a"),
        ("x = ", "a + b\nc\n", "+ b", "a "),
        ("x = ", "a + b + c\n", "+ b", None),
        ("x = ", "a + b  \n", "+ b", "a "),
        ("x = ", "a + b", "+ b", None),  # the line may still go on
        ("x = ", "a\n  .b();\n", "  .b();", "a\n"),
        ("x = ", "() => {\n  f();\n", ";", None),
        ("x = ", "() => {\n  f();\n};\n", ";", "() => {\n  f();\n}"),
        ("sort(a, ", "(b) => {\n  f(b);\n", ");", None),
        ("sort(a, ", "(b) => {\n  f(b);\n});\n", ");", "(b) => {\n  f(b);\n}"),
        ("x = ", "f(a, b)\n", "b)", "f(a, "),
        ("if (", "a) {\n", ") {", "a"),
        ("f('", "(a');\n", "');", "(a"),
    ],
)
def test_tail_join(head: str, text: str, tail: str, kept: str | None) -> None:
    at = joins.tail_join(text, head, tail, detect("javascript", ""))
    assert (None if at is None else text[:at]) == kept


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("python", "f(a, [", 2),
        ("python", "f(a)", 0),
        ("python", ") f(", 1),
        ("python", "'(' + \"[\"", 0),
        ("python", "x  # (see", 0),
        ("python", "'it\\'s (' + (", 1),
        ("python", "x = '(\ny = (", 1),
        ("javascript", "x // (see\nf(", 1),
        ("javascript", "'http://a' + (", 1),
        ("lua", "x -- (see", 0),
        ("shellscript", "a=${#b} (", 1),
        ("rust", "struct A<'a> {", 1),
        ("plaintext", "don't (", 1),
    ],
)
def test_open_brackets(language: str, text: str, count: int) -> None:
    assert joins.open_brackets(text, detect(language, "")) == count


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\na\na\n", "a\n"),
        ("x\na\na\na\n", "x\na\n"),
        ("a\na\n", None),
        ("\n\n\n\n", None),
        ("a\nb\na\nb\na\nb\n", "a\nb\n"),
        ("  }\n }\n}\n", None),
        ("a\nb\nb\nc\nb\nb\n", None),
    ],
)
def test_repetition(text: str, kept: str | None) -> None:
    at = repetition.of_lines(text)
    assert (None if at is None else text[:at]) == kept
