"""Real servers of llama.cpp's family through the OpenAI backend, in every way they can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from lsp_server import families
from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.openai import OpenAIBackend
from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk, FimRequest
from lsp_server.errors import BackendRejected
from lsp_server.privacy.destination import Destination
from lsp_server.settings import BackendSettings
from tests.support.llama_servers import llama_cpp_python_server, llama_cpp_server

ADD = FimRequest("def add(a, b):\n    return ", "\n\n\nprint(add(1, 2))\n", max_tokens=12)
SOURCE = Path(families.__file__).read_text(encoding="utf-8")
STORY = ChatRequest((ChatMessage("user", "Tell a long story about a fox."),), max_tokens=600, temperature=0.0)


@pytest.fixture(scope="module")
def llama_cpp(model_path: Path) -> Iterator[str]:
    with llama_cpp_server(model_path) as address:
        yield address


@pytest.fixture(scope="module")
def llama_cpp_python(model_path: Path) -> Iterator[str]:
    with llama_cpp_python_server(model_path) as address:
        yield address


@asynccontextmanager
async def opened(address: str, fim: str = "auto") -> AsyncIterator[OpenAIBackend]:
    deadlines = Deadlines(10, 60, 120)
    endpoint = Endpoint("box", address, Destination.THIS_MACHINE, deadlines, deadlines)
    backend = OpenAIBackend(endpoint, BackendSettings(type="openai", base_url=f"{address}/v1", fim=fim))
    try:
        yield backend
    finally:
        await backend.aclose()


async def completed(backend: OpenAIBackend, request: FimRequest = ADD) -> list[Chunk]:
    return [chunk async for chunk in backend.fim(request)]


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


@pytest.mark.parametrize(
    ("fim", "found"),
    [
        ("auto", "raw, family qwen2.5-coder, by its vocabulary"),
        ("raw", "raw, family qwen2.5-coder, by its vocabulary"),
        ("infill", "infill, which it has"),
    ],
)
async def test_llama_cpp_in_all_its_ways(llama_cpp: str, fim: str, found: str) -> None:
    async with opened(llama_cpp, fim) as backend:
        chunks = await completed(backend)
        assert text(chunks).lstrip().startswith("a + b")
        assert backend.found() == found
        usage = chunks[-1].usage
        assert usage is not None and usage.prompt_tokens > 10 and usage.completion_tokens > 2


@pytest.mark.parametrize("fim", ["auto", "raw"])
async def test_llama_cpp_python_in_all_its_ways(llama_cpp_python: str, fim: str) -> None:
    async with opened(llama_cpp_python, fim) as backend:
        assert text(await completed(backend)).lstrip().startswith("a + b")
        assert backend.found() == "raw, family qwen2.5-coder, by its model's name"


@pytest.mark.parametrize("server", ["llama_cpp", "llama_cpp_python"])
async def test_asked_in_a_chat(server: str, request: pytest.FixtureRequest) -> None:
    adding = FimRequest(
        'def add(a, b):\n    """Return the sum of a and b."""\n    return ', "\n", max_tokens=12
    )
    async with opened(request.getfixturevalue(server), "chat") as backend:
        assert text(await completed(backend, adding)).startswith("a + b")
        assert backend.found() == "chat, as the settings say"


@pytest.mark.parametrize("server", ["llama_cpp", "llama_cpp_python"])
async def test_a_suffix_is_refused_by_both(server: str, request: pytest.FixtureRequest) -> None:
    async with opened(request.getfixturevalue(server), "suffix") as backend:
        with pytest.raises(BackendRejected, match=r"`suffix`, as it .*set backends\.box\.fim to auto"):
            await completed(backend)


@pytest.mark.parametrize("server", ["llama_cpp", "llama_cpp_python"])
async def test_a_conversation(server: str, request: pytest.FixtureRequest) -> None:
    asked = ChatRequest((ChatMessage("user", "What is the capital of France?"),), max_tokens=12)
    async with opened(request.getfixturevalue(server)) as backend:
        assert "Paris" in text([chunk async for chunk in backend.chat(asked)])


@pytest.mark.parametrize("server", ["llama_cpp", "llama_cpp_python"])
@pytest.mark.parametrize(
    ("prefix", "suffix", "expected"),
    [
        ("def total(numbers):\n    return sum(num", ")\n", "bers"),
        ("import os\n\n\ndef home():\n    return os.path.expand", '("~")\n', "user"),
        ("def add(first, second):\n    return first", " second\n", " +"),
    ],
)
async def test_a_cursor_inside_a_word_is_healed(
    server: str, prefix: str, suffix: str, expected: str, request: pytest.FixtureRequest
) -> None:
    async with opened(request.getfixturevalue(server)) as backend:
        assert text(await completed(backend, FimRequest(prefix, suffix, max_tokens=8))).startswith(expected)


async def test_control_tokens_in_the_buffer_are_text(llama_cpp: str) -> None:
    marked = FimRequest("END = '<|fim_middle|>'\nAGAIN = '<|fim_mid", "\n", max_tokens=12)
    async with opened(llama_cpp) as backend:
        assert text(await completed(backend, marked)).startswith("dle|>'")


async def test_typing_evaluates_few_tokens(llama_cpp: str) -> None:
    source = SOURCE
    prefix, suffix = source[:900], source[1500:3500]
    evaluated = []
    async with opened(llama_cpp) as backend:
        await completed(backend, FimRequest(prefix, suffix, max_tokens=4))
        for typed in range(1, 41):
            request = FimRequest(source[: 900 + typed], suffix, max_tokens=4)
            usage = (await completed(backend, request))[-1].usage
            assert usage is not None
            evaluated.append(usage.prompt_tokens - usage.cached_tokens)
    print(f"{sum(evaluated) / len(evaluated):.2f} tokens evaluated per key, at most {max(evaluated)}")
    assert sum(evaluated) / len(evaluated) < 3


async def test_closing_a_stream_stops_the_server(llama_cpp: str) -> None:
    async with opened(llama_cpp) as backend, httpx.AsyncClient(base_url=llama_cpp, trust_env=False) as http:

        async def decoded() -> int | None:
            (slot,) = (await http.get("/slots")).json()
            return int(slot["next_token"][0]["n_decoded"]) if slot["is_processing"] else None

        async with aclosing(backend.chat(STORY)) as stream:
            for _ in range(3):
                await anext(stream)
            last = await decoded()
        while (now := await decoded()) is not None:
            last = now
            await asyncio.sleep(0.02)
    assert last is not None and last < STORY.max_tokens / 2, "it went on for nobody"


async def test_a_model_without_fill_in_the_middle(smollm2_path: Path) -> None:
    with llama_cpp_server(smollm2_path) as address:
        async with opened(address) as backend:
            counting = FimRequest("The numbers are one, two, three,", "", max_tokens=3)
            assert "four" in text(await completed(backend, counting))
            assert backend.found().startswith("raw, family prefix-only")
            (ready,) = [ready async for ready in backend.prepare()]
            assert "only what precedes the cursor" in ready.message
        async with opened(address, "infill") as backend:
            with pytest.raises(BackendRejected, match="as it has no /infill for this model"):
                await completed(backend)
