"""An editor as far as code actions go: keeps texts, opens menus, applies edits by LSP's rules.

    with start() as client:
        editor = Editor(client, "vscode", options)
        editor.open(uri, text)
        editor.choose(editor.item(uri, (3, 4), "document"))
        assert editor.texts[uri] == ...

An edit that a real editor would refuse (another version, a file that is there already) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.editor_capabilities import EDITORS
from tests.support.lsp_client import LspClient, Message

Place = tuple[int, int]
"""Line and column, in the client's units."""

RUN = "lsp_server.runAction"

_ENCODINGS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""Python's names, with the bytes of one unit."""


class Editor:
    """One window."""

    def __init__(
        self,
        client: LspClient,
        name: str,
        options: object,
        *,
        root: Path | None = None,
        experimental: object = None,
        encoding: str = "",
        calls_itself: str = "",
    ) -> None:
        """`encoding` stands in for the ones that the editor named would offer."""
        self.client = client
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.edits: list[Message] = []
        """All that were applied."""
        self.shown: list[str] = []
        """Uris of the files that the server opened."""
        self.places: list[Message] = []
        """Where, in those of them that it was told where."""
        self.questions: list[Message] = []
        self.answer: str | None = None
        """What the user says to questions: the title of a choice."""
        capabilities: dict[str, Any] = {**EDITORS[name], "experimental": experimental or {}}
        if encoding:
            capabilities["general"] = {"positionEncodings": [encoding]}
        self._take_requests(name)
        offered = client.initialize(capabilities, options=options, root=root, name=calls_itself)
        self.encoding: str = offered["positionEncoding"]
        client.discard("$/progress")

    def _take_requests(self, name: str) -> None:
        requests = {
            "workspace/applyEdit": self._apply_edit,
            "window/showDocument": self._show,
            "window/showMessageRequest": self._ask,
        }
        if name == "minimal":
            self.client.refused.update(requests)
        else:
            self.client.answers.update(requests)

    # Documents

    def open(self, uri: str, text: str, language: str = "python") -> None:
        """Open a document at version 1."""
        self.texts[uri], self.versions[uri] = text, 1
        self.client.open(uri, text, language)

    def replace(self, uri: str, text: str) -> None:
        """Change a document as a whole."""
        self.texts[uri] = text
        self.versions[uri] += 1
        self.client.change(uri, {"text": text})

    def position(self, uri: str, offset: int) -> Message:
        """Return a position in the units agreed upon."""
        before = self.texts[uri][:offset].replace("\r\n", "\n")
        codec, size = _ENCODINGS[self.encoding]
        column = len(before.rpartition("\n")[2].encode(codec)) // size
        return {"line": before.count("\n"), "character": column}

    # Actions

    def menu(
        self, uri: str, start: Place, end: Place | None = None, **context: object
    ) -> list[dict[str, Any]]:
        """Open the menu at a place or on a selection."""
        (line, column), (last, to) = start, end or start
        params = {
            "textDocument": {"uri": uri},
            "range": {"start": {"line": line, "character": column}, "end": {"line": last, "character": to}},
            "context": {"diagnostics": [], **context},
        }
        items: list[dict[str, Any]] = self.client.result(
            self.client.request("textDocument/codeAction", params)
        )
        return items

    def item(
        self, uri: str, start: Place, action: str, end: Place | None = None, **context: object
    ) -> dict[str, Any]:
        """Open the menu and find an action, or its first variant."""
        items = self.menu(uri, start, end, **context)
        found = [item for item in runs(items) if call(item)["action"] == action]
        assert found, [item["title"] for item in items]
        return found[0]

    def choose(self, item: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Do what an editor does with the chosen item; return the result of its command."""
        request = self.begin(item)
        if "arguments" in command(item):
            return self.client.result(request)
        resolved = self.client.result(request)
        if "edit" in resolved:
            self.apply(resolved["edit"])
        return resolved

    def begin(self, item: Mapping[str, Any]) -> int:
        """Send the request that runs an item."""
        if run := command(item):
            params = {"command": run["command"], "arguments": run["arguments"]}
            return self.client.request("workspace/executeCommand", params)
        return self.client.request("codeAction/resolve", item)

    # Requests of the server; they come on the client's own thread.

    def apply(self, edit: Message) -> bool:
        """Apply an edit as a whole, or nothing of it."""
        texts = dict(self.texts)
        created: list[str] = []
        operations = edit.get("documentChanges") or [
            {"textDocument": {"uri": uri, "version": None}, "edits": edits}
            for uri, edits in edit.get("changes", {}).items()
        ]
        for operation in operations:
            if operation.get("kind") == "create":
                if path_of(operation["uri"]).exists() or operation["uri"] in texts:
                    return False
                texts[operation["uri"]] = ""
                created.append(operation["uri"])
                continue
            uri, version = operation["textDocument"]["uri"], operation["textDocument"]["version"]
            if version is not None and version != self.versions.get(uri):
                return False
            if uri not in texts:
                texts[uri] = path_of(uri).read_bytes().decode()
            texts[uri] = applied(texts[uri], operation["edits"], self.encoding)
        self.edits.append(edit)
        for uri, text in texts.items():
            if uri in self.versions and text != self.texts[uri]:
                self.replace(uri, text)
        self.texts = texts
        return True

    def _apply_edit(self, params: Message) -> object:
        return {"applied": self.apply(params["edit"])}

    def _show(self, params: Message) -> object:
        self.shown.append(params["uri"])
        if "selection" in params:
            self.places.append(params["selection"]["start"])
        return {"success": True}

    def _ask(self, params: Message) -> object:
        self.questions.append(params)
        titles = [action["title"] for action in params["actions"]]
        return {"title": self.answer} if self.answer in titles else None


def command(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the command of a menu item, empty if it has none."""
    found: Mapping[str, Any] = item if isinstance(item.get("command"), str) else item.get("command", {})
    return found


def runs(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items that run an action."""
    return [item for item in items if command(item).get("command", RUN) == RUN]


def call(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an item sends back."""
    found: Mapping[str, Any] = item["data"] if item.get("data") else command(item)["arguments"][0]
    return found


def applied(text: str, edits: Sequence[Mapping[str, Any]], encoding: str) -> str:
    """Return a text with edits made; all of them are for the text as it was, and none touches another."""
    places = []
    for edit in edits:
        start = _offset(text, edit["range"]["start"], encoding)
        end = _offset(text, edit["range"]["end"], encoding)
        places.append((start, end, edit["newText"]))
    for one, next_one in zip(sorted(places), sorted(places)[1:], strict=False):
        assert one[1] <= next_one[0], "edits overlap"
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def path_of(uri: str) -> Path:
    """Return the path of a file's uri."""
    return Path(unquote(urlsplit(uri).path))


def _offset(text: str, position: Mapping[str, int], encoding: str) -> int:
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text)), len(text)]
    line = re.split(r"[\r\n]", text[starts[position["line"]] :], maxsplit=1)[0]
    codec, size = _ENCODINGS[encoding]
    before = line.encode(codec)[: position["character"] * size]
    return starts[position["line"]] + len(before.decode(codec))
