"""The engine's HTTP API: Mistral's completion end points, and a few to look after the engine.

Owns routes, the token that guards them, and how requests become jobs. Must not know who asks, nor how
the model works.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from lsp_server import __version__
from lsp_server.engine import wire
from lsp_server.engine.chat_format import ChatFormat, chat_format
from lsp_server.engine.exchange import Exchange
from lsp_server.engine.fim import Prompt, encode
from lsp_server.engine.job import Event, Job, Priority, PromptSource, Sampling
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.room import fit, prompt_room
from lsp_server.engine.scheduler import Loading, Ready, Scheduler, Unavailable
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.errors import BackendRejected, ReplyTooLong
from lsp_server.families import FimTemplate, detect

log = logging.getLogger(__name__)

FIM_TEMPERATURE = 0.0
CHAT_TEMPERATURE = 0.3
"""Where a request names none; Mistral's own defaults differ by model, and it recommends 0 to 0.7."""

UNLIMITED_TOKENS = 1 << 30
"""A reply without a limit ends with its slot."""

FENCE_TOKENS = 8
"""Of a reply, for the lines before and after its code."""

LOADING_POLL_S = 0.05


def create_app(
    scheduler: Scheduler, name: str, token: str, stop: Callable[[], None], family: str | None = None
) -> Starlette:
    """Return the ASGI application that serves the model called `name`; `stop` makes the process leave."""
    api = _Api(scheduler, name, stop, family)
    return Starlette(
        routes=[
            Route("/v1/fim/completions", api.fim, methods=["POST"]),
            Route("/v1/chat/completions", api.chat, methods=["POST"]),
            Route("/v1/models", api.models, methods=["GET"]),
            Route("/health", api.health, methods=["GET"]),
            Route("/shutdown", api.shutdown, methods=["POST"]),
        ],
        middleware=[Middleware(_Guard, token=token)],
        exception_handlers={HTTPException: _http_error, wire.BadRequest: _bad_request},
    )


