"""Servers that speak OpenAI's API: llama.cpp's, vLLM, LM Studio, gateways and many more. Knows no LSP.

Which way of fill-in-the-middle a server takes is found out once (`fim_modes`) and again when that way fails.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from lsp_server.backends import chat_fim, openai_wire, raw_fim
from lsp_server.backends.endpoint import Deadlines, Endpoint, runs_elsewhere
from lsp_server.backends.fim_modes import FimModes, Found, Server
from lsp_server.backends.http import HttpClient
from lsp_server.backends.llama_server import beginning
from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness
from lsp_server.backends.raw_stream import continued
from lsp_server.backends.tool_wire import Calls
from lsp_server.backends.toolless import Toolless
from lsp_server.backends.wire import StreamFailed
from lsp_server.errors import (
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    RequestRejected,
    SuffixRefused,
)
from lsp_server.privacy.destination import OLLAMA_CLOUD, Destination, is_passed_on
from lsp_server.settings import BackendSettings

log = logging.getLogger(__name__)

FIND_AGAIN_S = 60.0
"""A server is not asked more often than this what it can do: somebody is typing."""
LOADING_PAUSE_S = 1.0
"""Between two looks at a server that loads its model, which takes seconds to minutes."""
PATIENT_S = 120.0
"""For finding out, if the endpoint sets no limit: a server may load the model for the first request."""
OPTIONAL = ("stream_options", "max_tokens", "temperature", "stop")
"""Fields that some servers, or some models, refuse: once named in a refusal they are left out."""

CHAT_ONLY = (
    "{who} only chats: completions are asked for in words, which is slower and less exact than "
    "fill-in-the-middle. A model that has learnt it does better."
)
NO_FIM = (
    "No fill-in-the-middle is known of this model: completions see only what precedes the cursor. "
    "If it has learnt one, name its family in the backend's settings."
)


class OpenAIBackend:
    """A `Backend` over `POST /v1/completions`, `/v1/chat/completions` and llama.cpp's own endpoints."""

    def __init__(self, endpoint: Endpoint, config: BackendSettings) -> None:
        self._endpoint = endpoint
        self._config = config
        self._http = HttpClient(endpoint)
        self._patient_s = endpoint.chat.first_token_s or PATIENT_S
        self._modes = FimModes(self._http, endpoint.name, config, self._patient_s)
        self._found: Found | None = None
        self._finding: asyncio.Task[Found] | None = None
        self._refused: tuple[float, BackendRejected] | None = None
        self._find_again_at = 0.0
        self._left_out: set[str] = set()
        self._toolless = Toolless(endpoint.name)
        self._moved = False

    @property
    def name(self) -> str:
        """Return the name for logs and `--why`."""
        return self._endpoint.name

    def found(self) -> str:
        """Say how fill-in-the-middle is asked for; empty before that is known."""
        return "" if self._found is None else str(self._found)

    def asks(self) -> str:
        """Name the model, as the settings or the server do."""
        return self._config.model if self._found is None else self._found.served.model

    async def models(self) -> list[str]:
        """Return the names of the server's models."""
        return list((await self._modes.served()).listed)

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix, finding out first how to ask if need be."""
        found = await self._how()
        begun = False
        try:
            async with aclosing(self._asked(found, request)) as chunks:
                async for chunk in chunks:
                    begun = True
                    yield chunk
            return
        except BackendRejected as error:
            if begun or not self._forget(found, error):
                raise
            log.info("%s no longer fills in the middle by %s: %s", self.name, found, error)
            refusal = error
        again = await self._how()
        if (again.mode, again.served) == (found.mode, found.served):
            raise refusal
        async with aclosing(self._asked(again, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn."""
        found = await self._how(self._patient_s)
        model = self._config.chat_model or found.served.model

        def send(asked: ChatRequest) -> AsyncGenerator[Chunk, None]:
            body = openai_wire.chat_body(asked.messages, asked, model)
            calls = Calls() if asked.tools else None
            return self._stream(found, "/chat/completions", body, self._endpoint.chat, calls=calls)

        async with aclosing(self._toolless.ask(request, model, send)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Wait for a server that loads its model, then find out how to ask."""
        while True:
            try:
                found = await self._how(self._patient_s)
                break
            except BackendLoading:
                yield Readiness(ready=False, message=f"Loading the model on {self._http.host}")
                await asyncio.sleep(LOADING_PAUSE_S)
        yield Readiness(ready=True, message=self._worth_knowing(found))

    async def probe(self) -> None:
        """Ask for the models that the server has."""
        await self._modes.served()

    async def aclose(self) -> None:
        """Close all connections."""
        finding, self._finding = self._finding, None
        if finding is not None:
            finding.cancel()
            await asyncio.wait({finding})
        await self._http.aclose()

    async def _how(self, wait_s: float | None = None) -> Found:
        """Return how to ask; a completion does not wait longer than it would for its first token."""
        if self._found is not None:
            return self._found
        if self._refused is not None and time.monotonic() < self._refused[0]:
            raise self._refused[1].with_traceback(None)  # else it would grow with each key
        if self._finding is None:
            self._finding = asyncio.create_task(self._modes.find())
            self._finding.add_done_callback(self._found_out)
        finding = self._finding
        # Whoever waits may be cancelled by the next keystroke; finding out goes on for that one.
        await asyncio.wait({finding}, timeout=wait_s or self._endpoint.fim.first_token_s)
        if not finding.done():
            raise BackendUnavailable(f"{self._http.who} takes long to answer; it may be loading the model.")
        return finding.result()

    def _found_out(self, finding: asyncio.Task[Found]) -> None:
        if self._finding is finding:
            self._finding = None
        if finding.cancelled():
            return
        error = finding.exception()
        if error is None:
            self._found = finding.result()
            self._find_again_at = time.monotonic() + FIND_AGAIN_S
        elif isinstance(error, BackendRejected):
            self._refused = (time.monotonic() + FIND_AGAIN_S, error)

    def _forget(self, found: Found, error: BackendRejected) -> bool:
        """Say whether another way is to be looked for after this refusal."""
        about_the_way = isinstance(error, SuffixRefused) or error.status in (404, 405, 501)
        if not about_the_way or self._config.fim != "auto" or time.monotonic() < self._find_again_at:
            return False
        if self._found is found:
            self._found = None
        return True

    def _asked(self, found: Found, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        model = found.served.model
        deadlines = self._endpoint.fim
        if found.mode == "raw":
            return self._raw(found, request)
        if found.mode == "infill":
            return self._stream(found, "/infill", openai_wire.infill_body(request, model), deadlines, root="")
        if found.mode == "chat":
            return self._by_chat(found, request)
        path = "/fim/completions" if found.mode == "native" else "/completions"
        return self._stream(found, path, openai_wire.suffix_body(request, model), deadlines)

    async def _raw(self, found: Found, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        assert found.family is not None
        model, deadlines = found.served.model, self._endpoint.fim
        if found.vocabulary is not None:
            limit_s = deadlines.first_token_s or self._patient_s
            given = await found.vocabulary.prompt(
                found.family, request.prefix, request.suffix, request.stop, limit_s
            )
            body, held = (
                openai_wire.token_body(request, model, given.tokens, given.held, given.grammar),
                given.held,
            )
            stream = self._stream(found, "/completion", body, deadlines, root="")
        else:
            prompt = raw_fim.render(found.family, request.prefix, request.suffix, request.stop)
            held = prompt.held
            body = openai_wire.completion_body(request, model, prompt.text, stop=prompt.stop, held=held)
            if held and found.served.server is Server.LLAMA_CPP_PYTHON:
                body["grammar"] = beginning(held)
            stream = self._stream(found, "/completions", body, deadlines)
        async with aclosing(stream), aclosing(continued(stream, held)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _by_chat(self, found: Found, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        longer = dataclasses.replace(request, max_tokens=request.max_tokens + chat_fim.WRAPPING_TOKENS)
        body = openai_wire.chat_body(chat_fim.messages(request), longer, found.served.model)
        stream = self._stream(found, "/chat/completions", body, self._endpoint.fim)
        async with aclosing(stream), aclosing(chat_fim.unwrapped(stream, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _stream(
        self,
        found: Found,
        path: str,
        body: dict[str, Any],
        deadlines: Deadlines,
        *,
        root: str | None = None,
        calls: Calls | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """Send `body`, again with less if a field is refused that can be left out."""
        self._check_destination(str(body.get("model", "")))
        for field in self._left_out:
            body = openai_wire.without(body, field)
        while True:
            where = self._root(found) if root is None else root
            begun = False
            try:
                async with aclosing(self._events(where + path, body, deadlines, calls)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                return
            except BackendRejected as error:
                if begun:
                    raise
                if error.status == 404 and root is None and self._other_root(found):
                    continue
                refused = _refused_field(error, body)
                if refused is None:
                    raise
            log.info("%s takes no %s", self.name, refused)
            self._left_out.add(refused)
            body = openai_wire.without(body, refused)

    def _check_destination(self, model: str) -> None:
        # Ollama speaks OpenAI's API as well.
        here = self._endpoint.destination is Destination.THIS_MACHINE
        if here and self._config.destination == "auto" and is_passed_on(model):
            raise runs_elsewhere(self.name, model, OLLAMA_CLOUD)

    def _worth_knowing(self, found: Found) -> str:
        if self._config.fim != "auto" or self._config.family:
            return ""
        if found.mode == "chat":
            return CHAT_ONLY.format(who=self._http.who)
        return "" if found.family is None or found.family.fim else NO_FIM

    def _root(self, found: Found) -> str:
        other = found.served.other_root
        return other if other is not None and self._moved else found.served.root

    def _other_root(self, found: Found) -> bool:
        """Turn to the other place where the API may be, if no list of models has told which it is."""
        if found.served.other_root is None or self._moved:
            return False
        self._moved = True
        return True

    async def _events(
        self, path: str, body: dict[str, Any], deadlines: Deadlines, calls: Calls | None
    ) -> AsyncGenerator[Chunk, None]:
        finished = False
        async with aclosing(self._http.events(path, body, deadlines)) as events:
            async for data in events:
                try:
                    chunk = openai_wire.chunk(data, calls)
                except StreamFailed as error:
                    raise self._http.gave_up(error.words, body) from error
                finished = finished or chunk.finish_reason is not None
                if chunk != EMPTY:
                    yield chunk
        if not finished:
            raise self._http.ended_early()


EMPTY = Chunk("")
"""The first event of a stream says whose turn it is and no more."""


def _refused_field(error: BackendRejected, body: dict[str, Any]) -> str | None:
    if not isinstance(error, RequestRejected):
        return None
    words = re.findall(r"\w+", str(error))
    return next((field for field in OPTIONAL if field in body and field in words), None)
