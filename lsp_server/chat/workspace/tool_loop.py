"""A conversation in which the model may look things up: asks, does what it calls for, asks again.

Owns how often, and what is done when the results no longer fit. Must not know what the tools are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from lsp_server.backends.protocol import Backend, ChatMessage, ChatRequest, Chunk, ToolCall
from lsp_server.chat.workspace.tools import Toolbox, ToolResult
from lsp_server.chat.workspace.workspace_text import shown
from lsp_server.errors import RequestRejected

MAX_ROUNDS = 5
"""A question that five looks do not answer is not answered by a sixth, and each costs a whole prompt."""
MOST_CALLS = 8
"""In one turn; a model that wants more is going round in circles."""
SHORT_CHARS, LAST_CHARS = 300, 2000
"""What is left of results when the conversation has become too long: of the older ones, and of the latest."""

AGAIN = "You have asked for this before; the result is above."
TOO_MANY = "Too many calls at once; ask again for what is still needed."
CUT = "\n[cut, to make room]"


@dataclass(frozen=True)
class ToolUse:
    """The model has looked something up; its next turn will show what it makes of that."""

    name: str
    sentence: str
    """For the user, one line: `read src/x.py:1-40`."""
    failed: bool = False


@dataclass
class _Said:
    """What the model says in one turn."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)


async def converse(
    backend: Backend, request: ChatRequest, toolbox: Toolbox, max_rounds: int = MAX_ROUNDS
) -> AsyncGenerator[Chunk | ToolUse, None]:
    """Stream the model's answer, and say what it looks up meanwhile; a backend without tools just answers.

    What the model calls for is shown before it learns the result. Chunks have no calls in them, and the last
    one has the finish reason. After `max_rounds` of calls it has to answer with what it knows. Errors are the
    backend's.
    """
    asked: set[tuple[str, str]] = set()
    request = replace(request, tools=toolbox.specs)
    shortened = False
    rounds = 0
    while True:
        if rounds >= max_rounds:
            request = replace(request, tools=())
        said = _Said()
        try:
            async with aclosing(_turn(backend, request, said)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except RequestRejected:
            if rounds == 0 or shortened or said.text:
                raise
            request, shortened = _shortened(request), True
            continue
        if not said.calls or not request.tools:
            return
        rounds += 1
        results: list[ToolResult] = []
        for call in said.calls:
            results.append(await _result(toolbox, call, asked, len(results)))
            if len(results) <= MOST_CALLS:
                yield ToolUse(shown(call.name), results[-1].did, results[-1].failed)
        request = _with_results(request, said, results)


async def _turn(backend: Backend, request: ChatRequest, said: _Said) -> AsyncGenerator[Chunk, None]:
    """Stream one turn and take it down; the calls in it are kept back."""
    async with aclosing(backend.chat(request)) as chunks:
        async for chunk in chunks:
            said.text += chunk.text
            said.calls += chunk.tool_calls
            if not chunk.tool_calls and chunk.finish_reason != "tool_calls":
                yield chunk
            elif not request.tools:  # asked to answer, and calls again: then that was all
                yield replace(chunk, tool_calls=(), finish_reason="stop")
            elif chunk.text or chunk.usage or chunk.origin:
                yield replace(chunk, tool_calls=(), finish_reason=None)


async def _result(toolbox: Toolbox, call: ToolCall, asked: set[tuple[str, str]], number: int) -> ToolResult:
    if number >= MOST_CALLS:
        return ToolResult(TOO_MANY, failed=True)
    key = call.name, _canonical(call.arguments)
    if key in asked:
        return ToolResult(
            AGAIN, did=f"asked for {shown(call.name)} again, with the same arguments", failed=True
        )
    asked.add(key)
    return await asyncio.to_thread(toolbox.call, call)


def _canonical(arguments: str) -> str:
    """Return arguments as a text that does not depend on blanks and on their order."""
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments.strip()


def _with_results(request: ChatRequest, said: _Said, results: Sequence[ToolResult]) -> ChatRequest:
    answers = [
        ChatMessage("tool", result.text, tool_call_id=call.id)
        for call, result in zip(said.calls, results, strict=True)
    ]
    documents = (uri for result in results for uri in result.documents)
    return replace(
        request,
        messages=(
            *request.messages,
            ChatMessage("assistant", said.text, tool_calls=tuple(said.calls)),
            *answers,
        ),
        documents=tuple(dict.fromkeys((*request.documents, *documents))),
    )


def _shortened(request: ChatRequest) -> ChatRequest:
    """Return the conversation with less of what was looked up; most is left of what came last."""
    last = max(index for index, message in enumerate(request.messages) if message.tool_calls)
    messages = (
        _short(message, LAST_CHARS if index > last else SHORT_CHARS)
        for index, message in enumerate(request.messages)
    )
    return replace(request, messages=tuple(messages))


def _short(message: ChatMessage, room: int) -> ChatMessage:
    if message.role != "tool" or len(message.content) <= room:
        return message
    return replace(message, content=message.content[:room] + CUT)
