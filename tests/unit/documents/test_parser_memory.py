"""What a parse leaves in memory: nothing, in any language, whatever is done with its tree."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import tree_sitter
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents import syntax
from lsp_server.documents.byte_offsets import encode
from lsp_server.documents.chunks import CHUNK, Chunks
from lsp_server.documents.languages import LANGUAGES, Language, grammar
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import SyntaxTree, SyntaxTrees, parse
from tests.unit.documents.test_syntax import LANGUAGE, shape

PARSED = [language for language in LANGUAGES if grammar(language) is not None]
WORDS = (
    "x = [1, 'a', \"b\"] # c\n// d\n/* e */ <p a='b'>t</p>\n- k: v\n\n"
    "```py\ni\n```\n  <<A\nh\nA\nif y { z }\n"
)
"""A bit of everything, so that each grammar's own scanner has strings, comments and blocks to remember."""

SLACK_BYTES = 20_000
"""What caches of Python's own take up in some rounds; a leak of one text in each is 6 times this."""
ROUNDS = 40
TEXT = WORDS * 30


def kept_bytes(work: Callable[[], object]) -> int:
    """Return how much more memory is in use after `work` was done `ROUNDS` times, grammars' included."""
    tracemalloc.start()
    try:
        for _ in range(10):
            work()  # caches, buffers and grammars are made once, and the last tree may stay
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(ROUNDS):
            work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_the_parser_keeps_what_a_read_callback_returns() -> None:
    data = b"x = 1\n" * 10
    known = grammar(LANGUAGE["python"])
    assert known is not None
    returned: list[int] = []

    def read(byte: int, _point: tree_sitter.Point) -> bytes:
        returned.append(byte)
        return b"" if byte else data

    before = sys.getrefcount(data)
    tree = tree_sitter.Parser(known).parse(read)
    del tree, read
    gc.collect()
    kept = sys.getrefcount(data) - before
    assert kept >= 0, "This py-tree-sitter frees what read callbacks return once too often: do not take it."
    assert kept == returned.count(0), (
        f"py-tree-sitter kept {kept} of {returned.count(0)} references to what a read callback returned. "
        "If none, the leak is mended: raise the lower bound in pyproject.toml, slice the text, drop `chunks`."
    )


def test_memory_is_counted_to_the_trees() -> None:
    held: list[SyntaxTree | None] = []
    assert kept_bytes(lambda: held.append(parse(TEXT, LANGUAGE["python"]))) > ROUNDS * len(TEXT)


@pytest.mark.parametrize("language", PARSED, ids=lambda language: str(language.name))
def test_a_document_that_is_typed_in_leaves_nothing_behind(language: Language) -> None:
    versions = count()

    def type_a_key() -> None:
        trees.parse(
            Snapshot("file:///a", language.ids[0], version := next(versions), TEXT + "y" * (version % 9))
        )

    trees = SyntaxTrees()
    assert kept_bytes(type_a_key) < SLACK_BYTES


@pytest.mark.parametrize("language", PARSED, ids=lambda language: str(language.name))
def test_a_document_that_is_opened_and_closed_leaves_nothing_behind(language: Language) -> None:
    trees, numbers = SyntaxTrees(), count()

    def open_and_close() -> None:
        uri = f"file:///{next(numbers)}"
        trees.parse(Snapshot(uri, language.ids[0], 1, TEXT))
        trees.forget(uri)

    assert kept_bytes(open_and_close) < SLACK_BYTES


def _tree(language: str = "python") -> SyntaxTree:
    tree = parse(TEXT, LANGUAGE[language])
    assert tree is not None
    return tree


def _walk(tree: SyntaxTree) -> None:
    cursor = tree.tree.walk()
    while cursor.goto_first_child():
        node = cursor.node
        assert node is not None
        _ = (node.parent, node.named_children, node.next_named_sibling, node.prev_sibling, node.start_point)
        _ = (
            node.child_by_field_name("left"),
            node.children_by_field_name("left"),
            node == tree.root,
            hash(node),
        )


USES: dict[str, Callable[[SyntaxTree], object]] = {
    "the path to a place": lambda tree: [tree.path(byte) for byte in range(0, len(tree.data), 997)],
    "all nodes": shape,
    "a cursor and what nodes know": _walk,
    "the text of nodes": lambda tree: [tree.text_of(node) for node in tree.root.children],
    "the text of nodes, read by the parser": lambda tree: [node.text for node in tree.root.children[:20]],
    "nodes by bytes": lambda tree: tree.root.descendant_for_byte_range(100, 101),
    "offsets": lambda tree: [tree.range(node) for node in tree.root.children],
    "an insertion": lambda tree: tree.with_insertion(50, "é = (1,\n"),
    "insertions into insertions": lambda tree: (tree.with_insertion(9, "a(") or tree).with_insertion(
        10, "b)"
    ),
    "a copy": lambda tree: tree.tree.copy().edit(0, 1, 2, (0, 0), (0, 1), (0, 2)),
    "changed ranges": lambda tree: tree.tree.changed_ranges(_tree("ruby").tree),
    "S-expressions": lambda tree: str(tree.root),
}


@pytest.mark.parametrize("use", USES)
def test_what_is_done_with_a_tree_leaves_nothing_behind(use: str) -> None:
    tree = _tree()
    assert kept_bytes(lambda: USES[use](tree)) < SLACK_BYTES


def test_a_parse_that_is_given_up_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "TIME_LIMIT_S", -1.0)
    assert parse(TEXT, LANGUAGE["python"]) is None
    assert kept_bytes(lambda: parse(TEXT, LANGUAGE["python"])) < SLACK_BYTES


def test_parsers_on_many_threads_do_not_read_each_others_text() -> None:
    texts = [f"name_{number} = '{'é' * number}'\n" * 500 for number in range(8)]
    expected = [shape(parse(text, LANGUAGE["python"])) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            found = pool.map(lambda text: shape(parse(text, LANGUAGE["python"])), texts)
            assert list(found) == expected


@given(st.text(alphabet="a\né→😀", max_size=30), st.integers(-20, 20))
def test_chunks_are_the_text_and_begin_with_a_whole_character(end: str, beyond: int) -> None:
    data = encode("x" * max(0, CHUNK + beyond) + end)
    with Chunks(data) as chunks:
        byte = 0
        while chunk := bytes(chunks.read(byte, tree_sitter.Point(0, byte))):
            assert data.startswith(chunk, byte)
            whole = chunk.decode("utf-8", "ignore")
            assert whole  # the parser asks again from the start of a character that a chunk cuts in two
            byte += len(whole.encode())
    assert byte == len(data)


@given(st.text(alphabet="aé→😀('\n", max_size=40))
def test_trees_are_those_of_the_text_in_one_piece(end: str) -> None:
    text = "x" * (CHUNK - 7) + end
    known = grammar(LANGUAGE["python"])
    assert known is not None
    whole = tree_sitter.Parser(known).parse(encode(text))
    assert shape(parse(text, LANGUAGE["python"])) == shape(
        SyntaxTree(LANGUAGE["python"], text, encode(text), whole)
    )


def test_a_node_may_be_asked_for_its_text_while_others_are_parsed() -> None:
    tree = _tree()
    with Chunks(b"y" * CHUNK) as other:
        chunk = other.read(0, tree_sitter.Point(0, 0))
        assert tree.root.children[0].text == tree.text_of(tree.root.children[0]).encode()
        assert bytes(chunk) == b"y" * CHUNK
