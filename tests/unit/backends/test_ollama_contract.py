"""The stand-in for Ollama is one that the official client can talk to, and as strict as it has to be."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import ollama
import pytest

from tests.support.ollama_contract import OllamaContract, OllamaModel

CODER = "qwen2.5-coder:1.5b"


@pytest.fixture
def server() -> Iterator[OllamaContract]:
    models = (
        OllamaModel(CODER, insert=True),
        OllamaModel("llama3.2:latest"),
        OllamaModel("r1:1b", thinks=True),
    )
    with OllamaContract(*models) as opened:
        yield opened


@pytest.fixture
def client(server: OllamaContract) -> Iterator[ollama.Client]:
    opened = ollama.Client(server.base_url, trust_env=False)
    yield opened
    opened._client.close()


def test_generates_between_prompt_and_suffix(client: ollama.Client) -> None:
    stream = client.generate(CODER, prompt="def add(a, b):\n    return ", suffix="\n", stream=True)
    parts = list(stream)
    assert [part.response for part in parts] == ["a", " + b", ""]
    assert parts[-1].done and parts[-1].done_reason == "stop" and parts[-1].eval_count == 2
    whole = client.generate(
        CODER, prompt="def add(a, b):\n    return ", suffix="\n", options={"num_predict": 1}
    )
    assert (whole.response, whole.done_reason) == ("a", "length")


def test_an_empty_suffix_is_a_chat(client: ollama.Client) -> None:
    assert client.generate(CODER, prompt="def add(a, b):", suffix="").response == "Sure, here it is."


def test_chats(client: ollama.Client) -> None:
    message = {"role": "user", "content": "Hello"}
    parts = list(client.chat("llama3.2", messages=[message], stream=True))
    assert "".join(part.message.content or "" for part in parts) == "Sure, here it is."
    assert client.chat("llama3.2", messages=[message]).message.content == "Sure, here it is."


def test_thinks_unless_told_not_to(client: ollama.Client) -> None:
    thoughts = [part.thinking for part in client.generate("r1:1b", prompt="a", raw=True, stream=True)]
    assert thoughts[:3] == ["hm"] * 3
    parts = list(client.generate("r1:1b", prompt="a", raw=True, think=False, stream=True))
    assert not any(part.thinking for part in parts)


def test_shows_lists_and_loads(server: OllamaContract, client: ollama.Client) -> None:
    assert client.list().models[0].model == CODER
    assert client.show(CODER).capabilities == ["completion", "insert"]
    assert client.ps().models == []
    assert client.generate(CODER, options={"num_ctx": 8192}).done_reason == "load"
    assert [(model.model, model.context_length) for model in client.ps().models] == [(CODER, 8192)]
    client.generate(CODER, prompt="a", suffix="b")
    assert server.loads == [(CODER, 8192), (CODER, 4096)]
    client.generate(CODER, keep_alive=0)
    assert client.ps().models == []


def test_refuses_as_documented(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'nothing' not found") as missing:
        client.generate("nothing", prompt="a")
    assert missing.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="does not support insert"):
        client.generate("llama3.2", prompt="a", suffix="b")
    with pytest.raises(ollama.ResponseError, match="raw mode does not support"):
        client.generate(CODER, prompt="a", raw=True, system="b")


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/api/generate", {"max_tokens": 5}),
        ("/api/generate", {"options": {"max_tokens": 5}}),
        ("/api/generate", {"stream": "yes"}),
        ("/api/chat", {"messages": [{"role": "user", "text": "a"}]}),
    ],
)
def test_knows_no_other_fields(server: OllamaContract, path: str, more: dict[str, object]) -> None:
    with httpx.Client(trust_env=False) as client:
        answer = client.post(server.base_url + path, json={"model": CODER, **more})
    assert answer.status_code == 400 and "published schema" in answer.json()["error"]


def test_calls_tools() -> None:
    def look(at: str) -> str:
        """Look.

        Args:
            at: Where.
        """
        return at

    model = OllamaModel("qwen3:4b", tools=True, calls=(("look", {"at": "a.py"}),))
    with OllamaContract(model, OllamaModel(CODER)) as server:
        client = ollama.Client(server.base_url, trust_env=False)
        asked: list[dict[str, object]] = [{"role": "user", "content": "Hello"}]
        parts = list(client.chat(model.name, messages=asked, tools=[look], stream=True))
        (call,) = [call for part in parts for call in part.message.tool_calls or ()]
        assert (call.function.name, call.function.arguments) == ("look", {"at": "a.py"})
        said: dict[str, object] = {"role": "assistant", "tool_calls": [call.model_dump()]}
        result: dict[str, object] = {"role": "tool", "tool_name": "look", "content": "Empty."}
        client.chat(model.name, messages=[*asked, said, result], tools=[look])
        with pytest.raises(ollama.ResponseError, match="does not support tools"):
            client.chat(CODER, messages=asked, tools=[look])
        client._client.close()
