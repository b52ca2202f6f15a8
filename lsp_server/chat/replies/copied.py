"""Tells whether a reply only says a part of the prompt once more, as small models do with an example in it.

Must not know actions: the caller chooses which texts a reply must not be a part of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LEAST_WORDS = 3
"""Of a reply that is called copied: one word or two, such as a name, stand in a prompt and are an answer."""

_TOKEN = re.compile(r"\w+|[^\w\s]")


def is_copied(said: str, texts: Iterable[str]) -> bool:
    """Tell whether `said`, or else each line of it, is in one of the texts.

    Case, blanks and what stands around the words, such as quotes and the `+` of a diff, do not count.
    """
    if sum(word[0].isalnum() for word in _tokens(said)) < LEAST_WORDS:
        return False
    lines = [line for line in map(_words, said.split("\n")) if line.strip()]
    return any(_words(said) in text or all(line in text for line in lines) for text in map(_words, texts))


def _words(text: str) -> str:
    """Return the tokens of a text from its first word to its last, a blank around each."""
    tokens = _tokens(text)
    words = [at for at, token in enumerate(tokens) if token[0].isalnum()]
    return f" {' '.join(tokens[words[0] : words[-1] + 1])} " if words else ""


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())
