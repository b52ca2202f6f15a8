"""Code as words and signs, to find a piece of the document in a reply that is laid out in another way.

Blanks, line ends and the kind of quotes do not count. Needs no grammar, so pieces of lines work, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lsp_server.documents.languages import Language

OPENERS = {"(": ")", "[": "]", "{": "}"}
_BRACKETS = {closer: opener for opener, closer in OPENERS.items()}
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Token:
    """A word or a sign. Offsets are code points."""

    text: str
    start: int
    end: int
    starts_line: bool
    quoted: bool = False
    """It stands in a string."""
    is_comment: bool = False
    """It is a whole comment."""


def tokens(text: str, language: Language) -> list[Token]:
    """Return the tokens and the comments of a text, in order."""
    found: list[Token] = []
    at = 0
    for match in _pattern(language).finditer(text):
        start, end = match.span()
        if match.lastgroup == "comment":
            starts = not text[max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1 : start].strip()
            found.append(Token(match.group().strip(), start, end, starts, is_comment=True))
        else:
            quoted = match.lastgroup == "string"
            for word in _WORD.finditer(text, start, end):
                same = word.group() if word.group() != "'" else '"'
                starts = not found or "\n" in text[at : word.start()] or "\r" in text[at : word.start()]
                found.append(Token(same, word.start(), word.end(), starts, quoted))
                at = word.end()
        at = end
    return found


@cache
def _pattern(language: Language) -> re.Pattern[str]:
    comments, strings = list[str](), list[str]()
    if language.block_comment is not None:
        opener, closer = map(re.escape, language.block_comment)
        comments.append(f"{opener}(?s:.*?)(?:{closer}|\\Z)")
    if language.line_comment is not None:
        # `#` inside of a word is none: `$#`, `${#a}`, `a#b`.
        before = r"(?<![^\s;(){}\[\],])" if language.line_comment == "#" else ""
        comments.append(f"{before}{re.escape(language.line_comment)}[^\\r\\n]*")
    for quote in map(re.escape, language.quotes):
        many = "(?s:.)" if len(quote) >= 3 or quote == "`" else r"[^\r\n]"
        strings.append(rf"{quote}(?:\\.|(?!{quote}){many})*?{quote}")
    parts = [rf"(?P<comment>{'|'.join(comments)})"] if comments else []
    parts += [rf"(?P<string>{'|'.join(strings)})"] if strings else []
    return re.compile("|".join([*parts, r"\w+|[^\w\s]"]))


def brackets(found: Sequence[Token]) -> tuple[str, ...]:
    """Return the brackets that have no partner: closers first, then openers."""
    closers, opened = list[str](), list[str]()
    for token in found:
        if token.quoted or token.is_comment:
            continue
        if token.text in OPENERS:
            opened.append(token.text)
        elif token.text in _BRACKETS:
            if opened and opened[-1] == _BRACKETS[token.text]:
                opened.pop()
            else:
                closers.append(token.text)
    return (*closers, *opened)


def has_word(found: Sequence[Token]) -> bool:
    """Tell whether there is more than signs."""
    return any(re.match(r"\w", token.text) for token in found)
