"""An answer on its way into a chat document, as edits of the document as it is at that moment.

Owns where the answer goes on when the user edits the document meanwhile, and that nothing the model says
reads as a heading or a note of ours, or loads anything where it is rendered. Pure: who uses it makes the
edits, one after the other.
"""

from __future__ import annotations

import re
from itertools import pairwise

from lsp_server.chat.chats.conversation import (
    BLANKS,
    MODEL,
    NOTE,
    USER,
    Conversation,
    Turn,
    is_protected,
    line_end,
    lines_of,
    note,
    parse,
)
from lsp_server.chat.chats.escapes import Escapes, escaped_line
from lsp_server.chat.chats.nested_fences import MAY_BE_FENCE, NestedFences
from lsp_server.chat.chats.open_fence import open_fence
from lsp_server.chat.editing.edits import Edit

_MAY_BECOME_PROTECTED = re.compile(r"\\*(?:## (?:You|Model)[ \t]*)")
_STARTS = (USER, MODEL, NOTE)
_WRAPPERS = ("```markdown", "```md")
"""Models put all they say in a block of Markdown when they are asked for Markdown."""


class AnswerText:
    """What the model says and we add to it, as text of the document; it only ever grows."""

    def __init__(self) -> None:
        self._text = ""
        self._line = ""
        """The line that has begun; `_taken` characters of it are in the text."""
        self._taken = 0
        self._escapes = Escapes()
        self._fences = NestedFences()
        self._has_begun = self._after_return = self._wrapped = False
        self._said = ""

    @property
    def text(self) -> str:
        """Return all that is decided so far, without blanks at the end."""
        return self._text.rstrip(BLANKS)

    @property
    def said(self) -> str:
        """Return what the model said, as it said it."""
        return self._said

    def say(self, piece: str) -> None:
        """Take the next piece of what the model says."""
        if not piece:
            return
        self._said += piece
        if self._after_return:
            piece = piece.removeprefix("\n")
            self._after_return = False
        self._after_return = piece.endswith("\r")
        first, *others = piece.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._line += first
        for line in others:
            self._end_line()
            self._text += "\n" if self._text else ""
            self._line = line
        self._take_what_is_decided()

    def note(self, sentence: str) -> None:
        """Add a sentence of ours, in a paragraph of its own, behind the block that is open."""
        self._end_line()
        self._close_block()
        line = ""
        for part in ("", note(sentence), ""):
            line += self._escapes.take(part) + self._escapes.end_line()
        self._text = f"{self.text}\n\n{line}\n\n".lstrip(BLANKS)
        self._has_begun = True

    def end(self) -> None:
        """Take note that nothing more is said."""
        self._end_line()
        self._close_block()

    def _close_block(self) -> None:
        fence = open_fence(self.text)
        if fence is not None:
            self._text = f"{self.text}\n{self._escapes.take(fence)}{self._escapes.end_line()}"
            self._fences = NestedFences()

    def _end_line(self) -> None:
        line, self._line = self._line, ""
        taken, self._taken = self._taken, 0
        if not self._text and line.strip(BLANKS).lower() in _WRAPPERS:
            self._wrapped = True
        elif not (self._wrapped and line.strip(BLANKS) == "```" and not self._fences.inside):
            written = self._fences.take(line)
            self._add(line[taken:] if taken else f"\\{line}" if is_protected(line) else written)
            self._text += self._escapes.end_line()

    def _take_what_is_decided(self) -> None:
        if self._taken:
            self._add(self._line[self._taken :])
        elif self._is_undecided():
            return
        else:
            self._add(f"\\{self._line}" if is_protected(self._line) else self._line)
        self._taken = len(self._line)

    def _is_undecided(self) -> bool:
        bare, stripped = self._line.lstrip("\\"), self._line.strip(BLANKS).lower()
        if not stripped or any(start.startswith(bare) for start in _STARTS):
            return True
        if _MAY_BECOME_PROTECTED.fullmatch(self._line):
            return True
        if not self._text and any(start.startswith(stripped) for start in _WRAPPERS):
            return True
        return MAY_BE_FENCE.fullmatch(self._line) is not None

    def _add(self, text: str) -> None:
        text = text if self._has_begun else text.lstrip(BLANKS)
        self._has_begun = self._has_begun or text != ""
        self._text += self._escapes.take(text)


