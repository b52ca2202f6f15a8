"""pygls with its holes closed, so that every request is answered exactly once and says what went wrong.

Owns JSON-RPC life cycle rules. What pygls 2.1.1 would do otherwise:

- never answer a request whose parameters do not parse, or that comes after `shutdown`;
- send tracebacks with local paths to the client;
- keep a second copy of every document, cut at form feeds and U+2028, and fail on unknown ones;
- leave with code 0 when `exit` comes without `shutdown`;
- warn of a cancellation that comes after the answer, which is an ordinary event;
- answer a command that the client cancels and let it go on, and keep its progress token to itself;
- fail when the client answers a question that nobody waits for any more.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInternalError,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcServerNotInitialized,
)
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.json_rpc import MsgId, RPCMessage
from pygls.protocol.language_server import _prepare_command_arguments

if TYPE_CHECKING:
    from cattrs import Converter

logger = logging.getLogger(__name__)

_OWN_TEXT_SYNC = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
)

LAST_ANSWERS_S = 1.0
"""For requests under way when `shutdown` comes; editors wait a few seconds for its answer."""

command_token: contextvars.ContextVar[int | str | None] = contextvars.ContextVar("token", default=None)
"""The progress token that came with the command that is run."""

_DEALT_WITH = object()
"""Stands for a message that has been answered, or cannot be, while it was being parsed."""


class Protocol(LanguageServerProtocol):
    """The protocol of one connection."""

    closing = False
    """True from the arrival of `shutdown` on."""
    client_name = ""
    """What the client calls itself."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        # Without the built-in handler pygls calls ours directly and keeps no text of its own.
        for method in _OWN_TEXT_SYNC:
            self.fm.builtin_features.pop(method, None)
        self.fm.builtin_features[types.SHUTDOWN] = self._shut_down
        self.fm.builtin_features[types.EXIT] = self._leave
        self.fm.builtin_features[types.WORKSPACE_EXECUTE_COMMAND] = self._execute_command

    def structure_message(self, data: dict[str, Any]) -> object:
        """Turn parsed JSON into a message; called for nested objects too."""
        if data.get("jsonrpc") != self.VERSION:
            return data
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            self._refuse_unreadable(data, error)
            return _DEALT_WITH

    def _refuse_unreadable(self, data: dict[str, Any], error: JsonRpcException) -> None:
        method, msg_id = data.get("method"), data.get("id")
        if method is None:
            future = self._request_futures.pop(msg_id, None) if msg_id is not None else None
            if future is not None:
                future.set_exception(error)
        elif msg_id is None:
            logger.warning("Ignored the notification %s: its parameters cannot be read", method)
        elif self.get_message_type(method) is None:
            self.refuse(msg_id, JsonRpcMethodNotFound.of(method))
        else:
            invalid = JsonRpcInvalidParams(f"The parameters of {method} cannot be read")
            self.refuse(msg_id, invalid)

    def refuse(self, msg_id: str | int | None, error: JsonRpcException) -> None:
        """Answer a request with an error; without an id, say that some message was wrong."""
        reason = {"code": error.code, "message": error.message}
        # Not a ResponseErrorMessage: lsprotocol would leave out an id that is null.
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": reason})

    def handle_message(self, message: RPCMessage) -> None:
        """Dispatch a message if the life cycle allows it."""
        if message is _DEALT_WITH:
            return
        if not hasattr(message, "jsonrpc"):
            self._refuse_foreign(message)
            return
        method = getattr(message, "method", None)
        if method is not None and (refusal := self._out_of_turn(method)):
            if hasattr(message, "id"):
                self.refuse(message.id, refusal)
            return
        if method == types.SHUTDOWN:
            self.closing = True
        super().handle_message(message)

    def _refuse_foreign(self, message: object) -> None:
        msg_id = message.get("id") if isinstance(message, dict) else None
        self.refuse(msg_id, JsonRpcInvalidRequest("This is not a JSON-RPC 2.0 message"))

    def _out_of_turn(self, method: str) -> JsonRpcException | None:
        if method == types.EXIT:
            return None
        if self.closing:
            return JsonRpcInvalidRequest("The server is shutting down")
        if self._workspace is None and method != types.INITIALIZE:
            return JsonRpcServerNotInitialized("The first request must be initialize")
        if self._workspace is not None and method == types.INITIALIZE:
            return JsonRpcInvalidRequest("The server is initialized already")
        return None

    def _send_response(
        self, msg_id: MsgId, result: object = None, error: types.ResponseError | None = None
    ) -> None:
        if error is not None and error.code == JsonRpcInternalError.CODE:
            # pygls puts the traceback into `data`; it is in the log.
            error = types.ResponseError(code=error.code, message="Internal error, see the log of the server")
        super()._send_response(msg_id, result, error)

    def _handle_response(
        self, msg_id: MsgId, result: object = None, error: types.ResponseError | None = None
    ) -> None:
        future = self._request_futures.get(msg_id)
        if future is not None and future.cancelled():
            del self._request_futures[msg_id]
            return
        super()._handle_response(msg_id, result, error)

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        if msg_id in self._request_futures:
            super()._handle_cancel_notification(msg_id)
        else:
            logger.debug("The request %s, to be cancelled, has been answered or never came", msg_id)

    async def _execute_command(self, params: types.ExecuteCommandParams) -> object:
        """Run a command on the task of its request, so that cancelling the one stops the other."""
        if (handler := self.fm.commands.get(params.command)) is None:
            raise JsonRpcInvalidParams(f"There is no command {params.command}")
        try:
            arguments, named = _prepare_command_arguments(handler, params, self._converter)
        except Exception as error:
            raise JsonRpcInvalidParams(f"The arguments of {params.command} cannot be read") from error
        command_token.set(params.work_done_token)
        result = handler(*arguments, **named)
        return await result if inspect.isawaitable(result) else result

    async def _shut_down(self, _: object) -> None:
        """Answer what is still under way, then the shutdown itself."""
        if (handler := self.fm.features.get(types.SHUTDOWN)) is not None:
            await handler(None)
        pending = [future for msg_id, future in self._request_futures.items() if msg_id != self.msg_id]
        await self.last_answers(except_for=self.msg_id)  # their work has just been ended
        for future in pending:
            future.cancel()
        await asyncio.gather(*filter(asyncio.isfuture, pending), return_exceptions=True)
        self._shutdown = True

    async def last_answers(self, *, except_for: MsgId | None = None) -> None:
        """Wait a moment for requests of the client that are about to be answered."""
        # pygls keeps its own requests, which are concurrent futures, and the client's side by side.
        futures: list[Any] = [
            future
            for msg_id, future in self._request_futures.items()
            if asyncio.isfuture(future) and msg_id != except_for
        ]
        if futures:
            await asyncio.wait(futures, timeout=LAST_ANSWERS_S)

    def _leave(self, _: object) -> None:
        """End the serving loop, which decides on the exit status."""
        self._server.shutdown()  # type: ignore[no-untyped-call]
