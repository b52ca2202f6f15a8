"""Spellings of uris: which are of one document, and which are not."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents.notebook import Cell, Notebooks
from lsp_server.documents.store import DocumentStore, Edit
from lsp_server.uris import file_path, normal, same

SAME = [
    ("file:///c%3A/x.py", "file:///C:/x.py", "file:///c:/x.py", "file:///C%3a/x.py", "file:///C%3A/%78.py"),
    ("file:///home/a.py", "file://localhost/home/a.py", "file://LocalHost/home/a.py", "file:/home/a.py"),
    ("file:///home/a.py", "FILE:///home/a.py", "File:///home/%61%2Epy", "file:///%68ome/a%2epy"),
    ("file:///a%20b.py", "file:///a b.py"),
    ("file:///gr%C3%BC%C3%9Fe.py", "file:///gr%c3%bc%c3%9fe.py", "file:///grüße.py"),
    ("file:///%E4%BD%A0.py", "file:///你.py", "file:///%e4%bd%A0.py"),
    ("file:///a~b-c_d.e", "file:///a%7Eb%2Dc%5Fd%2Ee", "file:///a%7eb%2dc%5fd%2ee"),
    (
        "file:///@types/(a)/[id].ts",
        "file:///%40types/%28a%29/%5Bid%5D.ts",
        "file:///@types/%28a)/%5bid%5d.ts",
    ),
    ("file:///a+b=c&d;e,f!$'*.py", "file:///a%2Bb%3Dc%26d%3Be%2Cf%21%24%27%2A.py"),
    ("file:///a:b.py", "file:///a%3Ab.py"),
    ("file:///100%25.py", "file:///100%.py"),
    ("file://server/share/a.py", "file://SERVER/share/a.py", "file://server/share/%61.py"),
    ("file:///c:/a/b.py", "file:///C:\\a\\b.py", "file:///c%3A%5Ca%5Cb.py", "file://c:/a/b.py"),
    ("file:///d:", "file:///D%3A"),
    ("untitled:Untitled-1", "UNTITLED:Untitled-1", "untitled:%55ntitled%2D1"),
    ("vscode-notebook-cell:/a.ipynb#W0sZmlsZQ%3D%3D", "vscode-notebook-cell:/%61.ipynb#W0sZmlsZQ%3d%3d"),
    ("git:/a.py?%7B%22ref%22%3A%22%22%7D", "git:/a.py?%7b%22%72ef%22%3a%22%22%7d"),
    ("vscode-remote://wsl%2BUbuntu/a.py", "vscode-remote://wsl%2bUbuntu/%61.py"),
]
DIFFERENT = [
    ("file:///home/a.py", "file:///home/A.py"),
    ("file:///home/a.py", "file:///HOME/a.py"),
    ("file:///c:/x.py", "file:///c:/X.py"),
    ("file:///c:/x.py", "file:///d:/x.py"),
    ("file:///C/x.py", "file:///c/x.py"),
    ("file:///a%2Fb.py", "file:///a/b.py"),
    ("file:///a%23b.py", "file:///a#b.py"),
    ("file:///a%3Fb.py", "file:///a?b.py"),
    ("file:///a%2520b.py", "file:///a%20b.py"),
    ("file:///a\\b.py", "file:///a/b.py"),
    ("file:///gr%C3%BC.py", "file:///gru%CC%88.py"),
    ("file://server/a.py", "file:///a.py"),
    ("file://server/share/a.py", "file://server/Share/a.py"),
    ("file:x.py", "file:///x.py"),
    ("untitled:Untitled-1", "untitled:untitled-1"),
    ("untitled:a%20b", "untitled:a b"),
    ("untitled:a%3Ab", "untitled:a:b"),
    ("git:/c%3A/a.py", "git:/C:/a.py"),
    ("vscode-remote://wsl/a.py", "vscode-remote://WSL/a.py"),
    ("vscode-notebook-cell:/a.ipynb#W1", "vscode-notebook-cell:/a.ipynb#w1"),
    ("http://localhost/a", "http:///a"),
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda it: it[0])
def test_spellings_of_one_document(spellings: tuple[str, ...]) -> None:
    assert len({normal(spelling) for spelling in spellings}) == 1
    assert same(*spellings[:2])


@pytest.mark.parametrize("pair", DIFFERENT, ids=lambda it: it[0])
def test_uris_of_two_documents(pair: tuple[str, str]) -> None:
    assert not same(*pair)


@given(
    st.text()
    | st.text("file:/%c3A2fF.#?\\ \ud800").map("file:".__add__)
    | st.text("%41aA:/").map("x:".__add__)
)
def test_every_text_has_one_form(uri: str) -> None:
    assert normal(normal(uri)) == normal(uri)
    file_path(uri)


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(names, min_size=1), st.data())
def test_a_file_has_one_form_however_it_is_encoded(parts: list[str], data: st.DataObject) -> None:
    def spelled(part: str) -> str:
        characters = []
        for character in part:
            encoded = quote(character, safe="")
            if not character.isascii() or character in "%#?\\":
                characters.append(encoded)
            else:
                plain, wholly = character, f"%{ord(character):02x}"
                characters.append(data.draw(st.sampled_from([plain, wholly, wholly.upper(), encoded])))
        return "".join(characters)

    one = "file:///" + "/".join(quote(part, safe="") for part in parts)
    other = data.draw(st.sampled_from(["file://", "file://localhost", "FILE://"]))
    assert same(one, other + "/" + "/".join(map(spelled, parts)))


@given(st.lists(st.binary(min_size=1).filter(lambda it: not set(it) & {0, 0x2F}), min_size=1))
def test_a_path_comes_back_from_its_uri(parts: list[bytes]) -> None:
    path = Path("/", *(os.fsdecode(part) for part in parts))
    assert file_path(path.as_uri()) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///home/a%20b.py", "/home/a b.py"),
        ("file://localhost/home/a.py", "/home/a.py"),
        ("FILE:/home/a.py", "/home/a.py"),
        ("file://server/share/a.py", "//server/share/a.py"),
        ("file:///c%3A/x.py", "/c:/x.py"),
        ("file:///a%23b%3F.py#L3", "/a#b?.py"),
        ("untitled:/a.py", None),
        ("vscode-notebook-cell:/a.ipynb#1", None),
        ("file:a.py", None),
        ("file:", None),
        ("file:///a%00b", None),
        ("", None),
        ("/home/a.py", None),
    ],
)
def test_the_path_of_a_file(uri: str, path: str | None) -> None:
    assert file_path(uri) == (None if path is None else Path(path))


@pytest.mark.parametrize("spellings", SAME, ids=lambda it: it[0])
def test_a_document_is_found_by_every_spelling_and_keeps_its_own(spellings: tuple[str, ...]) -> None:
    for opened in spellings:
        store = DocumentStore()
        store.open(opened, "python", 1, "x")
        for version, spelling in enumerate(spellings, 2):
            assert store.change(spelling, version, [Edit(f"x{version}")]).uri == opened
            found = store.get(spelling)
            assert found is not None
            assert (found.uri, found.text) == (opened, f"x{version}")
            assert store.spelled(spelling) == opened
        assert len(store) == 1
        assert store.close(spellings[0]) and not store.close(opened)
        assert store.spelled(spellings[-1]) == spellings[-1]


@pytest.mark.parametrize("spellings", SAME, ids=lambda it: it[0])
def test_cells_are_found_by_every_spelling(spellings: tuple[str, ...]) -> None:
    one, other = spellings[:2]
    store, notebooks = DocumentStore(), Notebooks()
    notebooks.open(one, [Cell(f"{one}/1", True), Cell(f"{one}/2", False)])
    notebooks.update(other, [Cell(f"{other}/2", True)])
    notebooks.change(other, 2, 0, [Cell(f"{other}/3", True)])
    for number in (1, 2, 3):
        store.open(f"{other}/{number}", "python", 1, f"x{number}", part_of=other)
    snapshot = store.get(f"{one}/2")
    assert snapshot is not None
    assert notebooks.whole(snapshot, store.get)[0].text == "x1\n\nx2\n\nx3"
    assert [normal(uri) for uri in notebooks.close(one)] == [
        normal(f"{one}/{number}") for number in (1, 2, 3)
    ]
