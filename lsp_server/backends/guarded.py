"""A backend behind the privacy rules: what reaches the one inside has been cleared for its destination.

Everything that is sent to a model goes through here. This machine's own models see text as it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from lsp_server.backends.protocol import (
    Backend,
    ChatMessage,
    ChatRequest,
    Chunk,
    FimRequest,
    Origin,
    Readiness,
)
from lsp_server.errors import TextWithheld
from lsp_server.privacy.destination import Destination
from lsp_server.privacy.rules import PrivacyRules
from lsp_server.privacy.secret_scan import PLACEHOLDER

log = logging.getLogger(__name__)

LONGEST_REPLY = 1 << 20
"""Of a chat, in characters: some 300,000 tokens. A server that never ends must not fill the memory."""

_PROCESS = secrets.token_bytes(32)


class Guarded:
    """A `Backend` that sends only what may leave for its destination."""

    def __init__(self, backend: Backend, destination: Destination, rules: PrivacyRules) -> None:
        self._backend = backend
        self._destination = destination
        self._rules = rules
        self._told: set[tuple[str, str]] = set()
        """Documents and reasons that are in the log: once each, not at every keystroke."""

    @property
    def name(self) -> str:
        """Return the name of the backend inside."""
        return self._backend.name

    @property
    def inner(self) -> Backend:
        """Return the backend inside, to look at; what is sent goes through here."""
        return self._backend

    @property
    def destination(self) -> Destination:
        """Return whose machine the backend inside reaches."""
        return self._destination

    def why_withheld(self, document: str) -> str | None:
        """Return why nothing of `document` may be sent there, if so; reads files, so call it on a thread."""
        if self._destination is Destination.THIS_MACHINE:
            return None
        return self._rules.why_excluded(document)

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between a cleared prefix and suffix."""
        cleared, withheld = await self._cleared_fim(request)
        async with aclosing(self._guarded(self._backend.fim(cleared), withheld)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the next turn of a cleared conversation."""
        cleared, withheld = await self._cleared_chat(request)
        room = LONGEST_REPLY
        async with aclosing(self._guarded(self._backend.chat(cleared), withheld)) as chunks:
            async for chunk in chunks:
                if len(chunk.text) > room:
                    yield replace(chunk, text=chunk.text[:room], finish_reason="length", tool_calls=())
                    return
                room -= len(chunk.text)
                yield chunk

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Make the rules and the backend inside ready."""
        if self._destination is not Destination.THIS_MACHINE:
            await asyncio.to_thread(self._rules.warm_up)
        async with aclosing(self._backend.prepare()) as steps:
            async for step in steps:
                yield step

    async def probe(self) -> None:
        """Look for a sign of life of the backend inside."""
        await self._backend.probe()

    async def aclose(self) -> None:
        """Close the backend inside."""
        await self._backend.aclose()

    async def _cleared_fim(self, request: FimRequest) -> tuple[FimRequest, tuple[str, ...]]:
        if self._destination is Destination.THIS_MACHINE:
            return request, ()
        document = request.document or ""
        try:
            cleared = await asyncio.to_thread(
                self._rules.clear_fim, request.prefix, request.suffix, request.document
            )
        except TextWithheld as error:
            self._tell(document, str(error))
            raise
        for phrase in cleared.withheld:
            self._tell(document, phrase)
        nameless = None if request.document is None else _digest(request.document)
        sent = replace(request, prefix=cleared.prefix, suffix=cleared.suffix, document=nameless)
        return sent, cleared.withheld

    async def _cleared_chat(self, request: ChatRequest) -> tuple[ChatRequest, tuple[str, ...]]:
        if self._destination is Destination.THIS_MACHINE:
            return request, ()
        documents = ", ".join(request.documents)
        texts = [message.content for message in request.messages]
        texts += [call.arguments for message in request.messages for call in message.tool_calls]
        if request.prediction is not None:
            texts.append(request.prediction)
        try:
            cleared = await asyncio.to_thread(self._rules.clear_texts, texts, request.documents)
        except TextWithheld as error:
            self._tell(documents, str(error))
            raise
        for phrase in cleared.withheld:
            self._tell(documents, phrase)
        messages = _with_texts(request.messages, cleared.texts)
        prediction = None if request.prediction is None else cleared.texts[-1]
        return replace(request, messages=messages, prediction=prediction, documents=()), cleared.withheld

    async def _guarded(
        self, chunks: AsyncGenerator[Chunk, None], withheld: tuple[str, ...]
    ) -> AsyncGenerator[Chunk, None]:
        origin: Origin | None = Origin(self._backend.name, self._destination.value, withheld)
        async with aclosing(chunks):
            ours = _before_placeholder(chunks) if withheld else chunks
            async with aclosing(ours):
                async for chunk in ours:
                    yield chunk if origin is None else replace(chunk, origin=origin)
                    origin = None

    def _tell(self, document: str, reason: str) -> None:
        if (document, reason) not in self._told:
            self._told.add((document, reason))
            log.info(
                "withheld from %s, %s: %s", self._backend.name, document or "a text without a name", reason
            )


def _with_texts(messages: Sequence[ChatMessage], texts: Sequence[str]) -> tuple[ChatMessage, ...]:
    """Return the conversation with other texts: of its turns first, then of the arguments of its calls."""
    arguments = iter(texts[len(messages) :])
    return tuple(
        replace(
            message,
            content=text,
            tool_calls=tuple(replace(call, arguments=next(arguments)) for call in message.tool_calls),
        )
        for message, text in zip(messages, texts, strict=False)
    )


def _digest(document: str) -> str:
    """Return a name for `document` that tells nobody its path, and is another one in each process."""
    return hashlib.blake2b(document.encode("utf-8", "replace"), key=_PROCESS, digest_size=16).hexdigest()


async def _before_placeholder(chunks: AsyncIterator[Chunk]) -> AsyncGenerator[Chunk, None]:
    """End a reply before it repeats what stands for a secret."""
    held = ""
    async for chunk in chunks:
        text = held + chunk.text
        at = text.find(PLACEHOLDER)
        if at >= 0:
            yield Chunk(text[:at], "stop")
            return
        held = "" if chunk.finish_reason else _beginning_of_placeholder(text)
        yield replace(chunk, text=text[: len(text) - len(held)])
    if held:
        yield Chunk(held)


def _beginning_of_placeholder(text: str) -> str:
    """Return the end of `text` that may be the beginning of a placeholder."""
    for size in range(min(len(PLACEHOLDER) - 1, len(text)), 0, -1):
        if text.endswith(PLACEHOLDER[:size]):
            return PLACEHOLDER[:size]
    return ""
