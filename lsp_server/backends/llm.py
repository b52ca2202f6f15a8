"""Models of Simon Willison's `llm` library and its plugins: a `Backend` on a worker process.

Knows which prompt each kind of model wants; the library itself is known to `llm_worker` alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from lsp_server import families
from lsp_server.backends import chat_fim, raw_fim, refusals
from lsp_server.backends.llm_process import Answer, LlmProcess
from lsp_server.backends.protocol import ChatRequest, Chunk, FimRequest, FinishReason, Readiness, Usage
from lsp_server.backends.raw_stream import continued
from lsp_server.backends.steps import Steps
from lsp_server.backends.toolless import in_words
from lsp_server.errors import (
    BackendError,
    BackendRejected,
    BackendUnavailable,
    ConfigurationError,
    RateLimited,
    RequestRejected,
    UserFacingError,
)
from lsp_server.families import FimTemplate
from lsp_server.settings import BackendSettings

log = logging.getLogger(__name__)

STUCK_S = 5.0
"""A model that works in the worker's process has this long to notice that it was cancelled, or as long as it
took to load if that was longer: ending its process costs that load."""
FAILURE_PAUSE_S = 10.0
"""How long a failed start is answered from memory: typing must not start a Python at every key."""
RATE_LIMIT_S = 10.0
"""The library does not pass `Retry-After` on; limits are per second or per minute."""

FIM_CHOICES = ("auto", "raw", "chat")


@dataclass(frozen=True)
class Model:
    """What the worker says of a model."""

    asked_for: str
    name: str
    names: tuple[str, ...]
    key: str
    """What the library calls its key; empty for one that wants none."""
    completes: bool
    """It continues a text; others wrap it in a chat template."""
    in_process: bool
    """It works in the worker itself, with weights that have to be loaded."""


class LlmBackend:
    """A `Backend` on the `llm` library.

    Besides `BackendError`s it raises ConfigurationError: the library is not there, or a setting is wrong.
    """

    def __init__(self, name: str, config: BackendSettings) -> None:
        self._name = name
        self._config = config
        self._process: LlmProcess | None = None
        self._start: asyncio.Task[LlmProcess] | None = None
        self._failure: tuple[float, UserFacingError] | None = None
        self._models: dict[str, Model] = {}
        self._load_s: dict[str, float] = {}
        """By model, for those in the process that have answered once."""
        self._steps = Steps()

    @property
    def name(self) -> str:
        """Return the name for logs and `--why`."""
        return self._name

    def found(self) -> str:
        """Say how fill-in-the-middle is asked for; empty before the model is known."""
        model = self._models.get(self._config.model)
        if model is None:
            return ""
        template = self._template(model)
        return "chat" if template is None else f"raw, family {template.id}"

    def asks(self) -> str:
        """Name the model, by its own name once that is known."""
        model = self._models.get(self._config.model)
        return self._config.model if model is None else model.name

    async def fim(self, request: FimRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the text between prefix and suffix, starting the worker first if need be."""
        process = await self._ready()
        model = self._models[self._config.model]
        template = self._template(model)
        first_s = self._config.first_token_timeout_ms / 1000
        if template is None:
            messages = [{"role": m.role, "content": m.content} for m in chat_fim.messages(request)]
            body = self._body("chat", model, request, messages=messages)
            body["stop"] = []  # these end the code, not what may be around it
            stream = self._ask(process, model, body, first_s, None)
            async with aclosing(stream), aclosing(chat_fim.unwrapped(stream, request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        else:
            prompt = raw_fim.render(template, request.prefix, request.suffix, request.stop)
            body = self._body("complete", model, request, prompt=prompt.text)
            body["stop"] = list(prompt.stop)
            body["max_tokens"] += len(prompt.held)  # more than enough to spell it again
            stream = self._ask(process, model, body, first_s, None)
            async with aclosing(stream), aclosing(continued(stream, prompt.held)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the assistant's next turn, starting the worker first if need be; it knows no tools."""
        process = await self._ready()
        model = await self._described(process, self._config.chat_model or self._config.model)
        told = in_words(request).messages
        messages = [{"role": message.role, "content": message.content} for message in told]
        body = self._body("chat", model, request, messages=messages)
        first_s, total_s = (
            self._config.chat_first_token_timeout_ms / 1000,
            self._config.chat_timeout_ms / 1000,
        )
        async with aclosing(self._ask(process, model, body, first_s, total_s)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def prepare(self) -> AsyncGenerator[Readiness, None]:
        """Start the worker, have it import the plugins, and load a model that works in it."""
        async with aclosing(self._steps.until(self._ready())) as steps:
            async for step in steps:
                yield step
        yield Readiness(ready=True)

    async def probe(self) -> None:
        """Have a worker running that knows the model."""
        self._failure = None
        await self._ready()

    async def aclose(self) -> None:
        """End the worker."""
        start, self._start = self._start, None
        if start is not None:
            start.cancel()
            await asyncio.wait({start})
        process, self._process = self._process, None
        if process is not None:
            await process.aclose()

    async def _ask(
        self, process: LlmProcess, model: Model, body: Answer, first_s: float | None, total_s: float | None
    ) -> AsyncGenerator[Chunk, None]:
        patience_s = None
        if model.in_process:
            load_s = self._load_s.get(model.name)
            patience_s = None if load_s is None else max(STUCK_S, load_s)
            first_s = first_s if load_s is not None else None
        begun = time.monotonic()
        answers = process.stream(body, first_s=first_s, total_s=total_s, patience_s=patience_s)
        async with aclosing(answers):
            async for answer in answers:
                self._load_s.setdefault(model.name, time.monotonic() - begun)
                if "text" in answer:
                    yield Chunk(answer["text"])
                elif answer["done"] == "failed":
                    raise self._refused(answer, model, body)
                else:
                    usage = Usage(prompt_tokens=answer["input"] or 0, completion_tokens=answer["output"] or 0)
                    reason: FinishReason = "length" if answer["done"] == "length" else "stop"
                    yield Chunk("", finish_reason=reason, usage=usage if answer["output"] else None)

    def _body(self, do: str, model: Model, request: FimRequest | ChatRequest, **more: Any) -> Answer:  # noqa: ANN401
        return {
            "do": do,
            "model": model.asked_for,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "stop": list(request.stop),
            **more,
        }

    def _template(self, model: Model) -> FimTemplate | None:
        """Return how a raw prompt is written for `model`, None if it is to be asked in a chat."""
        if self._config.fim == "chat" or (self._config.fim == "auto" and not model.completes):
            return None
        if self._config.family:
            return families.chosen(self._config.family, model.name)
        found = (families.named(name) for name in model.names)
        known = (family for family in found if family is not None)
        return next(known, None) or families.chosen("prefix-only", model.name)

    async def _ready(self) -> LlmProcess:
        if self._process is not None and not self._process.gone:
            return self._process
        if self._failure is not None and time.monotonic() < self._failure[0]:
            raise self._failure[1].with_traceback(None)  # else it would grow with each key
        if self._start is None:
            self._start = asyncio.create_task(self._make_ready())
            self._start.add_done_callback(self._started)
        # Whoever waits may be cancelled by the next keystroke; the start goes on for that one.
        return await asyncio.shield(self._start)

    def _started(self, start: asyncio.Task[LlmProcess]) -> None:
        if self._start is start:
            self._start = None
        if start.cancelled():
            return
        error = start.exception()
        if isinstance(error, UserFacingError):
            self._failure = (time.monotonic() + FAILURE_PAUSE_S, error)

    async def _make_ready(self) -> LlmProcess:
        if self._config.fim not in FIM_CHOICES:
            raise ConfigurationError(
                f"The llm library fills in the middle as `raw` or `chat`, not as `{self._config.fim}`: "
                f"change backends.{self._name}.fim."
            )
        lost, self._process = self._process, None
        self._models, self._load_s = {}, {}
        if lost is not None:
            await lost.aclose()
        self._steps.tell("Starting the llm library …")
        process = await LlmProcess.start(self._name, self._config.python)
        try:
            model = await self._described(process, self._config.model)
            if model.in_process:
                self._steps.tell(f"Loading {model.name} …")
                await self._load(process, model)
        except BaseException:
            await process.aclose()
            raise
        self._process = process
        return process

    async def _described(self, process: LlmProcess, wanted: str) -> Model:
        """Return what `wanted` is, asking each new worker once: asking is what makes it know the model."""
        known = self._models.get(wanted)
        if known is not None and process is self._process:
            return known
        async with aclosing(process.stream({"do": "describe", "model": wanted})) as answers:
            answer = await anext(answers)
            if answer["done"] == "failed":
                raise self._unusable(answer)
        model = Model(
            wanted,
            answer["model"],
            tuple(answer["names"]),
            answer["key"],
            answer["completes"],
            answer["in_process"],
        )
        self._models[wanted] = model
        return model

    async def _load(self, process: LlmProcess, model: Model) -> None:
        """Ask for one token: plugins load on their first request, which no deadline must cut short."""
        request = FimRequest("1, 2,", "", max_tokens=1)
        messages = [{"role": "user", "content": "1, 2,"}]
        do = "complete" if model.completes else "chat"
        body = self._body(do, model, request, prompt="1, 2,", messages=messages)
        async with aclosing(self._ask(process, model, body, None, None)) as chunks:
            async for _ in chunks:
                pass

    def _unusable(self, answer: Answer) -> UserFacingError:
        """Return the error for a model that cannot be had."""
        if answer["cause"] == "no llm":
            return ConfigurationError(
                "The llm library is missing: `pip install 'codestral-lsp[llm]'`, "
                f"or set backends.{self._name}.python to the Python that has it."
            )
        if answer["cause"] == "unknown model":
            close = f" (is it {' or '.join(answer['close'])}?)" if answer["close"] else ""
            said = (
                f"The llm library has no model {answer['message']}{close}: see `llm models`, `llm plugins`."
            )
            return BackendRejected(said, 404)
        return BackendUnavailable(
            f"The llm library failed to start{refusals.quoted(answer['message'], None)}"
        )

    def _refused(self, answer: Answer, model: Model, body: Answer) -> UserFacingError:
        """Return the error for a request that failed."""
        status = answer["status"]
        if answer["cause"] == "no key":
            return BackendRejected(
                f"No key was found for the model {model.name}: `llm keys set {model.key}` stores one.", 401
            )
        if status in (401, 403):
            # Servers repeat parts of a key in their own words.
            said = f"The key for the model {model.name} was refused: `llm keys set {model.key}` sets another."
            return BackendRejected(said, status)
        why = refusals.quoted(answer["message"], body)
        return _by_status(f"The model {model.name} of the llm library failed{why}", status)


def _by_status(sentence: str, status: int | None) -> BackendError:
    if status == 429:
        return RateLimited(sentence, RATE_LIMIT_S)
    if status in (400, 413, 422):
        return RequestRejected(sentence, status)
    if status is not None and 400 <= status < 500:
        return BackendRejected(sentence, status)
    return BackendUnavailable(sentence)
