"""A language server that only keeps documents, as the real one does, and writes each into a file.

python -m tests.editors.recording_server FOLDER
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from lsp_server.documents.positions import Encoding
from lsp_server.documents.store import DocumentStore, Edit


def copy_of(folder: Path, uri: str) -> Path:
    """Return where the text of a document is kept."""
    return folder / hashlib.sha256(uri.encode()).hexdigest()[:16]


def main() -> None:
    """Serve standard input until it ends."""
    folder = Path(sys.argv[1])
    documents = DocumentStore(Encoding.UTF8)
    while message := _received():
        method, params = message.get("method"), message.get("params") or {}
        if method == "textDocument/didOpen":
            opened = params["textDocument"]
            snapshot = documents.open(opened["uri"], opened["languageId"], opened["version"], opened["text"])
            copy_of(folder, snapshot.uri).write_bytes(snapshot.text.encode())
        elif method == "textDocument/didChange":
            changed = params["textDocument"]
            edits = map(_edit, params["contentChanges"])
            snapshot = documents.change(changed["uri"], changed["version"], edits)
            copy_of(folder, snapshot.uri).write_bytes(snapshot.text.encode())
        if "id" in message:
            capabilities = {"capabilities": {"positionEncoding": "utf-8"}}
            _send({"id": message["id"], "result": capabilities if method == "initialize" else None})


def _edit(change: dict[str, Any]) -> Edit:
    if "range" not in change:
        return Edit(change["text"])
    start, end = change["range"]["start"], change["range"]["end"]
    return Edit(change["text"], ((start["line"], start["character"]), (end["line"], end["character"])))


def _received() -> dict[str, Any] | None:
    length = 0
    while line := sys.stdin.buffer.readline().strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return json.loads(sys.stdin.buffer.read(length)) if length else None


def _send(message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
