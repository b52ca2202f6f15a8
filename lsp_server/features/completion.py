"""textDocument/completion, for editors without inline completions; only if the user asks for it.

One entry, the completion of the word or line begun, in a list that is never complete, so that
editors ask again with each key.
"""

from __future__ import annotations

import re

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server.completion.acceptance import Offer
from lsp_server.completion.result import Completion
from lsp_server.documents.snapshot import Snapshot
from lsp_server.features import registration
from lsp_server.features.session import Session

OPTIONS = types.CompletionOptions(trigger_characters=[".", "(", "[", "=", " "])
"""Editors ask after word characters by themselves; these are where code often goes on without one."""

_WORD = re.compile(r"\w*\Z")
LABEL_LENGTH = 60
"""Longer labels are cut by the menus of most editors anyway."""


def register_if_wanted(server: LanguageServer, session: Session) -> None:
    """Serve completion items if the settings say so; before `initialize` is answered this advertises them."""
    if not session.settings.completion.as_completion_items or _registered(server):
        return

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, OPTIONS)
    async def completion(params: types.CompletionParams) -> types.CompletionList:
        # No await before the snapshot is taken: the next message may change the document.
        snapshot = session.documents.get(params.text_document.uri)
        item = None
        if snapshot is not None and session.settings.completion.as_completion_items:
            item = await _item(session, snapshot, params)
        return types.CompletionList(is_incomplete=True, items=[] if item is None else [item])


async def register_later_if_wanted(server: LanguageServer, session: Session) -> None:
    """Serve completion items if the settings have just come to say so."""
    if not session.settings.completion.as_completion_items or _registered(server):
        return
    register_if_wanted(server, session)
    await registration.register_later(server, types.TEXT_DOCUMENT_COMPLETION, OPTIONS)


def _registered(server: LanguageServer) -> bool:
    return types.TEXT_DOCUMENT_COMPLETION in server.protocol.fm.features


async def _item(
    session: Session, snapshot: Snapshot, params: types.CompletionParams
) -> types.CompletionItem | None:
    lines, position = snapshot.lines, params.position
    offset = lines.offset(position.line, position.character, session.encoding)
    # LSP's trigger kind does not tell a request by hand from one after each word character.
    outcome = await session.complete(snapshot, offset, invoked=False)
    if not isinstance(outcome, Completion) or not outcome.text.strip():
        return None
    session.stats.offer(Offer(snapshot, offset, offset, outcome.text))
    line_start = lines.start(lines.line_of(offset))
    word_match = _WORD.search(snapshot.text, line_start, offset)
    word = word_match[0] if word_match else ""
    start = types.Position(*lines.position(offset - len(word), session.encoding))
    end = types.Position(*lines.position(offset, session.encoding))
    text = word + outcome.text
    label = text.strip().splitlines()[0].rstrip()
    return types.CompletionItem(
        label=label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…",
        kind=types.CompletionItemKind.Text,
        detail="codestral-lsp",
        documentation=text,
        preselect=True,
        # Editors drop entries that do not match the word before the cursor.
        filter_text=word or label,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(types.Range(start, end), text),
    )
