"""Where models live and how one gets here: the door to this package for engine, CLI and tests.

A name stands for one of the catalogue; anything that looks like a path is one.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from lsp_server import own_folders
from lsp_server.errors import ModelError
from lsp_server.models import catalogue, discover, gguf_file, llamafile
from lsp_server.models.catalogue import Entry
from lsp_server.models.checksums import KnownChecksums
from lsp_server.models.download import download
from lsp_server.models.transfer import Job, Progress
from lsp_server.own_folders import MODELS

log = logging.getLogger(__name__)

FOLDER_VARIABLE = MODELS.variable


def folder() -> Path:
    """Return the model store; not in the cache folder, which cleaners empty."""
    return MODELS.given() or own_folders.data() / "models"


def find(name_or_path: str) -> Path | None:
    """Return the file of a model that is on this machine, None if it would have to be downloaded.

    Raises `ModelError` for an unknown name and for a path that is not a model.
    """
    job = Job()
    if _is_path(name_or_path):
        return locate(Path(name_or_path), job)
    return find_entry(catalogue.get(name_or_path), job)


def find_entry(entry: Entry, job: Job | None = None) -> Path | None:
    """Return the file of `entry` in the store or where another program keeps it, or None."""
    stored = folder() / entry.file
    try:
        if stored.is_file() and entry.size_bytes in (None, stored.stat().st_size):
            return stored
    except OSError as error:
        log.info("%s cannot be looked at: %s", stored, error.strerror)
    return discover.find(entry, KnownChecksums(folder()), job or Job())


def ensure(
    name_or_path: str,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Path:
    """Return the file of a model, downloading it if it is not here yet.

    Blocks, for minutes or hours: call it in a thread or a process of its own. Raises `DownloadError`,
    as `DownloadCancelled` once `cancelled` returns true; what arrived is continued the next time.
    """
    job = Job(progress, cancelled)
    if _is_path(name_or_path):
        return locate(Path(name_or_path), job)
    entry = catalogue.get(name_or_path)
    return find_entry(entry, job) or download(entry, folder(), job)


def locate(path: Path, job: Job | None = None) -> Path:
    """Return the GGUF file that `path` stands for, or raise `ModelError`.

    A llamafile's weights are taken out into the store the first time.
    """
    path = own_folders.expanded(str(path))
    if path.is_dir():
        raise ModelError(f"{path} is a folder; give the path of a .gguf or .llamafile in it.")
    try:
        if llamafile.is_llamafile(path):
            path = llamafile.extract(path, folder() / "llamafile", job or Job())
        gguf_file.read(path)
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path}; check the path of the model.") from error
    except PermissionError as error:
        raise ModelError(f"{path} cannot be read; check its permissions.") from error
    return path


def _is_path(name_or_path: str) -> bool:
    """Return whether this is meant as a path: no name has a slash, a tilde or such an ending."""
    lowered = name_or_path.lower()
    return (
        "/" in name_or_path
        or os.sep in name_or_path
        or lowered.startswith("~")
        or lowered.endswith((".gguf", ".llamafile", ".llamafile.exe"))
    )
