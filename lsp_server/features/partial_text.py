"""`$/lsp_server/partial`: what a model has said so far, for clients that ask for it.

The experimental capability `lspServerPartial` asks for it. Parameters: `token` (that of the progress), `uri`,
`action`, `text` (all of it so far, as Markdown that loads nothing).
"""

from __future__ import annotations

import asyncio

from pygls.lsp.server import LanguageServer

from lsp_server.features.client import Client

METHOD = "$/lsp_server/partial"
PAUSE_S = 0.1
"""Between two notifications: each has the whole text, and an editor draws it each time."""
SHARE = 20
"""How many times longer the pause is at least than making a notification takes: replies may be long."""


class PartialText:
    """The reply of one run."""

    def __init__(self, server: LanguageServer, token: int | str, uri: str, action: str) -> None:
        self._server = server
        self._wanted = Client.of(server).partial
        self._about = {"token": token, "uri": uri, "action": action}
        self._next = 0.0
        self._sent = ""

    def send(self, text: str, *, last: bool = False) -> None:
        """Send the text so far, if it is time to; the last text always."""
        now = asyncio.get_running_loop().time()
        if not self._wanted or text == self._sent or (now < self._next and not last):
            return
        self._sent = text
        from lsp_server.chat.replies.harmless import harmless  # not before the client is served

        self._server.protocol.notify(METHOD, {**self._about, "text": harmless(text)})
        done = asyncio.get_running_loop().time()
        self._next = now + max(PAUSE_S, SHARE * (done - now))
