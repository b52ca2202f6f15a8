from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.chat_fim import Unwrapper, messages, unwrapped
from lsp_server.backends.protocol import Chunk, FimRequest, Usage

ADD = "def add(a, b):\n    return "
REPLIES = st.lists(
    st.sampled_from(
        ["```", "python", "\n", "    ", "return ", "a + b", "Here is", "Sure! ", "`", "~~~", "<think>"]
    ),
    max_size=8,
).map("".join)


def request(prefix: str, suffix: str = "\n") -> FimRequest:
    return FimRequest(prefix, suffix, max_tokens=20)


def code(prefix: str, reply: str) -> str:
    unwrapper = Unwrapper(request(prefix))
    return unwrapper.feed(reply) + unwrapper.finish()


@pytest.mark.parametrize(
    ("prefix", "reply", "expected"),
    [
        (ADD, "a + b", "a + b"),
        (ADD, "a + b\n\nprint(1)", "a + b\n\nprint(1)"),
        (ADD, "return a + b", "a + b"),
        (ADD, "    return a + b", "a + b"),
        (ADD, " a + b", "a + b"),
        (ADD, "```python\na + b\n```", "a + b"),
        (ADD, "```\n    return a + b\n```\nThis adds.", "a + b"),
        (ADD, "~~~py\na + b\n~~~", "a + b"),
        (ADD, "````\na\n```\nb\n````", "a\n```\nb"),
        (ADD, "\n\n```python\na + b\n```", "a + b"),
        (ADD, "```python\ndef add(a, b):\n    return a + b\n```", "a + b"),
        (ADD, "Sure! Here is the code:\n\n```python\na + b\n```", "a + b"),
        (ADD, "Here's the completed line:\n```\nreturn a + b\n```", "a + b"),
        (ADD, "<think>\nadd them\n</think>\n\na + b", "a + b"),
        (ADD, "<think>```\nno\n```</think>```\na + b\n```", "a + b"),
        (ADD, "a < b", "a < b"),
        (ADD, "```python\n```", ""),
        (ADD, "```python\na + b", "a + b"),
        (ADD, "```python\na + b\n", "a + b"),
        (ADD, "", ""),
        (ADD, "Sure", "Sure"),
        (ADD, "Sure_thing(a)\n", "Sure_thing(a)\n"),
        (ADD, "`x`", "`x`"),
        ("x = foo(", "x = foo(1)", "1)"),
        ("x = foo(", "1)", "1)"),
        ("    ", "    return 1", "return 1"),
        ("        ", "    return 1", "return 1"),
        ("  ", "    return 1", "  return 1"),
        ("\t", "\tx", "x"),
        ("a", "a = 1", "a = 1"),
        ("))", "))", "))"),
        ("", "import os", "import os"),
    ],
)
def test_what_is_left_of_a_reply(prefix: str, reply: str, expected: str) -> None:
    assert code(prefix, reply) == expected


@given(
    st.sampled_from([ADD, "x = foo(", "    ", "", "a\n"]), REPLIES, st.lists(st.integers(0, 60), max_size=8)
)
def test_the_pieces_of_a_reply_do_not_matter(prefix: str, reply: str, cuts: list[int]) -> None:
    places = sorted({0, len(reply), *(cut for cut in cuts if cut < len(reply))})
    unwrapper = Unwrapper(request(prefix))
    pieces = [unwrapper.feed(reply[a:b]) for a, b in pairwise(places)]
    assert "".join(pieces) + unwrapper.finish() == code(prefix, reply)


@given(st.text(st.characters(exclude_characters="`~<"), min_size=1).filter(lambda text: text == text.strip()))
def test_a_fence_changes_nothing(text: str) -> None:
    assert code("", f"```python\n{text}\n```\nDone.") == text


def test_code_comes_as_it_is_written() -> None:
    unwrapper = Unwrapper(request(ADD))
    assert unwrapper.feed("```python\nreturn a") == "a"
    assert unwrapper.feed(" + ") == " + "
    assert unwrapper.feed("b\n") == "b"
    assert unwrapper.feed("```") == "" and unwrapper.ended


def test_the_question_has_the_whole_text_and_how_the_line_begins() -> None:
    asked = FimRequest("a = {b}\n    return 'x", "'\nc", max_tokens=5)
    said = messages(asked)
    assert [message.role for message in said] == ["system", "user"]
    assert asked.prefix in said[1].content and asked.suffix in said[1].content
    assert said[1].content.endswith("It begins with `return 'x`.")
    assert "begins" not in messages(request("a\n    "))[1].content


async def test_a_reply_ends_with_its_fence_and_keeps_its_usage() -> None:
    async def said(*chunks: Chunk) -> AsyncGenerator[Chunk, None]:
        for chunk in chunks:
            yield chunk

    usage = Usage(prompt_tokens=3)
    whole = said(Chunk("a "), Chunk("+ b"), Chunk("", "stop"), Chunk("", usage=usage))
    async with aclosing(unwrapped(whole, request(ADD))) as chunks:
        got = [chunk async for chunk in chunks]
    assert "".join(chunk.text for chunk in got) == "a + b"
    assert [chunk.finish_reason for chunk in got][-2:] == ["stop", None] and got[-1].usage == usage
    fenced = said(Chunk("```\na"), Chunk("\n```"), Chunk("That is all."))
    async with aclosing(unwrapped(fenced, request(ADD))) as chunks:
        got = [chunk async for chunk in chunks]
    assert got == [Chunk("a"), Chunk("", "stop")]
