"""`$/lsp_server/partial`: what a model has said so far, and how that ended, for clients that ask for it.

The experimental capability `lspServerPartial` asks for it; `lspServerAnswers` does, too, and says that the
client shows answers itself: it gets no file to show. Parameters:

    token, uri, action, title    which run this is: the token of its progress, and the title as in the menu
    answer                       whether this is an answer in words, to be shown; else it becomes an edit
    text                         all of the reply so far, as Markdown that loads nothing
    done                         true in the last notification of a run, which always comes
    state, message, notes        then: `answered`, `stopped` or `failed`; why it failed; what to say below

The first notification of a run comes at once and has no text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pygls.lsp.server import LanguageServer

from lsp_server.errors import UserFacingError
from lsp_server.features.client import Client

METHOD = "$/lsp_server/partial"
PAUSE_S = 0.1
"""Between two notifications: each has the whole text, and an editor draws it each time."""
SHARE = 20
"""How many times longer the pause is at least than making a notification takes: replies may be long."""
UNEXPECTED = "The action failed for an internal error, which is in the log: please report it."

State = Literal["answered", "stopped", "failed"]


class PartialText:
    """The reply of one run."""

    def __init__(
        self, server: LanguageServer, token: int | str, uri: str, action: str, title: str, *, answer: bool
    ) -> None:
        self._server = server
        self._wanted = Client.of(server).partial
        self._about = {"token": token, "uri": uri, "action": action, "answer": answer}
        self._title = title
        self._next = 0.0
        self._text: str | None = None
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what is to be said below the reply in the end, each once."""
        return tuple(self._notes)

    @contextmanager
    def run(self) -> Iterator[None]:
        """Tell the beginning of a run and, however it ends, its end."""
        self.send("")
        self._next = 0.0  # the first words are not to wait for the empty text
        try:
            yield
        except UserFacingError as error:
            self._end("failed", str(error))
            raise
        except Exception:
            self._end("failed", UNEXPECTED)
            raise
        except BaseException:
            self._end("stopped")
            raise
        self._end("answered")

    def send(self, text: str) -> None:
        """Send the text so far, if it is time to; the last text always gets sent with the end."""
        now = asyncio.get_running_loop().time()
        if not self._wanted or text == self._text:
            return
        self._text = text
        if now < self._next:
            return
        self._notify(done=False)
        done = asyncio.get_running_loop().time()
        self._next = now + max(PAUSE_S, SHARE * (done - now))

    def note(self, *notes: str) -> None:
        """Take what is to be said below the reply in the end."""
        self._notes.update(dict.fromkeys(notes))

    def _end(self, state: State, message: str = "") -> None:
        if self._wanted:
            self._notify(done=True, state=state, message=message, notes=self.notes)

    def _notify(self, **more: object) -> None:
        from lsp_server.chat.replies.harmless import harmless  # not before the client is served

        texts = {"title": harmless(self._title), "text": harmless(self._text or "")}
        self._server.protocol.notify(METHOD, {**self._about, **texts, **more})
