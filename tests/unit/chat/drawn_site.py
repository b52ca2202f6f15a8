"""Places drawn into code: `█` is the cursor, two of them are the ends of a selection."""

from __future__ import annotations

from lsp_server.chat.actions.site import Diagnostic, Site, site
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse


def drawn_site(
    language_id: str,
    drawn: str,
    *diagnostics: Diagnostic,
    uri: str = "file:///project/src/code",
    with_tree: bool = True,
) -> Site:
    """Return the place that is drawn."""
    text = drawn.replace("█", "")
    start = drawn.find("█")
    second = drawn.find("█", start + 1)
    snapshot = Snapshot(uri=uri, language_id=language_id, version=1, text=text)
    tree = parse(text, detect(language_id, uri)) if with_tree else None
    return site(snapshot, tree, start, second - 1 if second > 0 else start, diagnostics)


def problem(drawn: str, at: str, message: str = "wrong", source: str = "", code: str = "") -> Diagnostic:
    """Return a diagnostic of the first place in a drawing where `at` stands."""
    start = drawn.replace("█", "").index(at)
    return Diagnostic(start, start + len(at), "error", message, source, code)
