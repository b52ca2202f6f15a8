"""What a model writes into a chat loads nothing when it is rendered, and goes back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.chat.chats.answer_writer import AnswerText
from lsp_server.chat.chats.apply_block import block_at
from lsp_server.chat.chats.conversation import parse
from lsp_server.chat.chats.escapes import LONGEST_SPAN, Escapes, escaped_line, unescaped
from tests.unit.chat.rendering import LOADING, PIECES, loads

HEAD = "# Chat\n\n> system: Be short.\n\n## You\n\nWell?\n\n## Model\n\n"


def escaped(text: str, size: int = 0) -> str:
    escapes, written = Escapes(), []
    for line in text.split("\n"):
        pieces = [line[at : at + size] for at in range(0, len(line), size)] if size else [line]
        written.append("".join(map(escapes.take, pieces)) + escapes.end_line())
    return "\n".join(written)


@pytest.mark.parametrize(
    "text",
    [
        "`code`, a < b, a <= b, `x<T>`, Vec<T>, !x, [a](https://example.org), a\\b",
        "Use `vec![1, 2]`, ``![a](`b`)`` and `<img src=x>`.",
        "```html\n<img src=x>\n![x](y)\n```",
        "1. a\n   ```jsx\n   <Item a={1} />\n\n     ![x](y)\n   ```\n2. b",
        "- a\n\n    ```c\n    if (a <b c)\n    ```",
    ],
)
def test_what_loads_nothing_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("![x](//e)", "!\\[x](//e)"),
        ("!\\[x](//e)", "!\\\\\\[x](//e)"),
        ("a <b c>", "a \\<b c>"),
        ("a \\<b c>", "a \\\\\\<b c>"),
        ("a \\\\<b c>", "a \\\\\\\\\\<b c>"),
        ("<T>", "\\<T>"),
        ("a <b", "a \\<b"),
        ("a <!-- b", "a \\<!-- b"),
        ("\\` ![x](//e) `", "\\` !\\[x](//e) `"),
        ("`a\n` ![x](//e) `b`", "`a\n` !\\[x](//e) `b`"),
        ("| `a | ![x](//e) ` |", "| `a | !\\[x](//e) ` |"),
        ("<https://e/`> ![x](//e) `", "\\<https://e/`> !\\[x](//e) `"),
        (f"`{LONGEST_SPAN * 'a'}a` `![x](//e)`", f"`{LONGEST_SPAN * 'a'}a` `!\\[x](//e)`"),
    ],
)
def test_what_may_load_something_is_text(text: str, written: str) -> None:
    assert escaped(text) == written
    assert unescaped(written) == text
    assert loads(written) == []


@pytest.mark.parametrize("markdown", LOADING)
def test_what_would_load_something_loads_nothing(markdown: str) -> None:
    assert loads(markdown)
    assert loads(escaped(markdown)) == []


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES).filter(lambda piece: "\r" not in piece), max_size=16).map("".join))
def test_all_that_can_be_put_together_is_safe_and_can_be_read_back(markdown: str) -> None:
    written = escaped(markdown)
    assert loads(written) == []
    assert unescaped(written) == markdown
    for size in (1, 2, 5):
        assert escaped(markdown, size) == written


@pytest.mark.parametrize("before", ["", "!"])
@pytest.mark.parametrize("count", [49, 50, 51, 52, 101, 102])
def test_many_backslashes_make_no_tag(before: str, count: int) -> None:
    text = f"a {before}{count * chr(92)}<img src=//e>"
    for size in (1, 30, 1000):
        assert loads(escaped(text, size)) == []


@pytest.mark.parametrize(
    "piece", ["`", "`a ", "!", "\\", "<", "<a", "![", "a:b", ">", "![a](b)\n", "   ```\n"]
)
def test_a_long_text_of_anything_is_taken(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    assert len(escaped(text, 40)) >= len(text)


def test_a_note_about_what_a_model_looked_for_loads_nothing() -> None:
    answer = AnswerText()
    answer.say("Well,")
    answer.note("looked for “![x](https://e.example/p)”")
    answer.say("it is ![y](https://e.example/q)")
    answer.end()
    assert loads(answer.text) == []
    assert loads(escaped_line("> codestral-lsp: <img src=x>")) == []
    conversation = parse(HEAD + answer.text)
    assert conversation is not None
    assert conversation.turns[1].text == "Well,\n\nit is ![y](https://e.example/q)"


def test_a_block_in_a_list_is_applied_as_the_model_wrote_it() -> None:
    code = "if a <b and c:\n    print('![x](y)', r'\\<a c')\n"
    said = "> ```python a.py\n" + "".join(f"> {line}\n" for line in code.splitlines()) + "> ```\n"
    answer = AnswerText()
    answer.say(f"Text\n\n- one\n\t```python a.py\n\t{code.splitlines()[0]}\n\t```\n{said}")
    answer.end()
    assert "a \\<b and" in answer.text
    text = HEAD + answer.text
    conversation = parse(text)
    assert conversation is not None
    block = block_at(conversation, text.index("and c"))
    assert block is not None
    assert block.code == code.splitlines()[0] + "\n"
