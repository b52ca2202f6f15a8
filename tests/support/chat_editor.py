"""An editor with a chat open in which the user types while the server writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.editor import Editor, path_of
from tests.support.lsp_client import PATIENCE_S, LspClient, Message
from tests.support.scripted_server import ScriptedServer


class ChatEditor(Editor):
    """One window; what the user and the server do to a text is done one after the other."""

    def __init__(self, client: LspClient, name: str, options: object, **more: Any) -> None:  # noqa: ANN401
        self.lock = threading.RLock()
        self.refusals = 0
        """So many edits of the server come too late, before one is taken."""
        self.claims = False
        """Says of those edits that it took them, as Neovim does."""
        self.late = threading.Event()
        """Cleared: an edit of the server waits for it before it is applied."""
        self.late.set()
        self.lag_s = 0.0
        """The editor tells changes so long after it made them, as those that collect changes do."""
        super().__init__(client, name, options, **more)

    def replace(self, uri: str, text: str) -> None:
        """Change a document as a whole."""
        self.texts[uri] = text
        self.versions[uri] += 1
        change = self.client.new_change(uri, {"text": text})
        if self.lag_s:
            threading.Timer(self.lag_s, self.client.send, [change]).start()
        else:
            self.client.send(change)

    def command(self, name: str, **argument: object) -> int:
        """Run a command; return the id of its request."""
        arguments = [argument] if argument else []
        return self.client.request("workspace/executeCommand", {"command": name, "arguments": arguments})

    def run(self, name: str, **argument: object) -> Any:  # noqa: ANN401
        """Run a command and return its result."""
        return self.client.result(self.command(name, **argument))

    def new_chat(self, question: str = "", **argument: object) -> str:
        """Open a chat with a question and return its uri."""
        uri: str = self.run("lsp_server.openChat", **argument)["uri"]
        self.open(uri, path_of(uri).read_text("utf-8") + question, "markdown")
        return uri

    def type(self, uri: str, change: Callable[[str], str]) -> None:
        """Let the user change a text, whatever it is just then."""
        with self.lock:
            self.replace(uri, change(self.texts[uri]))

    def wait_for(self, uri: str, text: str) -> None:
        """Wait until a document contains a text."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.texts[uri]:
            assert time.monotonic() < deadline, self.texts[uri]
            time.sleep(0.01)

    def wait_for_turns(self, uri: str, turns: list[str]) -> None:
        """Wait until these are the turns; after a cancelled request the chat is in order a little later."""
        deadline = time.monotonic() + PATIENCE_S
        while self.turns(uri) != turns:
            assert time.monotonic() < deadline, self.texts[uri]
            time.sleep(0.01)

    def turns(self, uri: str) -> list[str]:
        """Return what stands under the headings of a chat, each with the heading's word."""
        text = self.texts[uri].replace("\r\n", "\n")
        parts = text.replace("\n## You", "\n\0You").replace("\n## Model", "\n\0Model").split("\0")[1:]
        return [": ".join(part.strip() for part in turn.partition("\n")[::2]) for turn in parts]

    def _apply_edit(self, params: Message) -> object:
        assert self.late.wait(PATIENCE_S)
        with self.lock:
            if self.refusals:
                self.refusals -= 1
                return {"applied": self.claims}
            return {"applied": self.apply(params["edit"])}


def workspace(folder: Path) -> Path:
    """Make a folder for a project."""
    root = folder / "project"
    root.mkdir()
    return root


def titles(editor: ChatEditor, uri: str, place: tuple[int, int] = (0, 0)) -> list[str]:
    """Return what the menu of a chat offers at a place."""
    return [item["title"] for item in editor.menu(uri, place)]


def told(model: ScriptedServer, number: int = -1) -> list[tuple[str, str]]:
    """Return the turns of a request, without the system's."""
    messages = model.history[number].body["messages"]
    return [(turn["role"], turn["content"]) for turn in messages if turn["role"] != "system"]
