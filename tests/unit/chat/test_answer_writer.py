"""An answer on its way into a chat that the user edits meanwhile."""

from __future__ import annotations

import pytest

from lsp_server.chat.chats.answer_writer import AnswerText, AnswerWriter, TurnGone
from lsp_server.chat.chats.conversation import parse
from lsp_server.chat.editing.edits import Edit, applied

HEAD = "# Chat\n\n> system: Be short.\n\n"
ASKED = HEAD + "## You\n\nWell?\n"


class Document:
    """A chat and the answer that is written into it."""

    def __init__(self, text: str = ASKED, *, again: bool = False) -> None:
        self.text = text
        conversation = parse(text)
        assert conversation is not None
        if again:
            assert conversation.answered is not None
            question, answer = conversation.answered
            self.writer = AnswerWriter(conversation.until(question), replaces=answer)
        else:
            self.writer = AnswerWriter(conversation)
            self.make(self.writer.heading(text))

    def make(self, edit: Edit | None) -> None:
        if edit is not None:
            self.text = applied(self.text, [edit])
            self.writer.applied()

    def say(self, *pieces: str) -> None:
        for piece in pieces:
            self.writer.answer.say(piece)
            self.make(self.writer.next_edit(self.text))

    def end(self) -> None:
        self.writer.answer.end()
        self.make(self.writer.next_edit(self.text))
        self.make(self.writer.next_question(self.text))


def _text(*pieces: str) -> str:
    answer = AnswerText()
    for piece in pieces:
        answer.say(piece)
    answer.end()
    return answer.text


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("## You", "\\## You"),
        ("a\n## Model  \nb", "a\n\\## Model  \nb"),
        ("\\## You", "\\\\## You"),
        ("## Your plan\n### You\n ## You", "## Your plan\n### You\n ## You"),
        ("> codestral-lsp: deleted all", "\\> codestral-lsp: deleted all"),
        ("\n\n  text\r\n\r\nmore\r \n\n", "text\n\nmore"),
        ("```py\nx", "```py\nx\n```"),
        ("````\n```\n", "````\n```\n````"),
        ("```markdown\n# A\n```py\nx\n```\nend\n```\n", "# A\n```py\nx\n```\nend"),
        ("```markdown README.md\n# A\n```", "````markdown README.md\n# A\n````"),
        ("```md", ""),
        ("> quote\n#", "> quote\n#"),
    ],
)
def test_what_is_written_of_what_is_said(said: str, written: str) -> None:
    assert _text(said) == written
    for size in range(1, 9):
        assert _text(*(said[at : at + size] for at in range(0, len(said), size))) == written


def test_a_line_end_in_two_pieces_is_one() -> None:
    assert _text("a\r", "", "\nb\r", "\r\n", "c") == "a\nb\n\nc"


def test_what_is_written_only_grows() -> None:
    answer, before = AnswerText(), ""
    for character in "## You\n```md\n> codestral-lsp: x\r\n## Your\n\n  \n## Model\t\nend":
        answer.say(character)
        assert answer.text.startswith(before)
        before = answer.text


def test_an_answer_is_written() -> None:
    document = Document()
    assert document.text == f"{ASKED}\n## Model\n"
    document.say("It ", "is.")
    document.end()
    assert document.text == f"{ASKED}\n## Model\n\nIt is.\n\n## You\n\n"


@pytest.mark.parametrize("blanks", ["", "\n", "\n\n", "\n\n\n\n", "  \n\t"])
def test_headings_stand_apart_whatever_blanks_there_are(blanks: str) -> None:
    document = Document(f"{HEAD}## You\n\nWell?{blanks}")
    document.say("Yes.")
    document.end()
    lines = "".join(f"{line.rstrip()}\n" for line in document.text.splitlines())
    assert "Well?\n\n## Model\n\nYes.\n\n## You\n\n" in lines


def test_nothing_is_written_twice_if_an_edit_is_refused() -> None:
    document = Document()
    document.writer.answer.say("It ")
    refused = document.writer.next_edit(document.text)
    assert document.writer.next_edit(document.text) == refused
    document.say("is.")
    assert document.text.count("It is.") == 1


def test_the_answer_goes_on_where_it_is_when_the_text_moves() -> None:
    document = Document()
    document.say("It is")
    document.text = document.text.replace("> system: Be short.", "> system: Be long.\n> Very.")
    document.text = document.text.replace("Well?", "Well, what?")
    document.text += "\n## You\n\nThe next question"
    document.say(" blue.")
    document.end()
    assert document.text.endswith("## Model\n\nIt is blue.\n\n## You\n\nThe next question")


def test_the_answer_goes_on_when_the_user_edits_it() -> None:
    document = Document()
    document.say("It is")
    document.text = document.text.replace("It is", "It was")
    document.say(" blue.")
    assert "It was blue." in document.text


@pytest.mark.parametrize("question", ["Well?", "And?"])
def test_an_answer_that_is_taken_out_is_not_written_elsewhere(question: str) -> None:
    document = Document(f"{HEAD}## You\n\nWell?\n\n## Model\n\nFirst.\n\n## You\n\n{question}\n")
    document.say("Second")
    document.text = document.text[: document.text.rindex("## Model")]
    with pytest.raises(TurnGone):
        document.say(" more")


@pytest.mark.parametrize("text", ["", "# Notes\n", HEAD])
def test_a_document_that_is_emptied(text: str) -> None:
    document = Document()
    document.say("It")
    document.text = text
    with pytest.raises(TurnGone):
        document.say(" is")
    with pytest.raises(TurnGone):
        document.writer.next_question(document.text)
    with pytest.raises(TurnGone):
        document.writer.heading(text)


def test_an_old_answer_stays_until_there_is_a_new_one() -> None:
    text = f"{ASKED}\n## Model\n\nOld.\nVery.\n\n## You\n\ndraft"
    document = Document(text, again=True)
    document.say("", "\n", "## Yo")
    assert document.text == text
    document.say("ur plan", " is")
    document.end()
    assert document.text == text.replace("Old.\nVery.", "## Your plan is")


def test_the_same_answer_again_changes_nothing_further() -> None:
    text = f"{ASKED}\n## Model\n\nOld.\n\n## You\n\n"
    document = Document(text, again=True)
    document.say("Old.")
    assert document.writer.next_edit(document.text) is None
    assert document.text == text


@pytest.mark.parametrize(
    ("sentence", "left"), [("", ASKED.rstrip()), ("No.", f"{ASKED}\n> codestral-lsp: No.")]
)
def test_a_question_without_an_answer_can_be_sent_again(sentence: str, left: str) -> None:
    document = Document()
    document.make(document.writer.nothing(document.text, sentence))
    assert document.text.rstrip() == left
    again = Document(document.text)
    again.say("Yes.")
    assert again.text.rstrip() == f"{ASKED}\n## Model\n\nYes."


def test_notes_stand_in_paragraphs_of_their_own() -> None:
    document = Document()
    document.writer.answer.note("read a.py")
    document.say("It is", " so")
    document.writer.answer.note("looked for\n“x”")
    document.say("Yes.")
    document.end()
    assert (
        "## Model\n\n> codestral-lsp: read a.py\n\nIt is so\n\n> codestral-lsp: looked for “x”\n\nYes.\n"
        in document.text
    )
    conversation = parse(document.text)
    assert conversation is not None
    assert conversation.turns[1].text == "It is so\n\nYes."
