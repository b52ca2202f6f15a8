"""What is kept of a text that is longer than a slot, and that it stays in place while somebody types."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from lsp_server.engine.room import BLOCK_TOKENS, fit, prompt_room
from lsp_server.engine.vocabulary import VocabOnly, Vocabulary

LINES = "".join(f"value_{number} = compute({number})\n" for number in range(1000))
ROOM = 1500


@pytest.fixture(scope="module")
def vocabulary(model_path: Path) -> Iterator[Vocabulary]:
    with VocabOnly(model_path) as opened:
        yield opened.vocabulary


def count(vocabulary: Vocabulary, text: str) -> int:
    return len(vocabulary.tokenize(text))


def test_what_fits_is_left_alone(vocabulary: Vocabulary) -> None:
    for prefix, suffix in [("", ""), ("a", "b"), (LINES[:2000], LINES[:1000])]:
        assert fit(vocabulary, prefix, suffix, ROOM) == (prefix, suffix)


@pytest.mark.parametrize("room", [20, 300, ROOM, 4000])
@pytest.mark.parametrize(
    ("before", "after"),
    [(LINES, ""), ("", LINES), (LINES, LINES), (LINES, "\n"), ("x", LINES), ("é" * 9000, "é" * 9000)],
)
def test_the_text_around_the_cursor_is_kept(
    vocabulary: Vocabulary, before: str, after: str, room: int
) -> None:
    prefix, suffix = fit(vocabulary, before, after, room)
    assert before.endswith(prefix) and after.startswith(suffix)
    used = count(vocabulary, prefix) + count(vocabulary, suffix)
    assert used <= room + 2  # a text cut inside a word may have a token more on each side
    assert used > room // 4 - 2
    assert not before or prefix


def test_the_cut_moves_in_blocks_while_somebody_types(vocabulary: Vocabulary) -> None:
    typed = [LINES + "result = value_1\n" * 8 * keys for keys in range(25)]
    kept = [fit(vocabulary, text, LINES, ROOM) for text in typed]
    starts = [len(text) - len(prefix) for text, (prefix, _) in zip(typed, kept, strict=True)]
    moves = [b - a for a, b in pairwise(starts) if a != b]
    tokens = count(vocabulary, typed[-1]) - count(vocabulary, typed[0])
    assert 0 < len(moves) <= tokens // BLOCK_TOKENS + 1
    assert len({suffix for _, suffix in kept}) == 1
    assert all(prefix.startswith("value_") or prefix.startswith("result") for prefix, _ in kept)


def test_the_reply_has_its_room() -> None:
    assert prompt_room(4096, 100) < 4096 - 100
    assert prompt_room(4096, 10_000) > 1000
    assert prompt_room(256, None) > 100
