"""Trees: kept up to date, cheap to try text on, absent where they would cost too much."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents import syntax
from lsp_server.documents.byte_offsets import ByteOffsets, encode
from lsp_server.documents.languages import LANGUAGES, Language
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SIZE_LIMIT_BYTES, SyntaxTree, SyntaxTrees, changed_bytes, parse
from tests.unit.documents.texts import texts

LANGUAGE: dict[str, Language] = {language.name: language for language in LANGUAGES}
CODE = (
    "def f(x):\n",
    "    ",
    "return x\n",
    "(",
    ")",
    '"',
    "'''",
    "é = '😀'\n",
    "class A:\n",
    "#",
    "\n",
    "if x:\n",
    "\r\n",
)
code = st.lists(st.sampled_from(CODE), max_size=25).map("".join)


def snapshot(
    text: str, *, version: int = 1, language_id: str = "python", uri: str = "file:///a.py"
) -> Snapshot:
    return Snapshot(uri, language_id, version, text)


def shape(tree: SyntaxTree | None) -> list[tuple[str, int, int, tuple[int, int]]]:
    """Return everything a tree says: types, bytes and points."""
    assert tree is not None
    found, waiting = [], [tree.root]
    while waiting:
        node = waiting.pop()
        found.append((node.type, node.start_byte, node.end_byte, tuple(node.end_point)))
        waiting += node.children
    return found  # type: ignore[return-value]


@given(texts, texts)
def test_the_changed_region_is_all_that_differs(old: str, new: str) -> None:
    before, after = encode(old), encode(new)
    start, old_end, new_end = changed_bytes(before, after)
    assert before[:start] == after[:start]
    assert before[old_end:] == after[new_end:]
    assert start <= min(old_end, new_end)
    for data, at in ((before, start), (before, old_end), (after, start), (after, new_end)):
        data[:at].decode("utf-8", "surrogatepass")


def test_the_changed_region_is_as_small_as_it_can_be() -> None:
    assert changed_bytes(b"aXb", b"aYYb") == (1, 2, 3)
    assert changed_bytes(b"aa", b"aaa") == (2, 2, 3)
    assert changed_bytes("é".encode(), "è".encode()) == (0, 2, 2)


@given(st.lists(code, min_size=1, max_size=5))
def test_trees_of_edited_texts_are_those_of_new_texts(versions: list[str]) -> None:
    trees = SyntaxTrees()
    for version, text in enumerate(versions):
        kept = trees.parse(snapshot(text, version=version))
        assert shape(kept) == shape(parse(text, LANGUAGE["python"]))


@given(code, st.integers(0, 200), code)
def test_an_insertion_is_parsed_as_if_it_had_been_typed(text: str, at: int, inserted: str) -> None:
    base = parse(text, LANGUAGE["python"])
    assert base is not None
    before = shape(base)
    at = min(at, len(text))
    tried = base.with_insertion(at, inserted)
    assert tried is not None
    assert tried.text == text[:at] + inserted + text[at:]
    assert shape(tried) == shape(parse(tried.text, LANGUAGE["python"]))
    assert shape(base) == before


@given(
    st.lists(st.sampled_from(("a" * 700, "é", "→" * 500, "😀", "\ud83d", "\n")), max_size=9).map("".join),
    st.data(),
)
def test_offsets_and_bytes_convert_both_ways(text: str, data: st.DataObject) -> None:
    offsets = ByteOffsets(text, encode(text))
    at = data.draw(st.integers(0, len(text)))
    assert offsets.byte(at) == len(encode(text[:at]))
    assert offsets.offset(offsets.byte(at)) == at
    assert offsets.byte(-1) == 0
    assert offsets.offset(10**9) == len(text)


def test_the_same_text_is_parsed_once() -> None:
    trees = SyntaxTrees()
    first = trees.parse(snapshot("x = 1\n"))
    assert first is not None
    assert trees.parse(snapshot("x = 1\n", version=2)) is first


def test_a_document_that_changes_its_language_gets_a_new_tree() -> None:
    trees = SyntaxTrees()
    trees.parse(snapshot("x = 1\n"))
    tree = trees.parse(snapshot("x = 1\n", language_id="ruby"))
    assert tree is not None
    assert tree.root.type == "program"


def test_half_a_surrogate_pair_is_parsed() -> None:
    tree = parse("x = '\ud83d'\ny = 2\n", LANGUAGE["python"])
    assert tree is not None
    assert tree.text_of(tree.root.named_children[-1]) == "y = 2"


@pytest.mark.parametrize("text", ["x = 1\n" * (SIZE_LIMIT_BYTES // 6 + 1), "é" * (SIZE_LIMIT_BYTES // 2 + 1)])
def test_large_files_have_no_tree(text: str) -> None:
    assert SyntaxTrees().parse(snapshot(text)) is None


def test_plain_text_has_no_tree() -> None:
    assert SyntaxTrees().parse(snapshot("hello", language_id="plaintext", uri="file:///a")) is None


def test_a_parse_that_takes_too_long_is_given_up_and_the_next_one_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trees = SyntaxTrees()
    monkeypatch.setattr(syntax, "TIME_LIMIT_S", -1.0)
    assert trees.parse(snapshot("x = (1,\n" * 500)) is None
    monkeypatch.undo()
    assert trees.parse(snapshot("x = 1\n", version=2)) is not None


def test_only_the_documents_used_last_are_kept() -> None:
    trees = SyntaxTrees(capacity=2)
    a, b, c = (snapshot("x = 1\n", uri=f"file:///{name}.py") for name in "abc")
    kept = trees.parse(a)
    trees.parse(b)
    assert trees.parse(a) is kept
    trees.parse(c)
    assert len(trees) == 2
    assert trees.parse(a) is kept
    trees.forget(a.uri)
    assert trees.parse(a) is not kept


def test_threads_may_share_the_cache() -> None:
    trees = SyntaxTrees(capacity=2)
    jobs = [
        snapshot(f"x = {number}\n" * 200, version=number, uri=f"file:///{number % 3}.py")
        for number in range(60)
    ]
    with ThreadPoolExecutor(4) as pool:
        parsed = list(pool.map(trees.parse, jobs))
    for job, tree in zip(jobs, parsed, strict=True):
        assert tree is not None
        assert tree.text == job.text
        assert not tree.root.has_error
