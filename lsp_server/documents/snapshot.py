"""Frozen pictures of a document, and the store that keeps the newest one of each.

Owns the text. Must not know LSP types: positions arrive as (line, column) in the client's
units and are converted once, in `positions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from lsp_server.documents.positions import LineIndex


@dataclass(frozen=True)
class Snapshot:
    """A document at one version. Offsets are indices into `text` (code points)."""

    uri: str
    language_id: str
    version: int
    text: str = field(repr=False)
    part_of: str = ""
    """The uri of the notebook that this is a cell of."""

    @property
    def file_uri(self) -> str:
        """Return the uri of the file that the text is saved in, which decides whether it may be sent."""
        return self.part_of or self.uri

    @cached_property
    def lines(self) -> LineIndex:
        """Return the line index of the text, built once."""
        return LineIndex(self.text)
