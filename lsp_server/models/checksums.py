"""SHA-256 of large files, computed once per file and remembered. Knows nothing of the catalogue."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

import msgspec

from lsp_server.models.transfer import Job
from lsp_server.own_folders import MODELS, failure

log = logging.getLogger(__name__)

_BLOCK_BYTES = 4 * 1024 * 1024
"""Large enough that reading and hashing are not slowed by Python, small enough to cancel at once."""


def sha256_of(path: Path, job: Job, name: str = "") -> str:
    """Return the checksum of `path`, reporting the way there under `name` or its own."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            job.report(f"Checking {name or path.name}", done, total)
    return digest.hexdigest()


class _Record(msgspec.Struct, frozen=True):
    size_bytes: int
    mtime_ns: int
    sha256: str


class KnownChecksums:
    """Checksums of files as they were when read: a changed size or time forgets one.

    Two processes writing at once lose one record at worst, which is then computed again.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "checksums.json"

    def known(self, path: Path) -> str | None:
        """Return the checksum of `path` if the file is unchanged since it was computed."""
        record, stat = self._load().get(str(path)), path.stat()
        if record is None or (record.size_bytes, record.mtime_ns) != (stat.st_size, stat.st_mtime_ns):
            return None
        return record.sha256

    def recorded(self, path: Path) -> str | None:
        """Return the checksum `path` had when it was last read, changed since or not."""
        record = self._load().get(str(path))
        return record.sha256 if record else None

    def remember(self, path: Path, sha256: str) -> None:
        """Note the checksum of `path` as it is now."""
        stat, records = path.stat(), self._load()
        records[str(path)] = _Record(stat.st_size, stat.st_mtime_ns, sha256)
        temporary = self._file.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.json.encode(records))
            temporary.replace(self._file)
        except OSError as error:  # it is computed again
            log.warning("The checksum of %s is not kept: %s", path, failure(error, MODELS, self._file))

    def of(self, path: Path, job: Job) -> str:
        """Return the checksum of `path`, computing it the first time."""
        sha256 = self.known(path)
        if sha256 is None:
            sha256 = sha256_of(path, job)
            self.remember(path, sha256)
        return sha256

    def _load(self) -> dict[str, _Record]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, _Record])
        except (OSError, msgspec.DecodeError):  # a damaged memory is an empty one
            return {}