class _Guard:
    """Lets nobody in without the token: other users of this machine, and web pages, reach the port too."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if secrets.compare_digest(headers.get(b"authorization", b""), self._expected):
            await self._app(scope, receive, send)
        else:
            await JSONResponse({"detail": "Unauthorized"}, 401)(scope, receive, send)


class _Api:
    """The end points."""

    def __init__(self, scheduler: Scheduler, name: str, stop: Callable[[], None], family: str | None) -> None:
        self._scheduler = scheduler
        self._name = name
        self._stop = stop
        self._prompts = PromptBuilder(family)

    async def fim(self, request: Request) -> Response:
        asked = wire.parse(await request.body(), wire.FimCompletion)
        return self._exchange(asked, self._prompts.fim(asked), Priority.COMPLETION, FIM_TEMPERATURE)

    async def chat(self, request: Request) -> Response:
        asked = wire.parse(await request.body(), wire.ChatCompletion)
        return self._exchange(asked, self._prompts.chat(asked), Priority.CHAT, CHAT_TEMPERATURE)

    def _exchange(
        self,
        asked: wire.FimCompletion | wire.ChatCompletion,
        prompt: PromptSource,
        priority: Priority,
        temperature: float,
    ) -> Exchange:
        sampling = Sampling(
            max_tokens=UNLIMITED_TOKENS if asked.max_tokens is None else asked.max_tokens,
            min_tokens=asked.min_tokens or 0,
            temperature=temperature if asked.temperature is None else asked.temperature,
            top_p=1.0 if asked.top_p is None else asked.top_p,
            seed=asked.random_seed,
            stop=asked.stop_texts,
        )
        wanted = asked.engine.priority
        job = Job(
            prompt=prompt,
            sampling=sampling,
            priority=priority if wanted is None else Priority[wanted.upper()],
            emit=_nobody,
            document=asked.engine.document,
        )
        tools = asked.usable_tools if isinstance(asked, wire.ChatCompletion) else []
        return Exchange(
            self._scheduler,
            job,
            model=self._name,
            stream=asked.stream,
            usage=asked.engine.usage,
            tools=[tool.function.name for tool in tools],
        )

    async def models(self, request: Request) -> Response:
        while isinstance(state := self._scheduler.state, Loading):  # noqa: ASYNC110 - it is another thread's
            await asyncio.sleep(LOADING_POLL_S)
        if isinstance(state, Unavailable):
            return JSONResponse(wire.failure(state.reason, "service_unavailable"), 503)
        family = self._prompts.family(state.model, state.vocabulary)
        return JSONResponse(wire.model_card(self._name, family.id, state.model.slot_tokens, fim=family.fim))

    async def health(self, request: Request) -> Response:
        state = self._scheduler.state
        fields: dict[str, object] = {"pid": os.getpid(), "version": __version__, "model": self._name}
        if isinstance(state, Loading):
            fields |= {"state": "loading", "fraction": state.fraction}
        elif isinstance(state, Ready):
            fields |= {
                "state": "ready",
                "fim": self._prompts.family(state.model, state.vocabulary).fim,
                "fraction": 1.0,
                "evaluated_tokens": self._scheduler.evaluated_tokens,
                "idle": self._scheduler.idle_since is not None,
            }
        else:
            fields |= {"state": "failed", "reason": state.reason}
        return JSONResponse(fields)

    async def shutdown(self, request: Request) -> Response:
        self._stop()
        return JSONResponse({"state": "stopping"}, 202)


class PromptBuilder:
    """Requests as prompts of the loaded model; its methods' results are called on the scheduler's thread."""

    def __init__(self, family: str | None = None) -> None:
        self._override = family
        self._family: FimTemplate | None = None
        self._chat: ChatFormat | None = None

    def family(self, model: LoadedModel, vocabulary: Vocabulary) -> FimTemplate:
        """Return the family of the model, found once."""
        if self._family is None:
            self._family = detect(vocabulary, [model.name, model.path.name], self._override)
            log.info("the model is of the family %s", self._family.id)
            if not self._family.fim:
                log.warning(
                    "this model knows no fill-in-the-middle: completions see only what precedes the cursor"
                )
        return self._family

    def fim(self, asked: wire.FimCompletion) -> PromptSource:
        """Return how to build the prompt of a completion; what is too long for a slot is cut."""

        def build(model: LoadedModel, vocabulary: Vocabulary) -> Prompt:
            family = self.family(model, vocabulary)
            room = prompt_room(model.slot_tokens, asked.max_tokens)
            suffix = (asked.suffix or "") if family.fim else ""
            prompt = encode(family, vocabulary, *fit(vocabulary, asked.prompt, suffix, room))
            if not prompt.tokens:
                raise BackendRejected("The prompt is empty.", 422)
            return prompt

        return build

    def chat(self, asked: wire.ChatCompletion) -> PromptSource:
        """Return how to build the prompt of a conversation; one that is too long is refused."""

        def build(model: LoadedModel, vocabulary: Vocabulary) -> Prompt:
            self._chat = self._chat or chat_format(model, vocabulary)
            prompt = self._chat.encode(asked.messages, asked.usable_tools)
            if len(prompt.tokens) >= model.slot_tokens:
                raise BackendRejected(
                    f"The conversation has {len(prompt.tokens)} tokens and the model has room for "
                    f"{model.slot_tokens - 1}: shorten it, or raise context_tokens.",
                    400,
                )
            if asked.prediction is None:
                return prompt
            # As it comes on a line of its own, without the space that SentencePiece begins a text with.
            guess = vocabulary.tokenize(asked.prediction.content, after="\n")
            if asked.engine.must_fit:
                _check_room(len(guess), asked.max_tokens, model.slot_tokens - len(prompt.tokens))
            return replace(prompt, prediction=tuple(guess))

        return build


def _check_room(code: int, max_tokens: int | None, slot: int) -> None:
    """Refuse a rewrite that cannot become as long as what it rewrites, with its fence."""
    room = slot if max_tokens is None else min(slot, max_tokens)
    if code + FENCE_TOKENS > room:
        raised = "max_tokens" if room != slot else "context_tokens"
        raise ReplyTooLong(
            f"The code has {code} tokens and the reply has room for {max(0, room - FENCE_TOKENS)}: "
            f"select less, or raise {raised}.",
            400,
        )


def _nobody(event: Event) -> None:
    """Take the events of a job whose exchange has not begun: there are none."""


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)


async def _bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, wire.BadRequest)
    return JSONResponse(wire.refusal(error.detail), 422)
