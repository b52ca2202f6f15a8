"""The cells of a notebook as one text."""

from __future__ import annotations

from lsp_server.documents.notebook import Cell, Notebooks
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.store import DocumentStore

BOOK = "file:///demo/book.ipynb"


class Book:
    """A notebook whose cells have the uris `0`, `1`, …"""

    def __init__(self, *texts: str, languages: dict[int, str] | None = None) -> None:
        self.notebooks, self.store = Notebooks(), DocumentStore()
        for number, text in enumerate(texts):
            language = (languages or {}).get(number, "python")
            self.store.open(str(number), language, 1, text, part_of=BOOK)
        cells = (
            Cell(str(number), (languages or {}).get(number) != "markdown") for number in range(len(texts))
        )
        self.notebooks.open(BOOK, cells)

    def cell(self, uri: str) -> Snapshot:
        found = self.store.get(uri)
        assert found is not None
        return found

    def whole(self, uri: str) -> tuple[str, int]:
        text, start = self.notebooks.whole(self.cell(uri), self.store.get)
        assert (text.uri, text.version, text.part_of) == (uri, 1, BOOK)
        assert text.text[start:].startswith(self.cell(uri).text)
        return text.text, start


def test_the_code_around_a_cell() -> None:
    book = Book("import a", "b = a.b", "print(b)")
    joined = "import a\n\nb = a.b\n\nprint(b)"
    assert [book.whole(uri) for uri in "012"] == [(joined, 0), (joined, 10), (joined, 19)]


def test_how_a_cell_ends_changes_nothing_for_the_others() -> None:
    texts = {Book(f"import a{end}", "a.").whole("1") for end in ("", "\n", "\r\n", "\n\n")}
    assert texts == {("import a\n\na.", 10)}


def test_the_cell_itself_stays_as_it_is() -> None:
    assert Book("a", "\n b \n", "c").whole("1") == ("a\n\n\n b \n\n\nc", 3)


def test_markdown_and_other_languages_give_no_code() -> None:
    book = Book("import a", "# Title", "select 1", "a.", languages={1: "markdown", 2: "sql"})
    assert book.whole("3") == ("import a\n\na.", 10)
    assert book.whole("2") == ("select 1", 0)


def test_markdown_is_completed_by_itself() -> None:
    assert Book("import a", "# Title", languages={1: "markdown"}).whole("1") == ("# Title", 0)


def test_empty_cells_are_nothing() -> None:
    assert Book("a", "", "\n", "b").whole("3") == ("a\n\nb", 3)


def test_cells_come_go_and_change_places() -> None:
    book = Book("a", "b", "c")
    book.notebooks.change(BOOK, 0, 1, [])
    assert book.whole("2") == ("b\n\nc", 3)
    book.notebooks.change(BOOK, 0, 2, [Cell("2", True), Cell("1", True)])
    assert book.whole("2") == ("c\n\nb", 0)
    book.store.open("3", "python", 1, "d", part_of=BOOK)
    book.notebooks.change(BOOK, 1, 0, [Cell("3", True)])
    assert book.whole("2") == ("c\n\nd\n\nb", 0)
    book.notebooks.update(BOOK, [Cell("3", False)])
    assert book.whole("2") == ("c\n\nb", 0)


def test_what_is_no_cell_is_itself() -> None:
    book = Book("a", "b")
    alone = Snapshot("file:///demo/a.py", "python", 1, "x")
    assert book.notebooks.whole(alone, book.store.get) == (alone, 0)
    assert book.notebooks.close(BOOK) == ("0", "1")
    assert book.whole("1") == ("b", 0)
    assert book.notebooks.close(BOOK) == ()
