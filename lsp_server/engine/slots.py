"""Which KV sequence serves which prompt. Pure bookkeeping: knows nothing of llama.cpp.

A slot remembers the tokens whose keys and values its sequence holds, prompt and generated text alike,
so that somebody who types what the model has just written finds it evaluated already.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MEANINGFUL_TOKENS = 32
"""A shorter common prefix (about 0.1 s of prefill on two cores) is no reason to take another document's
slot; control tokens and a file's first line are common to many prompts."""


@dataclass
class Slot:
    """One KV sequence and what is known of it."""

    sequence: int
    tokens: list[int] = field(default_factory=list)
    """Tokens evaluated, from position 0 on."""
    owner: Hashable | None = None
    """What it was last used for."""
    last_used: int = 0
    """Ticks of `Slots`, not time."""
    in_use_by: object | None = None
    """The job, running or paused, that will want it again."""
    _outlook: tuple[int, npt.NDArray[np.float32]] | None = None

    def truncate(self, length: int) -> None:
        """Forget the tokens from `length` on."""
        del self.tokens[length:]
        if self._outlook and self._outlook[0] > length:
            self._outlook = None

    def remember(self, logits: npt.NDArray[np.float32]) -> None:
        """Keep a copy of the logits that follow the tokens held now.

        The same prompt asked again, as while a word is typed that healing spells, then costs nothing.
        """
        self._outlook = (len(self.tokens), logits.copy())

    def knows(self, length: int) -> bool:
        """Say whether the logits that follow the first `length` tokens are known."""
        return self._outlook is not None and self._outlook[0] == length

    def outlook(self, length: int) -> npt.NDArray[np.float32] | None:
        """Return a copy of the logits that follow the first `length` tokens, if they are known."""
        if self._outlook and self._outlook[0] == length:
            return self._outlook[1].copy()
        return None


class Slots:
    """The slots of one context.

    `whole_only`: the model's memory cannot be shortened (recurrent layers), so a slot is of use only to
    prompts that continue everything in it.
    """

    def __init__(self, count: int, *, whole_only: bool = False) -> None:
        self._slots = [Slot(sequence) for sequence in range(count)]
        self._whole_only = whole_only
        self._tick = 0

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    def acquire(self, tokens: Sequence[int], owner: Hashable | None, user: object) -> tuple[Slot, int]:
        """Choose the slot for a prompt; return it with the number of tokens it can keep.

        The slot is cut to those tokens: the caller removes the others from the KV cache.
        """
        candidates = [_Candidate(slot, self._reusable(slot, tokens)) for slot in self._slots]
        slot, reused = _choose(candidates, len(tokens), owner, user)
        self.release(user)
        self._tick += 1
        slot.truncate(reused)
        slot.owner, slot.last_used, slot.in_use_by = owner, self._tick, user
        return slot, reused

    def release(self, user: object) -> None:
        """Let go of whatever `user` holds; the tokens stay for the next prompt."""
        for slot in self._slots:
            if slot.in_use_by is user:
                slot.in_use_by = None

    def _reusable(self, slot: Slot, tokens: Sequence[int]) -> int:
        common = common_prefix(slot.tokens, tokens)
        if common and common == len(tokens) and not slot.knows(common):
            common -= 1  # the last token is evaluated again for its logits
        if self._whole_only and common < len(slot.tokens):
            return 0
        return common


class _Candidate(NamedTuple):
    slot: Slot
    reusable: int

    @property
    def rank(self) -> tuple[int, int]:
        return self.reusable, self.slot.last_used

    def worth_taking(self, length: int, owner: Hashable | None) -> bool:
        """Say whether what the slot holds of a prompt of `length` tokens is a reason to take it."""
        if self.reusable < MEANINGFUL_TOKENS and 2 * self.reusable < length:
            return False
        # Two conversations share their system prompt: one must not throw away the other's turns for it.
        return self.owned_by(owner) or 2 * self.reusable >= len(self.slot.tokens)

    def owned_by(self, owner: Hashable | None) -> bool:
        return owner is not None and self.slot.owner == owner


def _choose(
    candidates: Sequence[_Candidate], length: int, owner: Hashable | None, user: object
) -> _Candidate:
    """Prefer the longest common prefix, then the owner's own slot, then the one unused for longest."""
    worth = [each for each in candidates if each.worth_taking(length, owner)]
    own = [each for each in candidates if each.owned_by(owner)]
    if worth or own:
        return max(worth or own, key=lambda each: each.rank)
    return min(candidates, key=lambda each: (each.slot.in_use_by not in (None, user), each.slot.last_used))


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences begin with in common."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))
