"""What a server's headers say of limits."""

from __future__ import annotations

import math
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsp_server.backends.rate_limit import LONGEST_HOLD_S, RateLimit, duration_s

TODAY = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limit(clock: Clock) -> RateLimit:
    return RateLimit(clock, lambda: TODAY + clock.at - 1000.0)


def mistral(limit: int, remaining: int, **more: str) -> dict[str, str]:
    counters = {"limit-req-minute": str(limit), "remaining-req-minute": str(remaining), **more}
    return {f"x-ratelimit-{name}": value for name, value in counters.items()}


def test_nothing_is_known_at_first(limit: RateLimit) -> None:
    limit.took()
    assert limit.wait_s() == 0


def test_requests_that_are_left_go_out_and_the_next_one_waits(limit: RateLimit, clock: Clock) -> None:
    limit.learn(mistral(60, 2))
    for _ in range(2):
        assert limit.wait_s() == 0
        limit.took()
    assert limit.wait_s() == pytest.approx(1.0)
    clock.at += 1.0
    assert limit.wait_s() == pytest.approx(0, abs=1e-6)


def test_tokens_are_counted_by_what_the_last_request_cost(limit: RateLimit) -> None:
    tokens = {"limit-tokens-minute": "6000", "remaining-tokens-minute": "300", "tokens-query-cost": "500"}
    limit.learn(mistral(60, 60, **tokens))
    assert limit.wait_s() == pytest.approx(2.0)


def test_a_request_above_the_whole_limit_waits_for_a_full_bucket_only(limit: RateLimit) -> None:
    tokens = {"limit-tokens-minute": "600", "remaining-tokens-minute": "0", "tokens-query-cost": "5000"}
    limit.learn(mistral(60, 60, **tokens))
    assert limit.wait_s() == pytest.approx(60.0)


def test_openai_says_when_all_is_there_again(limit: RateLimit) -> None:
    counters = {"limit-requests": "10", "remaining-requests": "0", "reset-requests": "6m0s"}
    limit.learn({f"x-ratelimit-{name}": value for name, value in counters.items()})
    assert limit.wait_s() == pytest.approx(36.0)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": formatdate(TODAY + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(TODAY - 30, usegmt=True)}, 0.0),
        ({"retry-after": "86400"}, LONGEST_HOLD_S),
        ({"retry-after": "soon"}, 1.0),
        ({}, 1.0),
        (mistral(6, 0), 10.0),
    ],
)
def test_a_refusal_holds_requests_back(
    limit: RateLimit, clock: Clock, headers: dict[str, str], wait_s: float
) -> None:
    assert limit.hold(headers) == pytest.approx(wait_s)
    assert limit.wait_s() == pytest.approx(wait_s)
    clock.at += wait_s
    assert limit.wait_s() == pytest.approx(0, abs=1e-6)


def test_refusals_without_a_time_are_waited_for_longer_each_time(limit: RateLimit, clock: Clock) -> None:
    waits = []
    for _ in range(12):
        waits.append(limit.hold({}))
        clock.at += waits[-1]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_HOLD_S
    limit.learn({})
    assert limit.hold({}) == 1


@pytest.mark.parametrize(
    ("given_", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("20ms", 0.02),
        ("1.5s", 1.5),
        ("12", 12),
        ("1d", 86_400),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("1..5s", None),
    ],
)
def test_durations(given_: str, seconds: float | None) -> None:
    assert duration_s(given_) == pytest.approx(seconds)


NAMES = st.sampled_from(
    [
        *(
            f"x-ratelimit-{kind}-{of}"
            for kind in ("limit", "remaining")
            for of in ("req-minute", "tokens-minute")
        ),
        *(
            f"x-ratelimit-{kind}-{of}"
            for kind in ("limit", "remaining", "reset")
            for of in ("requests", "tokens")
        ),
        *("x-ratelimit-tokens-query-cost", "retry-after", "retry-after-ms"),
    ]
)
VALUES = st.one_of(st.text(max_size=8), st.integers(-5, 10**12).map(str), st.floats().map(str))


@example([(False, {"x-ratelimit-limit-req-minute": "0\x1f"}, 0.0)])
@given(st.lists(st.tuples(st.booleans(), st.dictionaries(NAMES, VALUES), st.floats(0, 100))))
def test_no_headers_are_an_error_or_hold_for_ever(
    answers: list[tuple[bool, dict[str, str], float]],
) -> None:
    clock = Clock()
    limit = RateLimit(clock, lambda: TODAY)
    for refused, headers, passed in answers:
        if refused:
            assert 0 <= limit.hold(headers) <= LONGEST_HOLD_S
        else:
            limit.learn(headers)
        limit.took()
        wait_s = limit.wait_s()
        assert 0 <= wait_s <= LONGEST_HOLD_S and not math.isnan(wait_s)
        clock.at += passed


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_what_is_waited_for_is_enough(size: int, left: int) -> None:
    clock = Clock()
    limit = RateLimit(clock, lambda: TODAY)
    limit.learn(mistral(size, left))
    for _ in range(3):
        limit.took()
        clock.at += limit.wait_s()
        assert limit.wait_s() == pytest.approx(0, abs=1e-6)
