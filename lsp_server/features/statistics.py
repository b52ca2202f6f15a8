"""The command `lsp_server.stats`: counters of this server since it started, and `markdown` to show them.

How it is known what was accepted is said in `completion.acceptance`.
"""

from __future__ import annotations

from typing import Any

from pygls.lsp.server import LanguageServer

from lsp_server.features.session import Session

COMMAND = "lsp_server.stats"


def register(server: LanguageServer, session: Session) -> None:
    """Serve the command."""

    @server.command(COMMAND)
    def stats() -> dict[str, Any]:
        from lsp_server.completion import stats_report

        return {**stats_report.values(session.stats), "markdown": stats_report.markdown(session.stats)}
