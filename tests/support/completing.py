"""A drawn buffer and what a model writes there, taken through context, cut and post-processing."""

from __future__ import annotations

from lsp_server.completion.context import Context, ContextBuilder
from lsp_server.completion.postprocess import postprocess
from lsp_server.completion.result import Reason
from lsp_server.completion.truncate import Cut, Truncator
from lsp_server.backends.protocol import FinishReason
from lsp_server.completion.cursor import unix
from lsp_server.documents.snapshot import Snapshot
from lsp_server.settings import CompletionSettings
from tests.support.drawn import cursor

SETTINGS = CompletionSettings()


def context_of(language_id: str, drawn: str, settings: CompletionSettings = SETTINGS) -> Context:
    """Return the context at the cursor of a drawn buffer."""
    text, offset = cursor(drawn)
    return ContextBuilder(settings)._build(Snapshot("file:///drawn", language_id, 1, text), offset)


def cut_of(context: Context, pieces: list[str], ended: FinishReason = "stop") -> Cut:
    """Return what is kept of a stream."""
    truncator = Truncator(context.cursor, context.judge)
    for piece in pieces:
        cut = truncator.feed(unix(piece))
        if cut is not None:
            return cut
    return truncator.finish(ended)


def inserted(context: Context, pieces: list[str], ended: FinishReason = "stop") -> str | Reason:
    """Return the text that would be inserted, or why there is none."""
    cut = cut_of(context, pieces, ended)
    return postprocess(cut, context.cursor, context.above, context.line_end)
