"""The OpenAI client against servers held to the published schema, with the manners of those people run."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from lsp_server.backends import openai_wire
from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.openai import OpenAIBackend
from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest
from lsp_server.errors import (
    BackendError,
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    ConfigurationError,
)
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination
from lsp_server.settings import BackendSettings
from tests.support.openai_contract import MANNERS, OpenAIContract
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

FIM = FimRequest("def add(a, b):\n    return ", "\nprint(add(1, 2))\n", max_tokens=10)
HI = ChatRequest(
    (ChatMessage("system", "Be brief."), ChatMessage("user", "Hi")), max_tokens=5, stop=("a",) * 5
)
QWEN = "Qwen/Qwen2.5-Coder-7B"


@asynccontextmanager
async def opened(server: OpenAIContract, *, key: str = "", **settings: str) -> AsyncIterator[OpenAIBackend]:
    config = BackendSettings(type="openai", base_url=settings.pop("base_url", server.base_url), **settings)  # type: ignore[arg-type]
    endpoint = Endpoint(
        name="box",
        base_url=config.base_url.rstrip("/").removesuffix("/v1").rstrip("/"),
        destination=Destination.THIS_MACHINE,
        fim=Deadlines(5, 20, 60),
        chat=Deadlines(5, 60, 60),
        find_key=lambda: Key(key, "a test") if key else None,
    )
    backend = OpenAIBackend(endpoint, config)
    try:
        yield backend
    finally:
        await backend.aclose()


async def completed(backend: OpenAIBackend, request: FimRequest = FIM) -> list[Chunk]:
    return [chunk async for chunk in backend.fim(request)]


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


@pytest.mark.parametrize(
    ("personality", "model", "reply", "mode"),
    [
        ("openai", "gpt-3.5-turbo-instruct", "a + b", "suffix"),
        ("deepseek", "deepseek-chat", "a + b", "suffix"),
        ("vllm", QWEN, " a + b", "raw, family qwen2.5-coder"),
        ("vllm", "mistralai/Mistral-7B-v0.3", " a + b", "raw, family prefix-only"),
        ("lmstudio", "codestral-22b-v0.1", " a + b", "raw, family codestral"),
        ("openrouter", QWEN, "```\nreturn a + b\n```", "chat"),
        ("perplexity", "sonar", "a + b", "chat"),
        ("openai-reasoning", "o9", "a + b", "chat"),
    ],
)
async def test_the_way_is_found_out_once(personality: str, model: str, reply: str, mode: str) -> None:
    with OpenAIContract(personality, model=model) as server:
        server.reply, server.thoughts = [reply[:3], reply[3:]], "Hm."
        async with opened(server, model=model) as backend:
            assert backend.found() == ""
            assert text(await completed(backend)) == "a + b"
            assert backend.found().startswith(mode)
            before = len(server.history)
            assert text(await completed(backend)) == "a + b"
            assert len(server.history) == before + 1
            assert [ready.ready async for ready in backend.prepare()] == [True]
            assert len(server.history) == before + 1


async def test_what_is_sent_for_a_suffix() -> None:
    with OpenAIContract("openai") as server:
        async with opened(server) as backend:
            chunks = await completed(backend)
        assert server.history[-1].path == "/v1/completions"
        assert server.history[-1].body == {
            "model": "gpt-3.5-turbo-instruct",
            "prompt": FIM.prefix,
            "suffix": FIM.suffix,
            "max_tokens": 10,
            "temperature": 0.0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 3
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]


async def test_what_is_sent_as_raw_prompt() -> None:
    with OpenAIContract("vllm", model=QWEN) as server:
        server.reply = [" a", " + b"]
        async with opened(server) as backend:
            await completed(backend)
            assert backend.found() == "raw, family qwen2.5-coder, by its model's name"
        body = server.history[-1].body
    assert body["prompt"] == f"<|fim_prefix|><|fim_suffix|>{FIM.suffix}<|fim_middle|>{FIM.prefix[:-1]}"
    assert 1 <= len(body["stop"]) <= 4 and all(stop.startswith("<|") for stop in body["stop"])


async def test_an_answer_that_does_not_begin_as_it_must_is_no_completion() -> None:
    with OpenAIContract("vllm", model=QWEN) as server:
        server.reply = ["x", "y"]
        async with opened(server) as backend:
            assert await completed(backend) == [Chunk("", "stop")]


async def test_a_conversation() -> None:
    with OpenAIContract("deepseek", model="deepseek-chat") as server:
        server.thoughts = "The user greets."
        async with opened(server, chat_model="deepseek-chat") as backend:
            assert text([chunk async for chunk in backend.chat(HI)]) == "a + b"
        sent = server.history[-1]
    assert sent.path == "/beta/chat/completions"
    assert sent.body["messages"][1] == {"role": "user", "content": "Hi"}
    assert len(sent.body["stop"]) == 4 and sent.body["temperature"] == 0.0


@pytest.mark.parametrize("personality", ["openai", "openrouter"])
@pytest.mark.parametrize("end", ["", "/v1", "/v1/"])
async def test_the_base_url_with_and_without_its_end(personality: str, end: str) -> None:
    with OpenAIContract(personality) as server:
        async with opened(server, base_url=server.base_url.removesuffix("/v1") + end) as backend:
            assert text(await completed(backend)) == "a + b"


async def test_a_server_that_lists_no_models_is_found_below_either_root() -> None:
    with OpenAIContract("perplexity", model="sonar") as server:
        async with opened(server, model="sonar") as backend:
            assert text([chunk async for chunk in backend.chat(HI)]) == "a + b"
            assert text([chunk async for chunk in backend.chat(HI)]) == "a + b"
        assert server.history[-1].path == server.history[-2].path == "/chat/completions"


async def test_fields_that_a_model_refuses_are_left_out_from_then_on() -> None:
    with OpenAIContract("openai-reasoning", model="o9") as server:
        async with opened(server) as backend:
            for _ in range(2):
                assert text([chunk async for chunk in backend.chat(HI)]) == "a + b"
        bodies = [sent.body for sent in server.asked("/chat/completions")]
    assert len(bodies) == 4, "each field costs one request, once"
    assert "temperature" not in bodies[-1] and bodies[-1]["max_completion_tokens"] == 5


async def test_a_server_without_stream_options() -> None:
    with OpenAIContract("gateway") as server:
        async with opened(server) as backend:
            assert text(await completed(backend)) == "a + b"
            assert text(await completed(backend)) == "a + b"
        assert len([sent for sent in server.history if "stream_options" in sent.body]) == 1


@pytest.mark.parametrize(
    ("personality", "fim", "words"),
    [
        ("vllm", "suffix", "as it refuses a suffix"),
        ("lmstudio", "infill", "as it has no /infill"),
        ("openai", "raw", "no family is known for the model gpt-3.5-turbo-instruct"),
        ("openrouter", "suffix", "as it does not read a suffix"),
    ],
)
async def test_a_way_that_is_asked_for_and_refused(personality: str, fim: str, words: str) -> None:
    with OpenAIContract(personality) as server:
        async with opened(server, fim=fim) as backend:
            for _ in range(3):
                with pytest.raises(BackendRejected, match=f"`{fim}`, .*{words}.*backends.box.fim"):
                    await completed(backend)
        assert len(server.history) <= 4, "not asked again at each key"


async def test_ways_chosen_in_the_settings() -> None:
    with OpenAIContract("vllm", model="our-model") as server:
        server.reply = [" a + b"]
        async with opened(server, family="codestral") as backend:
            assert text(await completed(backend)) == "a + b"
            assert backend.found() == "raw, family codestral, as the settings say"
        assert server.history[-1].body["prompt"].startswith("[SUFFIX]")
        async with opened(server, fim="chat") as backend:
            assert text(await completed(backend)) == "a + b"
        assert server.history[-1].path == "/v1/chat/completions"


async def test_a_way_that_stops_working_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIContract("openai", model=QWEN) as server:
        async with opened(server) as backend:
            await completed(backend)
            server.manners, server.reply = MANNERS["vllm"], [" a + b"]
            with pytest.raises(BackendRejected, match="suffix"):
                await completed(backend)
            monkeypatch.setattr("lsp_server.backends.openai.FIND_AGAIN_S", 0.0)
            backend._find_again_at = 0.0
            assert text(await completed(backend)) == "a + b"
            assert backend.found().startswith("raw")


async def test_a_server_that_loads_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsp_server.backends.openai.LOADING_PAUSE_S", 0.01)
    with OpenAIContract("openai") as server:
        server.loading = 3
        async with opened(server) as backend:
            with pytest.raises(BackendLoading):
                await completed(backend)
            seen = [ready async for ready in backend.prepare()]
            assert [ready.ready for ready in seen] == [False, False, True]
            assert "Loading" in seen[0].message
            assert text(await completed(backend)) == "a + b"


async def test_who_can_only_chat_says_so() -> None:
    with OpenAIContract("perplexity", model="sonar") as server:
        async with opened(server, model="sonar") as backend:
            (ready,) = [ready async for ready in backend.prepare()]
    assert ready.ready and "only chats" in ready.message


async def test_closing_a_stream_tells_the_server() -> None:
    with OpenAIContract("vllm", model=QWEN) as server:
        server.reply, server.hang_after = [" ", "a"], 2
        async with opened(server) as backend:
            async with aclosing(backend.fim(FIM)) as stream:
                assert (await anext(stream)).text == "a"
            assert await asyncio.to_thread(server.history[-1].left.wait, 20)


async def test_a_cancelled_request_does_not_stop_finding_out() -> None:
    with OpenAIContract("openai") as server:
        async with opened(server) as backend:
            first = asyncio.create_task(completed(backend))
            while not server.history:  # noqa: ASYNC110  # it is on another thread
                await asyncio.sleep(0.001)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            await completed(backend)
        assert len(server.asked("/models")) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "Incorrect API key provided."}}, BackendRejected),
        (402, {"error": {"message": "Insufficient Balance"}}, BackendRejected),
        (500, {"error": {"message": "boom"}}, BackendUnavailable),
    ],
)
async def test_errors_while_finding_out(status: int, body: object, kind: type[BackendError]) -> None:
    with OpenAIContract("openai") as server:
        server.fail_with = status, body
        async with opened(server, key="k-123456") as backend:
            with pytest.raises(kind) as caught:
                await completed(backend)
            assert "k-123456" not in str(caught.value) and "\n" not in str(caught.value)
            with pytest.raises(kind):
                await backend.probe()


async def test_an_error_in_a_stream() -> None:
    with OpenAIContract("openrouter", model=QWEN) as server:
        async with opened(server, fim="chat") as backend:
            await completed(backend)
            server.fail_with = 200, {"error": {"message": "Provider returned error", "code": 502}}
            with pytest.raises(BackendUnavailable, match="Provider returned error"):
                await completed(backend)


async def test_half_a_character_before_the_cursor_breaks_nothing() -> None:
    with OpenAIContract("vllm", model=QWEN) as server:
        server.reply = ["?= 1"]
        async with opened(server, model=QWEN) as backend:
            await completed(backend, dataclasses.replace(FIM, prefix="x = \ud83e"))
        assert server.history[-1].body["prompt"].endswith("x =")


async def test_a_model_that_ollama_passes_on_is_not_taken_for_one_of_this_machine() -> None:
    model = "gpt-oss:120b-cloud"
    with OpenAIContract("openai", model=model) as server:
        async with opened(server) as backend:
            with pytest.raises(ConfigurationError, match="third party"):
                await completed(backend)
            with pytest.raises(ConfigurationError, match=model):
                [chunk async for chunk in backend.chat(HI)]
        assert not any("def add" in str(sent.body) or "Be brief" in str(sent.body) for sent in server.history)
        async with opened(server, destination="third party") as backend:
            assert text(await completed(backend)) == "a + b"


async def test_what_mistrals_api_behind_a_gateway_does_is_found() -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(["x"]), Reply(["a", " + b"]))
        config = BackendSettings(type="openai", base_url=server.base_url, model="codestral-latest")
        deadlines = Deadlines(5, 20, 60)
        endpoint = Endpoint(
            "box",
            server.base_url,
            Destination.THIS_MACHINE,
            deadlines,
            deadlines,
            lambda: Key(API_KEY, "a test"),
        )
        backend = OpenAIBackend(endpoint, config)
        assert text(await completed(backend)) == "a + b"
        assert backend.found().startswith("native")
        await backend.aclose()
        assert server.history[-1].body["suffix"] == FIM.suffix


async def test_a_server_that_names_no_model_may_be_another_one() -> None:
    with OpenAIContract("perplexity") as server:
        async with opened(server) as backend:
            with pytest.raises(BackendRejected, match=r"check the base URL, or set backends\.box\.model"):
                await completed(backend)


def test_timings_of_another_server_than_llama_cpps_say_nothing() -> None:
    event = (
        b'{"choices": [{"text": "", "finish_reason": "stop"}], "timings": {"decode_ms": 49.1},'
        b' "usage": {"prompt_tokens": 30, "completion_tokens": 3}}'
    )
    usage = openai_wire.chunk(event.decode()).usage
    assert usage is not None and (usage.prompt_tokens, usage.completion_tokens) == (30, 3)
