"""Choosing tokens from logits, without a model."""

from __future__ import annotations

import numpy as np
import pytest

from lsp_server.engine.job import Sampling
from lsp_server.engine.sampling import Sampler, sampler

LOGITS = np.array([1.0, 3.0, 2.0, -1.0, 2.9], np.float32)


def drawn(chooser: Sampler, candidates: list[int] | None = None, count: int = 200) -> list[int]:
    allowed = None if candidates is None else np.array(candidates, np.int32)
    return [chooser.choose(LOGITS, allowed) for _ in range(count)]


@pytest.mark.parametrize(("candidates", "expected"), [(None, 1), ([0, 2, 3], 2), ([3], 3)])
def test_greedy_takes_the_most_likely_candidate(candidates: list[int] | None, expected: int) -> None:
    assert drawn(sampler(Sampling(8)), candidates, 1) == [expected]


def test_draws_reach_every_candidate_and_nothing_else() -> None:
    assert set(drawn(sampler(Sampling(8, temperature=2.0, seed=1)))) == {0, 1, 2, 3, 4}
    assert set(drawn(sampler(Sampling(8, temperature=2.0, seed=1)), [0, 3])) == {0, 3}


def test_frequencies_are_the_softmax() -> None:
    draws = np.bincount(drawn(sampler(Sampling(8, temperature=1.0, seed=7)), count=4000), minlength=5) / 4000
    expected = np.exp(LOGITS) / np.exp(LOGITS).sum()
    assert np.abs(draws - expected).max() < 0.03


def test_top_p_leaves_out_the_unlikely() -> None:
    assert set(drawn(sampler(Sampling(8, temperature=1.0, top_p=0.6, seed=1)))) == {1, 4}


def test_a_seed_makes_draws_repeatable() -> None:
    one, same, other = (drawn(sampler(Sampling(8, temperature=1.0, seed=seed))) for seed in (5, 5, 6))
    assert one == same != other
    unseeded = (drawn(sampler(Sampling(8, temperature=1.0))) for _ in range(2))
    assert next(unseeded) != next(unseeded)


def test_a_forbidden_token_is_never_drawn() -> None:
    logits = LOGITS.copy()
    logits[[1, 4]] = -np.inf
    chooser = sampler(Sampling(8, temperature=1.0, seed=3))
    assert {chooser.choose(logits, None) for _ in range(200)} == {0, 2, 3}
