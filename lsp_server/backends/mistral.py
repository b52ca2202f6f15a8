"""Mistral's HTTP API: the cloud, our engine, whoever else speaks it. Knows nothing of LSP or documents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from lsp_server.backends import wire
from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.http import HttpClient
from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness
from lsp_server.backends.tool_wire import Calls
from lsp_server.backends.toolless import Toolless
from lsp_server.errors import (
    BackendError,
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    ReplyTooLong,
    RequestRejected,
)

log = logging.getLogger(__name__)

EMPTY = Chunk("")
"""The first event of a stream says whose turn it is and no more."""
CHAT = "/v1/chat/completions"
LOADING_PAUSE_S = 1.0
"""Between two questions whether a server has loaded its model."""
PROBE_S = 10.0
"""Longest wait for a list of models, where completions have no deadline."""
PREDICTING = frozenset({"codestral-latest", "codestral-2508", "mistral-large-2411"})
"""Models that take a `prediction`: https://docs.mistral.ai/capabilities/predicted-outputs."""


class MistralBackend:
    """A `Backend` over `POST /v1/fim/completions` and `POST /v1/chat/completions`."""

    def __init__(self, endpoint: Endpoint, model: str, chat_model: str = "", *, engine: bool = False) -> None:
        """Reach `model` at `endpoint`, and `chat_model` for chat if it is another one.

        Without a `model` it is the first one that the server has. `engine` is set for our own engine alone:
        it gets fields that other servers refuse, and who started it cares for it when it fails.
        """
        self._endpoint = endpoint
        self._model = model
        self._chat_model = chat_model
        self._engine = engine
        self._http = HttpClient(endpoint, retries=not engine, who="The local model" if engine else "")
        self._toolless = Toolless(endpoint.name)
        self._no_prediction: set[str] = set()
        self._cloud = self._http.host == "mistral.ai" or self._http.host.endswith(".mistral.ai")

    @property
    def name(self) -> str:
        """Return the name for logs and `--why`."""
        return self._endpoint.name

    def asks(self) -> str:
        """Name the model, as the settings or the server do."""
        return self._model

    def found(self) -> str:
        """Say how fill-in-the-middle is asked for, which is the same everywhere."""
        return "native, /v1/fim/completions"

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix."""
        body = wire.fim_body(request, await self._fim_model(), engine=self._engine)
        if self._cloud and request.document is not None:
            body["prompt_cache_key"] = request.document  # a digest, see `Guarded`
        async with aclosing(self._stream("/v1/fim/completions", body, self._endpoint.fim)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn."""
        model = self._chat_model or await self._fim_model()
        asked = self._toolless.ask(request, model, lambda fitted: self._chat(fitted, model))
        async with aclosing(asked) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Open a connection, and wait while the server says that it loads its model.

        Other failures are told by the request that meets them.
        """
        while not self._engine:
            try:
                await self.probe()
                break
            except BackendLoading as error:
                yield Readiness(ready=False, message=str(error))
                await asyncio.sleep(LOADING_PAUSE_S)
            except BackendError as error:
                log.info("%s is not ready: %s", self.name, error)
                break
        yield Readiness(ready=True)

    async def probe(self) -> None:
        """Ask for the list of models."""
        try:
            await self.models()
        except BackendRejected as error:
            if error.status not in (404, 405):  # it is there, and has no such list
                raise

    async def models(self) -> list[str]:
        """Return the names of the server's models."""
        listed = await self._http.get_json("/v1/models", _longest_s(self._endpoint.fim))
        return wire.model_names(listed)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def _chat(self, request: ChatRequest, model: str) -> AsyncGenerator[Chunk, None]:
        body = wire.chat_body(request, model, engine=self._engine)
        calls = Calls() if request.tools else None
        refusal: RequestRejected | None = None
        if self._predicts(request, model):
            predicting = {**body, "prediction": {"type": "content", "content": request.prediction}}
            begun = False
            try:
                stream = self._stream(CHAT, predicting, self._endpoint.chat, calls)
                async with aclosing(stream) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                return
            except RequestRejected as error:
                if begun or isinstance(error, ReplyTooLong):
                    raise
                refusal = error
        async with aclosing(self._stream(CHAT, body, self._endpoint.chat, calls)) as chunks:
            async for chunk in chunks:
                if refusal is not None:
                    log.debug("%s takes no prediction for %s: %s", self.name, model, refusal)
                    self._no_prediction.add(model)
                    refusal = None
                yield chunk

    def _predicts(self, request: ChatRequest, model: str) -> bool:
        if not request.prediction or request.tools or model in self._no_prediction:
            return False
        return self._engine or (self._cloud and model in PREDICTING)

    async def _fim_model(self) -> str:
        if not self._model:
            names = await self.models()
            if not names:
                raise BackendUnavailable(
                    f"{self._http.who} has no model; set the model of backend {self.name}."
                )
            self._model = names[0]
        return self._model

    async def _stream(
        self, path: str, body: dict[str, Any], deadlines: Deadlines, calls: Calls | None = None
    ) -> AsyncGenerator[Chunk, None]:
        finished = False
        async with aclosing(self._http.events(path, body, deadlines)) as events:
            async for data in events:
                try:
                    chunk = wire.chunk(data, calls)
                except wire.StreamFailed as error:
                    raise self._http.gave_up(error.words, body) from error
                finished = finished or chunk.finish_reason is not None
                if chunk != EMPTY:
                    yield chunk
        if not finished:
            raise self._http.ended_early()


def _longest_s(deadlines: Deadlines) -> float:
    return deadlines.total_s or deadlines.first_token_s or PROBE_S
