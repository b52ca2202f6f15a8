"""Ollama's own HTTP API. Knows nothing of LSP or of documents.

Fill-in-the-middle goes through `suffix` where the model's template takes one, else through a raw prompt of
ours where the model's name tells its family, else it is asked for in a chat.
https://docs.ollama.com/api
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from difflib import get_close_matches
from typing import Any, TypeVar

from lsp_server import families
from lsp_server.backends import chat_fim, ollama_tools, raw_fim
from lsp_server.backends.endpoint import Deadlines, Endpoint, runs_elsewhere, shown
from lsp_server.backends.http import ConnectionRefused, HttpClient
from lsp_server.backends.ollama_model import (
    CHECK_S,
    KEEP_ALIVE,
    Card,
    ServedModel,
    full_name,
    read_card,
    read_models,
)
from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, Readiness, Usage
from lsp_server.backends.raw_stream import continued
from lsp_server.backends.steps import Steps
from lsp_server.backends.tool_wire import Calls
from lsp_server.backends.toolless import Toolless
from lsp_server.backends.wire import with_calls
from lsp_server.errors import BackendRejected, BackendUnavailable, ConfigurationError, SuffixRefused
from lsp_server.families import FimTemplate
from lsp_server.privacy.destination import OLLAMA_CLOUD, Destination, is_passed_on
from lsp_server.settings import BackendSettings

FIM_CHOICES = ("auto", "suffix", "raw", "chat")

MOST_LOOKED_AT = 16
"""Models to look at for one to take; the server lists the newest first."""
SUGGESTED = "qwen2.5-coder:1.5b-base"
"""For whoever has no model yet: 1 GB, completes on any machine of today, and its template takes a suffix."""
STAND_IN = "\n"
"""For an empty prefix or suffix: without a suffix Ollama takes the request for a chat, and an empty prompt
asks for nothing but loading the model. https://github.com/ollama/ollama/issues/6932"""

T = TypeVar("T")


