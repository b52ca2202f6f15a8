"""Notebooks: which cells there are, in which order, and what the code around a cell is.

Each cell is a document of its own in the store, with its own uri, version and language. A model sees the
cells of the same language as one text, so that what earlier cells define is known; Markdown is none of it.
Uris are compared in their normal form. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lsp_server.documents.snapshot import Snapshot
from lsp_server.uris import normal, same

BETWEEN = "\n\n"
"""Stands between two cells, whatever they end with: the prompt must not change with that."""


@dataclass(frozen=True)
class Cell:
    """A cell: the uri of its document, and whether it is code."""

    uri: str
    is_code: bool


class Notebooks:
    """The cells of every open notebook, in order."""

    def __init__(self) -> None:
        self._cells: dict[str, list[Cell]] = {}

    def open(self, uri: str, cells: Iterable[Cell]) -> None:
        """Take a notebook in; one that is already open is replaced."""
        self._cells[normal(uri)] = list(cells)

    def change(self, uri: str, start: int, deleted: int, cells: Iterable[Cell]) -> None:
        """Put cells in the place of `deleted` ones from `start` on; unknown notebooks have none yet."""
        self._cells.setdefault(normal(uri), [])[start : start + deleted] = cells

    def update(self, uri: str, cells: Iterable[Cell]) -> None:
        """Take other kinds for cells that are there; all may come at once."""
        newer = {normal(cell.uri): cell for cell in cells}
        known = self._cells.get(normal(uri), [])
        self._cells[normal(uri)] = [newer.get(normal(cell.uri), cell) for cell in known]

    def close(self, uri: str) -> tuple[str, ...]:
        """Forget a notebook; return the uris of its cells."""
        return tuple(cell.uri for cell in self._cells.pop(normal(uri), ()))

    def whole(self, snapshot: Snapshot, find: Callable[[str], Snapshot | None]) -> tuple[Snapshot, int]:
        """Return a cell with the cells around it as one text, and where the cell starts in it.

        `find` returns the document of another cell. What is no code cell of a notebook is returned as it is.
        """
        above, below = self.around(snapshot, find)
        before = "".join(text + BETWEEN for text in above)
        after = "".join(BETWEEN + text for text in below)
        if not before and not after:
            return snapshot, 0
        return replace(snapshot, text=before + snapshot.text + after), len(before)

    def around(
        self, snapshot: Snapshot, find: Callable[[str], Snapshot | None]
    ) -> tuple[list[str], list[str]]:
        """Return the code cells of its language before a cell and after it; both are empty for all else."""
        cells = self._cells.get(normal(snapshot.part_of), ())
        at = next((index for index, cell in enumerate(cells) if same(cell.uri, snapshot.uri)), None)
        if at is None or not cells[at].is_code:
            return [], []

        def texts(some: Iterable[Cell]) -> list[str]:
            found = (find(cell.uri) for cell in some if cell.is_code)
            same = (cell for cell in found if cell is not None and cell.language_id == snapshot.language_id)
            return [text for cell in same if (text := cell.text.rstrip("\r\n"))]

        return texts(cells[:at]), texts(cells[at + 1 :])
