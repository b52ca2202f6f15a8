"""Weights from the Hugging Face Hub. Knows nothing of other sources or of where models are kept.

huggingface_hub finds the file, its checksum and the user's token. The bytes are streamed here
because its own downloads start from zero after an interruption: since 2.x it writes to a file of
its own per process and deletes it on failure.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from lsp_server.models.catalogue import Entry, HubSource
from lsp_server.models.transfer import Job, SourceFailed

log = logging.getLogger(__name__)

INSTALL_HINT = "it needs huggingface_hub: pip install 'codestral-lsp[local]'"

_METADATA_TIMEOUT_S = 4.0
"""A hub that has not answered by then is taken as unreachable, so that the next source gets its turn."""
_READ_TIMEOUT_S = 20.0
"""A stream that is silent for this long is dropped and continued with a new request."""
_FRUITLESS_ATTEMPTS = 3
"""Give up after this many requests in a row that brought no byte."""
_PAUSE_S = 1.0
"""Before asking again a server that has just dropped us."""
_CHUNK_BYTES = 256 * 1024
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416


@dataclass(frozen=True)
class Record:
    """The hub's own word on a file."""

    url: str
    headers: dict[str, str]
    sha256: str
    size_bytes: int


def endpoint() -> str:
    """Return the hub in use; read at each call because huggingface_hub reads it once, at import."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def record(source: HubSource) -> Record:
    """Ask the hub for a file's address and checksum; raise `SourceFailed` if it has none."""
    try:
        from huggingface_hub import HfApi, get_token, hf_hub_url
    except ImportError as error:
        raise SourceFailed(INSTALL_HINT) from error
    try:
        info = HfApi(endpoint=endpoint()).model_info(
            source.repo, files_metadata=True, timeout=_METADATA_TIMEOUT_S
        )
    except Exception as error:  # the HTTP library below, and so its exceptions, changes with the version
        raise SourceFailed(_why(error)) from error
    file = next((file for file in info.siblings or [] if file.rfilename == source.file), None)
    if file is None:
        raise SourceFailed(f"has no file {source.file}")
    if file.lfs is None:
        raise SourceFailed(f"has no checksum for {source.file}")
    url = hf_hub_url(source.repo, source.file, revision=info.sha, endpoint=endpoint())
    token = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Record(url, headers, file.lfs.sha256, file.lfs.size)


def fetch(entry: Entry, source: HubSource, folder: Path, job: Job) -> tuple[Path, str]:
    """Fetch the file into `folder`; return the partial file, now whole, and the expected checksum."""
    job.report(f"Asking {source}")
    found = record(source)
    if entry.sha256 is not None and entry.sha256 != found.sha256:
        raise SourceFailed("has another file under this name than the one in the catalogue")
    # The checksum in the name: a part of last month's file is not continued with this month's.
    part = folder / f"{entry.file}.{found.sha256[:8]}.part"
    _stream(found, part, job, f"Downloading {entry.title} from {source}")
    return part, found.sha256


def _why(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return "asks for a token: accept the model's terms there and set HF_TOKEN"
    if status == 404:
        return "does not know this repository"
    if status is not None:
        return f"answered with HTTP {status}"
    if "Offline" in type(error).__name__:
        return "is not asked because HF_HUB_OFFLINE is set"
    return f"cannot be reached at {urlsplit(endpoint()).netloc} ({type(error).__name__})"


def _stream(found: Record, part: Path, job: Job, message: str) -> None:
    """Append to `part` until it is as long as the hub says, continuing after every break."""
    timeout = httpx.Timeout(_READ_TIMEOUT_S, connect=_METADATA_TIMEOUT_S)
    fruitless = 0
    with httpx.Client(follow_redirects=True, timeout=timeout) as client:
        while (before := _length(part)) != found.size_bytes:
            try:
                _request(client, found, part, job, message)
                reason = "ended early"
            except httpx.TransportError as error:
                reason = f"broke off ({type(error).__name__})"
            after = _length(part)
            if after == found.size_bytes:
                return
            fruitless = 0 if after > before else fruitless + 1
            if fruitless >= _FRUITLESS_ATTEMPTS:
                raise SourceFailed(reason)
            log.info("The download of %s %s at %d bytes; continuing.", part.name, reason, after)
            job.pause(_PAUSE_S, message, after, found.size_bytes)


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _request(client: httpx.Client, found: Record, part: Path, job: Job, message: str) -> None:
    done = _length(part)
    if done > found.size_bytes:
        part.unlink()
        done = 0
    # Uncompressed: a Range counts bytes of what is sent.
    headers = found.headers | {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    with client.stream("GET", found.url, headers=headers) as response:
        if response.status_code == _RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            return
        if response.is_error:
            raise SourceFailed(f"answered with HTTP {response.status_code}")
        continued = response.status_code == _PARTIAL_CONTENT
        done = done if continued else 0
        with part.open("ab" if continued else "wb") as file:
            for chunk in response.iter_raw(_CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                job.report(message, done, found.size_bytes)
