"""Syntax trees, kept up to date cheaply.

Owns parsing and the cache of trees. Offsets outside of this room are code points, tree-sitter's are
UTF-8 bytes: `SyntaxTree.byte` and `SyntaxTree.offset` convert. Must not know what nodes mean.

What was measured with py-tree-sitter 0.26 on 2 busy cores: 700 kB of Python parse in 80 ms and
re-parse in 7 ms after an edit; 1.1 MB of JavaScript on one line in 380 ms and 70 ms. Parsing bytes
holds the GIL for all of that, and cannot be given up. Parsing through a read callback lets others go on
between `chunks`, so a thread that parses stalls the event loop for 12 ms at most.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property

import tree_sitter

from lsp_server.documents.byte_offsets import ByteOffsets, encode
from lsp_server.documents.chunks import Chunks
from lsp_server.documents.languages import Language, detect, grammar
from lsp_server.documents.snapshot import Snapshot

SIZE_LIMIT_BYTES = 1024 * 1024
"""No tree above this: a first parse takes half a second, and such files are data or bundles."""

DEPTH_LIMIT = 500
"""Code nests less than 100 deep; a file of 100,000 opening brackets nests as deep as it is long."""

NEAR_BYTES = 2000
MOST_CHILDREN = 2 * NEAR_BYTES
"""Children of one node that are looked at (`children_around`): so many tokens of a byte are near a place."""

TIME_LIMIT_S = 2.0
"""Give up a parse that takes longer: no completion waits for it, and only text that is not code gets here
(unbalanced brackets and quotes at random parse at 0.3 MB/s)."""


@dataclass(frozen=True)
class SyntaxTree:
    """A tree of one text. Trees of edited texts are made from it; it never changes itself."""

    language: Language
    text: str = field(repr=False)
    data: bytes = field(repr=False)
    tree: tree_sitter.Tree = field(repr=False)

    @property
    def root(self) -> tree_sitter.Node:
        """Return the root node."""
        return self.tree.root_node

    def byte(self, offset: int) -> int:
        """Return the byte of a code point offset."""
        return self._offsets.byte(offset)

    def offset(self, byte: int) -> int:
        """Return the code point offset of a byte."""
        return self._offsets.offset(byte)

    def range(self, node: tree_sitter.Node) -> tuple[int, int]:
        """Return the code point offsets of a node."""
        return self._offsets.offset(node.start_byte), self._offsets.offset(node.end_byte)

    def path(self, byte: int) -> tuple[tree_sitter.Node, ...]:
        """Return the nodes that hold a byte, innermost first; empty where nesting is deeper than code nests.

        `Node.parent` starts from the root each time, so climbing costs the square of the depth.
        """
        cursor = self.tree.walk()
        nodes = [self.tree.root_node]
        while cursor.goto_first_child_for_byte(byte) is not None:
            node = cursor.node
            if node is None or node.start_byte > byte:
                break
            nodes.append(node)
            if len(nodes) > DEPTH_LIMIT:
                return ()
        return tuple(reversed(nodes))

    def text_of(self, node: tree_sitter.Node | None) -> str:
        """Return the text of a node, empty for None.

        `Node.text` is the same but goes through the parser's read callback, which copies a whole chunk.
        """
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace") if node else ""

    def with_insertion(self, offset: int, text: str) -> SyntaxTree | None:
        """Return the tree of this text with `text` inserted at `offset`, parsing only what that changes.

        For judging what a model writes while it writes. None if the parser gave up.
        """
        data = encode(text)
        at = self._offsets.byte(offset)
        changed = self.data[:at] + data + self.data[at:]
        return _reparsed(self, self.text[:offset] + text + self.text[offset:], changed)

    @cached_property
    def _offsets(self) -> ByteOffsets:
        return ByteOffsets(self.text, self.data)


class SyntaxTrees:
    """The last tree of the documents looked at lately. May be called from several threads."""

    def __init__(self, capacity: int = 32) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def parse(self, snapshot: Snapshot) -> SyntaxTree | None:
        """Return the tree of a snapshot; None for plain text, large files and where parsing was given up.

        Takes a millisecond after an edit, but up to half a second for a large file never seen before:
        call it through `asyncio.to_thread`.
        """
        language = detect(snapshot.language_id, snapshot.uri)
        entry = self._entry(snapshot.uri)
        with entry.lock:
            if entry.language is not language:
                entry.language, entry.text, entry.tree = language, None, None
            if entry.text is None or entry.text != snapshot.text:
                entry.tree = _parsed(snapshot.text, language, entry.tree)
                entry.text = snapshot.text
            return entry.tree

    def forget(self, uri: str) -> None:
        """Drop the tree of a closed document."""
        with self._lock:
            self._entries.pop(uri, None)

    def __len__(self) -> int:
        return len(self._entries)

    def _entry(self, uri: str) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(uri, _Entry())
            self._entries.move_to_end(uri)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
            return entry


@dataclass
class _Entry:
    # One lock per document: two requests for the same text wait for one parse, others go on.
    lock: threading.Lock = field(default_factory=threading.Lock)
    language: Language | None = None
    text: str | None = None
    tree: SyntaxTree | None = None


def parse(text: str, language: Language) -> SyntaxTree | None:
    """Return a tree of `text` made from nothing."""
    return _parsed(text, language, None)


def _parsed(text: str, language: Language, old: SyntaxTree | None) -> SyntaxTree | None:
    known = grammar(language)
    if known is None or len(text) > SIZE_LIMIT_BYTES:
        return None
    data = encode(text)
    if len(data) > SIZE_LIMIT_BYTES:
        return None
    if old is not None:
        return _reparsed(old, text, data)
    tree = _run(known, data, None)
    return SyntaxTree(language, text, data, tree) if tree else None


def _reparsed(old: SyntaxTree, text: str, data: bytes) -> SyntaxTree | None:
    start, old_end, new_end = changed_bytes(old.data, data)
    edited = old.tree.copy()
    edited.edit(
        start,
        old_end,
        new_end,
        _point(old.data, start),
        _point(old.data, old_end),
        _point(data, new_end),
    )
    tree = _run(old.tree.language, data, edited)
    return SyntaxTree(old.language, text, data, tree) if tree else None


def _run(known: tree_sitter.Language, data: bytes, old: tree_sitter.Tree | None) -> tree_sitter.Tree | None:
    deadline = time.monotonic() + TIME_LIMIT_S

    def give_up(_byte: int, _has_error: bool) -> bool:
        return time.monotonic() > deadline

    # A parser is cheap (1 µs) and keeps the state of a parse that was given up: one for each parse.
    parser = tree_sitter.Parser(known)
    try:
        with Chunks(data) as chunks:
            if old is None:
                return parser.parse(chunks.read, progress_callback=give_up)
            return parser.parse(chunks.read, old, progress_callback=give_up)
    except ValueError:  # what py-tree-sitter raises for a parse that was given up
        return None


def children_around(node: tree_sitter.Node, byte: int) -> list[tree_sitter.Node]:
    """Return the children of a node in their order; of thousands the first, the last and those near `byte`.

    A minified line and a table have their brackets first and last, and `Node.children` holds the GIL.
    """
    if node.child_count <= MOST_CHILDREN:
        return node.children
    cursor = node.walk()
    cursor.goto_first_child()
    found = _siblings(cursor, MOST_CHILDREN // 4)
    cursor.reset(node)
    if cursor.goto_first_child_for_byte(max(0, byte - NEAR_BYTES)) is not None:
        found += _siblings(cursor, MOST_CHILDREN, byte + NEAR_BYTES)
    last = node.child(node.child_count - 1)
    once = {child.id: child for child in (*found, last) if child is not None}
    return sorted(once.values(), key=lambda child: (child.start_byte, child.end_byte))


def _siblings(cursor: tree_sitter.TreeCursor, most: int, before: int | None = None) -> list[tree_sitter.Node]:
    """Return up to `most` nodes from where a cursor stands on, as far as they start `before` a byte."""
    found: list[tree_sitter.Node] = []
    while (node := cursor.node) is not None and (before is None or node.start_byte < before):
        found.append(node)
        if len(found) == most or not cursor.goto_next_sibling():
            break
    return found


def changed_bytes(old: bytes, new: bytes) -> tuple[int, int, int]:
    """Return (start, end in old, end in new) of the one region in which two texts differ.

    Borders are between code points.
    """
    start = _common_prefix(old, new)
    while start and start < max(len(old), len(new)) and _continues(old, start) | _continues(new, start):
        start -= 1
    tail = _common_suffix(old, new, min(len(old), len(new)) - start)
    while tail and _continues(new, len(new) - tail):
        tail -= 1
    return start, len(old) - tail, len(new) - tail


def _continues(data: bytes, index: int) -> bool:
    return index < len(data) and data[index] & 0xC0 == 0x80


def _common_prefix(old: bytes, new: bytes) -> int:
    # Halving compares memory blocks, which is a hundred times faster than comparing bytes in Python.
    low, high = 0, min(len(old), len(new))
    old_view, new_view = memoryview(old), memoryview(new)
    while low < high:
        middle = (low + high + 1) // 2
        if old_view[low:middle] == new_view[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(old: bytes, new: bytes, limit: int) -> int:
    low, high = 0, limit
    old_view, new_view = memoryview(old), memoryview(new)
    while low < high:
        middle = (low + high + 1) // 2
        if old_view[len(old) - middle : len(old) - low] == new_view[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _point(data: bytes, byte: int) -> tuple[int, int]:
    return data.count(b"\n", 0, byte), byte - (data.rfind(b"\n", 0, byte) + 1)
