"""Which documents are chats, and what is in them. Imports what that takes late, and on a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsp_server.documents.snapshot import Snapshot

if TYPE_CHECKING:
    from lsp_server.chat.chats.conversation import Conversation


async def is_chat(snapshot: Snapshot) -> bool:
    """Tell whether a document is a chat; costs nothing for all others."""
    return _may_be_chat(snapshot) and await asyncio.to_thread(_is_chat, snapshot)


async def conversation_of(snapshot: Snapshot) -> Conversation | None:
    """Take a chat apart; None for other documents."""
    return await asyncio.to_thread(_parsed, snapshot) if _may_be_chat(snapshot) else None


def _may_be_chat(snapshot: Snapshot) -> bool:
    """Look at a document not at all closely: this runs at each key and at each move of the cursor."""
    return snapshot.text.removeprefix("\ufeff")[:6].lower() == "# chat"


def _is_chat(snapshot: Snapshot) -> bool:
    from lsp_server.chat.chats.conversation import is_chat

    return is_chat(snapshot.text)


def _parsed(snapshot: Snapshot) -> Conversation | None:
    from lsp_server.chat.chats.conversation import parse

    return parse(snapshot.text)
