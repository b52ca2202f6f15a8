"""The GGUF inside a llamafile: a program that is also a zip. Knows nothing of the catalogue.

llama.cpp maps a file of its own, so the weights are taken out once and kept.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from filelock import FileLock

from lsp_server.errors import ModelError
from lsp_server.models.transfer import Job, disk_error, require_space

_CHUNK_BYTES = 4 * 1024 * 1024


def is_llamafile(path: Path) -> bool:
    """Return whether `path` is called a llamafile (`.exe` after it on Windows) and is a zip."""
    return ".llamafile" in path.name.lower() and zipfile.is_zipfile(path)


def extract(path: Path, folder: Path, job: Job) -> Path:
    """Return the weights of the llamafile at `path`, taken out into `folder` the first time.

    What was taken out of an earlier file at the same path is deleted.
    """
    stat = path.stat()
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    stem = f"{path.name.split('.llamafile')[0]}-{place}"
    target = folder / f"{stem}-{stat.st_size}-{stat.st_mtime_ns}.gguf"
    if target.exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{stem}.lock"):
            if not target.exists():
                _take_out(path, target, job)
                for old in folder.glob(f"{stem}-*"):
                    if old != target:
                        old.unlink(missing_ok=True)
    except zipfile.BadZipFile as error:
        raise ModelError(f"{path} is damaged; fetch it again.") from error
    except OSError as error:
        raise disk_error(error, folder) from error
    return target


def _take_out(path: Path, target: Path, job: Job) -> None:
    with zipfile.ZipFile(path) as archive:
        weights = [item for item in archive.infolist() if item.filename.lower().endswith(".gguf")]
        if not weights:
            raise ModelError(f"{path} has no weights inside; give a llamafile that carries a .gguf.")
        largest = max(weights, key=lambda item: item.file_size)
        require_space(target.parent, largest.file_size)
        part = target.with_name(target.name + ".part")
        done = 0
        with archive.open(largest) as source, part.open("wb") as out:
            while chunk := source.read(_CHUNK_BYTES):
                out.write(chunk)
                done += len(chunk)
                job.report(f"Taking the weights out of {path.name}", done, largest.file_size)
        part.replace(target)
