"""What the model gets to see: the text around the cursor within the budget, and what it cannot do without.

Windows are anchored (`documents.window`), so that the prompt stays the same between two keystrokes.
Runs on a thread: parsing a large file takes a while.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from threading import Lock

from lsp_server.completion import trigger
from lsp_server.completion.beginning import heading
from lsp_server.completion.block import Block
from lsp_server.completion.cursor import Cursor
from lsp_server.completion.statement import Candidates
from lsp_server.documents.context import syntax_context
from lsp_server.documents.lines import unix
from lsp_server.documents.positions import LINE_END
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.stable_outline import StableOutlines
from lsp_server.documents.syntax import SyntaxTree, SyntaxTrees
from lsp_server.documents.window import prefix_window, suffix_window
from lsp_server.settings import CompletionSettings

CHARS_PER_TOKEN = 3
"""A low guess for code (Qwen and Mistral tokenisers: 3 to 4), so that the budget holds."""

OUTLINE_SHARE = 0.25
"""Part of the prefix budget for what falls outside of the window: imports and signatures."""


@dataclass(frozen=True)
class Context:
    """Everything the later stages need to know of one place in one document."""

    cursor: Cursor
    heading: str
    """A line of ours that tells the model the language of a document that says little; see `beginning`."""
    prefix: str
    suffix: str
    above: str
    """The text before the cursor's line, as far as it was sent."""
    line_end: str
    """The document's own line end."""
    judge: Candidates


class ContextBuilder:
    """Builds contexts; keeps syntax trees between keystrokes."""

    def __init__(self, settings: CompletionSettings) -> None:
        self._settings = settings
        self._trees = SyntaxTrees()
        self._outlines = StableOutlines()
        self._lock = Lock()
        self._closed = 0
        """Documents closed so far."""

    async def build(self, snapshot: Snapshot, offset: int) -> Context:
        """Return the context at `offset`, without blocking the event loop."""
        return await asyncio.to_thread(self._build_open, snapshot, offset, self._closed)

    def forget(self, uri: str) -> None:
        """Drop the tree of a closed document."""
        with self._lock:
            self._closed += 1
            self._trees.forget(uri)
            self._outlines.forget(uri)

    def _build_open(self, snapshot: Snapshot, offset: int, closed: int) -> Context:
        """Build, and keep nothing if it may have been this document that was closed meanwhile."""
        try:
            return self._build(snapshot, offset)
        finally:
            with self._lock:
                if self._closed != closed:
                    self._trees.forget(snapshot.uri)
                    self._outlines.forget(snapshot.uri)

    def _build(self, snapshot: Snapshot, offset: int) -> Context:
        tree = self._trees.parse(snapshot)
        start, end, outline = self._window(snapshot, tree, offset)
        prefix, suffix = unix(outline + snapshot.text[start:offset]), unix(snapshot.text[offset:end])
        syntax = syntax_context(snapshot, tree, offset)
        # A line may be a whole file; what was not sent is not looked at while the model writes.
        head, tail = syntax.left[max(0, len(syntax.left) - offset + start) :], syntax.right[: end - offset]
        block = Block(snapshot, tree, offset, syntax)
        cursor = Cursor(
            head=head,
            tail=tail,
            below=suffix.partition("\n")[2],
            scope=trigger.scope(self._settings, syntax, head, tail),
            language=syntax.language,
            in_code=syntax.place == "code",
            block_start=syntax.at_block_start,
            floor=block.floor,
            opening=block.opening,
            line_above=block.line_above,
            unit=block.unit,
            fits=block.fits,
            unclosed=block.unclosed,
        )
        return Context(
            cursor=cursor,
            heading=heading(snapshot),
            prefix=prefix,
            suffix=suffix,
            above=prefix.rpartition("\n")[0],
            line_end=_line_end(snapshot.text, offset),
            judge=Candidates(syntax.language, prefix + cursor.opening, suffix),
        )

    def _window(self, snapshot: Snapshot, tree: SyntaxTree | None, offset: int) -> tuple[int, int, str]:
        """Return where the text that is sent starts and ends, and the outline of the rest."""
        text = snapshot.text
        budget = self._settings.context_tokens * CHARS_PER_TOKEN
        after = int(budget * self._settings.suffix_share)
        before = budget - after
        end = suffix_window(text, offset, after)
        start = prefix_window(text, offset, before)
        outline = ""
        if tree is not None and (start > 0 or end < len(text)):
            share = int(before * OUTLINE_SHARE)
            start = prefix_window(text, offset, before - share)
            with self._lock:  # two keystrokes may be looked at side by side
                outline = self._outlines.text(snapshot.uri, tree, (start, end), share)
        return start, end, outline


def _line_end(text: str, offset: int) -> str:
    """Return the line end in use at `offset`: that of the line above, else of the first line."""
    at = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset))
    end = LINE_END.search(text, max(0, at - 1))
    return end.group() if end is not None else "\n"
