"""The contract server, held to account by the official client."""

from __future__ import annotations

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.support.openai_contract import OpenAIContract


def client(server: OpenAIContract) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url, api_key="sk-contract", max_retries=0)


def test_the_official_client_completes() -> None:
    with OpenAIContract("openai", api_key="sk-contract") as server, client(server) as asking:
        (model,) = asking.models.list().data
        done = asking.completions.create(model=model.id, prompt="return ", suffix="\n", max_tokens=4)
        assert done.choices[0].text == "a + b"
        assert done.usage is not None and done.usage.completion_tokens == 3


def test_the_official_client_streams() -> None:
    with OpenAIContract("openrouter") as server, client(server) as asking:
        stream = asking.completions.create(
            model=server.model, prompt="return ", stream=True, stream_options={"include_usage": True}
        )
        events = list(stream)
    assert [event.choices[0].text for event in events if event.choices] == ["a", " + ", "b", ""]
    assert events[-2].choices[0].finish_reason == "stop"
    assert events[-1].usage is not None and events[-1].usage.prompt_tokens == 1


def test_the_official_client_chats() -> None:
    with OpenAIContract("perplexity") as server, client(server) as asking:
        server.thoughts = "Let me see."
        stream = asking.chat.completions.create(
            model=server.model, messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        assert "".join(event.choices[0].delta.content or "" for event in stream) == "a + b"
        with pytest.raises(openai.NotFoundError):
            asking.models.list()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"extra_body": {"num_ctx": 4}}, "num_ctx"),
        ({"stop": ["1", "2", "3", "4", "5"]}, "at most 4"),
        ({"temperature": "hot"}, "temperature"),
        ({"suffix": "x"}, "not currently supported"),
    ],
)
def test_the_official_client_is_told_what_is_wrong(fields: dict[str, object], words: str) -> None:
    with (
        OpenAIContract("vllm") as server,
        client(server) as asking,
        pytest.raises(openai.BadRequestError, match=words),
    ):
        asking.completions.create(model=server.model, prompt="x", **fields)  # type: ignore[call-overload]


def test_other_errors_of_the_official_client() -> None:
    with OpenAIContract("openai", api_key="another") as server, client(server) as asking:
        with pytest.raises(openai.AuthenticationError):
            asking.models.list()
        server.api_key = ""
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            asking.completions.create(model="davinci", prompt="x")


TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}},
}


def test_the_official_client_calls_tools() -> None:
    with OpenAIContract("openai") as server, client(server) as asking:
        server.calls = [("look", ['{"at":', '"a.py"}']), ("look", ["{}"])]
        with asking.chat.completions.stream(
            model=server.model, messages=[{"role": "user", "content": "Hi"}], tools=[TOOL]
        ) as stream:
            choice = stream.get_final_completion().choices[0]
        assert choice.finish_reason == "tool_calls"
        calls = choice.message.tool_calls or []
        assert [call.function.arguments for call in calls] == ['{"at":"a.py"}', "{}"]
        asked: ChatCompletionMessageParam = {
            "role": "assistant",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
        }
        result: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": "1", "content": "Empty."}
        hello: ChatCompletionMessageParam = {"role": "user", "content": "Hi"}
        asking.chat.completions.create(model=server.model, messages=[hello, asked, result])
        for wrong in ([hello, asked], [hello, result], [hello, asked, hello]):
            with pytest.raises(openai.BadRequestError, match="tool"):
                asking.chat.completions.create(model=server.model, messages=wrong)
