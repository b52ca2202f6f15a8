"""The newest snapshot of every open document.

Owns the mapping from uri to snapshot and LSP's rules for applying changes. A document is found by every
spelling of its uri and keeps the one it was opened with. Must not know LSP types: ranges arrive as
(line, column) pairs in the client's units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lsp_server.documents.positions import Encoding, LineIndex
from lsp_server.documents.snapshot import Snapshot
from lsp_server.uris import normal

Position = tuple[int, int]
"""A client's line and column, both from 0."""


@dataclass(frozen=True)
class Edit:
    """One content change of `textDocument/didChange`; without a range the text is the whole document."""

    text: str
    range: tuple[Position, Position] | None = None


class UnknownDocument(KeyError):
    """A change arrived for a document that is not open; the message is its uri."""


class DocumentStore:
    """Holds one snapshot per open document; snapshots never change, so readers need no lock."""

    def __init__(self, encoding: Encoding = Encoding.UTF16) -> None:
        self.encoding = encoding
        self._snapshots: dict[str, Snapshot] = {}

    def open(self, uri: str, language_id: str, version: int, text: str, *, part_of: str = "") -> Snapshot:
        """Take a document in, a cell as `part_of` a notebook; one that is already open is replaced."""
        snapshot = Snapshot(uri=uri, language_id=language_id, version=version, text=text, part_of=part_of)
        self._snapshots[normal(uri)] = snapshot
        return snapshot

    def change(self, uri: str, version: int, edits: Iterable[Edit]) -> Snapshot:
        """Apply `edits` in order, each to the result of the one before.

        Positions outside of the document mean its nearest end, as LSP wants it for columns.
        Raises `UnknownDocument` for a document that is not open.
        """
        old = self.get(uri)
        if old is None:
            raise UnknownDocument(uri)
        lines = old.lines
        for edit in edits:
            lines = _applied(lines, edit, self.encoding)
        new = replace(old, version=version, text=lines.text)
        # `lines` is computed once per snapshot; here it is known already. Frozen dataclasses forbid
        # assignment, not the instance dictionary that cached_property itself writes to.
        vars(new)["lines"] = lines
        self._snapshots[normal(uri)] = new
        return new

    def close(self, uri: str) -> bool:
        """Forget a document; False if it was not open."""
        return self._snapshots.pop(normal(uri), None) is not None

    def get(self, uri: str) -> Snapshot | None:
        """Return the newest snapshot, or None if the document is not open."""
        return self._snapshots.get(normal(uri))

    def spelled(self, uri: str) -> str:
        """Return the spelling that an open document was opened with; of others the one given."""
        known = self.get(uri)
        return uri if known is None else known.uri

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(tuple(self._snapshots.values()))

    def __len__(self) -> int:
        return len(self._snapshots)


def _applied(lines: LineIndex, edit: Edit, encoding: Encoding) -> LineIndex:
    if edit.range is None:
        return LineIndex(edit.text)
    (start_line, start_column), (end_line, end_column) = edit.range
    start = lines.offset(start_line, start_column, encoding)
    end = lines.offset(end_line, end_column, encoding)
    return lines.edited(start, max(start, end), edit.text)
