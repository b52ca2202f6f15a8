"""textDocument/codeAction, codeAction/resolve and the command `lsp_server.runAction`.

    runAction {action, uri, version?, range?, diagnostics?, answers?, wait?}
    stopAction {action, uri}    end a run, as the menu offers while there is one; returns {stopped}

The menu is made from syntax alone. An action that changes code runs when the client resolves it, where
that is possible, else as the command, which asks the client to apply the edit; what is answered in words is
always the command. Its result is `{"applied": …}`, or `{"uri": …, "markdown": …}` (without `uri` for a client
that shows answers itself, see `partial_text`), or `{"cancelled": true}`; with `wait: false` it is
`{"started": true}` at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import attrs
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import UserFacingError
from lsp_server.features import action_place, chat_document
from lsp_server.features.action_call import ActionCall, BadCallError
from lsp_server.features.action_delivery import Delivery, StaleError
from lsp_server.features.action_menu import (
    COMMAND,
    QUICK_FIX,
    STOP,
    STOP_KIND,
    entries,
    stops,
    unasked,
    within,
)
from lsp_server.features.action_run import ActionRunner, ToldError, again
from lsp_server.features.action_state import ActionState
from lsp_server.features.chat_entry import openings
from lsp_server.features.client import Client
from lsp_server.features.explanations import Explained
from lsp_server.features.partial_text import UNEXPECTED
from lsp_server.features.protocol import command_token
from lsp_server.features.session import Session
from lsp_server.reporting import Severity

if TYPE_CHECKING:
    from lsp_server.chat.actions.site import Diagnostic

logger = logging.getLogger(__name__)

KINDS = ["quickfix.codestral", "refactor.rewrite.codestral", "refactor.codestral", "source.codestral"]
OPTIONS = types.CodeActionOptions(code_action_kinds=KINDS, resolve_provider=True)
CANCELLED: dict[str, object] = {"cancelled": True}


def register(server: LanguageServer, session: Session) -> None:
    """Serve actions."""
    actions = Actions(session)
    chats = chat_document.register(server, session, actions.known_diagnostics)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, OPTIONS)
    async def code_action(params: types.CodeActionParams) -> Sequence[types.Command | types.CodeAction]:
        # No await before the snapshot is taken: the next message may change the document.
        snapshot = session.documents.get(params.text_document.uri)
        if snapshot is None or not session.settings.chat.enabled:
            return []
        if (found := await chats.menu(snapshot, params)) is not None:
            return found
        return await actions.menu(snapshot, params)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        return await actions.resolved(action)

    @server.command(COMMAND)
    # For `object` pygls passes the server, too.
    async def run_action(*arguments: dict[str, object]) -> dict[str, object]:
        call = actions.named(_call(COMMAND, arguments))
        if call.wait:
            return await actions.run(call)
        command_token.set(None)  # the request, and its progress, end now
        session.start(actions.run_on(call))
        return {"started": True}

    @server.command(STOP)
    # Not async: a stop is not to wait for what it stops.
    def stop_action(*arguments: dict[str, object]) -> dict[str, object]:
        return {"stopped": actions.stop(actions.named(_call(STOP, arguments)))}


def _wanted(context: types.CodeActionContext, kind: str) -> bool:
    """Tell whether the user asks for a menu that entries of this kind belong into."""
    return not unasked(context) and (context.only is None or any(within(kind, it) for it in context.only))


def _call(command: str, arguments: Sequence[object]) -> ActionCall:
    try:
        return ActionCall.from_wire(arguments[0] if arguments else None)
    except BadCallError as error:
        raise JsonRpcInvalidParams(f"{command}: {error}") from error


class Actions:
    """The actions of one connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._state = ActionState(session)
        self._runner = ActionRunner(session, self._state)
        session.on_close.append(self._state.forget)

    def named(self, call: ActionCall) -> ActionCall:
        """Return a call of a client with the spelling of the uri that the document was opened with."""
        return replace(call, uri=self._session.documents.spelled(call.uri))

    def known_diagnostics(self, uri: str) -> Sequence[Diagnostic]:
        """Return what the client said last was wrong with an open document; also called on threads."""
        now = self._session.documents.get(uri)
        base, found = self._state.diagnostics(uri if now is None else now.uri)
        if now is None or base is None:
            return ()
        encoding = self._session.encoding
        call = action_place.brought_along(base, now, ActionCall("", uri, diagnostics=found), encoding)
        return [action_place.diagnostic(now, it, encoding) for it in call.diagnostics]

    async def menu(
        self, snapshot: Snapshot, params: types.CodeActionParams
    ) -> list[types.Command | types.CodeAction]:
        """Return what makes sense at a place."""
        call = ActionCall("", snapshot.uri, snapshot.version, params.range, tuple(params.context.diagnostics))
        self._state.offered(snapshot, call)
        catalogue = await self._state.catalogue()
        hidden = self._session.settings.chat.hidden_actions
        files = [file for file in catalogue.files if file.id not in hidden]
        only = params.context.only
        if only is not None:
            files = [file for file in files if any(within(file.kind, kind) for kind in only)]
        client, preview = Client.of(self._session.server), self._session.settings.chat.preview
        found: list[types.Command | types.CodeAction] = []
        if _wanted(params.context, STOP_KIND):
            found += stops(client, snapshot.uri, self._runner.under_way(snapshot.uri))
        chats = _wanted(params.context, chat_document.KIND)
        if not files and not chats:
            return found
        site, offers = await asyncio.to_thread(
            action_place.menu, self._state, snapshot, call, files, self._session.encoding
        )
        if unasked(params.context) and not site.selected:
            offers = [offer for offer in offers if within(offer.file.kind, QUICK_FIX)]
        found += entries(client, site, offers, call, preview=preview)
        if chats:
            found += openings(self._session, client, snapshot, site.target("definition"))
        return found

    def stop(self, call: ActionCall) -> bool:
        """End the run of an action on a document; False if there is none."""
        return self._runner.stop(call.uri, call.action)

    async def resolved(self, action: types.CodeAction) -> types.CodeAction:
        """Run an action and return it with its edit, or as it came if there is none."""
        if action.command is not None:
            return action  # Neovim resolves these, too
        try:
            call = self.named(ActionCall.from_wire(action.data))
            return await self._session.runs.run(call.uri, self._resolve(action, call), stopped=action)
        except BadCallError as error:
            logger.warning("An action to resolve makes no sense: %s", error)
        except UserFacingError as error:
            self._failed(error)
        except Exception:
            self._unexpected()
        return action

    async def _resolve(self, action: types.CodeAction, call: ActionCall) -> types.CodeAction:
        if (await self._runner.file(call)).output == "markdown":
            return action  # runs as the command
        from lsp_server.chat.editing.proposal import Proposal

        job = await self._runner.job(call)
        client = Client.of(self._session.server)
        delivery = Delivery(self._session, client)
        outcome = await self._runner.propose(job)
        if not isinstance(outcome, Proposal):
            delivery.nothing(job, outcome.reason, outcome.text)
            return action
        try:
            edit = await delivery.edit(job, outcome, previews=client.previews_actions)
        except StaleError:
            delivery.stale(job)
            return action
        return attrs.evolve(action, edit=edit)

    async def run(self, call: ActionCall) -> dict[str, object]:
        """Run an action as a command and let the client apply or show what comes of it."""
        try:
            return await self._session.runs.run(call.uri, self._run(call), stopped=CANCELLED)
        except UserFacingError as error:
            self._failed(error)
            return {"applied": False, "message": str(error)}
        except Exception:
            self._unexpected()
            return {"applied": False, "message": UNEXPECTED}

    def _failed(self, error: UserFacingError) -> None:
        logger.warning("An action failed: %s", error)
        if not isinstance(error, ToldError):
            self._session.reporter.answer(str(error), Severity.ERROR)

    def _unexpected(self) -> None:
        logger.exception("An action failed unexpectedly")
        self._session.reporter.answer(UNEXPECTED, Severity.ERROR)

    async def run_on(self, call: ActionCall) -> None:
        """Run an action that nobody waits for."""
        await self.run(call)

    async def _run(self, call: ActionCall) -> dict[str, object]:
        from lsp_server.chat.editing.proposal import Proposal

        delivery = Delivery(self._session, Client.of(self._session.server))
        while True:
            job = await self._runner.job(call)
            if job.file.output == "markdown":
                told = await self._runner.explain(job)
                target = job.target
                self._session.explanations.remember(
                    Explained(target.snapshot, target.start, target.end, told.markdown)
                )
                place = {"uri": told.uri} if told.uri else {}
                return {**place, "markdown": told.markdown}
            outcome = await self._runner.propose(job)
            if not isinstance(outcome, Proposal):
                delivery.nothing(job, outcome.reason, outcome.text)
                return {"applied": False, "message": outcome.reason}
            try:
                elsewhere = outcome.uri != job.target.snapshot.uri
                return await delivery.apply(job, outcome, reveal=elsewhere)
            except StaleError:
                if not await delivery.run_again(job):
                    return {"applied": False, "message": "the code changed meanwhile"}
            call = again(call, job)
