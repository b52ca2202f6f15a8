"""A home without models, a hub and an index on this machine, and GGUF files of a few kilobytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest

from lsp_server.models.catalogue import Entry, HubSource, Source, Wheel, WheelSource
from tests.support.hub_server import HubServer, running_hub

REPO, FILE = "someone/some-model", "some-model-q4.gguf"
HUB_SOURCE = HubSource(REPO, FILE)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the user's is found, nothing is written to the user's folders."""
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "OLLAMA_MODELS", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OLLAMA_MODELS", str(home / ".ollama/models"))
    monkeypatch.setenv("CODESTRAL_LSP_MODELS", str(tmp_path / "store"))
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the empty model store."""
    path = tmp_path / "store"
    path.mkdir()
    return path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Serve a hub and an index; huggingface_hub and pip use no other."""
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    with running_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple/")
        yield server


@pytest.fixture
def write_gguf(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a small whole GGUF."""

    def write(name: str = "tiny.gguf", *, seed: int = 0, kv_heads: int | list[int] = 1) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_name("Tiny")
        writer.add_file_type(7)
        writer.add_block_count(2)
        writer.add_context_length(512)
        writer.add_embedding_length(64)
        writer.add_head_count(2)
        writer.add_head_count_kv(kv_heads)
        writer.add_token_list([f"token {number}" for number in range(300)])
        writer.add_token_types([1] * 300)
        writer.add_tensor("token_embd.weight", np.full((300, 64), seed, dtype=np.float32))
        writer.add_tensor("output_norm.weight", np.ones(64, dtype=np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    return write


def entry_of(
    content: bytes, *sources: Source, pinned: bool = True, file: str = FILE, ollama: str | None = None
) -> Entry:
    """Return a catalogue entry for `content`, with its checksum or with an approximate size."""
    return Entry(
        name="some-model",
        title="Some Model",
        family="prefix-only",
        licence="MIT",
        file=file,
        size_bytes=len(content) if pinned else None,
        size_gb_about=None if pinned else len(content) / 1e9,
        sha256=hashlib.sha256(content).hexdigest() if pinned else None,
        kv_bytes_per_token=64,
        ollama=ollama,
        sources=sources or (HUB_SOURCE,),
    )


def wheel_source(count: int) -> WheelSource:
    """Return a source of `count` wheels named part1, part2, …"""
    return WheelSource(
        tuple(Wheel(f"some-part{number}", "1.0", f"*/part{number}.bin") for number in range(1, count + 1))
    )
