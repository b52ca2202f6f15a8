"""The scripted server, held to account by the official client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import HTTPValidationError, SDKError

from tests.support.scripted_server import API_KEY, Reply, ScriptedServer, tool_call

QUESTION: Any = [{"role": "user", "content": "Hi"}]
PIECES = ("return ", "a + b")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply(PIECES)) as server:
        yield server


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[Mistral]:
    with Mistral(api_key=API_KEY, server_url=server.base_url) as client:
        yield client


def ask(use: str, **more: object) -> dict[str, Any]:
    """Return the arguments of a request for this use."""
    what = {"prompt": "def f():", "suffix": "\n"} if use == "fim" else {"messages": QUESTION}
    return {"model": "codestral-latest", "max_tokens": 9, "stop": ["\n\n"], **what, **more}


@pytest.mark.parametrize("use", ["fim", "chat"])
def test_the_official_client_asks(client: Mistral, use: str) -> None:
    reply = getattr(client, use).complete(**ask(use, random_seed=1, temperature=0.1))
    assert reply.object == "chat.completion"
    (choice,) = reply.choices
    assert (choice.message.content, choice.finish_reason) == ("return a + b", "stop")
    assert reply.usage.completion_tokens == 2


@pytest.mark.parametrize("use", ["fim", "chat"])
def test_the_official_client_streams(client: Mistral, use: str) -> None:
    with getattr(client, use).stream(**ask(use)) as events:
        chunks = [event.data for event in events]
    assert [chunk.choices[0].delta.content for chunk in chunks] == [*PIECES, ""]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, "stop"]
    assert [chunk.usage is None for chunk in chunks] == [True, True, False]


def test_the_official_client_lists_models(client: Mistral) -> None:
    cards = [card.model_dump() for card in client.models.list().data or []]
    assert [card["id"] for card in cards] == ["codestral-latest", "mistral-large-2411"]


def test_the_official_client_sends_nothing_that_the_server_does_not_know(
    client: Mistral, server: ScriptedServer
) -> None:
    """Otherwise it would refuse what Mistral takes: these are the fields that the client documents."""
    prediction: Any = {"type": "content", "content": "x"}
    client.chat.complete(**ask("chat", prediction=prediction, prompt_cache_key="k", safe_prompt=True))
    client.fim.complete(**ask("fim", min_tokens=1, top_p=0.5, prompt_cache_key="k"))
    assert [request.body.get("prompt_cache_key") for request in server.history] == ["k", "k"]
    assert server.history[0].body["prediction"]["content"] == "x"


@pytest.mark.parametrize("use", ["fim", "chat"])
def test_the_official_client_is_told_of_refusals(client: Mistral, server: ScriptedServer, use: str) -> None:
    limited = {"object": "error", "message": "Rate limit exceeded", "type": "rate_limited", "code": "1300"}
    server.enqueue(Reply(status=429, error=limited))
    with pytest.raises(SDKError, match="Rate limit exceeded") as caught:
        getattr(client, use).complete(**ask(use))
    assert caught.value.status_code == 429
    with pytest.raises((HTTPValidationError, SDKError)) as caught_too:
        getattr(client, use).complete(**ask(use, stop=["1", "2", "3", "4", "5"]))
    assert caught_too.value.status_code == 422 and "At most 4" in caught_too.value.body


def test_a_wrong_key(server: ScriptedServer) -> None:
    with Mistral(api_key="wrong", server_url=server.base_url) as stranger, pytest.raises(SDKError) as caught:
        stranger.fim.complete(model="m", prompt="x")
    assert caught.value.status_code == 401
    assert server.history == []


@pytest.mark.parametrize("use", ["fim", "chat"])
@pytest.mark.parametrize("field", ["engine", "seed", "n_predict", "stream_options"])
def test_unknown_fields_are_refused(server: ScriptedServer, use: str, field: str) -> None:
    """The official client cannot send them; ours could."""
    what = {"prompt": "x"} if use == "fim" else {"messages": QUESTION}
    answer = httpx.post(
        f"{server.base_url}/v1/{use}/completions",
        json={"model": "m", **what, field: {}},
        headers={"Authorization": f"Bearer {API_KEY}"},
        trust_env=False,
    )
    assert answer.status_code == 422
    (wrong,) = answer.json()["message"]["detail"]
    assert (wrong["type"], wrong["loc"]) == ("extra_forbidden", ["body", field])


TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "look",
            "description": "Look.",
            "parameters": {"type": "object", "properties": {}},
        },
    }
]


def test_the_official_client_calls_tools(client: Mistral, server: ScriptedServer) -> None:
    server.enqueue(Reply(tool_calls=[tool_call("look", at="a.py")]), Reply(tool_calls=[tool_call("look")]))
    whole = client.chat.complete(**ask("chat", tools=TOOLS, tool_choice="auto"))
    assert whole.choices[0].finish_reason == "tool_calls"
    said: Any = whole.choices[0].message
    assert said.tool_calls[0].function.arguments == '{"at": "a.py"}'
    with client.chat.stream(**ask("chat", tools=TOOLS)) as events:
        last: Any = [event.data for event in events][-1].choices[0]
    assert (last.finish_reason, last.delta.tool_calls[0].id) == ("tool_calls", "9charsID1")
    result = {"role": "tool", "content": "It is empty.", "tool_call_id": "9charsID1", "name": "look"}
    turns = [*QUESTION, said, result]
    answer: Any = client.chat.complete(**ask("chat", messages=turns, tools=TOOLS)).choices[0].message
    assert answer.content == "return a + b"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tools": [{"type": "function", "function": {"name": "a b", "parameters": {}}}]}, "Function name"),
        ({"messages": [*QUESTION, {"role": "assistant", "content": "x"}]}, "Expected last role"),
        ({"messages": [*QUESTION, {"role": "tool", "content": "x", "tool_call_id": "call_1"}]}, "tool"),
        ({"messages": [{"role": "user", "content": "Hi", "tool_names": []}]}, "Extra inputs"),
    ],
)
def test_conversations_are_validated(server: ScriptedServer, change: dict[str, Any], words: str) -> None:
    answer = httpx.post(
        f"{server.base_url}/v1/chat/completions",
        json={"model": "m", "messages": QUESTION, **change},
        headers={"Authorization": f"Bearer {API_KEY}"},
        trust_env=False,
    )
    assert answer.status_code == 422
    assert words in answer.json()["message"]["detail"][0]["msg"]
