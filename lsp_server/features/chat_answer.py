"""One answer of the model, streamed into its chat document.

Owns what becomes of the document however the answer ends: whole, stopped, failed, or the turn taken out by
the user. A question is never lost: if nothing came it stands there to be sent again, the reason under it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsp_server.errors import UserFacingError
from lsp_server.features.live_document import DocumentClosed, LiveDocument
from lsp_server.features.protocol import Protocol
from lsp_server.features.run_progress import RunProgress, words
from lsp_server.features.session import Session
from lsp_server.reporting import Severity

if TYPE_CHECKING:
    from lsp_server.backends.protocol import Backend, ChatRequest, Chunk
    from lsp_server.chat.actions.site import Diagnostic
    from lsp_server.chat.chats.answer_writer import AnswerWriter
    from lsp_server.chat.chats.conversation import Conversation, Turn
    from lsp_server.chat.workspace.tool_loop import ToolUse

KnownDiagnostics = Callable[[str], "Sequence[Diagnostic]"]
"""Returns what is wrong with a document, by its uri, as the client has said."""

logger = logging.getLogger(__name__)

ORDER_S = 2.0
"""Longest wait for a chat to be put in order: two edits or three, each told by the editor in up to 0.5 s."""
EDIT_PAUSE_S = 0.15
"""Between two edits: editors draw, and tell each change."""
TITLE = "Chat"
SILENT = "the model said nothing"
BROKEN = "an internal error, please report it"


@dataclass(frozen=True)
class Ended:
    """How an answer ended."""

    state: str
    """`answered`, `stopped`, `failed` (with a message), or `gone`: the user took out the turn."""
    message: str = ""
    text: str = ""
    """What the model said."""


class ChatAnswer:
    """One answer on its way."""

    def __init__(
        self,
        session: Session,
        uri: str,
        conversation: Conversation,
        replaces: Turn | None,
        diagnostics: KnownDiagnostics,
    ) -> None:
        """Answer the last turn of `conversation`, in place of the answer that it `replaces`."""
        from lsp_server.chat.chats.answer_writer import AnswerWriter

        self._session = session
        self._uri = uri
        self._conversation = conversation
        self._is_new = replaces is None
        self._diagnostics = diagnostics
        self._writer: AnswerWriter = AnswerWriter(conversation, replaces=replaces)
        self._document = LiveDocument(session.server, session, uri)
        self._stopping = asyncio.Event()
        self._news = asyncio.Event()
        self._complete = False
        self._notes: dict[str, None] = {}
        self._over = asyncio.Event()
        self.has_started = self.is_ending = False
        """Whether it is worked on; whether nothing is left but to put the document in order."""

    @property
    def is_over(self) -> bool:
        """Say whether nothing more is written into the document."""
        return self._over.is_set()

    def stop(self) -> None:
        """End the answer here; what has come stays."""
        self.is_ending = True
        self._stopping.set()

    def ended(self) -> None:
        """Take note that whoever ran the answer does so no more."""
        self.is_ending = True
        if not self.has_started:
            self._over.set()

    async def put_in_order(self) -> None:
        """Wait a moment for the end of an answer that is ending."""
        # Not wait_for: before Python 3.12 it may swallow the cancellation of a request.
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({over}, timeout=ORDER_S)
        finally:
            over.cancel()

    async def run(self) -> Ended:
        """Ask, and write what comes; cancelling stops the model and leaves an open document in order."""
        self.has_started = True
        try:
            async with RunProgress(self._session.server, TITLE) as progress:
                ended = await self._asked(progress)
                return await self._finished(ended)
        except asyncio.CancelledError:
            self.is_ending = True
            protocol = self._session.server.protocol
            if not (isinstance(protocol, Protocol) and protocol.closing):
                self._session.start(self._leave())
            raise

    async def _leave(self) -> None:
        await self._finished(Ended("stopped"))

    async def _asked(self, progress: RunProgress) -> Ended:
        """Do all up to the end of the stream."""
        from lsp_server.chat.chats.answer_writer import TurnGone

        try:
            progress.report("waiting for the model")
            if self._is_new:
                await self._document.make(self._writer.heading, self._writer.applied)
            await self._stream(progress)
        except (TurnGone, DocumentClosed):
            return Ended("gone")
        except UserFacingError as error:
            return Ended("failed", str(error))
        except Exception:
            logger.exception("An answer in a chat failed unexpectedly")
            return Ended("failed", BROKEN)
        if self._stopping.is_set():
            return Ended("stopped")
        return Ended("answered") if self._writer.answer.text else Ended("failed", SILENT)

    async def _stream(self, progress: RunProgress) -> None:
        """Read and write side by side until the end of the stream, an error of either, or `stop`."""
        reading = asyncio.create_task(self._read(progress))
        writing = asyncio.create_task(self._write())
        stopping = asyncio.create_task(self._stopping.wait())
        tasks = {reading, writing, stopping}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.is_ending = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in (writing, reading):
            if not task.cancelled():
                task.result()

    async def _read(self, progress: RunProgress) -> None:
        from lsp_server.chat.workspace.tool_loop import ToolUse

        answer = self._writer.answer
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, ToolUse):
                    answer.note(chunk.sentence)
                    progress.report(chunk.sentence)
                else:
                    self._take(chunk)
                    progress.report_lazily(lambda: words(answer.said))
                self._news.set()

    def _take(self, chunk: Chunk) -> None:
        self._writer.answer.say(chunk.text)
        from lsp_server.chat.chats.conversation import CUT

        if chunk.finish_reason == "length":
            self._notes[CUT] = None
        if chunk.origin is not None and chunk.origin.withheld:
            withheld = chunk.origin.withheld
            self._session.status.update(uri=self._uri, withheld=withheld)
            self._notes.update(dict.fromkeys(f"not shown to the model: {phrase}" for phrase in withheld))

    async def _chunks(self) -> AsyncGenerator[Chunk | ToolUse, None]:
        request = await asyncio.to_thread(self._request)
        backend = await self._session.chat()
        stream = await self._conversing(backend, request)
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    def _request(self) -> ChatRequest:
        from lsp_server.chat.chats.chat_question import chat_question

        session = self._session
        settings = session.settings.chat
        return chat_question(self._conversation, settings, self._uri, session.root, self._open_text)

    async def _conversing(
        self, backend: Backend, request: ChatRequest
    ) -> AsyncGenerator[Chunk | ToolUse, None]:
        from lsp_server.chat.workspace.tool_loop import converse
        from lsp_server.chat.workspace.tools import Toolbox

        root, settings = self._session.root, self._session.settings.chat
        if root is None or not settings.tools:
            return _plain(backend, request)
        why_withheld = await self._session.withholding()
        # Half of the budget for one look: 3 bytes are a token.
        room = settings.context_tokens * 3 // 2
        toolbox = Toolbox(root, self._open_text, self._diagnostics, why_withheld, room)
        return converse(backend, request, toolbox)

    def _open_text(self, uri: str) -> str | None:
        """Return the text of an open document."""
        document = self._session.documents.get(uri)
        return None if document is None else document.text

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._document.make(self._writer.next_edit, self._writer.applied)
            await asyncio.sleep(EDIT_PAUSE_S)

    async def _finished(self, ended: Ended) -> Ended:
        """Leave the document in order, and say how it ended; what it cannot take is shown."""
        from lsp_server.chat.chats.answer_writer import TurnGone

        said = self._writer.answer.said
        try:
            if ended.state != "gone":
                await self._put_in_order(ended.message)
        except (TurnGone, DocumentClosed):
            ended = ended if ended.state == "failed" else Ended("gone")
            self._show(ended.message)
        except UserFacingError as error:
            ended = Ended("failed", ended.message or str(error))
            self._show(ended.message)
        finally:
            self._over.set()
        return replace(ended, text=said)

    async def _put_in_order(self, message: str) -> None:
        writer, make = self._writer, self._document.make
        if not writer.answer.text:
            await make(lambda text: writer.nothing(text, message), writer.applied)
            return
        for sentence in filter(None, [*self._notes, message]):
            writer.answer.note(sentence)
        writer.answer.end()
        await make(writer.next_edit, writer.applied)
        await make(writer.next_question, writer.applied)

    def _show(self, message: str) -> None:
        if message:
            self._session.reporter.answer(message, Severity.WARNING)


async def _plain(backend: Backend, request: ChatRequest) -> AsyncGenerator[Chunk | ToolUse, None]:
    async with aclosing(backend.chat(request)) as chunks:
        async for chunk in chunks:
            yield chunk
