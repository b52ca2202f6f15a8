"""Models of the `llm` library, through a real worker and a plugin with the manners of real ones."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

import tests.support
from lsp_server.backends import llm as llm_backend
from lsp_server.backends.llm import LlmBackend
from lsp_server.backends.llm_process import LlmProcess
from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest, Usage
from lsp_server.errors import (
    BackendRejected,
    BackendUnavailable,
    ConfigurationError,
    RateLimited,
    RequestRejected,
    UserFacingError,
)
from lsp_server.settings import BackendSettings

TURNS = (
    ChatMessage("system", "Be brief."),
    ChatMessage("user", "One?"),
    ChatMessage("assistant", "Eins."),
    ChatMessage("user", "Two?"),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the plugin for children of this process, and give the library a folder of its own."""
    repository = Path(tests.support.__file__).parents[2]
    info = tmp_path / "site" / "llm_manners-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-manners\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[llm]\nmanners = tests.support.llm_plugin\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), str(repository)]))
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "home"))
    monkeypatch.delenv("LLM_MANNERS_KEY", raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@asynccontextmanager
async def connected(
    model: str, *, chat_model: str = "", fim: str = "auto", family: str = "", python: str = ""
) -> AsyncIterator[LlmBackend]:
    config = BackendSettings(
        type="llm",
        model=model,
        chat_model=chat_model,
        fim=fim,
        family=family,
        python=python,
        first_token_timeout_ms=20_000,  # a busy machine is no failure
    )
    backend = LlmBackend("mine", config)
    try:
        yield backend
    finally:
        await backend.aclose()


def ask(text: str, max_tokens: int = 1000, stop: tuple[str, ...] = ()) -> ChatRequest:
    return ChatRequest((ChatMessage("user", text),), max_tokens, stop=stop)


async def text_of(backend: LlmBackend, request: FimRequest | ChatRequest) -> str:
    stream = backend.fim(request) if isinstance(request, FimRequest) else backend.chat(request)
    return "".join([chunk.text async for chunk in stream])


async def error_of(backend: LlmBackend, text: str) -> UserFacingError:
    with pytest.raises(UserFacingError) as raised:
        await text_of(backend, ask(text))
    return raised.value


def wait_for_file(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def databases(folder: Path) -> list[Path]:
    """Return what the library would log prompts to."""
    return list(folder.glob("*.db"))


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "llm_worker.py" in " ".join(child.cmdline())]


async def test_plugins_that_read_the_conversation_get_it(home: Path) -> None:
    async with connected("mann") as backend:
        told = json.loads(await text_of(backend, ChatRequest(TURNS, max_tokens=1000)))
    assert told["told"] == ["system: Be brief.", "One?", "Eins.", "Two?"]
    assert told["options"] == {"max_gen_len": 1000, "temp": 0.0}
    assert not databases(home)


async def test_plugins_that_read_messages_get_them(home: Path) -> None:
    async with connected("lister") as backend:
        chunks = [chunk async for chunk in backend.chat(ChatRequest(TURNS, 1000, stop=("\n\n", "\n#")))]
    told = json.loads("".join(chunk.text for chunk in chunks))
    assert told["told"] == [
        ["system", "Be brief."],
        ["user", "One?"],
        ["assistant", "Eins."],
        ["user", "Two?"],
    ]
    assert told["options"] == {"max_tokens": 1000, "temperature": 0.0, "stop": "\n\n"}
    assert chunks[-1] == Chunk("", "stop", Usage(prompt_tokens=5, completion_tokens=1000))
    assert not databases(home)


async def test_what_plugins_print_is_logged_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "lsp_server")
    async with connected("mann") as backend:
        await text_of(backend, ask("Hello"))
    printed = [record for record in caplog.records if "plugin prints to stdout" in record.message]
    assert printed and {record.levelno for record in caplog.records} == {logging.DEBUG}
    assert any("past Python, too" in record.message for record in caplog.records)


async def test_a_model_without_options_is_stopped_all_the_same() -> None:
    async with connected("counter") as backend:
        chunks = [chunk async for chunk in backend.chat(ask("Count", max_tokens=5))]
        assert chunks == [*(Chunk(f"{number} ") for number in range(5)), Chunk("", "length")]
        # "3 4" comes in two pieces, and is not passed on.
        chunks = [chunk async for chunk in backend.chat(ask("Count", stop=("3 4", "9")))]
        assert ("".join(chunk.text for chunk in chunks), chunks[-1].finish_reason) == ("0 1 2 ", "stop")


@pytest.mark.parametrize(("model", "text"), [("counter", "Count"), ("lister", "never ends")])
async def test_closing_a_stream_stops_the_model(home: Path, model: str, text: str) -> None:
    async with connected(model) as backend:
        await backend.probe()
        (home / "stopped").unlink(missing_ok=True)  # a model that works in the process has been tried once
        stream = backend.chat(ask(text))
        assert (await anext(stream)).text
        (worker,) = workers()
        await stream.aclose()
        await asyncio.to_thread(wait_for_file, home / "stopped")
        assert await text_of(backend, ask("Once more", max_tokens=3))
        assert workers() == [worker]


async def test_a_model_that_does_not_stop_costs_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_backend, "STUCK_S", 0.1)
    async with connected("stuck") as backend:
        first = await text_of(backend, ask("hello"))
        (worker,) = workers()
        never = asyncio.create_task(text_of(backend, ask("never")))
        waiting = asyncio.create_task(text_of(backend, ask("hello")))
        await asyncio.sleep(0.1)
        never.cancel()
        with pytest.raises(BackendUnavailable):
            await waiting
        await asyncio.to_thread(worker.wait, 20)
        second = await text_of(backend, ask("hello"))
        assert first.startswith("process") and second.startswith("process") and first != second