class TurnGone(Exception):
    """The user has taken out the turn that is being written."""


class AnswerWriter:
    """Where the answer to one question goes, in a document that the user may edit meanwhile.

    Each method returns an edit of the text it is given; once that has been made, `applied` wants to know.
    Raises `TurnGone`.
    """

    def __init__(self, conversation: Conversation, *, replaces: Turn | None = None) -> None:
        """Answer the last turn of `conversation`, anew where it `replaces` an answer."""
        self.answer = AnswerText()
        self._question = conversation.turns[-1].text
        self._earlier = {_plain(turn.raw) for turn in conversation.turns if turn.role == "assistant"}
        self._written = "" if replaces is None else _plain(replaces.raw)
        """The turn as it stands in the document since the last edit."""
        self._is_old = replaces is not None
        """What is written is the answer to be replaced."""
        self._offered: str | None = None

    def applied(self) -> None:
        """Take note that the last edit is made."""
        if self._offered is not None:
            self._written, self._offered, self._is_old = self._offered, None, False

    def heading(self, text: str) -> Edit:
        """Return the edit that starts the answer under the question."""
        conversation = parse(text)
        last = conversation.turns[-1] if conversation and conversation.turns else None
        if last is None or last.role != "user":
            raise TurnGone
        self._question = last.text
        end = last.body + len(_without_notes_at_end(last.raw))
        fence = open_fence(last.raw)
        closing = f"\n{fence}" if fence is not None else ""
        missing = max(0, 1 - _line_ends(text[last.text_end : last.end]))
        return _edit(text, end, last.text_end, f"{closing}\n\n{MODEL}" + missing * "\n")

    def next_edit(self, text: str) -> Edit | None:
        """Return the edit that adds what has come since the last one; None if nothing has."""
        wanted = self.answer.text
        if not wanted or (wanted == self._written and not self._is_old):
            return None
        turn = self._turn(text)
        self._offered = wanted
        if self._is_old or not self._written:
            return _edit(text, turn.body, turn.text_end, f"\n\n{wanted}")
        return _edit(text, turn.text_end, turn.text_end, wanted[len(self._written) :])

    def next_question(self, text: str) -> Edit | None:
        """Return the edit that starts the user's next turn; None if there is one."""
        turn = self._turn(text)
        conversation = parse(text)
        if conversation is None or conversation.turns[-1] != turn:
            return None
        missing = max(0, 2 - _line_ends(text[turn.text_end : turn.end]))
        return _edit(text, turn.text_end, turn.text_end, f"\n\n{USER}" + missing * "\n")

    def nothing(self, text: str, sentence: str) -> Edit | None:
        """Return the edit for an answer of which nothing came: no heading, and why, under what is there."""
        turn = self._turn(text)
        reason = f"\n\n{escaped_line(note(sentence))}" if sentence else ""
        if self._is_old:
            return _edit(text, turn.text_end, turn.text_end, reason) if reason else None
        return _edit(text, len(text[: turn.start].rstrip(BLANKS)), turn.text_end, reason)

    def _turn(self, text: str) -> Turn:
        """Find the turn that is being written: by what was written, else the last if the user edits it."""
        conversation = parse(text)
        turns = conversation.turns if conversation else ()
        pairs = [pair for pair in pairwise(turns) if pair[1].role == "assistant"]
        for last, (question, answer) in enumerate(reversed(pairs)):
            body = _plain(answer.raw)
            own = question.text.startswith(self._question) or body not in self._earlier
            if own and (body == self._written or (not last and body not in self._earlier)):
                return answer
        raise TurnGone


def _plain(raw: str) -> str:
    return "\n".join(lines_of(raw)).strip(BLANKS)


def _without_notes_at_end(raw: str) -> str:
    kept = raw.rstrip(BLANKS)
    while (start := max(kept.rfind("\n"), kept.rfind("\r")) + 1) and kept.startswith(NOTE, start):
        kept = kept[:start].rstrip(BLANKS)
    return kept


def _line_ends(blanks: str) -> int:
    return len(lines_of(blanks)) - 1


def _edit(text: str, start: int, end: int, piece: str) -> Edit:
    return Edit(start, end, piece.replace("\n", line_end(text)))
