"""Whether a word looks drawn by lot, as keys are. Knows nothing of where the word stands."""

from __future__ import annotations

import math
import re
from collections import Counter

SHORTEST_RANDOM = 20
"""Shorter words are not taken for keys by their look alone: keys have 20 characters or more, and most names
that mix letters and digits have fewer."""
SHORTEST_TYPED = 8
"""While a word is being typed it is judged from here on: from fewer nothing can be told."""
SHORTEST_HEX = 32
"""128 bits; shorter hexadecimal words are colours, addresses and abbreviated hashes."""

WORD = re.compile(r"[A-Za-z0-9+/=_-]{8,}")
_SEGMENT = re.compile(r"[A-Za-z0-9]+")
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SHORTEST_SEGMENT = 12
"""Between `/`, `+`, `-` and `_` words are short; a key has a stretch of this length without any."""
_LEAST_HEX_ENTROPY = 2.5
"""Bits a character. 32 hexadecimal digits drawn by lot have less than this once in a million times."""
_LEAST_ENTROPY = 3.3
"""Bits a character. 20 characters drawn from hexadecimal digits have about this; words have less."""


def is_random(word: str) -> bool:
    """Return whether a complete word looks like a key: long, not made of words, no UUID or short hash."""
    if len(word) < SHORTEST_RANDOM or _UUID.fullmatch(word):
        return False
    if _HEX.fullmatch(word):
        return len(word) >= SHORTEST_HEX and _has_both(word) and _entropy(word) >= _LEAST_HEX_ENTROPY
    return _entropy(word) >= _LEAST_ENTROPY and any(
        _is_chaotic(segment, 3.0) or any(_is_chaotic(half, 2.3) for half in _halves(segment))
        for segment in _SEGMENT.findall(word)
        if len(segment) >= SHORTEST_SEGMENT
    )


def is_random_so_far(word: str) -> bool:
    """Return whether the beginning of a word looks like that of a key; whatever follows, it stays so."""
    return any(
        _is_chaotic(segment[:end], 2.6)
        for segment in _SEGMENT.findall(word)
        for end in range(SHORTEST_TYPED, len(segment) + 1)
    )


def is_mixed(value: str) -> bool:
    """Return whether a value is one word that mixes letters and digits, or cases as no word does."""
    if any(character.isspace() for character in value):
        return False
    return (len(value) >= 6 and _has_both(value)) or (
        len(value) >= SHORTEST_SEGMENT and is_random_so_far(value)
    )


def _has_both(word: str) -> bool:
    return any(character.isdigit() for character in word) and any(character.isalpha() for character in word)


def _halves(segment: str) -> tuple[str, ...]:
    middle = len(segment) // 2
    return (segment[:middle], segment[middle:]) if len(segment) >= SHORTEST_RANDOM else ()


def _is_chaotic(segment: str, longest_piece: float) -> bool:
    """Return whether a segment changes between letters, digits and cases more often than words do.

    `longest_piece` is how long the pieces between two changes may be on average.
    """
    pieces = _PIECE.findall(segment)
    numbers = sum(piece.isdigit() for piece in pieces)
    mean = len(segment) / max(1, len(pieces))
    if numbers == 0:  # then a change of case at nearly every other letter
        return len(pieces) >= 5 and mean <= 2.2
    if numbers >= 3:  # names have one number in them or two
        return mean <= 4.0
    return len(pieces) >= 4 and mean <= longest_piece


def _entropy(word: str) -> float:
    count = len(word)
    return -sum(n / count * math.log2(n / count) for n in Counter(word).values())
