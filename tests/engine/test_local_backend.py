"""The local backend with a real engine: it gets one, loses it and gets another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lsp_server.backends import local
from lsp_server.backends.local import LocalBackend
from lsp_server.backends.protocol import ChatMessage, ChatRequest, FimRequest, ToolSpec
from lsp_server.errors import BackendLoading, BackendUnavailable, ModelError, ReplyTooLong, UserFacingError
from lsp_server.settings import LocalSettings
from tests.support.engines import own_state, started_engines, wait_until_gone

LONG = ChatRequest((ChatMessage("user", "Tell a long story."),), max_tokens=400, temperature=0.8)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    with own_state(tmp_path / "state"):
        yield tmp_path / "state"


def settings(model: Path, *, idle_exit_s: int = 120) -> LocalSettings:
    return LocalSettings(model=str(model), context_tokens=512, slots=1, idle_exit_s=idle_exit_s)


@pytest.fixture
async def backend(state: Path, smollm2_path: Path) -> AsyncIterator[LocalBackend]:
    opened = LocalBackend(settings(smollm2_path))
    yield opened
    await opened.aclose()


async def complete(backend: LocalBackend) -> str:
    request = FimRequest("The numbers are one, two, three,", "", max_tokens=3)
    return "".join([chunk.text async for chunk in backend.fim(request)])


async def test_prepare_ends_with_ready_and_says_what_goes_on(backend: LocalBackend) -> None:
    seen = [readiness async for readiness in backend.prepare()]
    assert [readiness.ready for readiness in seen] == [False] * (len(seen) - 1) + [True]
    assert "Starting" in seen[0].message and "Loading" in seen[-2].message
    assert [readiness.ready async for readiness in backend.prepare()] == [True]


async def test_the_first_request_makes_ready(backend: LocalBackend, state: Path) -> None:
    texts = await asyncio.gather(*(complete(backend) for _ in range(3)))
    assert len(set(texts)) == 1 and "four" in texts[0]
    assert len(started_engines(state)) == 1


async def test_a_request_that_is_cancelled_does_not_stop_the_start(
    backend: LocalBackend, state: Path
) -> None:
    first = asyncio.create_task(complete(backend))
    await anext(aiter(backend.prepare()))  # the start is under way
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert "four" in await complete(backend)
    assert len(started_engines(state)) == 1


async def test_an_engine_killed_between_requests_is_not_noticed(backend: LocalBackend, state: Path) -> None:
    before = await complete(backend)
    (pid,) = started_engines(state)
    psutil.Process(pid).kill()
    await asyncio.to_thread(wait_until_gone, pid)
    assert await complete(backend) == before
    assert len(started_engines(state)) == 2


async def test_an_engine_killed_in_a_reply_fails_it_and_no_other(backend: LocalBackend, state: Path) -> None:
    stream = backend.chat(LONG)
    await anext(stream)
    (pid,) = started_engines(state)
    psutil.Process(pid).kill()
    with pytest.raises(BackendUnavailable, match="try again"):
        async for _ in stream:
            pass
    assert "four" in await complete(backend)
    assert len(started_engines(state)) == 2


async def test_an_engine_that_always_crashes_is_left_alone(backend: LocalBackend, state: Path) -> None:
    for _ in range(3):
        stream = backend.chat(LONG)
        await anext(stream)
        psutil.Process(started_engines(state)[-1]).kill()
        with pytest.raises(BackendUnavailable):
            async for _ in stream:
                pass
    with pytest.raises(BackendUnavailable, match="crashed 3 times"):
        await complete(backend)
    assert len(started_engines(state)) == 3


async def test_after_an_idle_exit_the_next_request_is_answered(state: Path, smollm2_path: Path) -> None:
    backend = LocalBackend(settings(smollm2_path, idle_exit_s=1))
    before = await complete(backend)
    (pid,) = started_engines(state)
    await asyncio.to_thread(wait_until_gone, pid)
    assert await complete(backend) == before
    await backend.aclose()


@pytest.mark.parametrize(("quiet_s", "news"), [(0.0, 2), (600.0, 0)])
async def test_a_start_is_news_once_and_only_if_it_takes_its_time(
    backend: LocalBackend, state: Path, monkeypatch: pytest.MonkeyPatch, quiet_s: float, news: int
) -> None:
    monkeypatch.setattr(local, "QUIET_S", quiet_s)
    reloads: list[str] = []
    backend.on_reload = lambda: reloads.append("")
    for _ in range(2):
        texts = await asyncio.gather(*(complete(backend) for _ in range(3)))
        assert len(set(texts)) == 1
        pid = started_engines(state)[-1]
        psutil.Process(pid).kill()
        await asyncio.to_thread(wait_until_gone, pid)
    assert len(reloads) == news


async def test_whoever_comes_late_hears_how_far_a_start_is(backend: LocalBackend) -> None:
    first = asyncio.create_task(complete(backend))
    await anext(aiter(backend.prepare()))
    late = await anext(aiter(backend.prepare()))
    assert not late.ready and "ing" in late.message
    await first


async def test_while_it_loads_another_may_answer(state: Path, smollm2_path: Path) -> None:
    backend = LocalBackend(settings(smollm2_path), patience_s=0.0)
    with pytest.raises(BackendLoading):
        await complete(backend)
    async for _ in backend.prepare():
        pass
    assert await complete(backend)
    await backend.aclose()
    assert len(started_engines(state)) == 1


async def test_two_backends_share_an_engine(backend: LocalBackend, state: Path, smollm2_path: Path) -> None:
    other = LocalBackend(settings(smollm2_path))
    await complete(backend)
    await other.aclose()
    assert await complete(other) == await complete(backend)
    await other.aclose()
    assert len(started_engines(state)) == 1


async def test_a_model_that_is_not_one_is_an_error_each_time(state: Path, tmp_path: Path) -> None:
    backend = LocalBackend(settings(tmp_path / "missing.gguf"))
    for _ in range(3):
        with pytest.raises(ModelError, match=r"missing\.gguf"):
            await complete(backend)
    with pytest.raises(UserFacingError):
        [_ async for _ in backend.prepare()]
    assert not started_engines(state)


async def test_without_leave_to_download_it_says_how_to(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODESTRAL_LSP_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    backend = LocalBackend(LocalSettings(model="smollm2-135m", download=False))
    with pytest.raises(ModelError, match="models pull smollm2-135m"):
        await complete(backend)


async def test_a_small_model_is_asked_without_tools(state: Path, model_path: Path) -> None:
    code = "```python\ndef f(x, y): pass\n```"
    question = ChatRequest((ChatMessage("user", f"Name the parameters of this function:\n\n{code}"),), 40)
    with_tools = replace(question, tools=(ToolSpec("read_file", "Read a file.", {"type": "object"}),))
    async with aclosing(LocalBackend(settings(model_path))) as backend:
        said = "".join([chunk.text async for chunk in backend.chat(question)])
        assert "x" in said
        assert "".join([chunk.text async for chunk in backend.chat(with_tools)]) == said


async def answer(backend: LocalBackend, request: ChatRequest) -> str:
    return "".join([chunk.text async for chunk in backend.chat(request)])


async def test_a_rewrite_that_cannot_fit_is_refused_by_what_its_tokens_are(backend: LocalBackend) -> None:
    question = ChatRequest((ChatMessage("user", "Say yes."),), max_tokens=60, prediction="x = 1\n" * 30)
    with pytest.raises(ReplyTooLong, match=r"^The code has \d+ tokens .* room for 52: .*max_tokens\.$"):
        await answer(backend, replace(question, must_fit=True))
    with pytest.raises(ReplyTooLong, match=r"raise context_tokens\.$"):
        await answer(backend, replace(question, prediction="x = 1\n" * 300, max_tokens=9000, must_fit=True))
    assert await answer(backend, replace(question, max_tokens=3))
    assert await answer(backend, replace(question, prediction="x = 1\n", must_fit=True))
