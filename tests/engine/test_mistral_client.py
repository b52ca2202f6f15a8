"""The official client of Mistral drives a real engine with a real model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, SDKError

from lsp_server.engine.health import EngineAddress
from tests.support.engines import ensure, own_state, small

PREFIX = "def add(a, b):\n    ret"
SUFFIX = "\n\n\nprint(add(1, 2))\n"
LONG_TOKENS = 1500
"""Some seconds of work: six batches, between which an engine could go on unasked."""
LONG_CHAT = [{"role": "user", "content": " hello" * LONG_TOKENS}]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, model_path: Path) -> Iterator[EngineAddress]:
    with own_state(tmp_path_factory.mktemp("state")):
        yield ensure(small(model_path, context_tokens=2048))


@pytest.fixture(scope="module")
def client(engine: EngineAddress) -> Iterator[Mistral]:
    with Mistral(api_key=engine.token, server_url=engine.base_url) as opened:
        yield opened


def ask(**more: object) -> dict[str, Any]:
    return {"model": "any", "prompt": PREFIX, "suffix": SUFFIX, "max_tokens": 12, "temperature": 0.0, **more}


def test_fim(client: Mistral) -> None:
    reply = client.fim.complete(**ask(stop=["\n"]))
    assert reply.object == "chat.completion"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].message is not None
    assert reply.choices[0].message.content == "urn a + b"
    usage = reply.usage
    assert usage.prompt_tokens and usage.completion_tokens
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_fim_stream(client: Mistral) -> None:
    with client.fim.stream(**ask(stop="\n")) as events:
        chunks = [event.data for event in events]
    assert "".join(str(chunk.choices[0].delta.content) for chunk in chunks) == "urn a + b"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_second_time_the_prompt_is_in_the_cache(client: Mistral) -> None:
    client.fim.complete(**ask(max_tokens=1))
    usage = client.fim.complete(**ask(max_tokens=1)).usage.model_dump()
    assert usage["prompt_tokens_details"]["cached_tokens"] >= usage["prompt_tokens"] - 1


def test_max_tokens(client: Mistral) -> None:
    reply = client.fim.complete(**ask(max_tokens=2, min_tokens=2))
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 2


def test_a_seed_repeats_itself(client: Mistral) -> None:
    replies = [client.fim.complete(**ask(temperature=1.5, top_p=0.9, random_seed=7)) for _ in range(2)]
    assert replies[0].choices == replies[1].choices


def test_chat(client: Mistral) -> None:
    question: Any = [
        {"role": "system", "content": "Answer with one word."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is the capital "},
                {"type": "text", "text": "of France?"},
            ],
        },
    ]
    reply = client.chat.complete(model="any", messages=question, max_tokens=10, temperature=0.0)
    assert reply.choices[0].message is not None
    assert "Paris" in str(reply.choices[0].message.content)
    assert reply.choices[0].finish_reason == "stop"


def test_chat_stream(client: Mistral) -> None:
    question: Any = [{"role": "user", "content": "Say hello."}]
    with client.chat.stream(model="any", messages=question, max_tokens=8) as events:
        chunks = [event.data for event in events]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(str(chunk.choices[0].delta.content) for chunk in chunks).strip()
    assert chunks[-1].usage is not None


def test_an_answer_that_has_begun_is_continued(client: Mistral) -> None:
    question: Any = [
        {"role": "user", "content": "Count to five, digits and commas only."},
        {"role": "assistant", "content": "1, 2, 3,", "prefix": True},
    ]
    reply = client.chat.complete(model="any", messages=question, max_tokens=4, temperature=0.0)
    assert reply.choices[0].message is not None
    assert str(reply.choices[0].message.content).strip().startswith("4")


TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "read_file",
            "description": "Read lines of a file in the workspace.",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string", "description": "Path of the file"}},
                "required": ["path"],
            },
        },
    }
]


def test_a_tool_is_called_and_answered(client: Mistral) -> None:
    messages: Any = [{"role": "user", "content": "Read the file a.py with read_file."}]
    more: Any = {"model": "any", "max_tokens": 60, "temperature": 0.0, "tools": TOOLS}
    choice = client.chat.complete(messages=messages, **more).choices[0]
    said: Any = choice.message
    (call,) = said.tool_calls
    assert (choice.finish_reason, said.content) == ("tool_calls", "")
    assert call.function.name == "read_file" and json.loads(call.function.arguments)["path"] == "a.py"
    with client.chat.stream(messages=messages, **more) as events:
        choices: Any = [event.data.choices[0] for event in events]
    assert "".join(choice.delta.content for choice in choices) == "", "the call leaked as text"
    assert choices[-1].delta.tool_calls[0].function == call.function
    assert choices[-1].finish_reason == "tool_calls"
    result = {"role": "tool", "content": "answer = 42\n", "tool_call_id": call.id, "name": "read_file"}
    ask_on = {"role": "user", "content": "Which number is in that file? Answer in words."}
    on = client.chat.complete(messages=[*messages, said, result, ask_on], **{**more, "tools": None})
    assert on.choices[0].message is not None and "42" in str(on.choices[0].message.content)


def test_a_prediction_changes_nothing_but_the_time(client: Mistral) -> None:
    code = "def add(a, b):\n    total = a + b\n    return total\n"
    question: Any = [{"role": "user", "content": f"Repeat this code with type hints:\n```python\n{code}```"}]
    more: Any = {"model": "any", "messages": question, "max_tokens": 60, "temperature": 0.0}
    predicted = client.chat.complete(prediction={"type": "content", "content": code}, **more)
    assert predicted.choices == client.chat.complete(**more).choices


def test_models(client: Mistral, model_path: Path) -> None:
    (card,) = client.models.list().data or []
    described = card.model_dump()
    assert described["id"] == model_path.stem
    assert described["max_context_length"] == 2048
    assert described["capabilities"]["completion_fim"] is True


def test_a_conversation_that_is_too_long_is_refused(client: Mistral) -> None:
    messages: Any = [{"role": "user", "content": "hello " * 5000}]
    with pytest.raises(SDKError, match="shorten it") as caught:
        client.chat.complete(model="any", messages=messages)
    assert caught.value.status_code == 400


def test_a_wrong_request_is_a_validation_error(client: Mistral) -> None:
    with pytest.raises((HTTPValidationError, SDKError)) as caught:
        client.fim.complete(**ask(temperature=9.0))
    assert caught.value.status_code == 422
    assert "temperature" in caught.value.body


def test_a_wrong_key(engine: EngineAddress) -> None:
    with Mistral(api_key="wrong", server_url=engine.base_url) as stranger, pytest.raises(SDKError) as caught:
        stranger.fim.complete(**ask())
    assert caught.value.status_code == 401


async def health(http: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await http.get("/health")).json())


async def until_idle(http: httpx.AsyncClient) -> int:
    """Return how many tokens have been evaluated once the engine has nothing to do."""
    while not (now := await health(http))["idle"]:  # noqa: ASYNC110 - it is another process's
        await asyncio.sleep(0.02)
    return int(now["evaluated_tokens"])


async def evaluated(http: httpx.AsyncClient) -> int:
    return int((await health(http))["evaluated_tokens"])


@pytest.mark.parametrize("stream", [True, False])
async def test_leaving_in_the_middle_of_a_prefill_stops_it(engine: EngineAddress, stream: bool) -> None:
    body = {
        "model": "m",
        "messages": LONG_CHAT,
        "max_tokens": 500,
        "stream": stream,
        "metadata": {"a": stream},
    }
    headers = {"Authorization": f"Bearer {engine.token}"}
    async with httpx.AsyncClient(
        base_url=engine.base_url, headers=headers, trust_env=False, timeout=60
    ) as http:
        before = await until_idle(http)
        leaver = asyncio.create_task(http.post("/v1/chat/completions", json=body))
        while await evaluated(http) == before and not leaver.done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        assert await until_idle(http) - before < LONG_TOKENS


async def test_leaving_the_queue(engine: EngineAddress) -> None:
    headers = {"Authorization": f"Bearer {engine.token}"}
    first = {"model": "m", "messages": LONG_CHAT, "max_tokens": 1, "engine": {"document": "first"}}
    second = {"model": "m", "messages": [{"role": "user", "content": " bye" * LONG_TOKENS}], "max_tokens": 1}
    async with httpx.AsyncClient(
        base_url=engine.base_url, headers=headers, trust_env=False, timeout=200
    ) as http:
        before = await until_idle(http)
        running = asyncio.create_task(http.post("/v1/chat/completions", json=first))
        while (await health(http))["idle"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/v1/chat/completions", json=second, timeout=0.3)
        assert (await running).status_code == 200
        assert await until_idle(http) - before < 1.5 * LONG_TOKENS
