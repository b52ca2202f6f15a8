"""What a chat document says, and what of it the model is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.protocol import ChatMessage
from lsp_server.chat.chats.answer_writer import AnswerWriter
from lsp_server.chat.chats.conversation import (
    BLANKS,
    Conversation,
    messages,
    new_chat,
    parse,
)
from lsp_server.chat.chats.open_fence import open_fence
from lsp_server.chat.editing.edits import Edit, applied
from lsp_server.chat.prompting.wording import fenced
from lsp_server.errors import UserFacingError

HEAD = "# Chat\n\n> system: Be short.\n\n"
CHAT = HEAD + "## You\n\nWhat is it?\n\n## Model\n\nA file.\n\n## You\n\nWhich one?\n"


def _conversation(text: str) -> Conversation:
    found = parse(text)
    assert found is not None
    return found


def _said(text: str) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in _conversation(text).turns]


def _told(text: str, budget: int = 10_000) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in messages(_conversation(text), budget, {})]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_chat_is_taken_apart(line_end: str) -> None:
    text = CHAT.replace("\n", line_end)
    conversation = _conversation(text)
    assert conversation.system == "Be short."
    assert _said(text) == [("user", "What is it?"), ("assistant", "A file."), ("user", "Which one?")]
    for turn in conversation.turns:
        assert text[turn.start : turn.body] in ("## You", "## Model")
        assert text[turn.body : turn.end] == turn.raw
        assert text[turn.body : turn.text_end].strip() == turn.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Chat\n",
        "# Chat\n\nAbout our chat.\n\n## You\n\nAll of you.\n",
        "# Chatting\n\n> system: x\n",
        "Intro\n\n# Chat\n\n> system: x\n",
        "# Chat\n\n## You\n\n> system: x\n",
        "## You\n\nHello\n",
    ],
)
def test_other_documents_are_no_chats(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("head", "system"),
    [
        ("# Chat\n> system: x\n", "x"),
        ("\ufeff# Chat about parsers\n\n> System: x\n> y\n>\n> z\n\n", "x\ny\n\nz"),
        ("# chat\n\n\n>system:\n", ""),
        ("# Chat\n\n> system: x\n\nA note for myself.\n", "x"),
    ],
)
def test_heads_that_people_write(head: str, system: str) -> None:
    conversation = _conversation(f"{head}## You\n\nHello")
    assert (conversation.system, conversation.question.text) == (system, "Hello")


def test_a_new_chat_is_one() -> None:
    conversation = _conversation(new_chat("One line.\nAnother.", "[a.py](a.py)\n"))
    assert conversation.system == "One line.\nAnother."
    assert [turn.text for turn in conversation.turns] == ["[a.py](a.py)"]
    assert [link.path for link in conversation.turns[0].links] == ["a.py"]


@pytest.mark.parametrize(
    "question",
    [
        "```md\n## You\n\n## Model\n```",
        "~~~\n## Model\n```\n~~~~\nmore",
        "````\n```\n## You\n```\n````",
        "   ```\n## You\n   ```",
        "### You\n#### Model\n## Your plan\n ## You\n## You and me",
    ],
)
def test_these_headings_are_part_of_a_question(question: str) -> None:
    assert _said(f"{HEAD}## You\n\n{question}\n\n## Model\n\nYes.\n") == [
        ("user", question.strip(BLANKS)),
        ("assistant", "Yes."),
    ]


@pytest.mark.parametrize("question", ["```", "```py\nx = 1", "~~~ not closed", "text\n````a\n```"])
def test_code_that_nobody_closed_hides_no_heading(question: str) -> None:
    assert _said(f"{HEAD}## You\n\n{question}\n\n## Model\n\nYes.\n")[1:] == [("assistant", "Yes.")]


def test_notes_are_not_told() -> None:
    text = (
        f"{HEAD}## You\n\nWell?\n\n> codestral-lsp: that failed.\n\n"
        "## Model\n\n> codestral-lsp: read a.py\n\nLook:\n\n> a quote\n\n> codestral-lsp: read b.py\n\nSo.\n"
        "## You\n\nAnd?"
    )
    assert _told(text)[1:] == [
        ("user", "Well?"),
        ("assistant", "Look:\n\n> a quote\n\nSo."),
        ("user", "And?"),
    ]


def test_turns_of_one_role_are_told_as_one() -> None:
    text = f"{HEAD}## Model\n\nHello.\n\n## You\n\nOne\n\n## Model\n\n## You\n\nTwo\n\n## You\n\nThree"
    assert _told(text) == [("system", "Be short."), ("user", "One\n\nTwo\n\nThree")]


def test_the_oldest_turns_go_first_and_whole() -> None:
    turns = "".join(f"## You\n\nquestion {n}\n\n## Model\n\nanswer {n}\n\n" for n in range(9))
    text = f"{HEAD}{turns}## You\n\nlast"
    whole = _told(text)
    assert len(whole) == 20
    for budget in range(6, 120):
        told = _told(text, budget)
        assert told[0] == whole[0]
        assert told[1:] == whole[len(whole) - len(told) + 1 :]
        assert told[1][0] == "user"
        assert told == _told(text, budget)


def test_a_question_that_is_too_long_is_an_error() -> None:
    with pytest.raises(UserFacingError, match=r"about 100 tokens, but only 47 fit.*chat\.context_tokens"):
        _told(f"{HEAD}## You\n\n{'x' * 300}", 50)


@pytest.mark.parametrize(
    "text",
    [HEAD, f"{HEAD}## You\n\n \n", f"{CHAT}\n## Model\n\nNo.\n", f"{HEAD}## You\n\n> codestral-lsp: no\n"],
)
def test_nothing_to_send_is_an_error(text: str) -> None:
    with pytest.raises(UserFacingError, match="## You"):
        _ = _conversation(text).question


def test_attached_files_stand_with_their_turn() -> None:
    first = "See [a.py:1-2](file:///home/me/a.py#L1-L2)."
    text = f"{HEAD}## You\n\n{first}\n\n## Model\n\nYes.\n\n## You\n\nAnd [b](b.py)?"
    conversation = _conversation(text)
    attached = {turn.links[0]: fenced(f"{turn.links[0].path} ```\n", "x") for turn in conversation.turns[::2]}
    assert messages(conversation, 1000, attached) == (
        ChatMessage("system", "Be short."),
        ChatMessage("user", "See `a.py:1-2`.\n\n````x\n/home/me/a.py ```\n````"),
        ChatMessage("assistant", "Yes."),
        ChatMessage("user", "And `b`?\n\n````x\nb.py ```\n````"),
    )


# Whatever is said

_LINES = st.sampled_from(
    [
        *("## You", "## Model", "## You ", "\\## You", "\\\\## Model", "## Your", "##", "#", "# Chat"),
        *("> codestral-lsp: read a.py", "\\> codestral-lsp:", "> codestral-lsp", "> system: x", "> quote"),
        *("```", "```python", "~~~", "````", "    code", "", "", " ", "\t", "word", "😀", "\u2028", "\x0c"),
    ]
)
_END = st.sampled_from(["\n", "\n", "\r\n", "\r"])
_MODEL_SAYS = st.lists(st.tuples(_LINES | st.text(max_size=8), _END)).map(
    lambda lines: "".join(line + end for line, end in lines)
)


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_plain(text: str) -> bool:
    """Tell whether a user's text neither starts a turn nor has a note of ours, and is not empty."""
    lines = [line.rstrip(" \t") for line in _lf(text).split("\n")]
    mine = any(line in ("## You", "## Model") or line.startswith("> codestral-lsp:") for line in lines)
    return bool(_lf(text).strip(BLANKS)) and not mine


