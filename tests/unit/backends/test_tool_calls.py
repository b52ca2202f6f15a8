"""Functions that a model asks for: through each kind of server, and where a server or model takes none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.ollama import OllamaBackend
from lsp_server.backends.openai import OpenAIBackend
from lsp_server.backends.protocol import Backend, ChatMessage, ChatRequest, Chunk, ToolCall, ToolSpec
from lsp_server.backends.tool_wire import Calls
from lsp_server.backends.toolless import in_words
from lsp_server.errors import BackendRejected, BackendUnavailable
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination
from lsp_server.settings import BackendSettings
from tests.support.ollama_contract import OllamaContract, OllamaModel
from tests.support.openai_contract import OpenAIContract
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer, tool_call

READ = ToolSpec(
    "read_file",
    "Read lines of a file.",
    {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
LIST = ToolSpec("list_symbols", "List what a file defines.", {"type": "object", "properties": {}})
ASK = ChatRequest((ChatMessage("user", "What is in a.py?"),), max_tokens=50, tools=(READ, LIST))
CALL = ToolCall("9charsID1", "read_file", '{"path": "a.py"}')


def answered(request: ChatRequest, *calls: ToolCall) -> ChatRequest:
    """Return the conversation with calls and what came of them."""
    results = [ChatMessage("tool", f"result {call.name}", tool_call_id=call.id) for call in calls]
    said = ChatMessage("assistant", "Let me look.", tool_calls=calls)
    return replace(request, messages=(*request.messages, said, *results))


async def everything(backend: Backend, request: ChatRequest = ASK) -> list[Chunk]:
    async with aclosing(backend.chat(request)) as chunks:
        return [chunk async for chunk in chunks]


def endpoint(base_url: str) -> Endpoint:
    waits = Deadlines(5, 20, 60)
    key = Key(API_KEY, "a test")
    return Endpoint("box", base_url, Destination.THIS_MACHINE, fim=waits, chat=waits, find_key=lambda: key)


@asynccontextmanager
async def mistral(server: ScriptedServer) -> AsyncIterator[MistralBackend]:
    backend = MistralBackend(endpoint(server.base_url), "codestral-latest")
    yield backend
    await backend.aclose()


@asynccontextmanager
async def openai(server: OpenAIContract) -> AsyncIterator[OpenAIBackend]:
    url = server.base_url.removesuffix("/v1")
    config = BackendSettings(type="openai", base_url=url, model=server.model)
    backend = OpenAIBackend(endpoint(url), config)
    yield backend
    await backend.aclose()


@asynccontextmanager
async def ollama(server: OllamaContract, model: str) -> AsyncIterator[OllamaBackend]:
    backend = OllamaBackend(endpoint(server.base_url), BackendSettings(type="ollama", model=model))
    yield backend
    await backend.aclose()


async def test_mistral_sends_calls_whole() -> None:
    with ScriptedServer() as server:
        calls = (tool_call("read_file", path="a.py"), tool_call("list_symbols", "9charsID2"))
        server.enqueue(Reply(["Let me look."], tool_calls=calls), Reply(["It is empty."]))
        async with mistral(server) as backend:
            first = await everything(backend)
            again = answered(ASK, *first[-1].tool_calls)
            second = await everything(backend, again)
    assert [chunk.text for chunk in first] == ["Let me look.", ""]
    assert first[-1].finish_reason == "tool_calls" and first[-1].usage is not None
    assert first[-1].tool_calls == (CALL, ToolCall("9charsID2", "list_symbols", "{}"))
    assert [chunk.text for chunk in second] == ["It is empty.", ""]
    assert second[-1].finish_reason == "stop" and second[-1].tool_calls == ()
    sent = server.history[1].body
    assert sent["tool_choice"] == "auto"
    assert sent["tools"][0]["function"] == {
        "name": READ.name, "description": READ.description, "parameters": READ.parameters
    }  # fmt: skip
    assert sent["messages"][2:] == [
        {"role": "tool", "content": "result read_file", "tool_call_id": "9charsID1", "name": "read_file"},
        {
            "role": "tool",
            "content": "result list_symbols",
            "tool_call_id": "9charsID2",
            "name": "list_symbols",
        },
    ]
    function = sent["messages"][1]["tool_calls"][0]["function"]
    assert function == {"name": "read_file", "arguments": '{"path": "a.py"}'}


async def test_mistral_gets_ids_it_takes_wherever_they_come_from() -> None:
    foreign = (ToolCall("call_0", "read_file", "{}"), ToolCall("call_1", "read_file", "{}"))
    with ScriptedServer() as server:
        async with mistral(server) as backend:
            await everything(backend, answered(ASK, *foreign))
    (sent,) = server.history
    called = [call["id"] for call in sent.body["messages"][1]["tool_calls"]]
    assert [message["tool_call_id"] for message in sent.body["messages"][2:]] == called
    assert len(set(called)) == 2


async def test_what_is_no_json_is_passed_on_as_it_is() -> None:
    with ScriptedServer() as server:
        broken = {"id": "123456789", "function": {"name": "read_file", "arguments": '{"path": "a'}}
        server.enqueue(Reply(tool_calls=[broken]))
        async with mistral(server) as backend:
            chunks = await everything(backend)
    assert chunks[-1].tool_calls == (ToolCall("123456789", "read_file", '{"path": "a'),)


async def test_nobody_hears_of_calls_who_sent_no_tools() -> None:
    with ScriptedServer() as server:
        server.enqueue(Reply(["Hm."], tool_calls=[tool_call("read_file")]))
        async with mistral(server) as backend:
            chunks = await everything(backend, replace(ASK, tools=()))
    assert chunks[-1].finish_reason == "stop"
    assert not any(chunk.tool_calls for chunk in chunks)


async def test_a_call_that_was_cut_off_is_none() -> None:
    with ScriptedServer() as server:
        delta = {"tool_calls": [{"id": "123456789", "function": {"name": "read_file", "arguments": '{"pa'}}]}
        event = {"choices": [{"index": 0, "delta": delta, "finish_reason": "length"}]}
        server.enqueue(Reply(raw_events=[json.dumps(event), "[DONE]"]))
        async with mistral(server) as backend:
            chunks = await everything(backend)
    assert (chunks[-1].finish_reason, chunks[-1].tool_calls) == ("length", ())


async def test_openai_sends_calls_in_pieces() -> None:
    with OpenAIContract("openai", model="gpt-x") as server:
        server.reply = ["Let me look."]
        server.calls = [("read_file", ['{"path"', ': "a.py"}']), ("list_symbols", ["{}"])]
        async with openai(server) as backend:
            finish = next(chunk for chunk in await everything(backend) if chunk.finish_reason)
            await everything(backend, answered(ASK, *finish.tool_calls))
    assert finish.finish_reason == "tool_calls"
    assert finish.tool_calls == (replace(CALL, id="call_0"), ToolCall("call_1", "list_symbols", "{}"))
    sent = server.asked("/chat/completions")[1].body
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool", "tool"]
    assert sent["messages"][1]["content"] == "Let me look."
    assert "name" not in sent["messages"][2]


async def test_ollama_sends_objects_without_ids() -> None:
    model = OllamaModel(
        "qwen3:4b", tools=True, reply=("Let me look.",),
        calls=(("read_file", {"path": "a.py"}), ("list_symbols", {})),
    )  # fmt: skip
    with OllamaContract(model) as server:
        async with ollama(server, model.name) as backend:
            chunks = await everything(backend)
            calls = chunks[-1].tool_calls
            broken = (*calls, ToolCall("x", "read_file", "no JSON"))
            await everything(backend, answered(ASK, *broken))
    assert chunks[-1].finish_reason == "tool_calls"
    assert [(call.name, json.loads(call.arguments)) for call in calls] == list(model.calls)
    assert len({call.id for call in calls} - {""}) == 2
    sent = server.bodies("/api/chat")[1]["messages"]
    assert [turn.get("tool_name") for turn in sent[2:]] == ["read_file", "list_symbols", "read_file"]
    assert [call["function"]["arguments"] for call in sent[1]["tool_calls"]] == [{"path": "a.py"}, {}, {}]


def refusing_mistral(server: ScriptedServer) -> None:
    error = {"object": "error", "message": {"detail": [
        {"type": "extra_forbidden", "loc": ["body", "tools"], "msg": "Extra inputs are not permitted"}
    ]}}  # fmt: skip
    server.enqueue(Reply(status=422, error=error))


async def test_a_server_that_refuses_tools_is_asked_without_from_then_on() -> None:
    with ScriptedServer(Reply(["Nothing."])) as server:
        refusing_mistral(server)
        async with mistral(server) as backend:
            assert [chunk.text for chunk in await everything(backend)] == ["Nothing.", ""]
            await everything(backend, answered(ASK, CALL))
            await everything(backend, replace(ASK, tools=()))
    bodies = [request.body for request in server.history]
    assert ["tools" in body for body in bodies] == [True, False, False, False]
    assert [turn["role"] for turn in bodies[2]["messages"]] == ["user", "assistant", "user"]
    assert "Result of read_file:\n\nresult read_file" in bodies[2]["messages"][2]["content"]


async def test_a_request_that_fails_without_tools_too_fails_as_it_does_then() -> None:
    with ScriptedServer(Reply(["Nothing."])) as server:
        server.enqueue(
            Reply(status=400, error={"message": "first"}), Reply(status=400, error={"message": "no"})
        )
        async with mistral(server) as backend:
            with pytest.raises(BackendRejected, match="no"):
                await everything(backend)
            await everything(backend)
    assert ["tools" in request.body for request in server.history] == [True, False, True]


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "The prompt is too long", BackendRejected),
        (401, "Unauthorized", BackendRejected),
        (503, "overloaded", BackendUnavailable),
    ],
)
async def test_what_has_nothing_to_do_with_tools(status: int, message: str, error: type[Exception]) -> None:
    with ScriptedServer(Reply(status=status, error={"message": message})) as server:
        async with mistral(server) as backend:
            with pytest.raises(error):
                await everything(backend)
    assert all("tools" in request.body for request in server.history)


async def test_vllm_without_a_parser_for_calls() -> None:
    with OpenAIContract("vllm", model="some/model") as server:
        async with openai(server) as backend:
            for _ in range(2):
                assert "".join(chunk.text for chunk in await everything(backend)) == "a + b"
    assert ["tools" in sent.body for sent in server.asked("/chat/completions")] == [True, False, False]


async def test_llama_cpp_without_jinja() -> None:
    said = {"error": {"code": 500, "message": "tools param requires --jinja flag", "type": "server_error"}}
    with ScriptedServer(Reply(["Nothing."])) as server:
        server.enqueue(Reply(status=500, error=said))
        async with mistral(server) as backend:
            assert [chunk.text for chunk in await everything(backend)] == ["Nothing.", ""]


async def test_an_ollama_model_without_tools() -> None:
    with OllamaContract(OllamaModel("gemma:2b")) as server:
        async with ollama(server, "gemma:2b") as backend:
            for _ in range(2):
                assert "".join(chunk.text for chunk in await everything(backend)) == "Sure, here it is."
    assert ["tools" in body for body in server.bodies("/api/chat")] == [True, False, False]


@pytest.mark.parametrize(
    "change", [lambda call: call, lambda call: {**call, "index": 0}, lambda call: {**call, "index": None}]
)
def test_calls_are_told_apart_by_whatever_there_is(change: Callable[[Any], Any]) -> None:
    calls = Calls()
    for name in ("one", "two"):
        calls.add([change({"id": f"id-{name}", "function": {"name": name, "arguments": "{"}})])
        calls.add([{"function": {"arguments": "}"}}])
    assert calls.complete == (ToolCall("id-one", "one", "{}"), ToolCall("id-two", "two", "{}"))


@pytest.mark.parametrize(
    "nonsense", [None, 7, "x", [None, 3, {"function": 4}], [{"function": {"name": ["x"]}}]]
)
def test_what_is_no_call_is_passed_over(nonsense: object) -> None:
    calls = Calls()
    calls.add(nonsense)
    assert calls.complete == ()


def test_in_words_roles_still_alternate() -> None:
    told = in_words(answered(ASK, CALL, ToolCall("x", "list_symbols", "{}")))
    assert told.tools == ()
    assert [(m.role, m.tool_calls, m.tool_call_id) for m in told.messages] == [
        ("user", (), ""),
        ("assistant", (), ""),
        ("user", (), ""),
    ]
    assert told.messages[1].content.startswith("Let me look.\n\n")
    assert (
        "result read_file" in told.messages[2].content and "result list_symbols" in told.messages[2].content
    )
    plain = replace(ASK, tools=())
    assert in_words(plain) is plain
