"""What is inserted: the document's line ends, no trailing blanks, nothing that stands there already."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.protocol import FinishReason
from lsp_server.completion.result import Reason
from tests.support.completing import context_at, context_of, inserted
from tests.unit.completion.texts import buffers, languages, texts

ENDS = st.sampled_from(("stop", "length"))


@given(languages, buffers(), texts, ENDS)
def test_whatever_is_written(
    language_id: str, buffer: tuple[str, int], written: str, ended: FinishReason
) -> None:
    text, offset = buffer
    context = context_at(language_id, text, offset)
    result = inserted(context, [written], ended)
    if isinstance(result, Reason):
        return
    assert result.strip()
    assert set(re.findall(r"\r\n|\n|\r", result)) <= {context.line_end}
    if not context.cursor.tail.strip():
        assert result == result.rstrip()
    whole = text[:offset] + result + text[offset:]
    assert whole.count("\n") == text.count("\n") + result.count("\n")


@pytest.mark.parametrize(
    ("drawn", "written", "reason"),
    [
        ("x = 1\n█\ny = 2\n", "y = 2\n", Reason.REPEATS_SUFFIX),
        ("x = 1\n█y = 2\n", "y = 2\n", Reason.REPEATS_SUFFIX),
        ("x = █\nx = 2\n", "2\n", Reason.REPEATS_SUFFIX),
        ("x = 1█\nx = 12\n", "2\n", Reason.REPEATS_SUFFIX),
        ("def f():\n    x()\n    █\n    return 1\n", "return 1\n", Reason.REPEATS_SUFFIX),
        ("foo(█)\n", ")\n", Reason.REPEATS_SUFFIX),
        ("total = compute(a)\n█\n", "total = compute(a)\n", Reason.REPEATS_PREFIX),
        ("total = compute(a)\ntotal = █\n", "compute(a)\n", Reason.REPEATS_PREFIX),
        ("x = █\n", " \n", Reason.EMPTY),
        ("x = █\n", "", Reason.EMPTY),
        ("def f():\n█\n", "\n\nx = 1\n", Reason.EMPTY),
    ],
)
def test_why_there_is_nothing(drawn: str, written: str, reason: Reason) -> None:
    assert inserted(context_of("python", drawn), [written]) is reason


@pytest.mark.parametrize(
    ("drawn", "written", "wanted"),
    [
        ("f(1)\n█\n", "f(1)\n", "f(1)"),  # short lines repeat rightly
        ("    }\n█\n", "}\n", "}"),
        ("█import b\n", "import a\nimport b\n", "import a\n"),
        ("def f():\n    █b = 1\n", "a = 1\n    b = 1\n", "a = 1\n    "),
        ("def f():\n    █b = 1\n", "a = 1\n    c = 1\n    d = 1\n    e = 1\n    g = 1\n", "a = 1\n    "),
        ("x = 1   █   \n", "+ 2   \ny\n", "+ 2"),
        ("x = 1  █\n", "# one  \n", "# one"),
        ("a█.c\n", ".b.c\n", ".b"),
        ("f(█ )\n", " 1 )\n", " 1"),
    ],
)
def test_what_is_left(drawn: str, written: str, wanted: str) -> None:
    assert inserted(context_of("python", drawn), [written]) == wanted


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("drawn", ["def f():\n    █\n", "\n█", "import a\n\n\ndef f():\n    █"])
def test_line_ends_are_those_of_the_document(drawn: str, line_end: str) -> None:
    context = context_of("python", drawn.replace("\n", line_end))
    result = inserted(context, ["if a:\n        b()\n"], "stop")
    assert result == f"if a:{line_end}        b()"


def test_the_only_line_end_may_come_after_the_cursor() -> None:
    assert inserted(context_of("python", "█\r\nx = 1\r\n"), ["if a:\n    b()\nx = 1\n"]) == "if a:\r\n    b()"


MID_WORD = [
    ("python", "get_us█er_name = 1\n", "er_email", "stop"),
    ("python", "get_us█er_name = 1\n", "er_email(x)\n", "length"),
    ("javascript", "const le█ngth = 1;\n", "ft = 2, ri", "stop"),
    ("go", "fmt.Pri█ntln(a)\n", "ntf(b)\n", "length"),
    ("rust", "let na█me = 1;\n", "mes = vec![];\n", "length"),
    ("java", "String na█me;\n", "mes", "stop"),
    ("c", "int ma█in(void) {\n}\n", "x(int a)", "stop"),
    ("ruby", "us█er = 1\n", "ers.each", "stop"),
    ("markdown", "docu█mentation\n", "ment of a ", "stop"),
    ("plaintext", "docu█mentation\n", "ments", "stop"),
    ("css", ".car█d { }\n", "ousel", "stop"),
]


@pytest.mark.parametrize("case", MID_WORD, ids=lambda case: f"{case[0]} {case[1]!r}")
def test_no_word_is_split_by_text_it_does_not_belong_to(
    case: tuple[str, str, str, FinishReason],
) -> None:
    language_id, drawn, text, ended = case
    assert inserted(context_of(language_id, drawn), [text], ended) is Reason.MID_WORD


@pytest.mark.parametrize(
    ("drawn", "text", "ended", "expected"),
    [
        ("get_█name()\n", "user_name()\n", "length", "user_"),  # the model writes on into the word
        ("user_first_name = 1\nuser_█name\n", "first_", "stop", "first_"),  # a word of the file
        ("get_us█er_name()\n", "er_name()\n", "length", Reason.REPEATS_SUFFIX),
        ("x = █1\n", "0 + ", "stop", "0 + "),  # not within a word
    ],
)
def test_a_word_may_be_completed_in_its_middle(
    drawn: str, text: str, ended: FinishReason, expected: str | Reason
) -> None:
    assert inserted(context_of("python", drawn), [text], ended) == expected