class OllamaBackend:
    """A `Backend` on an Ollama server. Besides `BackendError`s it raises ConfigurationError."""

    def __init__(self, endpoint: Endpoint, config: BackendSettings) -> None:
        self._endpoint = endpoint
        self._config = config
        self._client = HttpClient(endpoint, who="Ollama")
        self._models: dict[str, ServedModel] = {}
        self._refuses_suffix: set[str] = set()
        self._steps = Steps()
        self._toolless = Toolless(endpoint.name)

    @property
    def name(self) -> str:
        """Return the name for logs and `--why`."""
        return self._endpoint.name

    def found(self) -> str:
        """Say how fill-in-the-middle is asked for; empty before the model is known."""
        served = self._models.get(self._config.model)
        if served is None:
            return ""
        mode = self._mode(served.card)
        template = self._template(served.card)
        family = template.id if template is not None else "prefix-only"
        return f"raw, family {family}" if mode == "raw" else mode

    def asks(self) -> str:
        """Name the model, as the settings do or as it was chosen."""
        served = self._models.get(self._config.model)
        return self._config.model if served is None else served.card.name

    async def models(self) -> list[str]:
        """Return the names of the models that are there, the newest first."""
        listed = await self._explained(self._client.get_json("/api/tags", CHECK_S))
        return [str(entry["model"]) for entry in read_models(listed) if entry.get("model")]

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix, having the model loaded first if need be."""
        served = await self._served(self._config.model)
        size = len(request.prefix.encode("utf-8", "replace")) + len(request.suffix.encode("utf-8", "replace"))
        await self._explained(served.make_ready(size, request.max_tokens))
        if self._mode(served.card) == "suffix":
            refused = False
            async with aclosing(self._suffix(served, request)) as chunks:
                try:
                    async for chunk in chunks:
                        yield chunk
                except SuffixRefused:
                    # Its template has changed since it was looked at, or the server is too old to say.
                    if self._config.fim == "suffix":
                        raise
                    refused = True
            if not refused:
                return
            self._refuses_suffix.add(served.card.name)
        in_chat = self._mode(served.card) == "chat"
        async with aclosing((self._in_chat if in_chat else self._raw)(served, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn, having the model loaded first if need be."""
        served = await self._served(self._config.chat_model or self._config.model)
        await self._explained(served.make_ready(ollama_tools.size_bytes(request), request.max_tokens))

        def send(asked: ChatRequest) -> AsyncGenerator[Chunk, None]:
            body = {**ollama_tools.body(asked), **_common(asked)}
            calls = Calls() if asked.tools else None
            return self._stream("/api/chat", served, body, self._endpoint.chat, calls)

        async with aclosing(self._toolless.ask(request, served.card.name, send)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Find out what the model can do and have it loaded, however long that takes."""
        async with aclosing(self._steps.until(self._make_ready())) as steps:
            async for step in steps:
                yield step
        yield Readiness(ready=True)

    async def probe(self) -> None:
        """Ask whether the server is there and has the model."""
        if self._config.model:
            await self._show(self._config.model)
        else:
            await self._explained(self._client.get_json("/api/tags", CHECK_S))

    async def aclose(self) -> None:
        """Close connections; the server keeps the model for a while."""
        await asyncio.gather(*(served.aclose() for served in self._models.values()))
        await self._client.aclose()

    async def _make_ready(self) -> None:
        served = await self._served(self._config.model)
        await self._explained(served.make_ready(0, 0))

    def _suffix(self, served: ServedModel, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        if not (request.prefix and request.suffix) and self._template(served.card) is not None:
            return self._raw(served, request)
        prompt, suffix = request.prefix or STAND_IN, request.suffix or STAND_IN
        body = {"prompt": prompt, "suffix": suffix, **self._fim_common(request, served)}
        return self._stream("/api/generate", served, body, self._endpoint.fim)

    async def _raw(self, served: ServedModel, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        template = self._template(served.card) or families.chosen("prefix-only", served.card.name)
        prompt = raw_fim.render(template, request.prefix, request.suffix, request.stop)
        body = {"prompt": prompt.text or STAND_IN, "raw": True, **self._fim_common(request, served)}
        body["options"]["stop"] = list(prompt.stop)
        body["options"]["num_predict"] += len(prompt.held)  # more than enough to spell it again
        stream = self._stream("/api/generate", served, body, self._endpoint.fim)
        async with aclosing(stream), aclosing(continued(stream, prompt.held)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _in_chat(self, served: ServedModel, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        messages = [{"role": m.role, "content": m.content} for m in chat_fim.messages(request)]
        body = {"messages": messages, **self._fim_common(request, served)}
        body["options"].pop("stop", None)  # these end the code, not what may be around it
        stream = self._stream("/api/chat", served, body, self._endpoint.fim)
        async with aclosing(stream), aclosing(chat_fim.unwrapped(stream, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _stream(
        self,
        path: str,
        served: ServedModel,
        body: dict[str, Any],
        deadlines: Deadlines,
        calls: Calls | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        body = {"model": served.card.name, "stream": True, "keep_alive": KEEP_ALIVE, **body}
        if served.num_ctx is not None:
            body["options"]["num_ctx"] = served.num_ctx
        try:
            async with aclosing(self._client.lines(path, body, deadlines)) as lines:
                async for line in lines:
                    event = self._event(line, body)
                    if calls is not None:
                        calls.add(ollama_tools.calls_in(event))
                    if event.get("done"):
                        served.answered()
                        yield _last(event) if calls is None else with_calls(_last(event), calls)
                        return
                    if text := _text(event):
                        yield Chunk(text)
        except ConnectionRefused as error:
            served.failed()
            raise self._not_running() from error
        except BackendUnavailable:
            served.failed()
            raise
        except BackendRejected as error:
            if error.status == 404:
                self._forget(served)  # it was removed: say so when asked the next time
            raise
        raise self._client.ended_early()

    def _event(self, line: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise BackendUnavailable("Ollama answered with something that is not Ollama's format.")
        if "error" in event:
            raise self._client.gave_up(str(event["error"]), body)
        return event

    def _fim_common(self, request: FimRequest, served: ServedModel) -> dict[str, Any]:
        # Models that think do so before the first letter unless they are told not to.
        return {**_common(request), **({"think": False} if served.card.thinks else {})}

    def _mode(self, card: Card) -> str:
        if self._config.fim != "auto":
            return self._config.fim
        if card.insert and card.name not in self._refuses_suffix:
            return "suffix"
        return "raw" if self._template(card) is not None else "chat"

    def _template(self, card: Card) -> FimTemplate | None:
        return families.chosen(self._config.family, card.name) if self._config.family else card.template

    async def _served(self, wanted: str) -> ServedModel:
        """Return a model that is known to be there; which one "" is, is settled once."""
        if self._config.fim not in FIM_CHOICES:
            raise ConfigurationError(
                f"Ollama fills in the middle as `suffix`, `raw` or `chat`, not as `{self._config.fim}`: "
                f"change backends.{self.name}.fim."
            )
        if wanted not in self._models:
            card = await (self._show(wanted) if wanted else self._choose())
            self._check_destination(card)
            self._models.setdefault(wanted, ServedModel(self._client, card, self._steps.tell))
        return self._models[wanted]

    async def _show(self, name: str) -> Card:
        try:
            shown = await self._explained(self._client.post_json("/api/show", {"model": name}, CHECK_S))
        except BackendRejected as error:
            if error.status != 404:
                raise
            near = get_close_matches(full_name(name), await self.models(), n=1)  # raises if this is no Ollama
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise BackendRejected(
                f"Ollama has no model {full_name(name)}{meant}: get it with `ollama pull {name}`.", 404
            ) from error
        return read_card(name, shown)

    async def _choose(self) -> Card:
        names = await self.models()
        cards = [await self._show(name) for name in names[:MOST_LOOKED_AT]]
        usable = [card for card in cards if card.completes and not _elsewhere(card)]
        # min() takes the first of equals: the newest.
        ranks = {card.name: 0 if card.insert else 1 if card.template is not None else 2 for card in usable}
        if not usable:
            raise ConfigurationError(f"Ollama has no model yet: get one with `ollama pull {SUGGESTED}`.")
        return min(usable, key=lambda card: ranks[card.name])

    def _check_destination(self, card: Card) -> None:
        """Refuse a model that only seems to be here: what may be sent was decided by the server's address."""
        here = self._endpoint.destination is Destination.THIS_MACHINE
        if (place := _elsewhere(card)) and here and self._config.destination == "auto":
            raise runs_elsewhere(self.name, card.name, place)

    async def _explained(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except ConnectionRefused as error:
            raise self._not_running() from error

    def _not_running(self) -> ConnectionRefused:
        return ConnectionRefused(
            f"Ollama does not run at {shown(self._endpoint.base_url)}: start it with `ollama serve`."
        )

    def _forget(self, served: ServedModel) -> None:
        self._models = {asked: model for asked, model in self._models.items() if model is not served}


def _elsewhere(card: Card) -> str:
    """Return where a model that the server only passes on runs; empty for one of its own."""
    return card.remote_host or (OLLAMA_CLOUD if is_passed_on(card.name) else "")


def _common(request: FimRequest | ChatRequest) -> dict[str, Any]:
    options: dict[str, Any] = {"temperature": request.temperature, "num_predict": request.max_tokens}
    if request.stop:
        options["stop"] = list(request.stop)
    return {"options": options}


def _text(event: dict[str, Any]) -> str:
    message = event.get("message")
    text = message.get("content") if isinstance(message, dict) else event.get("response")
    return text if isinstance(text, str) else ""


def _last(event: dict[str, Any]) -> Chunk:
    usage = Usage(
        prompt_tokens=event.get("prompt_eval_count") or 0,
        completion_tokens=event.get("eval_count") or 0,
        prefill_ms=_ms(event.get("prompt_eval_duration")),
        decode_ms=_ms(event.get("eval_duration")),
    )
    return Chunk(_text(event), "length" if event.get("done_reason") == "length" else "stop", usage)


def _ms(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e6
