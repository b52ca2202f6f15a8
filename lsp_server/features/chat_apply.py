"""The code block of a chat at a place, offered as a change of its file: shown first, or asked about.

Owns that nothing is changed without a yes. Which file it is and what changes is for `chat.apply_block`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import UserFacingError
from lsp_server.features.action_delivery import Delivery, StaleError
from lsp_server.features.action_run import Job
from lsp_server.features.client import CannotAskError, Client, ask
from lsp_server.features.session import Session

if TYPE_CHECKING:
    from lsp_server.chat.chats.apply_block import Aim, AimedBlock, TargetFile
    from lsp_server.chat.editing.proposal import Proposal

APPLY, DISCARD = "Apply", "Discard"


async def apply(session: Session, chat: Snapshot, offset: int) -> dict[str, object]:
    """Let the client apply the block at `offset`; raises `UserFacingError` without one, or a file for it."""
    name, proposal, job = await asyncio.to_thread(_prepared, session, chat, offset)
    client = Client.of(session.server)
    if not proposal.edits:
        session.reporter.answer(f"{name} is like that already.")
        return {"applied": False, "file": name}
    # A mark has a question of its own, or a preview.
    if session.settings.chat.preview and not client.annotations and not proposal.warning:
        try:
            answer = await ask(session.server, f"Apply the code block to {name}?", [APPLY, DISCARD])
        except CannotAskError as error:
            raise UserFacingError(
                "This editor can neither show the change first nor ask about it."
            ) from error
        if answer != APPLY:
            return {"applied": False, "file": name}
    try:
        is_open = proposal.base is not None
        result = await Delivery(session, client).apply(job, proposal, reveal=not is_open)
    except StaleError as error:
        raise UserFacingError(f"{name} has changed meanwhile: apply the block again.") from error
    return {**result, "file": name}


def target_name(session: Session, chat: Snapshot, offset: int) -> str | None:
    """Return the file that the block at `offset` is for; None without either. Reads files: on a thread."""
    try:
        return _found(session, chat, offset)[2].name
    except UserFacingError:
        return None


def _found(session: Session, chat: Snapshot, offset: int) -> tuple[AimedBlock, Aim, TargetFile]:
    from lsp_server.chat.chats.apply_block import best_aim, block_at
    from lsp_server.chat.chats.conversation import parse

    conversation = parse(chat.text)
    block = block_at(conversation, offset) if conversation is not None else None
    if block is None:
        raise UserFacingError("There is no code block of an answer here.")
    if session.root is None:
        raise UserFacingError("Code can be applied only in a workspace: open a folder in the editor.")
    found = best_aim(block, session.root, tuple(session.documents))
    if isinstance(found, UserFacingError):
        raise found
    return block, *found


def _prepared(session: Session, chat: Snapshot, offset: int) -> tuple[str, Proposal, Job]:
    from lsp_server.chat.actions.prompt_file import PromptFile
    from lsp_server.chat.actions.site import Target
    from lsp_server.chat.chats.apply_block import proposal
    from lsp_server.documents.languages import detect

    block, aim, target = _found(session, chat, offset)
    proposed = proposal(block, aim, target)
    title = f"Apply a code block to {target.name}"
    snapshot = target.open or Snapshot(target.uri, "", 0, target.text)
    language = detect(snapshot.language_id, target.uri)
    file = PromptFile(id="chat-apply", title=title, kind="", output="replace", body="")
    return target.name, proposed, Job(file, Target(snapshot, None, language, 0, 0, "file"), title, {})
