"""What would be sent to whom, and what would be kept back. Sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from lsp_server.backends.guarded import Guarded
from lsp_server.backends.protocol import ChatRequest, ToolSpec
from lsp_server.backends.router import connect
from lsp_server.chat.prompting.prompt import rendered
from lsp_server.chat.prompting.wording import estimated_tokens
from lsp_server.cli._stream import write_json, write_text
from lsp_server.errors import TextWithheld
from lsp_server.privacy.destination import Destination
from lsp_server.privacy.rules import PrivacyRules
from lsp_server.settings import Settings


def _receivers(settings: Settings) -> tuple[Guarded, ...]:
    """Return the backends for chat, in the order in which they are tried."""
    connected = connect(settings)
    asyncio.run(connected.aclose())
    return connected.asked_in_chats


def show(settings: Settings, request: ChatRequest, *, tools: Sequence[ToolSpec], as_json: bool) -> None:
    """Print a request, where it would go, and what would not."""
    to = _receivers(settings)
    kept_back = {item.name: list(_withheld(settings, request, item)) for item in to}
    tokens = sum(estimated_tokens(message.content) for message in request.messages)
    names = [tool.name for tool in tools]
    if as_json:
        found: dict[str, object] = {
            "to": [
                {
                    "backend": item.name,
                    "destination": item.destination.value,
                    "withheld": kept_back[item.name],
                }
                for item in to
            ],
            "tokens": tokens,
            "max_tokens": request.max_tokens,
            "documents": list(request.documents),
            "tools": names,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        }
        write_json(found, indent=2)
        return
    lines = []
    for item in to:
        lines.append(f"to        {item.name}, {item.destination.value}")
        lines += [f"withheld  {phrase}" for phrase in kept_back[item.name]]
    lines.append(f"tokens    about {tokens}, and at most {request.max_tokens} for the answer")
    lines += [f"file      {uri}" for uri in request.documents]
    if names:
        lines.append(f"tools     {', '.join(names)}")
    write_text("".join(f"{line}\n" for line in [*lines, ""]) + rendered(request))


def _withheld(settings: Settings, request: ChatRequest, to: Guarded) -> Iterator[str]:
    if to.destination is Destination.THIS_MACHINE:
        return
    try:
        texts = [message.content for message in request.messages]
        yield from PrivacyRules(settings.privacy).clear_texts(texts, request.documents).withheld
    except TextWithheld as error:
        yield str(error)
