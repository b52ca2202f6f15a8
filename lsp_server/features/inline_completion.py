"""textDocument/inlineCompletion.

Always answers a list: null leaves stale ghost text in Neovim 0.12, and an error becomes a
notification in VS Code. Ranges stay on one line, editors refuse others.
"""

from __future__ import annotations

from dataclasses import replace

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server.completion.acceptance import Offer
from lsp_server.completion.result import Completion
from lsp_server.documents.snapshot import Snapshot
from lsp_server.features.session import Session


def register(server: LanguageServer, session: Session) -> None:
    """Serve inline completions."""

    # Without options pygls does not advertise the capability.
    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    async def inline_completion(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        # No await before the snapshot is taken: the next message may change the document.
        snapshot = session.documents.get(params.text_document.uri)
        if snapshot is None:
            return types.InlineCompletionList(items=[])
        item = await _item(session, snapshot, params)
        return types.InlineCompletionList(items=[] if item is None else [item])


async def _item(
    session: Session, snapshot: Snapshot, params: types.InlineCompletionParams
) -> types.InlineCompletionItem | None:
    position, context = params.position, params.context
    invoked = context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
    selected = context.selected_completion_info
    if selected is not None and selected.range.start.line == position.line and selected.range.end == position:
        return await _after_selected(session, snapshot, selected, invoked=invoked)
    offset = snapshot.lines.offset(position.line, position.character, session.encoding)
    outcome = await session.complete(snapshot, offset, invoked=invoked, cursor=offset)
    if not isinstance(outcome, Completion):
        return None
    session.stats.offer(Offer(snapshot, offset, offset, outcome.text))
    cursor = types.Position(*snapshot.lines.position(offset, session.encoding))
    return types.InlineCompletionItem(insert_text=outcome.text, range=types.Range(cursor, cursor))


async def _after_selected(
    session: Session, snapshot: Snapshot, selected: types.SelectedCompletionInfo, *, invoked: bool
) -> types.InlineCompletionItem | None:
    """Continue the entry selected in the editor's completion list, as if it had been accepted.

    The editor shows only items that begin with the text of that entry.
    """
    begin, end = selected.range.start, selected.range.end
    start = snapshot.lines.offset(begin.line, begin.character, session.encoding)
    stop = snapshot.lines.offset(end.line, end.character, session.encoding)
    text = snapshot.text[:start] + selected.text + snapshot.text[stop:]
    assumed = replace(snapshot, text=text)
    offset = start + len(selected.text)
    outcome = await session.complete(snapshot, offset, invoked=invoked, assumed=assumed, cursor=stop)
    if not isinstance(outcome, Completion):
        return None
    whole = selected.text + outcome.text
    session.stats.offer(Offer(snapshot, start, stop, whole, known=len(selected.text)))
    return types.InlineCompletionItem(insert_text=whole, range=selected.range)
