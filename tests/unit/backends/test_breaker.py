"""When a backend is asked again after it failed."""

from __future__ import annotations

import pytest

from lsp_server.backends.breaker import FIRST_PAUSE_S, JITTER, LONGEST_PAUSE_S, Breaker
from lsp_server.errors import (
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    ConfigurationError,
    DownloadError,
    RateLimited,
    RequestRejected,
    TextWithheld,
    UserFacingError,
)

AWAY = BackendUnavailable("away")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock, chance=lambda: 0.0)


@pytest.mark.parametrize(
    "error", [AWAY, BackendRejected("no", 401), ConfigurationError("x"), DownloadError("x")]
)
def test_opens_at_once(breaker: Breaker, error: UserFacingError) -> None:
    assert breaker.failed(error)
    assert not breaker.closed and not breaker.pause_is_over
    assert (type(breaker.error), str(breaker.error)) == (type(error), str(error))
    assert vars(breaker.error) == vars(error)


@pytest.mark.parametrize("error", [BackendLoading("x"), RequestRejected("too long", 413), TextWithheld("x")])
def test_is_no_reason_to_leave_a_backend_alone(breaker: Breaker, error: UserFacingError) -> None:
    assert not breaker.failed(error)
    assert breaker.closed


def test_pauses_grow_until_a_request_is_answered(breaker: Breaker, clock: Clock) -> None:
    pauses = []
    for _ in range(7):
        breaker.failed(AWAY)
        began = clock.now
        while not breaker.pause_is_over:
            clock.now += 1
        pauses.append(clock.now - began)
        breaker.found_alive()
        assert breaker.closed
    assert pauses == [FIRST_PAUSE_S, 4, 8, 16, 32, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    breaker.answered()
    breaker.failed(AWAY)
    clock.now += FIRST_PAUSE_S
    assert breaker.pause_is_over


def test_requests_that_began_before_it_opened_do_not_lengthen_the_pause(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(5):
        breaker.failed(AWAY)
    clock.now += FIRST_PAUSE_S
    assert breaker.pause_is_over


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_chance_shortens_a_pause(clock: Clock, chance: float) -> None:
    breaker = Breaker(clock, chance=lambda: chance)
    breaker.failed(AWAY)
    clock.now += FIRST_PAUSE_S * (1 - JITTER * chance) - 0.01
    assert not breaker.pause_is_over
    clock.now += 0.02
    assert breaker.pause_is_over


def test_a_rate_limit_ends_by_itself(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(RateLimited("slow down", 7.0))
    clock.now += 3
    assert not breaker.closed
    assert isinstance(breaker.error, RateLimited) and breaker.error.wait_s == 4.0
    clock.now += 4
    assert breaker.closed


def test_a_rate_limit_does_not_hide_that_a_backend_is_away(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(AWAY)
    breaker.failed(RateLimited("slow down", 0.5))
    clock.now += 1
    assert (type(breaker.error), str(breaker.error)) == (type(AWAY), str(AWAY))


def test_a_probe_that_meets_a_rate_limit_has_found_a_server(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(AWAY)
    clock.now += FIRST_PAUSE_S
    breaker.failed(RateLimited("slow down", 0.5))
    clock.now += 0.5
    assert breaker.closed


def test_what_opened_it_keeps_no_frames_however_often_it_is_raised() -> None:
    breaker = Breaker()

    def fails() -> None:
        raise BackendUnavailable("It is away.")

    try:
        fails()
    except BackendUnavailable as error:
        breaker.failed(error)
    for _ in range(3):
        assert breaker.error.__traceback__ is None
        with pytest.raises(BackendUnavailable) as raised:
            raise breaker.error
        assert len(raised.traceback) == 1
