"""Chats in Markdown documents: the commands, and the code actions of such a document.

    openChat {uri, range}?    make a chat and open it, with a link to these lines; returns {uri}
    chat.send {uri, wait?}    send the last question and write the answer under it
    chat.regenerate {uri, wait?}    replace the last answer
    chat.stop {uri}           end the answer that is being written; returns {stopped}
    chat.apply {uri, position}    change the file that a code block is for; returns {applied}

`send` and `regenerate` return when the answer is whole: {uri, state, message, text}, with the states of
`chat_answer.Ended` and `refused`. So a client can cancel the request, and one without a screen can wait. With
`wait: false`, as code actions have it, they return at once ({state: "started"}), because some editors stand
still while a command runs. What the user should know is shown or stands in the chat; no command fails for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import UserFacingError
from lsp_server.features import chat_apply
from lsp_server.features.chat_answer import ChatAnswer, Ended, KnownDiagnostics
from lsp_server.features.chat_text import conversation_of
from lsp_server.features.client import Client
from lsp_server.features.protocol import command_token
from lsp_server.features.session import Session
from lsp_server.reporting import Severity
from lsp_server.uris import file_path

if TYPE_CHECKING:
    from lsp_server.chat.chats.conversation import Conversation

logger = logging.getLogger(__name__)

OPEN, SEND, STOP = "lsp_server.openChat", "lsp_server.chat.send", "lsp_server.chat.stop"
REGENERATE, APPLY = "lsp_server.chat.regenerate", "lsp_server.chat.apply"
KIND = "source.codestral.chat"

Result = dict[str, object]


def register(server: LanguageServer, session: Session, diagnostics: KnownDiagnostics) -> Chats:
    """Serve the commands; return what makes the code actions of chats."""
    chats = Chats(session, diagnostics)

    def named(arguments: tuple[object, ...]) -> str:
        return session.documents.spelled(_uri(arguments))

    @server.command(OPEN)
    async def open_chat(*arguments: Mapping[str, object]) -> Result:
        return await chats.told(chats.open(_selection(arguments)))

    @server.command(SEND)
    async def send(*arguments: Mapping[str, object]) -> Result:
        return await chats.told(chats.send(named(arguments), wait=_wait(arguments)))

    @server.command(REGENERATE)
    async def regenerate(*arguments: Mapping[str, object]) -> Result:
        return await chats.told(chats.send(named(arguments), wait=_wait(arguments), again=True))

    @server.command(STOP)
    def stop(*arguments: Mapping[str, object]) -> Result:
        return {"stopped": chats.stop(named(arguments))}

    @server.command(APPLY)
    async def apply(*arguments: Mapping[str, object]) -> Result:
        uri, position = named(arguments), _position(_object(arguments).get("position"))
        return await chats.told(chats.apply(uri, position))

    return chats


class Chats:
    """The chats of one connection."""

    def __init__(self, session: Session, diagnostics: KnownDiagnostics) -> None:
        self._session = session
        self._diagnostics = diagnostics
        self._answers: dict[str, ChatAnswer] = {}
        session.on_close.append(self._forget)

    async def told(self, work: Coroutine[object, object, Result]) -> Result:
        """Return the result of a command; a reason why there is none is shown."""
        try:
            if not self._session.settings.chat.enabled:
                work.close()
                raise UserFacingError("Chats are turned off by the setting chat.enabled.")
            return await work
        except UserFacingError as error:
            self._session.reporter.answer(str(error), Severity.WARNING)
            return {"state": "refused", "message": str(error)}

    async def open(self, selection: tuple[str, types.Range] | None) -> Result:
        """Make a chat and let the editor show it."""
        link = "" if selection is None else self._link(*selection)
        path, text = await asyncio.to_thread(_created, link)
        if not await self._shown(path, text):
            self._session.reporter.answer(f"The chat is in {path}: open it in the editor.")
        return {"uri": path.as_uri()}

    async def send(self, uri: str, *, wait: bool, again: bool = False) -> Result:
        """Have the last question answered, or the last answer replaced."""
        conversation = await self._conversation(uri)
        replaces = None
        if again:
            if (answered := conversation.answered) is None:
                raise UserFacingError("There is no answer yet that could be replaced.")
            question, replaces = answered
            conversation = conversation.until(question)
        else:
            conversation = conversation.until(conversation.question)
        answer = ChatAnswer(self._session, uri, conversation, replaces, self._diagnostics)
        self._answers[uri] = answer
        if wait:
            return await self._run(uri, answer)
        command_token.set(None)  # the request, and its progress, end now
        self._session.start(self._run_on(uri, answer))
        return {"uri": uri, "state": "started"}

    async def _conversation(self, uri: str) -> Conversation:
        """Return a chat in which nothing is being written, after a moment for an answer that was stopped."""
        for is_last in (False, True):
            conversation = await conversation_of(self._snapshot(uri))
            if conversation is None:
                raise UserFacingError(f"This document is no chat: the command {OPEN} makes one.")
            if not self._is_writing(uri):
                return conversation
            if is_last or not self._answers[uri].is_ending:
                break
            await self._answers[uri].put_in_order()
        raise UserFacingError("The last answer is still being written: stop it first.")

    def stop(self, uri: str) -> bool:
        """End the answer that is being written in a chat; False if there is none."""
        if not self._is_writing(uri):
            return False
        self._answers[uri].stop()
        return True

    async def apply(self, uri: str, position: types.Position) -> Result:
        """Offer what a code block of an answer changes in its file."""
        snapshot = self._snapshot(uri)
        offset = snapshot.lines.offset(position.line, position.character, self._session.encoding)
        return await chat_apply.apply(self._session, snapshot, offset)

    async def menu(
        self, snapshot: Snapshot, params: types.CodeActionParams
    ) -> Sequence[types.Command | types.CodeAction] | None:
        """Return the code actions of a chat, as the client takes them; None for other documents."""
        if (conversation := await conversation_of(snapshot)) is None:
            return None
        only = params.context.only
        if only is not None and not any(f"{KIND}.".startswith(f"{kind}.") for kind in only if kind):
            return []
        place = params.range.start
        offset = snapshot.lines.offset(place.line, place.character, self._session.encoding)
        found = await self._actions(snapshot, conversation, offset)
        if Client.of(self._session.server).literals:
            return found
        return [action.command for action in found if action.command is not None]

    async def _actions(
        self, snapshot: Snapshot, conversation: Conversation, start: int
    ) -> list[types.CodeAction]:
        uri = snapshot.uri
        if self._is_writing(uri):
            return [_action("Stop the answer", STOP, {"uri": uri})]
        turns, found = conversation.turns, []
        if turns and turns[-1].role == "user" and turns[-1].text:
            found.append(_action("Send the question", SEND, {"uri": uri, "wait": False}))
        if conversation.answered is not None:
            found.append(_action("Answer again", REGENERATE, {"uri": uri, "wait": False}))
        name = await asyncio.to_thread(chat_apply.target_name, self._session, snapshot, start)
        if name is not None:
            line, character = snapshot.lines.position(start, self._session.encoding)
            place = {"uri": uri, "position": {"line": line, "character": character}}
            found.append(_action(f"Apply this block to {name}", APPLY, place))
        return found

    async def _run_on(self, uri: str, answer: ChatAnswer) -> None:
        await self._run(uri, answer)

    async def _run(self, uri: str, answer: ChatAnswer) -> Result:
        try:
            ended = await self._session.runs.run(uri, answer.run(), stopped=Ended("stopped"))
        finally:
            answer.ended()
        return {"uri": uri, "state": ended.state, "message": ended.message, "text": ended.text}

    def _is_writing(self, uri: str) -> bool:
        answer = self._answers.get(uri)
        return answer is not None and not answer.is_over

    def _snapshot(self, uri: str) -> Snapshot:
        snapshot = self._session.documents.get(uri)
        if snapshot is None:
            raise UserFacingError("The chat is not open in the editor.")
        return snapshot

    def _link(self, uri: str, selected: types.Range) -> str:
        """Return a link to lines of a file in the workspace; for others show why not and return nothing."""
        root, path = self._session.root, file_path(uri)
        if root is None or path is None or not path.is_relative_to(root):
            self._session.reporter.answer("Only files of the workspace can be attached to a chat.")
            return ""
        first, last = selected.start.line + 1, selected.end.line + 1
        if selected.end.character == 0 and last > first:
            last -= 1  # whole lines were selected
        name = path.relative_to(root).as_posix()
        return f"[{name}:{first}-{last}]({path.as_uri()}#L{first}-L{last})"

    async def _shown(self, path: Path, text: str) -> bool:
        """Show a new chat with the cursor where the question goes; False if the editor does not."""
        # The line before the end of the last one: for vi's children there is nothing behind that.
        if not Client.of(self._session.server).shows_documents:
            return False
        end = types.Position(text.count("\n") - 1, 0)
        params = types.ShowDocumentParams(path.as_uri(), take_focus=True, selection=types.Range(end, end))
        try:
            return (await self._session.server.window_show_document_async(params)).success
        except JsonRpcException as error:
            logger.info("The editor did not show a chat: %s", error.message)
            return False

    def _forget(self, uri: str) -> None:
        self._answers.pop(uri, None)


def _created(link: str) -> tuple[Path, str]:
    from lsp_server.chat.chats import chat_files
    from lsp_server.chat.chats.conversation import new_chat

    text = new_chat(question=f"{link}\n" if link else "")
    return chat_files.create(text), text


def _action(title: str, command: str, argument: Mapping[str, object]) -> types.CodeAction:
    return types.CodeAction(
        title, kind=KIND, command=types.Command(title=title, command=command, arguments=[argument])
    )


def _object(arguments: tuple[object, ...]) -> Mapping[str, object]:
    given = arguments[0] if arguments else None
    if not isinstance(given, Mapping):
        raise JsonRpcInvalidParams("The command needs an object as its argument")
    return given


def _uri(arguments: tuple[object, ...]) -> str:
    uri = _object(arguments).get("uri")
    if not isinstance(uri, str):
        raise JsonRpcInvalidParams("`uri` has to be a text")
    return uri


def _wait(arguments: tuple[object, ...]) -> bool:
    return _object(arguments).get("wait", True) not in (False, None)  # Emacs gives false back as null


def _selection(arguments: tuple[object, ...]) -> tuple[str, types.Range] | None:
    if not arguments or arguments[0] is None:
        return None
    given = _object(arguments).get("range")
    if not isinstance(given, Mapping):
        raise JsonRpcInvalidParams("`range` has to be an object")
    start, end = _position(given.get("start")), _position(given.get("end"))
    return _uri(arguments), types.Range(min(start, end), max(start, end))


def _position(value: object) -> types.Position:
    if isinstance(value, Mapping):
        line, character = value.get("line"), value.get("character")
        if type(line) is int and type(character) is int and line >= 0 and character >= 0:
            return types.Position(line, character)
    raise JsonRpcInvalidParams("A position has a `line` and a `character`")
