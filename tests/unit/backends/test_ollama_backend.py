"""Ollama through its own API: which way the middle is asked for, loading, and what goes wrong."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.ollama import OllamaBackend
from lsp_server.backends.ollama_model import read_card, read_models
from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest, Usage
from lsp_server.errors import (
    BackendError,
    BackendRejected,
    BackendUnavailable,
    ConfigurationError,
    SuffixRefused,
    UserFacingError,
)
from lsp_server.privacy.destination import Destination
from lsp_server.settings import BackendSettings
from tests.support.ollama_contract import OllamaContract, OllamaModel

OLLAMA = BackendSettings(type="ollama")
CODER = OllamaModel("qwen2.5-coder:1.5b-base", insert=True)
CHATTER = OllamaModel("llama3.2:latest", reply=("```python\n", "a + b\n", "```"))
FIM = FimRequest("def add(a, b):\n    return ", "\n", max_tokens=10, stop=("\n\n",))
CHAT = ChatRequest((ChatMessage("system", "Be brief."), ChatMessage("user", "Hello")), max_tokens=5)
HURRY = Deadlines(connect_s=5, first_token_s=0.5, total_s=20)
"""First tokens in less time than the tests let a model load."""


def endpoint(base_url: str, destination: Destination = Destination.THIS_MACHINE) -> Endpoint:
    return Endpoint("ollama", base_url, destination, fim=HURRY, chat=HURRY)


@asynccontextmanager
async def connected(
    server: OllamaContract,
    model: str = "",
    *,
    chat_model: str = "",
    fim: str = "auto",
    family: str = "",
    destination: str = "auto",
) -> AsyncIterator[OllamaBackend]:
    config = BackendSettings(
        type="ollama", model=model, chat_model=chat_model, fim=fim, family=family, destination=destination
    )
    backend = OllamaBackend(endpoint(server.base_url), config)
    yield backend
    await backend.aclose()


@pytest.fixture
def server() -> Iterator[OllamaContract]:
    with OllamaContract(CODER, CHATTER) as opened:
        yield opened


async def text_of(backend: OllamaBackend, request: FimRequest | ChatRequest = FIM) -> str:
    stream = backend.fim(request) if isinstance(request, FimRequest) else backend.chat(request)
    return "".join([chunk.text async for chunk in stream])


async def error_of(backend: OllamaBackend) -> UserFacingError:
    with pytest.raises(UserFacingError) as raised:
        await text_of(backend)
    return raised.value


async def test_asks_with_a_suffix_where_the_template_takes_one(server: OllamaContract) -> None:
    async with connected(server, model=CODER.name) as backend:
        assert backend.found() == ""
        chunks = [chunk async for chunk in backend.fim(FIM)]
        assert backend.found() == "suffix"
    usage = Usage(prompt_tokens=7, completion_tokens=2, prefill_ms=2.0, decode_ms=5.0)
    assert chunks == [Chunk("a"), Chunk(" + b"), Chunk("", "stop", usage)]
    assert server.bodies("/api/generate") == [
        {
            "model": CODER.name,
            "prompt": FIM.prefix,
            "suffix": "\n",
            "stream": True,
            "keep_alive": "30m",
            "options": {"temperature": 0.0, "num_predict": 10, "stop": ["\n\n"], "num_ctx": 4096},
        }
    ]


@pytest.mark.parametrize(
    "request_", [FimRequest("def add(", "", max_tokens=9), FimRequest("", "\nadd(1, 2)\n", max_tokens=9)]
)
async def test_what_ollama_would_take_for_a_chat_or_for_nothing_is_written_raw(
    server: OllamaContract, request_: FimRequest
) -> None:
    async with connected(server, model=CODER.name) as backend:
        await text_of(backend, request_)
    (body,) = server.bodies("/api/generate")
    assert body["raw"] and "<|fim_suffix|>" in body["prompt"] and "suffix" not in body


async def test_without_a_family_a_line_end_stands_in_for_nothing() -> None:
    with OllamaContract(OllamaModel("house-brew:7b", insert=True)) as server:
        async with connected(server) as backend:
            assert await text_of(backend, FimRequest("def add(", "", max_tokens=9)) == "a + b"
            assert await text_of(backend, FimRequest("", "add(1, 2)", max_tokens=9)) == "a + b"
        bodies = server.bodies("/api/generate")
    assert [(body["prompt"], body["suffix"]) for body in bodies] == [("def add(", "\n"), ("\n", "add(1, 2)")]


async def test_a_template_without_a_suffix_gets_our_prompt() -> None:
    coder = OllamaModel(
        "qwen2.5-coder:7b", middle=(" ret", "urn a", " + b")
    )  # spells the held back word again
    with OllamaContract(coder) as server:
        async with connected(server) as backend:
            assert await text_of(backend, FimRequest("def add(a, b):\n    return", "\n", 10)) == " a + b"
            assert backend.found() == "raw, family qwen2.5-coder"
        (body,) = server.bodies("/api/generate")
    assert body["raw"] and len(body["options"]["stop"]) <= 4


async def test_others_are_asked_in_a_chat(server: OllamaContract) -> None:
    async with connected(server, model="llama3.2") as backend:
        assert await text_of(backend) == "a + b"
        assert backend.found() == "chat"
    (body,) = server.bodies("/api/chat")
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert "stop" not in body["options"]


@pytest.mark.parametrize("way", ["raw", "chat", "suffix"])
async def test_the_way_can_be_chosen(server: OllamaContract, way: str) -> None:
    async with connected(server, model=CODER.name, fim=way) as backend:
        await text_of(backend)
        assert backend.found().startswith(way)
    bodies = server.bodies("/api/chat") if way == "chat" else server.bodies("/api/generate")
    assert [("raw" in body, "suffix" in body) for body in bodies] == [(way == "raw", way == "suffix")]


async def test_a_family_can_be_named() -> None:
    with OllamaContract(OllamaModel("house-brew:7b")) as server:
        async with connected(server, fim="raw", family="starcoder2") as backend:
            await text_of(backend)
            assert backend.found() == "raw, family starcoder2"
        assert "<fim_suffix>" in server.bodies("/api/generate")[0]["prompt"]


async def test_a_suffix_that_is_refused_is_not_tried_again(server: OllamaContract) -> None:
    async with connected(server, model=CODER.name) as backend:
        await text_of(backend)
        server.models[CODER.name] = OllamaModel(CODER.name)  # its template was changed
        for _ in range(2):
            await text_of(backend)
        assert backend.found() == "raw, family qwen2.5-coder"
    assert ["suffix" in body for body in server.bodies("/api/generate")] == [True, True, False, False]


async def test_a_chosen_way_that_is_refused_is_an_error(server: OllamaContract) -> None:
    async with connected(server, model="llama3.2", fim="suffix") as backend:
        assert isinstance(await error_of(backend), SuffixRefused)


async def test_a_way_that_ollama_has_not(server: OllamaContract) -> None:
    async with connected(server, fim="infill") as backend:
        assert "backends.ollama.fim" in str(await error_of(backend))


async def test_servers_that_list_no_capabilities() -> None:
    old = OllamaModel("codellama:7b-code", insert=True, tells_capabilities=False)
    with OllamaContract(old) as server:
        async with connected(server) as backend:
            await text_of(backend)
            assert backend.found() == "suffix"


async def test_models_that_think_are_told_not_to_for_completions() -> None:
    thinker = OllamaModel("qwen3:8b", insert=True, thinks=True)
    with OllamaContract(thinker) as server:
        async with connected(server) as backend:
            assert await text_of(backend, FimRequest("a", "b", max_tokens=2)) == "a + b"
            assert await text_of(backend, CHAT) == "Sure, here it is."
        assert server.bodies("/api/generate")[0]["think"] is False
        assert "think" not in server.bodies("/api/chat")[0]


async def test_chats_with_the_other_model(server: OllamaContract) -> None:
    async with connected(server, model=CODER.name, chat_model="llama3.2") as backend:
        assert "a + b" in await text_of(backend, CHAT)
    (body,) = server.bodies("/api/chat")
    assert body["model"] == "llama3.2"
    assert body["messages"][1] == {"role": "user", "content": "Hello"}


async def test_takes_the_newest_model_that_can_insert() -> None:
    models = (OllamaModel("bge:latest", embeds=True), CHATTER, OllamaModel("qwen2.5-coder:7b"), CODER)
    with OllamaContract(*models) as server:
        async with connected(server) as backend:
            await text_of(backend)
        assert server.bodies("/api/generate")[0]["model"] == CODER.name


async def test_says_how_to_get_a_model(server: OllamaContract) -> None:
    async with connected(server, model="codestral") as backend:
        error = await error_of(backend)
    assert isinstance(error, BackendRejected) and error.status == 404
    assert "`ollama pull codestral`" in str(error)
    with OllamaContract(OllamaModel("codestral:22b")) as other:
        async with connected(other, model="codestral") as backend:
            assert "(did you mean codestral:22b?)" in str(await error_of(backend))
    with OllamaContract() as empty:
        async with connected(empty) as backend:
            error = await error_of(backend)
    assert isinstance(error, ConfigurationError) and "ollama pull" in str(error)


async def test_says_how_to_start_ollama() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    backend = OllamaBackend(endpoint(url.replace("//", "//me:hidden@")), OLLAMA)
    error = await error_of(backend)
    assert isinstance(error, BackendUnavailable) and "`ollama serve`" in str(error) and url in str(error)
    assert "hidden" not in str(error)
    with pytest.raises(BackendUnavailable, match="ollama serve"):
        await backend.probe()
    await backend.aclose()


async def test_a_model_that_is_removed_is_missed(server: OllamaContract) -> None:
    async with connected(server, model=CODER.name) as backend:
        await text_of(backend)
        del server.models[CODER.name]
        assert isinstance(await error_of(backend), BackendRejected)
        assert "`ollama pull" in str(await error_of(backend))
        with pytest.raises(BackendRejected, match="ollama pull"):
            await backend.probe()


@pytest.mark.parametrize(
    ("name", "remote_host"),
    [("big:latest", "https://ollama.com:443"), ("qwen3-coder:480b-cloud", ""), ("glm-4.7:cloud", "")],
)
async def test_a_model_that_runs_elsewhere_is_not_taken_for_one_of_this_machine(
    name: str, remote_host: str
) -> None:
    cloud = OllamaModel(name, insert=True, remote_host=remote_host)
    with OllamaContract(cloud, CHATTER) as server:
        async with connected(server, model=cloud.name) as backend:
            error = await error_of(backend)
        assert isinstance(error, ConfigurationError) and (remote_host or "Ollama's cloud") in str(error)
        assert not server.bodies("/api/generate")
        async with connected(server, model=cloud.name, destination="third party") as backend:
            assert await text_of(backend) == "a + b"
        async with connected(server) as backend:  # nor is it chosen
            await text_of(backend)
        assert server.bodies("/api/chat")[0]["model"] == CHATTER.name


async def test_loading_takes_as_long_as_it_takes(server: OllamaContract) -> None:
    server.may_load.clear()
    async with connected(server, model=CODER.name) as backend:
        steps = backend.prepare()
        first = await anext(steps)
        assert not first.ready and CODER.name in first.message
        waiting = asyncio.create_task(text_of(backend))
        assert HURRY.first_token_s is not None
        await asyncio.sleep(HURRY.first_token_s * 1.5)
        assert not waiting.done()
        server.may_load.set()
        assert [step.ready async for step in steps] == [True]
        assert await waiting == "a + b"
    assert len(server.loads) == 1


async def test_a_request_that_is_cancelled_does_not_stop_the_loading(server: OllamaContract) -> None:
    server.may_load.clear()
    async with connected(server, model=CODER.name) as backend:
        for _ in range(3):
            typed_over = asyncio.create_task(text_of(backend))
            await asyncio.to_thread(server.wait_for, "/api/generate")
            typed_over.cancel()
            with pytest.raises(asyncio.CancelledError):
                await typed_over
        server.may_load.set()
        assert await text_of(backend) == "a + b"
    assert [request.path for request in server.history].count("/api/generate") == 2


async def test_a_model_that_had_to_make_room_is_loaded_before_it_is_asked(
    server: OllamaContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(server, model=CODER.name) as backend:
        await text_of(backend)
        monkeypatch.setattr("lsp_server.backends.ollama_model.RECHECK_S", 0)
        server.loaded.clear()
        server.may_load.clear()
        threading.Timer(0.7, server.may_load.set).start()
        assert await text_of(backend) == "a + b"
    assert len(server.loads) == 2


async def test_after_a_silence_the_next_request_loads_first(server: OllamaContract) -> None:
    server.models[CODER.name] = OllamaModel(CODER.name, insert=True, hangs_after=0)
    async with connected(server, model=CODER.name) as backend:
        assert isinstance(await error_of(backend), BackendUnavailable)
        asked = [request.path for request in server.history].count("/api/ps")
        await error_of(backend)
        assert [request.path for request in server.history].count("/api/ps") > asked


async def test_the_context_is_the_one_it_is_loaded_with(server: OllamaContract) -> None:
    server.loaded[CODER.name] = 16384  # by another program
    async with connected(server, model=CODER.name) as backend:
        await text_of(backend)
    assert server.loads == []


@pytest.mark.parametrize("tells", [True, False])
async def test_a_prompt_that_would_be_cut_gets_more_room(tells: bool) -> None:
    with OllamaContract(CODER, tells_context=tells) as server:
        async with connected(server, model=CODER.name) as backend:
            await text_of(backend)
            for _ in range(2):
                await text_of(backend, FimRequest("x = 1\n" * 4000, "\n", max_tokens=10))
            await text_of(backend)
        assert server.loads == [(CODER.name, 4096), (CODER.name, 8192)]


async def test_no_more_room_than_the_model_has() -> None:
    small = OllamaModel("codegemma:2b", insert=True, longest_context=8192)
    with OllamaContract(small) as server:
        async with connected(server) as backend:
            for _ in range(2):
                await text_of(backend, FimRequest("x = 1\n" * 40000, "\n", max_tokens=10))
        assert server.loads[-1] == (small.name, 8192) and len(server.loads) == 2


async def test_cancelling_closes_the_stream(server: OllamaContract) -> None:
    server.models[CODER.name] = OllamaModel(CODER.name, insert=True, hangs_after=1)
    async with connected(server, model=CODER.name) as backend:
        stream = backend.fim(FIM)
        assert await anext(stream) == Chunk("a")
        await stream.aclose()
        request = server.wait_for("/api/generate", 2)  # the first one loaded it
        assert await asyncio.to_thread(request.disconnected.wait, 20)


async def test_an_error_in_a_reply(server: OllamaContract) -> None:
    server.models[CODER.name] = OllamaModel(CODER.name, insert=True, fails_after=1)
    async with connected(server, model=CODER.name) as backend:
        error = await error_of(backend)
    assert isinstance(error, BackendUnavailable) and "model runner has unexpectedly stopped" in str(error)


async def test_a_server_that_is_no_ollama() -> None:
    with OllamaContract() as server:
        backend = OllamaBackend(
            endpoint(server.base_url + "/nothing"), BackendSettings(type="ollama", model="m")
        )
        error = await error_of(backend)
        await backend.aclose()
    assert isinstance(error, BackendError) and "base URL" in str(error)


@pytest.mark.parametrize("answer", [[], None, "Ollama is running"])
def test_lists_and_cards_are_objects(answer: object) -> None:
    for read in (read_models, lambda shown: read_card("m", shown)):
        with pytest.raises(BackendUnavailable, match="not Ollama"):
            read(answer)
