"""The last question of a chat as a request, with the files attached. Owns what a missing file means."""

from __future__ import annotations

from pathlib import Path

from lsp_server.backends.protocol import ChatRequest
from lsp_server.chat.chats.conversation import Conversation, messages
from lsp_server.chat.prompting.wording import fenced
from lsp_server.chat.workspace import attachments
from lsp_server.chat.workspace.attachments import Link
from lsp_server.chat.workspace.workspace_text import OpenText, Unreadable, place
from lsp_server.errors import UserFacingError
from lsp_server.settings import ChatSettings

NO_WORKSPACE = "Files can be attached only from a workspace: open a folder in the editor."


def chat_question(
    conversation: Conversation, settings: ChatSettings, uri: str, root: Path | None, open_text: OpenText
) -> ChatRequest:
    """Return what the model is asked; `uri` is the chat's own. Reads files: call it on a thread.

    What the last question attaches has to be there; what earlier ones did may be gone by now. Raises
    `UserFacingError`.
    """
    last = conversation.turns[-1]
    attached: dict[Link, str] = {}
    documents = {uri: None}
    for turn in conversation.turns:
        for link in turn.links:
            try:
                text, document = _read(link, root, open_text)
            except UserFacingError:
                if turn is last:
                    raise
                continue
            attached[link] = text
            documents[document] = None
    asked = messages(conversation, settings.context_tokens, attached)
    return ChatRequest(asked, settings.max_tokens, settings.temperature, documents=tuple(documents))


def _read(link: Link, root: Path | None, open_text: OpenText) -> tuple[str, str]:
    if root is None:
        raise Unreadable(NO_WORKSPACE)
    found = attachments.read(link, root, open_text)
    name = place(root, link.path).name
    lines = "" if link.first_line is None else f":{link.first_line}-{link.last_line}"
    return fenced(found.text, f"{found.language} {name}{lines}"), found.uri
