"""What of a FIM request is kept when it is longer than a slot. Knows tokens, not what becomes of them.

The front end keeps its windows small; this is for other clients and small slots. What is cut off moves in
blocks, so that between two keystrokes the rest stays where the KV cache has it.
"""

from __future__ import annotations

from lsp_server.engine.vocabulary import Vocabulary

BLOCK_TOKENS = 256
"""A cut stays in its place while this many tokens are typed: one prompt in 256 is evaluated anew."""

CONTROL_TOKENS = 16
"""Kept free for the control tokens of a layout, and for a healed token that is spelled by several."""

SUFFIX_SHARE = 4
"""The suffix may keep a fourth even if the prefix could fill the slot: the model must see where to end."""

TYPICAL_CHARACTERS = 16
"""More than an average token of code has (3 to 4); what is beyond is not worth being tokenised."""


def prompt_room(slot_tokens: int, max_tokens: int | None) -> int:
    """Return how many tokens of text a prompt may have if `max_tokens` (None: any number) are to follow."""
    reply = slot_tokens // 4 if max_tokens is None else min(max_tokens, slot_tokens // 2)
    return max(1, slot_tokens - reply - CONTROL_TOKENS)


def fit(vocabulary: Vocabulary, prefix: str, suffix: str, room: int) -> tuple[str, str]:
    """Return the end of `prefix` and the start of `suffix` that together have at most `room` tokens."""
    if len(_encoded(prefix)) + len(_encoded(suffix)) <= room:  # a token has at least one byte
        return prefix, suffix
    prefix = _roughly(prefix, room)
    suffix = suffix[: room * TYPICAL_CHARACTERS]
    before, after = vocabulary.tokenize(prefix), vocabulary.tokenize(suffix)
    if len(before) + len(after) <= room:
        return prefix, suffix
    spare = (room - len(before)) // BLOCK_TOKENS * BLOCK_TOKENS
    after = after[: max(room // SUFFIX_SHARE, spare)]
    excess = len(before) + len(after) - room
    if excess > 0:
        dropped = -(-excess // BLOCK_TOKENS) * BLOCK_TOKENS
        # A slot of a few hundred tokens is smaller than its blocks: then every token counts.
        dropped = dropped if dropped < len(before) else excess
        prefix = _without_start(prefix, _bytes(vocabulary, before[:dropped]))
    return prefix, _only_start(suffix, _bytes(vocabulary, after))


def _roughly(prefix: str, room: int) -> str:
    step = room * TYPICAL_CHARACTERS
    return prefix[max(0, (len(prefix) - step) // step) * step :]


def _bytes(vocabulary: Vocabulary, tokens: list[int]) -> int:
    return sum(len(vocabulary.piece(token)) for token in tokens)


def _without_start(text: str, length: int) -> str:
    data = _encoded(text)
    line = data.find(b"\n", length) + 1
    # From the next line on, unless that is far, as in minified code.
    start = line if 0 < line <= length + 4 * BLOCK_TOKENS and line < len(data) else length
    return data[start:].decode("utf-8", "ignore")


def _only_start(text: str, length: int) -> str:
    return _encoded(text)[:length].decode("utf-8", "ignore")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # half a surrogate pair has no bytes; `Vocabulary` replaces it too
