"""Tools in the JSON that Mistral and OpenAI share, and the calls in their replies. Knows no HTTP.

Mistral sends each call whole, OpenAI in pieces: https://docs.mistral.ai/capabilities/function_calling,
https://platform.openai.com/docs/guides/function-calling#streaming.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from lsp_server.backends.protocol import ChatMessage, ChatRequest, ToolCall, ToolSpec


class _Function(msgspec.Struct):
    """What is called, or more of it."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """Mistral's API allows an object in place of its text, as Ollama sends it."""


class _Piece(msgspec.Struct):
    """A call or a piece of one."""

    function: _Function = msgspec.field(default_factory=_Function)
    id: str | None = None
    index: int | None = None


class Calls:
    """The calls of one reply, put together from their pieces."""

    def __init__(self) -> None:
        self._calls: list[ToolCall] = []
        self._indices: list[int | None] = []

    def add(self, given: object) -> None:
        """Take the `tool_calls` of one event; what is none is passed over."""
        for piece in _pieces(given):
            at = self._belongs_to(piece)
            if at is None:
                call_id = piece.id if piece.id not in (None, "", "null") else new_id()
                self._calls.append(ToolCall(call_id or "", "", ""))
                self._indices.append(piece.index)
                at = len(self._calls) - 1
            call = self._calls[at]
            self._calls[at] = ToolCall(
                call.id,
                call.name or piece.function.name or "",
                call.arguments + _as_text(piece.function.arguments),
            )

    @property
    def complete(self) -> tuple[ToolCall, ...]:
        """Return the calls that name a function."""
        return tuple(call for call in self._calls if call.name)

    def _belongs_to(self, piece: _Piece) -> int | None:
        """Return which call a piece continues; None for the beginning of another one."""
        same_id = [at for at, call in enumerate(self._calls) if piece.id and call.id == piece.id]
        if same_id:
            return same_id[0]
        if piece.id or piece.index is None:
            # Some servers number all calls 0, or none; what begins a call has its name.
            return len(self._calls) - 1 if self._calls and not (piece.id or piece.function.name) else None
        return self._indices.index(piece.index) if piece.index in self._indices else None


def _pieces(given: object) -> Iterator[_Piece]:
    for entry in given if isinstance(given, list) else []:
        with contextlib.suppress(msgspec.ValidationError):
            yield msgspec.convert(entry, _Piece)


def new_id() -> str:
    """Return an id for a call that a server gave none: nine characters, which is what Mistral takes."""
    return secrets.token_hex(5)[:9]


def _as_text(arguments: str | dict[str, Any] | None) -> str:
    return arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)


def tools_json(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return the `tools` of a request."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in tools
    ]


def messages_json(messages: Sequence[ChatMessage], *, tool_names: bool = False) -> list[dict[str, Any]]:
    """Return the `messages` of a request; `tool_names` puts the function's name with its result."""
    names = names_of_calls(messages)
    written: list[dict[str, Any]] = []
    for message in messages:
        entry: dict[str, Any] = {"role": message.role, "content": message.content}
        if message.tool_calls:
            entry["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in message.tool_calls
            ]
        if message.role == "tool":
            entry["tool_call_id"] = message.tool_call_id
            if tool_names and message.tool_call_id in names:
                entry["name"] = names[message.tool_call_id]
        written.append(entry)
    return written


def names_of_calls(messages: Iterable[ChatMessage]) -> dict[str, str]:
    """Return which function each call in a conversation is of, by its id."""
    return {call.id: call.name for message in messages for call in message.tool_calls}


def is_about_tools(request: ChatRequest) -> bool:
    """Tell whether a request has anything in it that a server without tools refuses."""
    return bool(request.tools) or any(m.tool_calls or m.role == "tool" for m in request.messages)
