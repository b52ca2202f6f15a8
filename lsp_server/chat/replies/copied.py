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
    """Tell whether all of `said` is in one of the texts; case, blanks and quotes around it do not count."""
    tokens = _tokens(said)
    words = [at for at, token in enumerate(tokens) if token[0].isalnum()]
    if len(words) < LEAST_WORDS:
        return False
    wanted = _joined(tokens[words[0] : words[-1] + 1])
    return any(wanted in _joined(_tokens(text)) for text in texts)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())


def _joined(tokens: list[str]) -> str:
    return f" {' '.join(tokens)} "