async def test_a_worker_that_is_killed_is_replaced() -> None:
    async with connected("counter") as backend:
        stream = backend.chat(ask("Count"))
        await anext(stream)
        workers()[0].kill()
        with pytest.raises(BackendUnavailable, match="process of mine has ended"):
            async for _ in stream:
                pass
        assert await text_of(backend, ask("Count", max_tokens=2)) == "0 1 "


async def test_a_worker_that_has_ended_is_not_waited_for() -> None:
    process = await LlmProcess.start("mine")
    await process.aclose()
    with pytest.raises(BackendUnavailable, match="has ended"):
        await anext(process.stream({"do": "describe", "model": ""}))


async def test_the_worker_leaves_when_the_backend_is_closed() -> None:
    async with connected("stuck") as backend:
        await backend.probe()
        (worker,) = workers()
        never = asyncio.create_task(text_of(backend, ask("never")))
        await asyncio.sleep(0.1)
    assert not worker.is_running()
    with pytest.raises(BackendUnavailable):
        await never


async def test_prepare_is_not_stopped_by_whoever_listens() -> None:
    async with connected("mann") as backend:
        steps = backend.prepare()
        assert "Starting" in (await anext(steps)).message
        await steps.aclose()
        assert [step.ready async for step in backend.prepare()][-1]
        assert len(workers()) == 1
        assert backend.found() == "chat"


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        ("401", BackendRejected, 401),
        ("403", BackendRejected, 403),
        ("404", BackendRejected, 404),
        ("422", RequestRejected, 422),
        ("429", RateLimited, None),
        ("500", BackendUnavailable, None),
        ("leave", BackendUnavailable, None),
    ],
)
async def test_errors_of_plugins(
    monkeypatch: pytest.MonkeyPatch, text: str, kind: type[UserFacingError], status: int | None
) -> None:
    monkeypatch.setenv("LLM_MANNERS_KEY", "the-key-itself")
    async with connected("keyed") as backend:
        error = await error_of(backend, text)
        assert type(error) is kind and getattr(error, "status", None) == status
        assert not any(word in str(error) for word in ("{", "secret", "the-key-itself"))
        assert ("llm keys set manners" in str(error)) == (text in ("401", "403"))
        assert await text_of(backend, ask("this")) == "answered this"


async def test_a_key_that_a_plugin_quotes_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LLM_MANNERS_KEY", "the-key-itself\n")
    with caplog.at_level(logging.DEBUG, "lsp_server"):
        async with connected("keyed") as backend:
            error = await error_of(backend, "quote")
    assert isinstance(error, BackendUnavailable) and "ValueError" in str(error)
    assert "Illegal header value" in caplog.text and "the-key" not in f"{error}{caplog.text}"


async def test_a_plugin_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MANNERS_KEY", "the-key-itself")
    async with connected("keyed") as backend:
        assert isinstance(await error_of(backend, "abort"), BackendUnavailable)
        assert await text_of(backend, ask("this")) == "answered this"


async def test_says_how_to_give_a_key(home: Path) -> None:
    async with connected("keyed") as backend:
        error = await error_of(backend, "this")
        assert isinstance(error, BackendRejected) and "llm keys set manners" in str(error)
        (home / "keys.json").write_text('{"manners": "the-key-itself"}', "utf-8")
        assert await text_of(backend, ask("this")) == "answered this"


async def test_an_unknown_model_has_namesakes() -> None:
    async with connected("maners") as backend:
        error = await error_of(backend, "Hello")
        assert isinstance(error, BackendRejected) and "manners" in str(error)
        assert not workers()
        begun = time.monotonic()
        assert await error_of(backend, "Hello") is error  # from memory: no Python is started for each key
        assert time.monotonic() - begun < 1


async def test_a_python_without_the_library(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    # Without its site-packages, like a Python that has only itself.
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n', "utf-8")
    bare.chmod(0o755)
    async with connected("mann", python=str(bare)) as backend:
        error = await error_of(backend, "Hello")
    assert isinstance(error, ConfigurationError)
    assert "codestral-lsp[llm]" in str(error) and "backends.mine.python" in str(error)


async def test_a_python_that_is_not_there() -> None:
    async with connected("mann", python="/no/such/python") as backend:
        error = await error_of(backend, "Hello")
    assert isinstance(error, ConfigurationError) and "/no/such/python" in str(error)


async def test_the_current_folder_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llm.py").write_text("raise SystemExit('not the library')", "utf-8")
    monkeypatch.chdir(tmp_path)
    async with connected("mann") as backend:
        assert "Hello" in await text_of(backend, ask("Hello"))


async def test_a_way_to_fill_in_that_the_library_has_not() -> None:
    async with connected("mann", fim="infill") as backend:
        with pytest.raises(ConfigurationError, match=r"backends\.mine\.fim"):
            await text_of(backend, FimRequest("a", "b", max_tokens=5))


async def test_chat_models_are_told_what_to_do() -> None:
    async with connected("mann") as backend:
        assert "system: You complete code" in await text_of(backend, FimRequest("def add(", "\n", 2000))
        assert backend.found() == "chat"


async def test_a_raw_prompt_can_be_asked_for() -> None:
    async with connected("mann", fim="raw", family="starcoder2") as backend:
        stream = backend.fim(FimRequest("def add(", "\n", 2000))
        assert [chunk async for chunk in stream][-1].finish_reason == "stop"
        assert backend.found() == "raw, family starcoder2"


async def test_chats_with_the_other_model() -> None:
    async with connected("counter", chat_model="mann") as backend:
        assert "Hello" in await text_of(backend, ask("Hello"))
        workers()[0].kill()
        await asyncio.sleep(0.1)
        assert "Hello" in await text_of(backend, ask("Hello"))
