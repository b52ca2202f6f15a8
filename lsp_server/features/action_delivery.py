"""What comes of a proposal: an edit for the client, questions about it, or a text to look at.

Owns that nothing that is marked is applied without a yes, and nothing to a text that has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp_server.features.action_run import Job
from lsp_server.features.client import CannotAskError, Client, ask
from lsp_server.features.explanation import Explanation
from lsp_server.features.partial_text import PartialText
from lsp_server.features.session import Session
from lsp_server.features.workspace_edit import Change, change, last_place, workspace_edit
from lsp_server.reporting import Severity

if TYPE_CHECKING:
    from lsp_server.chat.editing.proposal import Proposal
    from lsp_server.documents.snapshot import Snapshot

APPLY, DISCARD, AGAIN = "Apply anyway", "Discard", "Run again"

QUIET_S = 0.25
"""Neovim tells changes up to 0.15 s late, and drops an edit for a text that has changes untold."""
PATIENCE_S = 5.0
"""For somebody who types on and on."""


class StaleError(Exception):
    """The code has changed where the proposal matters."""


@dataclass(frozen=True)
class Delivery:
    """Brings proposals to one client."""

    session: Session
    client: Client

    async def edit(self, job: Job, proposal: Proposal, *, previews: bool) -> types.WorkspaceEdit | None:
        """Return the edit for the client to apply; None if there is none, which the user knows then.

        `previews` says whether the client shows this edit first if that is marked. Raises `StaleError`.
        """
        await self._pause_in_typing(job)
        now = await self._change(proposal)
        if not now.edits:
            self.session.reporter.answer(f"{job.title}: the code is like that already.")
            return None
        if proposal.warning and not previews:
            if not await self._agreed(job, proposal, now):
                return None
            now = await self._change(proposal)  # the user may have taken a while
        label = f"{job.title}: {proposal.warning}" if proposal.warning else job.title
        confirm = bool(proposal.warning) or self.session.settings.chat.preview
        edit = workspace_edit(now, self.client, self.session.encoding, label, confirm=confirm)
        if edit is None:
            await self._show(job, proposal, now, f"This editor cannot make the file {now.uri}.")
        return edit

    async def apply(self, job: Job, proposal: Proposal, *, reveal: bool) -> dict[str, object]:
        """Let the client apply a proposal; return what came of it, for the result of a command.

        With `reveal` the client is to show then what has changed. A client that applies no edits gets the
        edit in the result. Raises `StaleError`.
        """
        edit = await self.edit(job, proposal, previews=self.client.annotations)
        if edit is None:
            return {"applied": False}
        if not self.client.applies:
            now = await self._change(proposal)
            await self._show(job, proposal, now, "This editor applies no edits of a language server.")
            return {"applied": False, "edit": edit}
        params = types.ApplyWorkspaceEditParams(edit=edit, label=job.title)
        try:
            result = await self.session.server.workspace_apply_edit_async(params)
        except JsonRpcException as error:
            result = types.ApplyWorkspaceEditResult(applied=False, failure_reason=error.message)
        if not result.applied:
            self._not_applied(job, result, edit)
        elif reveal and self.client.shows_documents:
            await self._reveal(edit)
        return {"applied": result.applied}

    async def run_again(self, job: Job) -> bool:
        """Ask whether to run an action again whose code has changed."""
        question = f"{job.title}: the code changed meanwhile. Run again?"
        try:
            return await ask(self.session.server, question, [AGAIN]) == AGAIN
        except CannotAskError:
            self.stale(job)
            return False

    def stale(self, job: Job) -> None:
        """Say that the code has changed."""
        self.session.reporter.answer(f"{job.title}: the code changed meanwhile, so run it again.")

    def nothing(self, job: Job, reason: str, said: str) -> None:
        """Say that there is nothing to apply."""
        shown = f" It said: {said[:300]}" if said else ""
        self.session.reporter.answer(f"{job.title}: {reason}.{shown}", Severity.WARNING)

    async def _change(self, proposal: Proposal) -> Change:
        found = await asyncio.to_thread(change, proposal, tuple(self.session.documents))
        if found is None:
            raise StaleError
        return found

    async def _pause_in_typing(self, job: Job) -> None:
        """Wait until the user pauses, if the text has changed since the action began."""
        uri, documents = job.target.snapshot.uri, self.session.documents
        newest: Snapshot | None = job.target.snapshot
        for _ in range(round(PATIENCE_S / QUIET_S)):
            before, newest = newest, documents.get(uri)
            if newest is before:
                return
            await asyncio.sleep(QUIET_S)

    async def _reveal(self, edit: types.WorkspaceEdit) -> None:
        """Let the client show the last place of an edit: many keep a changed file to themselves."""
        uri, line = last_place(edit)
        place = types.Position(line, 0)
        params = types.ShowDocumentParams(uri, take_focus=False, selection=types.Range(place, place))
        with contextlib.suppress(JsonRpcException):
            await self.session.server.window_show_document_async(params)

    async def _agreed(self, job: Job, proposal: Proposal, now: Change) -> bool:
        """Ask whether to apply what is marked; where nobody can be asked it is shown and not applied."""
        question = f"{job.title}: {proposal.warning}"
        try:
            return await ask(self.session.server, question, [APPLY, DISCARD], warn=True) == APPLY
        except CannotAskError:
            await self._show(job, proposal, now, f"Not applied: {proposal.warning}")
            return False

    async def _show(self, job: Job, proposal: Proposal, now: Change, why: str) -> None:
        from lsp_server.chat.prompting.wording import fenced

        code = fenced("".join(edit.text for edit in now.edits), job.target.language.name)
        if self.client.answers:
            token = str(uuid.uuid4())
            told = PartialText(self.session.server, token, proposal.uri, job.file.id, job.title, answer=True)
            with told.run():
                told.send(code)
                told.note(why)
            return
        shown = Explanation(self.session.server, job.title, f"{job.file.id}-{job.target.name}", proposal.uri)
        await shown.finish(code, why)

    def _not_applied(
        self, job: Job, result: types.ApplyWorkspaceEditResult, edit: types.WorkspaceEdit
    ) -> None:
        """Say so, unless it is the user who looked at the edit and did not want it."""
        if edit.change_annotations is None or result.failure_reason:
            reason = f" ({result.failure_reason})" if result.failure_reason else ""
            message = f"{job.title}: the editor did not apply the edit{reason}."
            self.session.reporter.answer(message, Severity.WARNING)
