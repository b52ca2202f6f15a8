"""One HTTP request and its job: the model's events become the reply, a client that leaves ends the job.

Knows ASGI, jobs and Mistral's reply shapes; must not know how prompts are built.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from lsp_server.engine import wire
from lsp_server.engine.job import Cancelled, Done, Event, Failed, Job, Stats, Text
from lsp_server.engine.reply import Costs, Reply
from lsp_server.engine.tool_calls import ToolCallReader
from lsp_server.errors import BackendRejected, ReplyTooLong

if TYPE_CHECKING:
    from lsp_server.engine.fim import Prompt
    from lsp_server.engine.model import LoadedModel
    from lsp_server.engine.scheduler import Scheduler
    from lsp_server.engine.vocabulary import Vocabulary

log = logging.getLogger(__name__)


class Exchange(Response):
    """The reply to one request.

    Headers are sent with the first event, so that what fails before it has a status of its own.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        job: Job,
        *,
        model: str,
        stream: bool,
        usage: bool = False,
        tools: Collection[str] = (),
    ) -> None:
        """Submit `job` once the reply is asked for; its `emit` is replaced. `tools` are what it may call."""
        self._scheduler = scheduler
        self._build = job.prompt
        self._job = replace(job, prompt=self._prompt, emit=self._emit)
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._failed_status = 503
        self._failed_kind = ""
        self._reply = Reply(secrets.token_hex(16), model)
        self._stream = stream
        self._usage = usage
        self._calls = ToolCallReader(tools) if tools else None
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or stop the job as soon as nobody listens: while it waits, evaluates or generates."""
        self._scheduler.submit(self._job)
        gone = asyncio.ensure_future(_disconnected(receive))
        answer = asyncio.ensure_future(self._answer(scope, receive, send))
        try:
            await asyncio.wait({gone, answer}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
            else:
                log.info("a client left before its answer was complete")
        finally:
            self._scheduler.cancel(self._job)
            for task in (gone, answer):
                task.cancel()
            await asyncio.gather(gone, answer, return_exceptions=True)

    def _prompt(self, model: LoadedModel, vocabulary: Vocabulary) -> Prompt:
        """Build the prompt, on the scheduler's thread; note whose fault a failure is."""
        if not callable(self._build):
            return self._build
        try:
            return self._build(model, vocabulary)
        except BackendRejected as error:
            self._failed_status = error.status
            self._failed_kind = "reply_too_long" if isinstance(error, ReplyTooLong) else ""
            raise

    def _emit(self, event: Event) -> None:
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:  # the loop is closed: the process is leaving
            log.debug("nobody is left to hear of %s", type(event).__name__)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        event = await self._events.get()
        if isinstance(event, Failed | Cancelled):
            await self._failure(event)(scope, receive, send)
        elif self._stream:
            await self._answer_with_stream(event, send)
        else:
            await (await self._whole(event))(scope, receive, send)

    async def _whole(self, event: Event) -> Response:
        texts: list[str] = []
        while isinstance(event, Text):
            texts.append(self._calls.feed(event.text) if self._calls else event.text)
            event = await self._events.get()
        if not isinstance(event, Done):
            return self._failure(event)
        rest, calls = self._calls.finish() if self._calls else ("", ())
        reason = "tool_calls" if calls else event.finish_reason
        body = self._reply.whole("".join(texts) + rest, reason, _costs(event.stats), calls)
        return Response(body, media_type="application/json")

    def _failure(self, event: Failed | Cancelled) -> Response:
        message = event.message if isinstance(event, Failed) else "The request was cancelled."
        if isinstance(event, Failed) and event.refused and self._failed_status >= 500:
            self._failed_status = 422
        kind = "invalid_request_error" if self._failed_status < 500 else "service_unavailable"
        return JSONResponse(wire.failure(message, self._failed_kind or kind), self._failed_status)

    async def _answer_with_stream(self, event: Event, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _send_piece(send, self._reply.first())
        while isinstance(event, Text):
            costs = _costs(event.stats) if self._usage else None
            text = self._calls.feed(event.text) if self._calls else event.text
            if text:
                await _send_piece(send, self._reply.piece(text, costs))
            event = await self._events.get()
        rest, calls = self._calls.finish() if self._calls else ("", ())
        if rest:
            await _send_piece(send, self._reply.piece(rest))
        if isinstance(event, Done):
            end = self._reply.last("tool_calls" if calls else event.finish_reason, _costs(event.stats), calls)
        else:
            end = self._reply.broken(
                event.message if isinstance(event, Failed) else "The request was cancelled."
            )
        await send({"type": "http.response.body", "body": end, "more_body": False})


async def _send_piece(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    # Not left to Starlette, whose own watch begins with the body: too late while a prompt is evaluated.
    while (await receive())["type"] != "http.disconnect":
        pass


def _costs(stats: Stats) -> Costs:
    return Costs(
        prompt_tokens=stats.prompt_tokens,
        cached_tokens=stats.cached_tokens,
        completion_tokens=stats.completion_tokens,
        queue_ms=stats.queue_ms,
        prefill_ms=stats.prefill_ms,
        decode_ms=stats.decode_ms,
    )
