"""Models that other programs have already put on this machine: the Hugging Face cache, LM Studio, Ollama.

Only looks; never changes what is theirs. Knows nothing of downloads.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lsp_server import own_folders
from lsp_server.errors import ModelError
from lsp_server.models import gguf_file
from lsp_server.models.catalogue import Entry, HubSource
from lsp_server.models.checksums import KnownChecksums
from lsp_server.models.transfer import DownloadCancelled, Job

log = logging.getLogger(__name__)


def find(entry: Entry, known: KnownChecksums, job: Job) -> Path | None:
    """Return a file of this machine that is `entry`, or None.

    Where the catalogue has a checksum, the file has it: by its name in a store that names files so,
    else read once and remembered. Where it has none, place and name must be right and the file whole.
    """
    for path in _candidates(entry):
        if _is_usable(path, entry, known, job):
            log.info("%s is already here: %s", entry.name, path)
            return path
    return None


def _is_usable(path: Path, entry: Entry, known: KnownChecksums, job: Job) -> bool:
    try:
        return _is_entry(path, entry, known, job)
    except DownloadCancelled:
        raise
    except (OSError, ModelError) as error:
        log.info("Not using %s: %s", path, error)
        return False


def _is_entry(path: Path, entry: Entry, known: KnownChecksums, job: Job) -> bool:
    if entry.sha256 is None:
        gguf_file.read(path)
        return True
    if path.stat().st_size != entry.size_bytes:
        return False
    # Ollama calls a blob `sha256-…`, the Hugging Face cache calls it by the bare checksum.
    named_by = path.resolve().name.removeprefix("sha256-")
    return named_by == entry.sha256 or known.of(path, job) == entry.sha256


def _candidates(entry: Entry) -> Iterator[Path]:
    for source in entry.sources:
        if isinstance(source, HubSource):
            yield from _hugging_face(source)
            yield from _lm_studio(source)
    yield from _ollama(entry)


def _hugging_face(source: HubSource) -> Iterator[Path]:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return
    # Read here: huggingface_hub reads its environment once, at import.
    home = os.environ.get("HF_HOME") or Path(
        os.environ.get("XDG_CACHE_HOME") or own_folders.home() / ".cache", "huggingface"
    )
    cache = own_folders.expanded(os.environ.get("HF_HUB_CACHE") or str(Path(home, "hub")))
    found = try_to_load_from_cache(source.repo, source.file, cache_dir=cache)
    if isinstance(found, str):
        yield Path(found)


def _lm_studio(source: HubSource) -> Iterator[Path]:
    for folder in (".lmstudio/models", ".cache/lm-studio/models"):  # since 0.3.6, and before
        # The publisher may be another one who offers the same file; the name must be the same.
        yield from (path for path in own_folders.home().glob(f"{folder}/*/*/{source.file}") if path.is_file())


class _Layer(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str
    digest: str


class _Manifest(msgspec.Struct, frozen=True):
    layers: tuple[_Layer, ...] = ()


_OLLAMA_WEIGHTS = "application/vnd.ollama.image.model"


def _ollama(entry: Entry) -> Iterator[Path]:
    for folder in _ollama_folders():
        if entry.sha256 is not None:
            digests = [f"sha256:{entry.sha256}"]
        else:
            digests = [digest for manifest in _manifests(folder, entry) for digest in _weights(manifest)]
        for digest in digests:
            blob = folder / "blobs" / digest.replace(":", "-")
            if blob.is_file():
                yield blob


def _ollama_folders() -> list[Path]:
    given = os.environ.get("OLLAMA_MODELS")
    # The second one is the home of the service that Ollama's installer for Linux sets up.
    return (
        [Path(given)]
        if given
        else [own_folders.home() / ".ollama/models", Path("/usr/share/ollama/.ollama/models")]
    )


def _manifests(folder: Path, entry: Entry) -> Iterator[Path]:
    if entry.ollama is not None:
        model, _, tag = entry.ollama.partition(":")
        yield folder / "manifests/registry.ollama.ai/library" / model / tag
    for source in entry.sources:
        if isinstance(source, HubSource):  # `ollama pull hf.co/OWNER/REPO:QUANT`
            repo = folder / "manifests/hf.co" / source.repo
            if repo.is_dir():
                yield from (
                    tag for tag in repo.iterdir() if source.file.lower().endswith(f"{tag.name.lower()}.gguf")
                )


def _weights(manifest: Path) -> list[str]:
    try:
        layers = msgspec.json.decode(manifest.read_bytes(), type=_Manifest).layers
    except (OSError, msgspec.DecodeError):
        return []
    return [layer.digest for layer in layers if layer.media_type == _OLLAMA_WEIGHTS]
