"""A small Hugging Face Hub and a small package index on 127.0.0.1, with the faults of real ones.

The hub speaks what huggingface_hub and a download need: `/api/models/REPO` with the LFS checksum of
each file, and `/REPO/resolve/REVISION/FILE` with ranges. The index speaks PEP 503.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

REVISION = "1234567890abcdef1234567890abcdef12345678"


@dataclass
class HubServer:
    """What the server offers and does wrong; change it between requests."""

    url: str = ""
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """(repository, file) -> content."""
    claimed_sha256: dict[tuple[str, str], str] = field(default_factory=dict)
    """Checksums the hub states, where they are not those of the content."""
    status: int = 200
    """Answer everything with this status."""
    ranges: bool = True
    """Whether a range is answered with a range or with the whole."""
    drop_after: list[int] = field(default_factory=list)
    """The next file responses each break off after so many bytes."""
    cdn: bool = False
    """Send downloads to another host, as the real hub does."""
    tokens: dict[str, str] = field(default_factory=dict)
    """The `Authorization` that came with a path."""
    wheels: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Project -> file name -> wheel."""
    requests: list[str] = field(default_factory=list)
    """`METHOD path`, and the range after it if one was asked for."""

    def add(self, repo: str, file: str, content: bytes) -> None:
        """Offer `content` in a repository of the hub."""
        self.files[repo, file] = content

    def add_wheel(self, project: str, version: str, entries: dict[str, bytes]) -> None:
        """Offer a wheel with `entries` beside its metadata."""
        name = project.replace("-", "_")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in entries.items():
                archive.writestr(path, content)
            info = f"{name}-{version}.dist-info"
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        self.wheels.setdefault(project, {})[f"{name}-{version}-py3-none-any.whl"] = buffer.getvalue()

    def asked(self, part: str) -> list[str]:
        """Return the requests whose line contains `part`."""
        return [line for line in self.requests if part in line]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `hub.requests` is the log."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        asked_range = self.headers.get("Range")
        self.hub.requests.append(f"{self.command} {path}{' ' + asked_range if asked_range else ''}")
        if "Authorization" in self.headers:
            self.hub.tokens[path] = self.headers["Authorization"]
        if self.hub.status != 200:
            self._send(self.hub.status, b"{}")
        elif path.startswith("/api/models/"):
            self._model(path.removeprefix("/api/models/"))
        elif path.startswith("/simple/"):
            self._project(path.removeprefix("/simple/").strip("/"))
        elif path.startswith("/wheels/"):
            _, _, project, name = path.split("/")
            self._file(self.hub.wheels.get(project, {}).get(name), asked_range)
        elif "/resolve/" in path and self.hub.cdn:
            elsewhere = self.hub.url.replace("127.0.0.1", "localhost")
            self._send(302, b"", {"Location": f"{elsewhere}/cdn{self.path.replace('resolve', 'blob')}"})
        elif "/resolve/" in path or path.startswith("/cdn/"):
            path = path.removeprefix("/cdn").replace("/blob/", "/resolve/")
            repo, _, rest = path.strip("/").partition("/resolve/")
            self._file(self.hub.files.get((repo, rest.partition("/")[2])), asked_range)
        else:
            self._send(404, b"{}")

    def _model(self, repo: str) -> None:
        siblings = []
        for (owner, file), content in self.hub.files.items():
            if owner == repo:
                sha256 = self.hub.claimed_sha256.get((owner, file)) or hashlib.sha256(content).hexdigest()
                lfs = {"sha256": sha256, "size": len(content), "pointerSize": 134}
                siblings.append({"rfilename": file, "size": len(content), "blobId": "0", "lfs": lfs})
        if not siblings:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        body = {"id": repo, "sha": REVISION, "private": False, "siblings": siblings, "tags": []}
        self._send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _project(self, project: str) -> None:
        links = [
            f'<a href="/wheels/{project}/{name}#sha256={hashlib.sha256(wheel).hexdigest()}">{name}</a>'
            for name, wheel in self.hub.wheels.get(project, {}).items()
        ]
        page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"
        self._send(200 if links else 404, page.encode(), {"Content-Type": "text/html"})

    def _file(self, content: bytes | None, asked_range: str | None) -> None:
        if content is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": REVISION, "Accept-Ranges": "bytes"}
        if asked_range is None or not self.hub.ranges:
            self._send(200, content, headers)
            return
        start = int(asked_range.removeprefix("bytes=").split("-")[0])
        if start >= len(content):
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206, content[start:], headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        is_file = status in (200, 206) and "/api/" not in self.path and "/simple/" not in self.path
        if is_file and self.hub.drop_after:
            body = body[: self.hub.drop_after.pop(0)]
            self.close_connection = True
        self.wfile.write(body)


@contextmanager
def running_hub() -> Iterator[HubServer]:
    """Run a server for the length of the `with` block."""
    hub = HubServer()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
