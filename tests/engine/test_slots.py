"""Which slot serves which prompt. No model: slots are bookkeeping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lsp_server.engine.slots import Slot, Slots, common_prefix

A = list(range(1000, 1100))
B = list(range(2000, 2100))
C = list(range(3000, 3100))
D = list(range(4000, 4100))


def use(
    slots: Slots, tokens: Sequence[int], owner: str | None, generated: Sequence[int] = ()
) -> tuple[int, int]:
    """Take a slot, evaluate prompt and answer in it, let it go; return its sequence and what was reused."""
    user = object()
    slot, reused = slots.acquire(tokens, owner, user)
    assert slot.tokens == list(tokens[:reused])
    slot.tokens[reused:] = [*tokens[reused:], *generated]
    slots.release(user)
    return slot.sequence, reused


def test_common_prefix() -> None:
    assert [common_prefix([1, 2, 3], other) for other in ([], [1], [1, 2, 3, 4], [1, 9, 3], [9])] == [
        0,
        1,
        3,
        1,
        0,
    ]


def test_typing_on_reuses_what_is_evaluated() -> None:
    slots = Slots(2)
    first, _ = use(slots, A, "a")
    assert use(slots, [*A, 7], "a") == (first, len(A))


def test_typing_what_the_model_wrote_is_evaluated_already() -> None:
    slots = Slots(2)
    first, _ = use(slots, A, "a", generated=[7, 8, 9])
    assert use(slots, [*A, 7, 8, 5], "a") == (first, len(A) + 2)


def test_the_last_token_of_a_known_prompt_is_evaluated_again_for_its_logits() -> None:
    slots = Slots(2)
    use(slots, A, "a")
    assert use(slots, A, "a")[1] == len(A) - 1


def test_unless_its_logits_were_remembered() -> None:
    slots = Slots(2)
    slot, _ = slots.acquire(A, "a", "job")
    slot.tokens[:] = A
    logits = np.array([1.0, 2.0], np.float32)
    slot.remember(logits)
    logits[:] = 0  # the decoder's next batch overwrites its own
    slot.tokens += [7, 8]
    same, reused = slots.acquire(A, "a", "job")
    known = same.outlook(len(A))
    assert (same, reused) == (slot, len(A))
    assert known is not None and known.tolist() == [1.0, 2.0]
    known[:] = 0  # a sampler may write into its logits
    again = same.outlook(len(A))
    assert again is not None and again.tolist() == [1.0, 2.0]


def test_logits_are_forgotten_with_the_tokens_before_them() -> None:
    slot = Slot(0, tokens=[1, 2, 3])
    slot.remember(np.zeros(2, np.float32))
    slot.truncate(3)
    assert slot.knows(3)
    slot.truncate(2)
    slot.tokens.append(9)
    assert not slot.knows(3)


def test_two_documents_keep_two_slots() -> None:
    slots = Slots(2)
    a, _ = use(slots, A, "a")
    b, _ = use(slots, B, "b")
    assert a != b
    assert use(slots, [*A, 1], "a") == (a, len(A))
    assert use(slots, [*B, 1], "b") == (b, len(B))


def test_the_longest_unused_slot_goes_when_all_are_taken() -> None:
    slots = Slots(3)
    a, b, c = (use(slots, tokens, owner)[0] for tokens, owner in ((A, "a"), (B, "b"), (C, "c")))
    use(slots, [*A, 1], "a")
    assert use(slots, D, "d") == (b, 0)
    assert use(slots, [*C, 1], "c") == (c, len(C))
    assert use(slots, [*A, 1, 2], "a") == (a, len(A) + 1)


def test_a_document_changed_from_its_first_token_on_keeps_its_slot() -> None:
    slots = Slots(2)
    a, _ = use(slots, A, "a")
    use(slots, B, "b")
    assert use(slots, C, "a") == (a, 0)
    assert use(slots, [*B, 1], "b")[1] == len(B)


def test_a_long_common_prefix_beats_the_document() -> None:
    slots = Slots(2)
    use(slots, A, "a")
    b, _ = use(slots, B, "b")
    assert use(slots, [*B, 1], "a") == (b, len(B))


def test_a_few_common_tokens_are_no_reason_to_take_another_documents_slot() -> None:
    slots = Slots(2)
    a, _ = use(slots, A, "a")
    b, reused = use(slots, [*A[:3], *B], "b")
    assert b != a and reused == 0


def test_a_shared_system_prompt_does_not_evict_a_long_conversation() -> None:
    slots = Slots(2)
    a, _ = use(slots, [*A, *B, *C], "a")
    assert use(slots, [*A, *D], "d") != (a, len(A))


def test_short_prompts_without_a_document_are_reused_too() -> None:
    slots = Slots(2)
    first, _ = use(slots, A[:6], None)
    assert use(slots, A[:8], None) == (first, 6)


def test_the_slot_of_a_paused_job_goes_last() -> None:
    slots = Slots(2)
    paused, _ = slots.acquire(A, "a", "paused job")
    paused.tokens[:] = A
    b, _ = use(slots, B, "b")  # used later than the paused job's
    assert use(slots, C, "c") == (b, 0)
    slots.release("paused job")
    assert use(slots, D, "d") == (paused.sequence, 0)


def test_memory_that_cannot_be_shortened_is_reused_whole_or_not_at_all() -> None:
    slots = Slots(2, whole_only=True)
    a, _ = use(slots, A, "a", generated=[7])
    assert use(slots, [*A, 8], "a") == (a, 0)
    assert use(slots, [*A, 8, 9], "a") == (a, len(A) + 1)
    assert use(slots, [*A, 8, 9], "a") == (a, 0)
