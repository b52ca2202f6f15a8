"""A reply without what the document has around the target anyway: lines, the rest of a line, headers.

What stands before and after the target is known, so a reply can only begin with an end of the one, or with
headers of what the target lies in, and end with a start of the other, or with what closes these headers.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tree_sitter import Node

from lsp_server.chat.actions.site import Target
from lsp_server.chat.placing.reply_tokens import OPENERS, brackets, has_word, tokens
from lsp_server.documents.definitions import shape
from lsp_server.documents.node_types import node_types

_SEPARATORS = frozenset([*";{}:,>([", "do", "then", "else", "begin"])
_CLOSERS = frozenset([*"})];,", "end", "fi", "done", "esac"])
_ALIKE = 0.5  # of the tokens of two lines: the one is then the other, changed
_MOST_LINES = 60  # on each side of a target, that the lines of a reply are compared with
_MOST_CANDIDATES = 40  # that are compared; each of the best is placed and parsed
_MOST_PLACED = 6
_SNIPPET = re.compile(
    r"""\s*(?:<\?php\b
    |package\s+\w+\s*\n
    |(?:(?:public|final|internal|static)\s+)*class\s+(?:Main|Program|Example|Demo|Solution|Test|App|MyClass)\s*\{
    |(?:public\s+)?static\s+(?:async\s+)?(?:void|int|Task)\s+[Mm]ain\s*\([^()]*\)\s*\{
    |(?:async\s+)?(?:pub\s+)?(?:fn|func|function|def)\s+main\s*\(\)\s*(?:->\s*None\s*)?[{:]
    |(?:int|void)\s+main\s*\([^()]*\)\s*\{
    |\#!/[^\n]*\n
    )""",
    re.VERBOSE,
)
"""What models write around a piece of code to make a program of it."""


def without_surroundings(target: Target, code: str) -> tuple[str, ...]:
    """Return what of a reply may be meant for the target, the likeliest first; the last one is all of it."""
    reply = _Reply(target, code)
    found = sorted(set(reply.candidates()), key=lambda ends: (ends[1] - ends[0], ends))
    texts = dict.fromkeys(reply.text(start, end) for start, end in found[:_MOST_PLACED])
    return tuple(dict.fromkeys([*texts, code]))


def enclosing_headers(target: Target) -> list[tuple[list[str], int]]:
    """Return the headers of what the target lies in, from the outside, and where each ends in the document.

    A header is all before the first part. One with decorators or `export` is there without them, too.
    """
    tree = target.tree
    if tree is None:
        return []
    first = len(target.text) - len(target.text.lstrip())
    start, end = tree.byte(target.start + first), tree.byte(target.start + len(target.text.rstrip()))
    path = [node for node in reversed(tree.path(start)) if node.end_byte >= end and node.start_byte <= start]
    blocks = node_types(target.language.name).blocks
    found, owners = list[tuple[list[str], int]](), list[Node]()
    for node, inner in zip(path, [*path[1:], None], strict=True):
        opened = _opened(node, blocks)
        if opened is not None and opened <= start:
            for owner in (*owners, node):
                text = tree.data[owner.start_byte : opened].decode("utf-8", "replace")
                header = [token.text for token in tokens(text, target.language) if not token.is_comment]
                if header and all(header != other for other, _ in found):
                    found.append((header, tree.offset(opened)))
            owners = []
        if inner is not None:
            owners = [*owners, inner] if opened is None else [inner]
    return found


def enclosing_names(target: Target) -> set[str]:
    """Return the names of the definitions that the target lies in."""
    tree = target.tree
    if tree is None:
        return set()
    start, end = tree.byte(target.start), tree.byte(target.start + len(target.text.rstrip()))
    types = node_types(target.language.name)
    found = [
        shape(node, types) for node in tree.path(start) if node.start_byte < start and node.end_byte >= end
    ]
    return {tree.text_of(made.name) for made in found if made is not None and made.body is not None} - {""}


def _opened(node: Node, blocks: frozenset[str]) -> int | None:
    """Return where the parts of a node begin, behind its `{`; None for a node without a list of parts."""
    children = node.children
    if len(children) > 1 and children[0].type in (*OPENERS, "start_tag"):
        return children[0].end_byte
    if node.type in blocks:
        return node.start_byte
    if node.type in ("block_mapping_pair", "table", "rule_set"):
        named = node.named_children
        return named[1].start_byte if len(named) > 1 else None
    return None


@dataclass(frozen=True)
class _Side:
    """The document on one side of the target."""

    texts: list[str]
    starts: list[bool]
    """Which of them start a line."""
    offsets: list[int]
    whole: bool
    """The target takes whole lines on this side."""


class _Reply:
    def __init__(self, target: Target, code: str) -> None:
        self._target, self._code = target, code
        document, language = target.snapshot.text, target.language
        all_of = tokens(code, language)
        there = tokens(target.text, language)
        # A comment that is asked about counts, others are what models change first.
        keep = all(token.is_comment for token in there)
        self._all = all_of
        self._tokens = [token for token in all_of if keep or not token.is_comment]
        self._texts = [token.text for token in self._tokens]
        self._there = [token for token in there if keep or not token.is_comment]
        before, after = document[: target.start], document[target.end :]
        self._before, comments = self._side(before, keep, whole=not _last_line(before).strip())
        self._after, more = self._side(after, keep, whole=not _first_line(after).strip())
        self._comments = (comments | more) - {token.text for token in there if token.is_comment}

    def _side(self, text: str, keep: bool, *, whole: bool) -> tuple[_Side, set[str]]:
        found = tokens(text, self._target.language)
        code = [token for token in found if keep or not token.is_comment]
        side = _Side(
            [token.text for token in code],
            [token.starts_line for token in code],
            [token.start for token in code],
            whole,
        )
        return side, {token.text for token in found if token.is_comment}

    def candidates(self) -> Iterator[tuple[int, int]]:
        """Yield which tokens may be meant for the target."""
        balanced = {brackets(self._there), ()}
        starts = list(dict.fromkeys(self._starts()))[:_MOST_CANDIDATES]
        for start in starts:
            for end in dict.fromkeys(self._ends(opened=start > 0)):
                if start >= end or (start, end) == (0, len(self._texts)):
                    continue
                if brackets(self._tokens[start:end]) not in balanced or not self._is_paired(start, end):
                    continue
                all_there = self._is_all_there(start, end)
                if self._is_own_start(start, end) or self._is_own_end(start, end, closers=all_there):
                    continue
                if all_there or not self._has_others(start, end):
                    yield start, end

    def _is_all_there(self, start: int, end: int) -> bool:
        """Tell whether the document has all that is left out right beside the target."""
        before, after, texts = self._before.texts, self._after.texts, self._texts
        return before[len(before) - start :] == texts[:start] and after[: len(texts) - end] == texts[end:]

    def _has_others(self, start: int, end: int) -> bool:
        """Tell whether code has a line that is more like one beside the target than like one of the target.

        Then it is more of the file than the target, even if it stands right below a header.
        """
        document, target = self._target.snapshot.text, self._target
        beside = [
            *document[: target.start].splitlines()[-_MOST_LINES:],
            *document[target.end :].splitlines()[:_MOST_LINES],
        ]
        own, others = self._lines(target.text.splitlines()), self._lines(beside)
        for line in self._lines(self.text(start, end).splitlines()):
            alike = max((_alike(line, other) for other in others), default=0.0)
            if alike >= _ALIKE and alike > max((_alike(line, other) for other in own), default=0.0):
                return True
        return False

    def _lines(self, lines: Sequence[str]) -> list[list[str]]:
        found = [[token.text for token in tokens(line, self._target.language)] for line in lines]
        return [line for line in found if any(re.match(r"\w", text) for text in line)]

    def _starts(self) -> Iterator[int]:
        headers = enclosing_headers(self._target)
        stack = [(0, 0, 0)]
        while stack:
            at, level, inside = stack.pop()
            yield at
            most = len(self._before.offsets) - bisect_left(self._before.offsets, inside)
            yield from (at + size for size in self._repeated_before(at) if size <= most)
            for number in range(level, len(headers)):
                header, end = headers[number]
                if self._texts[at : at + len(header)] == header:
                    stack.append((at + len(header), number + 1, end))
            wrapper = self._wrapper(at)
            if wrapper > at:
                stack.append((wrapper, level, inside))

    def _wrapper(self, at: int) -> int:
        """Return the token behind a program's beginning that nobody asked for."""
        if at >= len(self._tokens):
            return at
        found = _SNIPPET.match(self._code, self._tokens[at - 1].end if at else 0)
        if found is None or _SNIPPET.match(self._target.text):
            return at
        return next((n for n, token in enumerate(self._tokens) if token.start >= found.end()), at)

    def _repeated_before(self, at: int) -> Iterator[int]:
        """Yield how many tokens from `at` on are the last ones before the target."""
        before, texts = self._before.texts, self._texts
        for size in range(1, min(len(before), len(texts) - at) + 1):
            if texts[at + size - 1] != before[-1] or texts[at] != before[-size]:
                continue
            if texts[at : at + size] != before[-size:]:
                continue
            if not self._before.whole:
                yield size
                continue
            begins = len(before) == size or self._before.starts[-size] or before[-size - 1] in _SEPARATORS
            ends = at + size < len(texts) and self._tokens[at + size].starts_line
            if begins and (ends or before[-1] in _SEPARATORS):
                yield size

    def _ends(self, *, opened: bool) -> Iterator[int]:
        after, texts = self._after.texts, self._texts
        last = len(texts)
        while True:
            if self._after.whole or last == len(texts):  # else the rest of the line has to be there, too
                yield last
            for size in range(1, min(len(after), last) + 1):
                at = last - size
                if (
                    texts[at] != after[0]
                    or texts[last - 1] != after[size - 1]
                    or texts[at:last] != after[:size]
                ):
                    continue
                if not self._after.whole:
                    yield at
                    continue
                closes = all(text in _CLOSERS for text in texts[at:last])
                begins = self._tokens[at].starts_line or closes or (at and texts[at - 1] in _SEPARATORS)
                ends = len(after) == size or self._after.starts[size] or after[size - 1] in _SEPARATORS
                if begins and (ends or closes):
                    yield at
            last = self._without_closer(last) if opened else 0
            if not last:
                return

    def _without_closer(self, last: int) -> int:
        """Return where the last thing starts that closes a header; 0 if there is none."""
        texts = self._texts
        if texts[last - 1] == ">" and texts[last - 4 : last - 2] == ["<", "/"]:
            return last - 4
        at = last
        while at and texts[at - 1] in (";", ","):
            at -= 1
        return at - 1 if at and texts[at - 1] in _CLOSERS else 0

    def _is_paired(self, start: int, end: int) -> bool:
        """Tell whether what is left out is more than a bracket that the code may be in itself."""
        before, after = self._tokens[:start], self._tokens[end:]
        if not before or has_word(before) or self._before.whole:
            return True
        return bool(after) and OPENERS.get(before[-1].text, before[-1].text) == after[0].text

    def _is_own_start(self, start: int, end: int) -> bool:
        """Tell whether the target itself begins with the end of what is left out, and the rest does not."""
        there, rest = [token.text for token in self._there], self._texts[start:end]
        return any(
            self._texts[start - size : start] == there[:size] != rest[:size]
            for size in range(1, min(start, len(there)) + 1)
            if has_word(self._there[:size])
        )

    def _is_own_end(self, start: int, end: int, *, closers: bool) -> bool:
        """Tell the same of the end; `closers` count where they do not belong to a header that is left out."""
        there, rest = [token.text for token in self._there], self._texts[start:end]
        return any(
            self._texts[end : end + size] == there[-size:] != rest[-size:]
            for size in range(1, min(len(self._texts) - end, len(there)) + 1)
            if has_word(self._there[-size:])
            if closers or not all(text in _CLOSERS for text in there[-size:])
        )

    def text(self, start: int, end: int) -> str:
        """Return the code of some tokens, with its indentation and with comments that are new."""
        first, last = self._tokens[start].start, self._tokens[end - 1].end
        floor = self._tokens[start - 1].end if start else 0
        roof = self._tokens[end].start if end < len(self._tokens) else len(self._code)
        for token in self._all:
            if not token.is_comment or token.text in self._comments:
                continue
            if floor <= token.start < first and (token.starts_line or not start):
                first = min(first, token.start)
            elif last <= token.start < roof:
                last = max(last, token.end)
        line = self._code.rfind("\n", 0, first) + 1
        if not self._code[line:first].strip():
            first = line
        return self._code[first:last]


def _alike(one: Sequence[str], other: Sequence[str]) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _last_line(text: str) -> str:
    return re.split(r"[\r\n]", text)[-1]


def _first_line(text: str) -> str:
    return re.split(r"[\r\n]", text, maxsplit=1)[0]


def begins_with_header(target: Target, code: str) -> bool:
    """Tell whether code begins with a header of what the target lies in, which the target does not."""
    headers = [header for header, _ in enclosing_headers(target) if len(header) > 1]
    own, there = (
        [token.text for token in tokens(text, target.language) if not token.is_comment]
        for text in (code, target.text)
    )
    return any(own[: len(header)] == header != there[: len(header)] for header in headers)


def repeats_its_line(target: Target, code: str) -> bool:
    """Tell whether code for a part of a line has a line that begins like the one that the part stands in."""
    text = target.snapshot.text
    before = _last_line(text[: target.start])
    head, there = (
        [token.text for token in tokens(part, target.language)][:2] for part in (before, target.text)
    )
    if not any(re.match(r"\w", word) for word in head) or there[: len(head)] == head:
        return False
    lines = ([token.text for token in tokens(line, target.language)] for line in code.splitlines())
    return any(line[: len(head)] == head for line in lines)
