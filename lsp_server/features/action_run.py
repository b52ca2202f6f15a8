"""Running one action: from what the client sent back to a proposal or a text, with progress on the way.

Owns that there is one run per document and action. Applies nothing. Errors are `UserFacingError`s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsp_server.errors import UserFacingError
from lsp_server.features import action_place
from lsp_server.features.action_call import ActionCall
from lsp_server.features.action_state import ActionState
from lsp_server.features.client import CannotAskError, Client, ask
from lsp_server.features.explanation import Explanation
from lsp_server.features.partial_text import PartialText
from lsp_server.features.run_progress import RunProgress, words
from lsp_server.features.session import Session

if TYPE_CHECKING:
    from lsp_server.backends.protocol import Backend
    from lsp_server.chat.actions.prompt_file import PromptFile
    from lsp_server.chat.actions.site import Target
    from lsp_server.chat.editing.proposal import NoEdit, Proposal
    from lsp_server.chat.prompting.context import Context
    from lsp_server.chat.replies.answer import Answer
    from lsp_server.chat.rewrite import Step

TAIL_LENGTH = 60
"""Of the last line in a progress message; bars are narrow."""


@dataclass(frozen=True)
class Job:
    """An action and what it works on."""

    file: PromptFile
    target: Target
    title: str
    answers: Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """An answer in words, shown already."""

    uri: str | None
    """Of the file that it is in; None if the client shows it itself."""
    markdown: str


class ToldError(UserFacingError):
    """An action has failed, and the client shows it where it would have shown the answer."""


class ActionRunner:
    """Runs the actions of one session."""

    def __init__(self, session: Session, state: ActionState) -> None:
        self._session = session
        self._state = state
        self._latest: dict[tuple[str, str], tuple[asyncio.Task[object], str]] = {}

    def under_way(self, uri: str) -> dict[str, str]:
        """Return the ids and titles of the actions that run on a document."""
        return {action: title for (of, action), (_, title) in self._latest.items() if of == uri}

    def stop(self, uri: str, action: str) -> bool:
        """End the run of an action on a document; False if there is none."""
        if (latest := self._latest.get((uri, action))) is None:
            return False
        latest[0].cancel()
        return True

    async def file(self, call: ActionCall) -> PromptFile:
        """Return the action that is called."""
        file = (await self._state.catalogue()).get(call.action)
        if file is None:
            raise UserFacingError(f"There is no code action `{call.action}`: open the menu again.")
        return file

    async def job(self, call: ActionCall) -> Job:
        """Look at the place as it is now, and ask the user what the action wants to know."""
        file = await self.file(call)
        call = await self.brought_up_to_date(call)
        snapshot = self._session.documents.get(call.uri)
        if snapshot is None:
            raise UserFacingError("The document is not open in the editor.")
        _, offers = await asyncio.to_thread(
            action_place.menu, self._state, snapshot, call, (file,), self._session.encoding
        )
        if not offers:
            raise UserFacingError(f"`{file.id}` has nothing to work on here: open the menu again.")
        [offer] = offers
        return Job(file, offer.target, offer.title, await self._answers(file, call))

    async def brought_up_to_date(self, call: ActionCall) -> ActionCall:
        """Return a call made for an earlier text as one for the newest."""
        now = self._session.documents.get(call.uri)
        if now is None or call.version is None or call.version == now.version:
            return call
        base = self._state.text(call.uri, call.version)
        if base is None:
            raise UserFacingError("The code has changed since the menu was opened: open it again.")
        return await asyncio.to_thread(action_place.brought_along, base, now, call, self._session.encoding)

    async def propose(self, job: Job) -> Proposal | NoEdit:
        """Run an action that changes code."""
        from lsp_server.chat.editing.proposal import NoEdit
        from lsp_server.chat.rewrite import InParts, Partial, Retrying

        with self._alone(job):
            async with RunProgress(self._session.server, job.title) as progress:
                partial = self._partial(job, progress)
                last: Step = NoEdit("the model said nothing")
                with partial.run():
                    async with aclosing(self._steps(job, progress)) as steps:
                        async for last in steps:
                            if isinstance(last, Partial):
                                self._show(job, progress, partial, last.reply.text, last.withheld)
                            elif isinstance(last, Retrying):
                                progress.report(f"asking again: {last.reason}")
                            elif isinstance(last, InParts):
                                progress.report(f"part {last.number} of {last.total}")
                assert not isinstance(last, Partial | Retrying | InParts)
                return last

    async def explain(self, job: Job) -> Told:
        """Run an action that is answered in words, and show them while they come."""
        with self._alone(job):
            async with RunProgress(self._session.server, job.title) as progress:
                partial = self._partial(job, progress)
                if not Client.of(self._session.server).answers:
                    with partial.run():
                        return await self._shown(job, progress, partial)
                try:
                    with partial.run():
                        return await self._told(job, progress, partial)
                except UserFacingError as error:
                    raise ToldError(str(error)) from error

    async def _told(self, job: Job, progress: RunProgress, partial: PartialText) -> Told:
        """Let the client show an answer from what it is told on the way."""
        from lsp_server.chat.replies.harmless import harmless

        async with aclosing(self._whole(job, progress, partial)) as texts:
            [*_, text] = [text async for text in texts]
        return Told(None, harmless(text.strip()))

    async def _shown(self, job: Job, progress: RunProgress, partial: PartialText) -> Told:
        """Show an answer in a file."""
        name = "-".join(filter(None, [job.file.id, job.target.name, _file_name(job)]))
        shown = Explanation(self._session.server, job.title, name, job.target.snapshot.uri)
        text = ""
        try:
            async with aclosing(self._whole(job, progress, partial)) as texts:
                async for text in texts:
                    await shown.grow(text)
        except BaseException:
            shown.stop(text)
            raise
        markdown = await shown.finish(text, *partial.notes)
        return Told(shown.uri, markdown)

    async def _whole(
        self, job: Job, progress: RunProgress, partial: PartialText
    ) -> AsyncGenerator[str, None]:
        """Yield all of an answer so far, again and again; the last one is not empty."""
        text = ""
        async with aclosing(self._words(job, progress)) as answers:
            async for answer in answers:
                text = answer.text
                partial.note(*_notes(answer))
                self._show(job, progress, partial, text, answer.withheld)
                yield text
        if not text.strip():
            raise UserFacingError("The model said nothing: ask again, or choose another model.")

    async def _steps(self, job: Job, progress: RunProgress) -> AsyncGenerator[Step, None]:
        backend, context = await self._ready(job, progress)
        from lsp_server.chat.rewrite import rewrite

        settings = self._session.settings.chat
        async with aclosing(rewrite(backend, job.file, job.target, context, settings, job.answers)) as steps:
            async for step in steps:
                yield step

    async def _words(self, job: Job, progress: RunProgress) -> AsyncGenerator[Answer, None]:
        backend, context = await self._ready(job, progress)
        from lsp_server.chat.prompting.prompt import chat_request
        from lsp_server.chat.replies.answer import answer

        settings = self._session.settings.chat
        request = await asyncio.to_thread(chat_request, job.file, job.target, context, settings, job.answers)
        async with aclosing(answer(backend, request)) as answers:
            async for said in answers:
                yield said

    async def _ready(self, job: Job, progress: RunProgress) -> tuple[Backend, Context]:
        progress.report("waiting for the model")
        backend = await self._session.chat()
        progress.report("reading the code")
        cells, _ = self._session.notebooks.around(job.target.snapshot, self._session.documents.get)
        return backend, await asyncio.to_thread(self._gathered, job, cells)

    def _gathered(self, job: Job, cells: list[str]) -> Context:
        from lsp_server.chat.prompting.context import gather

        budget = self._session.settings.chat.context_tokens
        return gather(job.target, job.file.context, budget, self._session.root, cells)

    def _partial(self, job: Job, progress: RunProgress) -> PartialText:
        uri = job.target.snapshot.uri
        answer = job.file.output == "markdown"
        return PartialText(self._session.server, progress.token, uri, job.file.id, job.title, answer=answer)

    def _show(
        self, job: Job, progress: RunProgress, partial: PartialText, text: str, withheld: tuple[str, ...]
    ) -> None:
        progress.report_lazily(lambda: _summary(text))
        partial.send(text)
        if withheld:
            self._session.status.update(uri=job.target.snapshot.uri, withheld=withheld)

    async def _answers(self, file: PromptFile, call: ActionCall) -> Mapping[str, str]:
        question = file.question
        if question is None:
            return {}
        given = call.answers.get(question.variable)
        if given is not None and (not question.choices or given in question.choices):
            return {question.variable: given}
        try:
            chosen = await ask(self._session.server, question.text, list(question.choices))
        except CannotAskError as error:
            raise UserFacingError(f"This editor cannot ask: {question.text}") from error
        if chosen is None:
            raise asyncio.CancelledError
        return {question.variable: chosen}

    @contextmanager
    def _alone(self, job: Job) -> Iterator[None]:
        """Stop an older run of the same action on the same document."""
        key, task = (job.target.snapshot.uri, job.file.id), asyncio.current_task()
        assert task is not None
        if older := self._latest.get(key):
            older[0].cancel()
        self._latest[key] = task, job.title
        try:
            yield
        finally:
            if (latest := self._latest.get(key)) and latest[0] is task:
                del self._latest[key]


def again(call: ActionCall, job: Job) -> ActionCall:
    """Return the call with the answers that the user has given."""
    return replace(call, answers=job.answers)


def _file_name(job: Job) -> str:
    return job.target.snapshot.uri.rpartition("/")[2]


def _notes(answer: Answer) -> Iterator[str]:
    yield from (f"Not shown to the model: {what}" for what in answer.withheld)
    if answer.cut:
        yield "The answer was cut off: raise `chat.max_tokens` for longer ones."
    if answer.copied:
        yield "This only repeats what the model was told: run the action again, or choose a larger model."


def _summary(text: str) -> str:
    tail = text.rstrip().rpartition("\n")[2].strip()
    return f"{words(text)} · {tail[-TAIL_LENGTH:]}"
