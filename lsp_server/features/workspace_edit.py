"""A proposal as LSP's WorkspaceEdit, for the text as it is now and for what the client can do.

Owns versions and what has to be confirmed. Applies nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from lsp_server.documents.positions import Encoding, LineIndex
from lsp_server.documents.snapshot import Snapshot
from lsp_server.features.client import Client
from lsp_server.uris import same

if TYPE_CHECKING:
    from lsp_server.chat.editing.edits import Edit
    from lsp_server.chat.editing.proposal import Proposal

_ANNOTATION = "codestral-lsp"


@dataclass(frozen=True)
class Change:
    """The edits of a proposal for the text as it is now."""

    uri: str
    version: int | None
    """None for a file that is not open."""
    lines: LineIndex
    edits: tuple[Edit, ...]
    creates: bool


def change(proposal: Proposal, documents: Iterable[Snapshot]) -> Change | None:
    """Return what a proposal changes in the text as it is now; None if that has changed where it matters.

    Compares whole texts: call it on a thread.
    """
    from lsp_server.chat.editing.edits import line_edits, rebased

    now = next((document for document in documents if same(document.uri, proposal.uri)), None)
    if proposal.base is not None:
        if now is None:
            return None
        edits = proposal.edits
        if now.text != proposal.base.text:
            new = rebased(edits, proposal.base.text, now.text, proposal.region)
            if new is None:
                return None
            edits = new
        return Change(now.uri, now.version, now.lines, edits, creates=False)
    old = proposal.disk_text
    edits = line_edits(old, _applied(old, proposal.edits))
    if now is None:
        return Change(proposal.uri, None, LineIndex(old), edits, proposal.creates)
    moved = rebased(edits, old, now.text, (0, 0))
    return None if moved is None else Change(now.uri, now.version, now.lines, moved, creates=False)


def workspace_edit(
    change: Change, client: Client, encoding: Encoding, label: str, *, confirm: bool
) -> types.WorkspaceEdit | None:
    """Return the edit as this client takes it; None if it needs a file to be made and cannot.

    With `confirm` the client is to show it first, if it can at all.
    """
    if change.creates and not client.creates:
        return None
    annotation = _ANNOTATION if confirm and client.annotations else None
    if not client.versions:
        return types.WorkspaceEdit(
            changes={change.uri: [_text_edit(change, edit, encoding) for edit in change.edits]}
        )
    edits: list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit] = []
    for edit in change.edits:
        plain = _text_edit(change, edit, encoding)
        edits.append(_annotated(plain, annotation) if annotation else plain)
    document = types.OptionalVersionedTextDocumentIdentifier(change.uri, change.version)
    operations: list[types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile] = [
        types.TextDocumentEdit(document, edits)
    ]
    if change.creates:
        options = types.CreateFileOptions(overwrite=False, ignore_if_exists=False)
        operations.insert(0, types.CreateFile(change.uri, options=options, annotation_id=annotation))
    annotations = {_ANNOTATION: types.ChangeAnnotation(label, needs_confirmation=True)}
    return types.WorkspaceEdit(
        document_changes=operations, change_annotations=annotations if annotation else None
    )


def last_place(edit: types.WorkspaceEdit) -> tuple[str, int]:
    """Return the uri and the line, in the new text, where the last piece of an edit of ours begins."""
    edits: dict[str, list[types.TextEdit | types.AnnotatedTextEdit]]
    edits = {uri: list(pieces) for uri, pieces in (edit.changes or {}).items()}
    for operation in edit.document_changes or ():
        if isinstance(operation, types.TextDocumentEdit):
            of = edits.setdefault(operation.text_document.uri, [])
            of += [it for it in operation.edits if not isinstance(it, types.SnippetTextEdit)]
    [(uri, found)] = edits.items()
    *others, last = sorted(found, key=lambda it: it.range.start)
    before = sum(it.new_text.count("\n") - (it.range.end.line - it.range.start.line) for it in others)
    blank = last.new_text[: len(last.new_text) - len(last.new_text.lstrip("\r\n"))]
    return uri, last.range.start.line + before + blank.count("\n")


def _text_edit(change: Change, edit: Edit, encoding: Encoding) -> types.TextEdit:
    start = types.Position(*change.lines.position(edit.start, encoding))
    end = types.Position(*change.lines.position(edit.end, encoding))
    return types.TextEdit(types.Range(start, end), edit.text)


def _annotated(edit: types.TextEdit, annotation: str) -> types.AnnotatedTextEdit:
    return types.AnnotatedTextEdit(annotation_id=annotation, range=edit.range, new_text=edit.new_text)


def _applied(text: str, edits: Iterable[Edit]) -> str:
    from lsp_server.chat.editing.edits import applied

    return applied(text, tuple(edits))
