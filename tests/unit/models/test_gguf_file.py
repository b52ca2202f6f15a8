from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from lsp_server.errors import ModelError
from lsp_server.models import gguf_file

Writer = Callable[..., Path]


def test_the_header_of_a_real_model(smollm2_path: Path) -> None:
    info = gguf_file.read(smollm2_path)
    assert (info.architecture, info.quant) == ("llama", "Q4_1")
    assert (info.context_tokens, info.vocabulary_size) == (8192, 49152)
    assert info.kv_bytes_per_token == 30 * 3 * (64 + 64) * 2
    assert info.size_bytes == 98362432


def test_a_written_header(write_gguf: Writer) -> None:
    info = gguf_file.read(write_gguf())
    assert (info.name, info.quant, info.vocabulary_size) == ("Tiny", "Q8_0", 300)
    assert info.kv_bytes_per_token == 2 * 1 * (32 + 32) * 2
    assert "tokenizer.ggml.tokens" not in info.metadata


def test_heads_per_layer(write_gguf: Writer) -> None:
    assert gguf_file.read(write_gguf(kv_heads=[1, 2])).kv_bytes_per_token == 3 * (32 + 32) * 2


@pytest.mark.parametrize("kept", [4, 23, 40, 2_000, -70_000, -1])
def test_a_truncated_file(write_gguf: Writer, kept: int) -> None:
    path = write_gguf()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="not completely downloaded"):
        gguf_file.read(path)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\0" * 4096, b"GGML" + b"\1" * 4096])
def test_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a GGUF file"):
        gguf_file.read(path)


@pytest.mark.parametrize("noise", [b"\xff", b"\1", b"\x07\0\0\0"])
def test_a_magic_number_before_noise(tmp_path: Path, noise: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\3\0\0\0" + noise * 4096)
    with pytest.raises(ModelError, match="damaged"):
        gguf_file.read(path)


def test_another_byte_order(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\0\0\0\3" + b"\0" * 64)
    with pytest.raises(ModelError, match="version"):
        gguf_file.read(path)


def test_the_tables_are_those_of_the_gguf_package() -> None:
    blocks = {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    assert blocks.items() <= gguf_file.BLOCKS.items()
    names = {int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in gguf.LlamaFileType}
    del names[int(gguf.LlamaFileType.GUESSED)]
    assert names.items() <= gguf_file.QUANTS.items()
