from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.models import discover
from lsp_server.models.catalogue import Entry
from lsp_server.models.checksums import KnownChecksums
from lsp_server.models.transfer import Job
from tests.support.hub_server import REVISION
from tests.unit.models.conftest import FILE, REPO, entry_of

Writer = Callable[..., Path]


@pytest.fixture
def content(write_gguf: Writer) -> bytes:
    path = write_gguf()
    content = path.read_bytes()
    path.unlink()
    return content


def find(entry: Entry, folder: Path) -> Path | None:
    return discover.find(entry, KnownChecksums(folder), Job())


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_in_hugging_face_cache(cache: Path, content: bytes) -> Path:
    repo = cache / f"models--{REPO.replace('/', '--')}"
    put(repo / "refs/main", REVISION.encode())
    return put(repo / f"snapshots/{REVISION}/{FILE}", content)


def put_in_ollama(home: Path, manifest: str, content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:00", "size": 1},
        {
            "mediaType": "application/vnd.ollama.image.model",
            "digest": f"sha256:{digest}",
            "size": len(content),
        },
    ]
    folder = home / ".ollama/models"
    put(folder / "manifests" / manifest, json.dumps({"schemaVersion": 2, "layers": layers}).encode())
    return put(folder / f"blobs/sha256-{digest}", content)


def test_nothing_on_a_new_machine(content: bytes, folder: Path) -> None:
    assert find(entry_of(content), folder) is None
    assert find(entry_of(content, pinned=False, ollama="some:tag"), folder) is None


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize(
    ("variable", "value", "cache"),
    [
        ("HF_HUB_CACHE", "caches/hub", "caches/hub"),
        ("HF_HOME", "caches", "caches/hub"),
        ("UNRELATED", "", ".cache/huggingface/hub"),
    ],
)
def test_the_hugging_face_cache(
    content: bytes,
    folder: Path,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    variable: str,
    value: str,
    cache: str,
    pinned: bool,
) -> None:
    monkeypatch.setenv(variable, str(own_home / value))
    path = put_in_hugging_face_cache(own_home / cache, content)
    assert find(entry_of(content, pinned=pinned), folder) == path


@pytest.mark.parametrize("place", [".lmstudio/models", ".cache/lm-studio/models"])
@pytest.mark.parametrize("pinned", [True, False])
def test_lm_studio(content: bytes, folder: Path, own_home: Path, place: str, pinned: bool) -> None:
    path = put(own_home / place / "another-publisher" / "some-model" / FILE, content)
    assert find(entry_of(content, pinned=pinned), folder) == path


def test_ollama_by_checksum(content: bytes, folder: Path, own_home: Path) -> None:
    path = put_in_ollama(own_home, "registry.ollama.ai/library/whatever/latest", content)
    assert find(entry_of(content), folder) == path


@pytest.mark.parametrize("manifest", ["registry.ollama.ai/library/some/22b-q4", f"hf.co/{REPO}/Q4"])
def test_ollama_by_name(content: bytes, folder: Path, own_home: Path, manifest: str) -> None:
    path = put_in_ollama(own_home, manifest, content)
    assert find(entry_of(content, pinned=False, ollama="some:22b-q4"), folder) == path


def test_another_quantisation_in_ollama_is_not_used(content: bytes, folder: Path, own_home: Path) -> None:
    put_in_ollama(own_home, "registry.ollama.ai/library/some/22b-q8", content)
    put_in_ollama(own_home, f"hf.co/{REPO}/Q8", content)
    assert find(entry_of(content, pinned=False, ollama="some:22b-q4"), folder) is None


def test_a_damaged_manifest(content: bytes, folder: Path, own_home: Path) -> None:
    put(own_home / ".ollama/models/manifests/registry.ollama.ai/library/some/tag", b"{")
    assert find(entry_of(content, pinned=False, ollama="some:tag"), folder) is None


@pytest.mark.parametrize("wrong", [lambda content: content[:-1], lambda content: content[:-1] + b"\xff"])
def test_a_file_that_is_not_the_pinned_one(
    content: bytes, folder: Path, own_home: Path, wrong: Callable[[bytes], bytes]
) -> None:
    put(own_home / ".lmstudio/models/a/b" / FILE, wrong(content))
    assert find(entry_of(content), folder) is None


def test_a_file_cut_short_is_not_used(content: bytes, folder: Path, own_home: Path) -> None:
    put(own_home / ".lmstudio/models/a/b" / FILE, content[:-1])
    assert find(entry_of(content, pinned=False), folder) is None


def test_the_checksum_is_computed_once_per_file(content: bytes, folder: Path, own_home: Path) -> None:
    path = put(own_home / ".lmstudio/models/a/b" / FILE, content)
    steps: list[str] = []
    job = Job(lambda progress: steps.append(progress.message))
    for _ in range(3):
        assert discover.find(entry_of(content), KnownChecksums(folder), job) == path
    assert steps == [f"Checking {FILE}"]
    stat = path.stat()
    path.write_bytes(content[:-1] + b"\xff")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert discover.find(entry_of(content), KnownChecksums(folder), job) is None


def test_a_damaged_memory_is_an_empty_one(content: bytes, folder: Path, own_home: Path) -> None:
    path = put(own_home / ".lmstudio/models/a/b" / FILE, content)
    put(folder / "checksums.json", b"not json")
    assert find(entry_of(content), folder) == path
