"""The commands `lsp_server.selectBackend`, `lsp_server.backends` and `lsp_server.status`.

    selectBackend [name]   use this backend or profile until the server ends; without a name the user is asked
    backends               what can be selected, for an editor that lets its user choose by itself

The choice lies over every other layer of the settings and is not written anywhere.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from lsp_server.features import status
from lsp_server.features.session import Session

if TYPE_CHECKING:
    from lsp_server.backends.profiles import Choice

COMMAND = "lsp_server.selectBackend"
LIST = "lsp_server.backends"


def register(server: LanguageServer, session: Session) -> None:
    """Serve the commands."""

    @server.command(COMMAND)
    async def select(*arguments: str) -> dict[str, Any]:  # pygls passes optional arguments no other way
        choices = await _choices(session)
        name = arguments[0] if arguments and arguments[0] is not None else await _ask(server, choices)
        if name is not None and name not in {choice.name for choice in choices}:
            known = ", ".join(choice.name for choice in choices)
            raise JsonRpcInvalidParams(f"There is no backend or profile {name}; there are {known}")
        if name is not None:
            session.select(name)
        return _selection(session, choices)

    @server.command(LIST)
    async def backends() -> dict[str, Any]:
        return _selection(session, await _choices(session))

    @server.command(status.COMMAND)
    def current_status() -> dict[str, Any]:
        return dataclasses.asdict(session.status.status)


def _selection(session: Session, choices: list[Choice]) -> dict[str, Any]:
    return {
        "selected": session.settings.backend,
        "choices": [{"name": choice.name, "title": choice.title} for choice in choices],
        "configured": list(session.settings.backends),
    }


async def _choices(session: Session) -> list[Choice]:
    """Find out what can be selected; looks for keys, so it runs on a thread."""

    def find() -> list[Choice]:
        from lsp_server.backends.profiles import selectable

        return list(selectable(session.settings))

    return await asyncio.to_thread(find)


async def _ask(server: LanguageServer, choices: list[Choice]) -> str | None:
    """Let the user choose; None if the user does not, or the editor cannot ask."""
    by_title = {f"{choice.name}: {choice.title}": choice for choice in choices}
    question = types.ShowMessageRequestParams(
        type=types.MessageType.Info,
        message="Which backend or profile should answer?",
        actions=[types.MessageActionItem(title=title) for title in by_title],
    )
    try:
        answer = await server.window_show_message_request_async(question)
    except JsonRpcException:
        return None
    chosen = by_title.get(answer.title) if answer is not None else None
    return chosen.name if chosen is not None else None
