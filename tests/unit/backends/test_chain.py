"""Who answers, who is left alone, and what the editor is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from lsp_server.backends import preparation
from lsp_server.backends.chain import Chain
from lsp_server.backends.member import SILENCE_S, Change, Member
from lsp_server.backends.protocol import Chunk, FimRequest, Origin, Readiness, Usage
from lsp_server.errors import (
    BackendError,
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    RateLimited,
    RequestRejected,
    TextWithheld,
    UserFacingError,
)
from tests.support.scripted_backend import ScriptedBackend

REQUEST = FimRequest("a", "b", 10)
AWAY = BackendUnavailable("nobody is there")
REFUSED = BackendRejected("wrong key", 401)
LONG_S = 100.0
"""Longer than any pause."""


class Setup:
    """A chain over scripted backends, with a clock that the test moves."""

    def __init__(self, *backends: ScriptedBackend) -> None:
        self.backends = backends
        self.changes: list[Change] = []
        self.now = 0.0
        members = [Member(backend, self.changes.append, lambda: self.now) for backend in backends]
        self.chain = Chain(members, self.changes.append)

    async def ask(self) -> str:
        async with aclosing(self.chain.fim(REQUEST)) as chunks:
            return "".join([chunk.text async for chunk in chunks])

    async def asked(self) -> str:
        """Ask, and let what was begun in the background come to its end."""
        answer = await self.ask()
        await settle()
        return answer

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(change.backend, change.state) for change in self.changes]


async def settle() -> None:
    for _ in range(20):  # more turns of the loop than anything here takes
        await asyncio.sleep(0)


@asynccontextmanager
async def chain_of(*backends: ScriptedBackend) -> AsyncIterator[Setup]:
    """Yield a chain, and see that closing it leaves no task."""
    setup = Setup(*backends)
    yield setup
    await setup.chain.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(backend.is_closed for backend in backends)


def hanging(name: str) -> ScriptedBackend:
    nothing: list[str | None] = [None]
    return ScriptedBackend(*[nothing] * 9, name=name)


def backends(*names: str) -> list[ScriptedBackend]:
    return [ScriptedBackend(name=name) for name in names]


async def test_the_first_answers() -> None:
    first, second = backends("first", "second")
    async with chain_of(first, second) as setup:
        assert setup.chain.name == "first"
        assert [await setup.asked(), await setup.asked()] == ["first", "first"]
    assert second.requests == []
    assert setup.said == [("first", "in use")]


async def test_nobody_waits_for_a_dead_server_twice() -> None:
    first, second = ScriptedBackend(AWAY, name="first"), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        assert [await setup.asked() for _ in range(5)] == ["second"] * 5
    assert len(first.requests) == 1
    assert setup.said == [("first", "away"), ("second", "fallback")]
    away, fallback = setup.changes
    assert away.sentence == "nobody is there"
    assert fallback.sentence == "second answers instead of first: nobody is there"


async def test_the_first_is_used_again_once_it_is_back() -> None:
    first, second = ScriptedBackend(AWAY, name="first"), ScriptedBackend(name="second")
    first.sick = AWAY
    async with chain_of(first, second) as setup:
        await setup.asked()
        setup.now += LONG_S
        assert await setup.asked() == "second"  # its probe failed meanwhile
        assert first.probes == 1
        first.sick = None
        assert await setup.asked() == "second"  # the new pause is not over
        assert first.probes == 1
        setup.now += LONG_S
        assert await setup.asked() == "second"
        assert first.probes == 2
        assert await setup.asked() == "first"
    assert setup.said == [("first", "away"), ("second", "fallback"), ("first", "back")]


async def test_a_probe_keeps_nobody_waiting_and_is_made_once() -> None:
    first, second = ScriptedBackend(AWAY, name="first"), ScriptedBackend(name="second")
    first.probe_answers.clear()
    async with chain_of(first, second) as setup:
        await setup.asked()
        setup.now += LONG_S
        assert [await setup.asked() for _ in range(3)] == ["second"] * 3
        assert first.probes == 1


@pytest.mark.parametrize("found", [RequestRejected("x", 413), BackendLoading("x"), BackendRejected("x", 404)])
async def test_a_server_that_says_something_is_there(found: BackendError) -> None:
    first, second = ScriptedBackend(AWAY, name="first"), ScriptedBackend(name="second")
    first.sick = found
    async with chain_of(first, second) as setup:
        await setup.asked()
        setup.now += LONG_S
        await setup.asked()
        assert await setup.asked() == "first"


async def test_a_model_that_fails_on_a_live_server_is_one_notice() -> None:
    """A probe asks the server and not the model."""
    wrong = BackendRejected("no such model", 404)
    first, second = ScriptedBackend(*[wrong] * 4, name="first"), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        for _ in range(4):
            assert [await setup.asked(), await setup.asked()] == ["second", "second"]
            setup.now += LONG_S
    assert len(first.requests) == 4
    assert setup.said == [("first", "away"), ("second", "fallback")]


async def test_after_the_first_text_a_failure_is_final() -> None:
    class Breaks(ScriptedBackend):
        async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
            yield Chunk("half a")
            raise AWAY

    first, second = Breaks(name="first"), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        texts = []
        with pytest.raises(BackendUnavailable):
            async for chunk in setup.chain.fim(REQUEST):
                texts.append(chunk.text)  # noqa: PERF401 (what came before the failure counts)
        assert texts == ["half a"] and second.requests == []
        assert await setup.asked() == "second"


async def test_what_came_before_the_text_is_not_mixed_up() -> None:
    def told(name: str) -> Chunk:
        return Chunk("", usage=Usage(1), origin=Origin(name, "this machine"))

    class Tells(ScriptedBackend):
        async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
            yield told(self.name)
            async with aclosing(super().fim(request)) as chunks:
                async for chunk in chunks:
                    yield chunk

    first, second = Tells(AWAY, name="first"), Tells(name="second")
    async with chain_of(first, second) as setup:
        chunks = [chunk async for chunk in setup.chain.fim(REQUEST)]
    assert chunks == [told("second"), Chunk("second"), Chunk("", "stop")]


async def test_an_empty_reply_is_a_reply() -> None:
    first, second = ScriptedBackend([], name="first"), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        assert await setup.asked() == ""
    assert setup.said == [("first", "in use")]


@pytest.mark.parametrize("error", [TextWithheld("a secret"), RequestRejected("too long", 413)])
async def test_what_is_wrong_with_a_request_says_nothing_of_the_backend(error: BackendError) -> None:
    first, second = ScriptedBackend(["1"], error, ["2"], name="first"), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        assert [await setup.asked() for _ in range(3)] == ["1", "second", "2"]
    assert setup.said == [("first", "in use")]


@pytest.mark.parametrize(
    ("wait_s", "said"), [(1.0, []), (30.0, [("second", "fallback"), ("first", "in use")])]
)
async def test_a_rate_limit_is_waited_out_without_a_probe(wait_s: float, said: list[tuple[str, str]]) -> None:
    first = ScriptedBackend(["1"], RateLimited("slow down", wait_s), ["2"], name="first")
    async with chain_of(first, ScriptedBackend(name="second")) as setup:
        assert [await setup.asked() for _ in range(3)] == ["1", "second", "second"]
        setup.now += wait_s
        assert await setup.asked() == "2"
    assert first.probes == 0
    assert setup.said == [("first", "in use"), *said]


@pytest.mark.parametrize(
    ("errors", "raised"),
    [
        ([AWAY, BackendRejected("no", 401)], "nobody is there"),
        ([RateLimited("slow down", 9), BackendRejected("no", 401)], "no"),
        ([TextWithheld("a secret"), AWAY], "nobody is there"),
        ([TextWithheld("a secret"), RateLimited("slow down", 9)], "slow down"),
        ([TextWithheld("a secret"), TextWithheld("another")], "a secret"),
    ],
)
async def test_what_is_said_when_all_fail(errors: list[UserFacingError], raised: str) -> None:
    named = [ScriptedBackend(error, error, name=str(index)) for index, error in enumerate(errors)]
    async with chain_of(*named) as setup:
        for _ in range(2):  # the second time most of it is remembered
            with pytest.raises(UserFacingError, match=f"^{raised}$"):
                await setup.asked()


async def test_one_backend_that_fails_quickly_is_asked_at_each_key() -> None:
    only = ScriptedBackend(AWAY, AWAY, name="only")
    async with chain_of(only) as setup:
        for _ in range(2):
            with pytest.raises(BackendUnavailable, match="nobody is there"):
                await setup.asked()
        assert await setup.asked() == "only"
    assert (len(only.requests), only.probes) == (3, 0)
    assert setup.said == [("only", "away"), ("only", "back")]


@pytest.mark.parametrize("is_back", [True, False])
async def test_one_backend_that_was_slow_to_fail_gives_a_sign_of_life_first(is_back: bool) -> None:
    class Slow(ScriptedBackend):
        async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
            if not self.requests:
                setup.now += LONG_S
            async with aclosing(super().fim(request)) as chunks:
                async for chunk in chunks:
                    yield chunk

    only = Slow(AWAY, name="only")
    only.sick = None if is_back else AWAY
    async with chain_of(only) as setup:
        with pytest.raises(BackendUnavailable):
            await setup.asked()
        if is_back:
            assert await setup.asked() == "only"
        else:
            for _ in range(3):
                with pytest.raises(BackendUnavailable, match="nobody is there"):
                    await setup.asked()
    assert (len(only.requests), only.probes) == (2 if is_back else 1, 1)


async def test_one_backend_fails_from_memory_until_its_pause_is_over() -> None:
    only = ScriptedBackend(REFUSED, REFUSED, name="only")
    async with chain_of(only) as setup:
        for _ in range(5):
            with pytest.raises(BackendRejected, match="wrong key"):
                await setup.asked()
        assert len(only.requests) == 1
        setup.now += LONG_S
        with pytest.raises(BackendRejected):
            await setup.asked()
        setup.now += LONG_S
        assert await setup.asked() == "only"
    assert only.probes == 0
    assert setup.said == [("only", "away"), ("only", "back")]


async def test_a_loading_server_is_waited_for_in_the_background() -> None:
    first = ScriptedBackend(
        BackendLoading("it loads"),
        name="first",
        steps=(Readiness(ready=False, message="Loading"), None, Readiness(ready=True)),
    )
    async with chain_of(first, ScriptedBackend(name="second")) as setup:
        assert [await setup.asked() for _ in range(3)] == ["second"] * 3
        assert (len(first.requests), first.preparations) == (1, 1)
        first.may_be_ready.set()
        await settle()
        assert await setup.asked() == "first"
    states = [("first", "loading"), ("second", "fallback"), ("first", "loading"), ("first", "loaded")]
    assert setup.said == [*states, ("first", "in use")]


async def test_a_server_that_loads_again_is_said_to_be_ready_once_it_is() -> None:
    half = Readiness(ready=False, message="Loading", fraction=0.5)
    only = ScriptedBackend(
        [], BackendLoading("it loads"), name="only", steps=(half, None, Readiness(ready=True))
    )
    async with chain_of(only) as setup:
        await setup.asked()
        with pytest.raises(BackendLoading):
            await setup.ask()
        await settle()
        assert setup.changes[-1] == Change("only", "loading", "Loading", fraction=0.5)
        only.may_be_ready.set()
        await settle()
        assert setup.said[-1] == ("only", "loaded")
        assert await setup.asked() == "only"
    assert [state for _, state in setup.said] == ["in use", "loading", "loading", "loaded"]


@pytest.mark.parametrize("error", [AWAY, BackendLoading("still"), RateLimited("slow down", 9.0)])
async def test_a_loading_that_fails_is_told_each_time(error: UserFacingError) -> None:
    loading = (Readiness(ready=False, message="Loading"), error)
    only = ScriptedBackend(
        [], BackendLoading("it loads"), BackendLoading("again"), name="only", steps=loading
    )
    async with chain_of(only) as setup:
        await setup.asked()
        for _ in range(2):
            with pytest.raises(BackendLoading):
                await setup.ask()
            await settle()
            assert setup.said[-1] == ("only", "away")
            setup.now += LONG_S


async def test_ready_as_soon_as_one_is() -> None:
    slow = (Readiness(ready=False, message="Loading", fraction=0.5), None, Readiness(ready=True))
    first, second = ScriptedBackend(name="first", steps=slow), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        steps = [step async for step in setup.chain.prepare()]
        assert steps[-1] == Readiness(ready=True)
        assert await setup.asked() == "second"
        first.may_be_ready.set()
        await settle()
        assert await setup.asked() == "first"


async def test_the_way_of_the_first_is_reported() -> None:
    way = [Readiness(ready=False, message=f"{percent} %", fraction=percent / 100) for percent in (0, 50, 100)]
    ready = Readiness(ready=True, message="knows no fill-in-the-middle")
    dead = ScriptedBackend(name="dead", steps=(Readiness(ready=False, message="?"), None, AWAY))
    async with chain_of(ScriptedBackend(name="first", steps=(*way, ready)), dead) as setup:
        assert [step async for step in setup.chain.prepare()] == [*way, ready]


async def test_only_who_fails_for_all_fails() -> None:
    async with chain_of(ScriptedBackend(name="first", steps=(AWAY,)), *backends("second")) as setup:
        assert [step async for step in setup.chain.prepare()] == [Readiness(ready=True)]
        assert await setup.asked() == "second"
    assert setup.said == [("first", "away"), ("second", "fallback")]


async def test_none_can_be_prepared() -> None:
    refused = BackendRejected("no key", 401)
    first, second = ScriptedBackend(name="1", steps=(AWAY,)), ScriptedBackend(name="2", steps=(refused,))
    async with chain_of(first, second) as setup:
        for _ in range(3):
            with pytest.raises(BackendUnavailable, match="nobody is there"):
                _ = [step async for step in setup.chain.prepare()]
    assert (first.preparations, second.preparations) == (1, 1)


async def test_an_error_of_our_own_is_no_preparation() -> None:
    async with chain_of(ScriptedBackend(name="first", steps=(ValueError("bug"),))) as setup:
        with pytest.raises(BackendUnavailable, match="first failed unexpectedly"):
            _ = [step async for step in setup.chain.prepare()]


async def test_closing_the_stream_closes_the_member() -> None:
    first, second = ScriptedBackend(AWAY, name="first"), ScriptedBackend(["a", None], name="second")
    async with chain_of(first, second) as setup:
        task = asyncio.create_task(setup.ask())
        await settle()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert second.closed == [REQUEST]


async def test_cancelling_between_two_members_closes_the_first() -> None:
    closing = asyncio.Event()

    class SlowToClose(ScriptedBackend):
        async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
            try:
                yield Chunk("")
                raise AWAY
            finally:
                closing.set()
                try:
                    await asyncio.sleep(3600)
                finally:
                    self.closed.append(request)

    first, second = SlowToClose(name="first"), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        task = asyncio.create_task(setup.ask())
        await closing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (first.closed, second.requests) == ([REQUEST], [])


async def test_a_server_that_hangs_is_found_out_though_every_request_is_given_up() -> None:
    """Somebody types on, so no request lives until its deadline."""
    first, second = hanging("first"), ScriptedBackend(name="second")
    first.sick = AWAY
    async with chain_of(first, second) as setup:
        for _ in range(3):
            task = asyncio.create_task(setup.ask())
            await settle()
            setup.now += SILENCE_S / 2
            task.cancel()
            await asyncio.wait({task})
            await settle()
        assert (len(first.requests), first.probes) == (2, 1)
        assert task.done() and second.requests == [REQUEST]


async def test_requests_given_up_are_no_verdict_on_a_server_that_lives() -> None:
    first, second = hanging("first"), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        for _ in range(6):
            task = asyncio.create_task(setup.ask())
            await settle()
            setup.now += SILENCE_S / 2
            task.cancel()
            await asyncio.wait({task})
            await settle()
        assert len(first.requests) == 6 and second.requests == []
    assert setup.said == []


async def test_whoever_listens_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def listen(change: Change) -> None:
        raise RuntimeError(change.state)

    members = [
        Member(b, listen) for b in (ScriptedBackend(AWAY, name="first"), ScriptedBackend(name="second"))
    ]
    chain = Chain(members, listen)
    assert [chunk.text async for chunk in chain.fim(REQUEST)] == ["second", ""]
    assert len(caplog.records) == 2
    await chain.aclose()


async def test_chains_share_what_they_know_of_a_member() -> None:
    changes: list[Change] = []
    first, second = ScriptedBackend(AWAY, name="first"), ScriptedBackend(name="second")
    members = [Member(backend, changes.append) for backend in (first, second)]
    chains = [Chain(members, changes.append, use=use) for use in ("completion", "chat")]
    for chain in chains:
        assert [chunk.text async for chunk in chain.fim(REQUEST)] == ["second", ""]
    assert len(first.requests) == 1
    assert [(change.state, change.use) for change in changes] == [
        ("away", ""),
        ("fallback", "completion"),
        ("fallback", "chat"),
    ]
    for chain in chains:
        await chain.aclose()
    assert first.is_closed


async def test_a_probe_of_all() -> None:
    first, second = backends("first", "second")
    first.sick = AWAY
    async with chain_of(first, second) as setup:
        await setup.chain.probe()
        second.sick = BackendRejected("no", 401)
        with pytest.raises(BackendUnavailable):
            await setup.chain.probe()


async def test_the_first_is_given_a_moment() -> None:
    """It is being asked for its key, say; nothing has been said of loading."""
    first = ScriptedBackend(name="first", steps=(None, Readiness(ready=True, message="first")))
    async with chain_of(first, ScriptedBackend(name="second")) as setup:
        task = asyncio.create_task(_last(setup.chain))
        await settle()
        assert not task.done()
        first.may_be_ready.set()
        assert (await task).message == "first"
        assert await setup.asked() == "first"


async def test_a_moment_is_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "GRACE_S", 0.05)
    first, second = ScriptedBackend(name="first", steps=(None,)), ScriptedBackend(name="second")
    async with chain_of(first, second) as setup:
        assert (await _last(setup.chain)).ready
        assert await setup.asked() == "second"


async def _last(chain: Chain) -> Readiness:
    return [step async for step in chain.prepare()][-1]


async def test_to_say_ready_is_no_sign_of_life() -> None:
    first, second = ScriptedBackend(AWAY, name="first"), ScriptedBackend(name="second")
    first.sick = AWAY
    async with chain_of(first, second) as setup:
        await setup.asked()
        setup.now += LONG_S
        assert (await _last(setup.chain)).ready
        assert await setup.asked() == "second"
        assert (len(first.requests), first.probes) == (1, 1)


async def test_the_same_cause_is_told_once() -> None:
    def away(left_s: int) -> BackendUnavailable:
        return BackendUnavailable(f"left alone for {left_s} s")

    only = ScriptedBackend(away(20), away(3), BackendRejected("no such model", 404), name="only")
    async with chain_of(only) as setup:
        for _ in range(3):
            with pytest.raises(BackendError):
                await setup.asked()
            setup.now += LONG_S
    assert [change.sentence for change in setup.changes] == ["left alone for 20 s", "no such model"]