_USER_SAYS = _MODEL_SAYS.filter(_is_plain)


def _make(text: str, writer: AnswerWriter, edit: Edit | None) -> str:
    if edit is None:
        return text
    writer.applied()
    return applied(text, [edit])


def _write(text: str, says: str, sizes: list[int]) -> str:
    """Have a question answered in pieces of these sizes, then one whole."""
    writer = AnswerWriter(_conversation(text))
    text = _make(text, writer, writer.heading(text))
    at = 0
    for size in [*sizes, len(says)]:
        writer.answer.say(says[at : at + size])
        at += size
        text = _make(text, writer, writer.next_edit(text))
    writer.answer.end()
    text = _make(text, writer, writer.next_edit(text))
    if not writer.answer.text:
        return _make(text, writer, writer.nothing(text, ""))
    return _make(text, writer, writer.next_question(text))


def _closed(text: str) -> str:
    """Return a text as it stands in a chat: code that is open at the end is closed there."""
    text = _lf(text).strip(BLANKS)
    fence = open_fence(text)
    return text if fence is None else f"{text}\n{fence}".strip(BLANKS)


@given(
    asked=st.lists(_USER_SAYS, min_size=1, max_size=3),
    says=st.lists(_MODEL_SAYS, min_size=3, max_size=3),
    sizes=st.lists(st.integers(0, 9), max_size=12),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read_back(
    asked: list[str], says: list[str], sizes: list[int], line_end: str
) -> None:
    text = new_chat("Be short.").replace("\n", line_end)
    expected: list[tuple[str, str]] = []
    for question, answer in zip(asked, says, strict=False):
        said = _lf(answer).strip(BLANKS)
        if said.split("\n")[0].strip(BLANKS).lower() in ("```markdown", "```md"):
            continue
        text += _lf(question).replace("\n", line_end)
        text = _write(text, answer, sizes)
        expected.append(("user", _closed(question)))
        if not said:
            assert _said(text) == expected  # the question waits for another try
            return
        assert _said(text)[: len(expected)] == expected
        turns = _said(text)[len(expected) :]
        assert [role for role, _ in turns] == ["assistant", "user"]
        back = turns[0][1]
        assert back == said or (back.rpartition("\n")[0] == said and set(back.split("\n")[-1]) <= set("`~"))
        assert turns[1][1] == ""
        expected.append(turns[0])
    if line_end == "\r\n":
        assert "\n" not in text.replace("\r\n", "")


@given(text=st.text(), chat=_MODEL_SAYS)
def test_any_text_can_be_read(text: str, chat: str) -> None:
    for document in (text, HEAD + chat):
        conversation = parse(document)
        if conversation is not None:
            assert (
                "".join(document[turn.start : turn.end] for turn in conversation.turns)
                == document[conversation.turns[0].start if conversation.turns else len(document) :]
            )


def test_many_open_fences_are_read_quickly() -> None:
    text = f"{HEAD}## You\n\n" + "```a\n~~~b\n" * 50_000 + "## Model\n\nYes."
    assert _said(text)[1] == ("assistant", "Yes.")
