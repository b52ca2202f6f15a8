"""From the cut text to the text that is inserted: small steps, and the reasons to offer nothing."""

from __future__ import annotations

import re

from lsp_server.completion.cursor import Cursor, first_line
from lsp_server.completion.result import Reason
from lsp_server.completion.truncate import MODEL_ENDED, Cut

_WORD = re.compile(r"\w+")
_LAST_WORD = re.compile(r"\w+\Z")

_REPEATED = 8
"""Shortest line, in characters, whose repetition is called one: `}` and `end` repeat rightly."""


def postprocess(cut: Cut, cursor: Cursor, above: str, line_end: str) -> str | Reason:
    """Return the text to insert, with the document's line ends, or why there is none.

    `above` is the text before the cursor's line.
    """
    text = cursor.opening + _trimmed(cut, cursor)
    if not text.strip():
        return Reason.REPEATS_SUFFIX if cut.joins else Reason.EMPTY
    if _splits_word(cut, cursor, above):
        return Reason.MID_WORD
    if _repeats_suffix(text, cursor):
        return Reason.REPEATS_SUFFIX
    if _repeats_prefix(text, cursor, above):
        return Reason.REPEATS_PREFIX
    return text.replace("\n", line_end)


def _trimmed(cut: Cut, cursor: Cursor) -> str:
    """Drop what a completion must not end with; end whole lines before code that follows."""
    if not cursor.tail.strip():
        return cut.text.rstrip()
    if cut.joins or cut.why == MODEL_ENDED or cursor.inline or not cut.text.strip():
        return cut.text
    return cut.text.rstrip() + "\n" + cursor.head


def _splits_word(cut: Cut, cursor: Cursor, above: str) -> bool:
    """Say whether what is left of the word around the cursor would stand behind text it does not belong to.

    It does belong where the model wrote on into it, or ended there and made a word that the file has.
    """
    rest = _WORD.match(cursor.tail)
    if rest is None or not _WORD.match(cursor.head[-1:]) or cut.joins:
        return False
    made = _LAST_WORD.search(cursor.head + cut.text + rest.group())
    known = made is not None and re.search(rf"\b{re.escape(made.group())}\b", above + "\n" + cursor.below)
    return not (cut.why == MODEL_ENDED and known)


def _repeats_suffix(text: str, cursor: Cursor) -> bool:
    if cursor.tail.strip():
        return text.strip() == cursor.tail.strip()
    return (cursor.head + text).rstrip() == first_line(cursor.below)


def _repeats_prefix(text: str, cursor: Cursor, above: str) -> bool:
    """Say whether the completed line only says the line above it once more."""
    whole = (cursor.head + text).rstrip()
    if "\n" in whole or len(whole.strip()) < _REPEATED:
        return False
    return whole == above.rstrip().rsplit("\n", 1)[-1]  # at another depth `return False` says another thing
