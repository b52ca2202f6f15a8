"""Conversations and tools in the JSON of Ollama's `/api/chat`. Knows no HTTP.

Calls have no ids there, and their arguments are objects: https://docs.ollama.com/capabilities/tool-calling.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from lsp_server.backends.protocol import ChatMessage, ChatRequest
from lsp_server.backends.tool_wire import names_of_calls, tools_json


def body(request: ChatRequest) -> dict[str, Any]:
    """Return `messages` and `tools` of a request."""
    names = names_of_calls(request.messages)
    messages = [_message(message, names) for message in request.messages]
    return {"messages": messages, **({"tools": tools_json(request.tools)} if request.tools else {})}


def _message(message: ChatMessage, names: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        entry["tool_calls"] = [
            {"function": {"name": call.name, "arguments": _object(call.arguments)}}
            for call in message.tool_calls
        ]
    if message.role == "tool" and message.tool_call_id in names:
        entry["tool_name"] = names[message.tool_call_id]
    return entry


def _object(arguments: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(arguments)
        if isinstance(value, dict):
            return value
    return {}


def calls_in(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the calls in a line of a reply, which are whole."""
    message = event.get("message")
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    found = [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    # An index, where there is one, begins anew with each line.
    return [{"id": call.get("id"), "function": call.get("function")} for call in found]


def size_bytes(request: ChatRequest) -> int:
    """Return about how long the prompt becomes."""
    texts = [message.content for message in request.messages]
    texts += [call.arguments for message in request.messages for call in message.tool_calls]
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return size + (len(json.dumps(tools_json(request.tools))) if request.tools else 0)
