"""Conversations for servers and models that know no tools. Knows no dialect.

Which they are is found out by asking; what tools have said already is told in words then.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby

from lsp_server.backends.protocol import ChatMessage, ChatRequest, Chunk
from lsp_server.backends.tool_wire import is_about_tools, names_of_calls
from lsp_server.errors import BackendRejected

log = logging.getLogger(__name__)

REFUSALS = (400, 422, 501)
"""How servers say that they, or a model, take no tools: llama.cpp's 501, Ollama's 400, validation's 422."""

Send = Callable[[ChatRequest], AsyncGenerator[Chunk, None]]


class Toolless:
    """Which models of one server are asked without tools."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._models: set[str] = set()

    async def ask(self, request: ChatRequest, model: str, send: Send) -> AsyncGenerator[Chunk, None]:
        """Stream the reply to `request`, without tools if `model` is known to refuse them or does so now."""
        refusal: BackendRejected | None = None
        if not is_about_tools(request) or model not in self._models:
            begun = False
            try:
                async with aclosing(send(request)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                return
            except BackendRejected as error:
                if begun or not is_about_tools(request) or not _may_be_about_tools(error):
                    raise
                refusal = error
        async with aclosing(send(in_words(request))) as chunks:
            async for chunk in chunks:
                if refusal is not None:
                    log.debug("%s takes no tools for %s: %s", self._name, model or "its model", refusal)
                    self._models.add(model)
                    refusal = None
                yield chunk


def _may_be_about_tools(error: BackendRejected) -> bool:
    if "too long" in str(error):
        return False
    # Gateways say 404 where no model behind them takes any.
    return error.status in REFUSALS or (error.status == 404 and "tool" in str(error).lower())


def in_words(request: ChatRequest) -> ChatRequest:
    """Return the request without tools; what was called and what came of it is part of the conversation."""
    if not is_about_tools(request):
        return request
    names = names_of_calls(request.messages)
    told = [_in_words(message, names) for message in request.messages]
    messages: list[ChatMessage] = []
    # Some templates want the roles to alternate.
    for role, group in groupby(told, key=lambda message: message.role):
        messages.append(ChatMessage(role, "\n\n".join(filter(None, (message.content for message in group)))))
    return replace(request, messages=tuple(messages), tools=())


def _in_words(message: ChatMessage, names: dict[str, str]) -> ChatMessage:
    if message.role == "tool":
        name = names.get(message.tool_call_id, "the tool")
        return ChatMessage("user", f"Result of {name}:\n\n{message.content}")
    if message.tool_calls:
        calls = "\n".join(f"{call.name} {call.arguments}" for call in message.tool_calls)
        return ChatMessage(message.role, "\n\n".join(filter(None, (message.content, f"Asked for:\n{calls}"))))
    return message
