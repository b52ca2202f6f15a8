"""notebookDocument/didOpen, didChange, didClose: the cells of notebooks as documents of the session.

A client without these tells cells as text documents, and each is served by itself. As with text documents, a
change is in force before the next message is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from lsp_server.documents.notebook import Cell
from lsp_server.features.session import Session
from lsp_server.features.text_document_sync import change_document

OPTIONS = types.NotebookDocumentSyncOptions(
    notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook="*")]
)
"""Every kind of notebook, and Markdown cells, too: they are documents like others."""


def register(server: LanguageServer, session: Session) -> None:
    """Keep notebooks as the client has them."""

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenNotebookDocumentParams) -> None:
        notebook = params.notebook_document
        session.notebooks.open(notebook.uri, map(_cell, notebook.cells))
        _open(session, notebook.uri, params.cell_text_documents)
        session.warm_up()

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeNotebookDocumentParams) -> None:
        uri, cells = params.notebook_document.uri, params.change.cells
        if cells is None:
            return  # metadata
        if cells.structure is not None:
            _restructure(session, uri, cells.structure)
        if cells.data:
            session.notebooks.update(uri, map(_cell, cells.data))
        for change in cells.text_content or ():
            change_document(session, change.document, change.changes)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseNotebookDocumentParams) -> None:
        cells = session.notebooks.close(params.notebook_document.uri)
        told = (document.uri for document in params.cell_text_documents)
        for uri in dict.fromkeys((*cells, *told)):
            session.close_document(uri)


def _restructure(session: Session, uri: str, structure: types.NotebookDocumentCellChangeStructure) -> None:
    """Cells come, go or move; one that moves is in neither list."""
    array = structure.array
    session.notebooks.change(uri, array.start, array.delete_count, map(_cell, array.cells or ()))
    for document in structure.did_close or ():
        session.close_document(document.uri)
    _open(session, uri, structure.did_open or ())


def _open(session: Session, notebook: str, documents: Iterable[types.TextDocumentItem]) -> None:
    for document in documents:
        session.open_document(document, part_of=notebook)


def _cell(cell: types.NotebookCell) -> Cell:
    return Cell(cell.document, cell.kind == types.NotebookCellKind.Code)
