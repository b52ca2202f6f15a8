from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lsp_server.errors import ModelError
from lsp_server.models import catalogue, gguf_file
from lsp_server.models.catalogue import Entry, HubSource, WheelSource

PROMPTS = Path(__file__).parents[3] / "prompts" / "fim"


def test_names_and_files_are_unique() -> None:
    entries = catalogue.entries()
    names = [name for entry in entries for name in (entry.name, *entry.aliases)]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() for name in names)
    assert len({entry.file.lower() for entry in entries}) == len(entries)


@pytest.mark.parametrize("entry", catalogue.entries(), ids=lambda entry: entry.name)
def test_an_entry(entry: Entry) -> None:
    assert (PROMPTS / f"{entry.family}.toml").is_file()
    assert entry.sources
    assert entry.file.endswith(".gguf")
    assert entry.ram_bytes() > entry.about_bytes + entry.kv_bytes_per_token * catalogue.KV_TOKENS
    for source in entry.sources:
        if isinstance(source, HubSource):
            assert source.file.endswith(entry.file)
        else:  # wheels are trusted by their checksum alone
            assert entry.sha256 is not None


def test_the_default_has_two_kinds_of_sources() -> None:
    default = catalogue.get(catalogue.DEFAULT_NAME)
    assert [type(source) for source in default.sources] == [HubSource, WheelSource]
    assert default.licence == "Apache-2.0"


def test_codestral_says_what_its_licence_forbids() -> None:
    codestral = [entry for entry in catalogue.entries() if entry.family == "codestral"]
    assert len(codestral) == 5
    assert all("production" in entry.licence_note for entry in codestral)


@pytest.mark.parametrize("name", ["qwen2.5-coder-0.5b", "smollm2-135m"])
def test_figures_are_those_of_the_file(name: str, model_path: Path, smollm2_path: Path) -> None:
    info = gguf_file.read(model_path if name == catalogue.DEFAULT_NAME else smollm2_path)
    entry = catalogue.get(name)
    assert info.kv_bytes_per_token == entry.kv_bytes_per_token
    assert info.size_bytes == entry.size_bytes
    assert info.quant in entry.title


def test_an_alias_and_a_spelling() -> None:
    assert catalogue.get("Codestral") is catalogue.get("codestral-22b-q4_k_m")


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(ModelError, match=r"did you mean qwen2\.5-coder-0\.5b"):
        catalogue.get("qwen2.5-coder-05b")
    with pytest.raises(ModelError, match="models list"):
        catalogue.get("xyz")


def test_a_path_is_matched_by_its_file_name() -> None:
    assert catalogue.match("/some/where/codestral-22b-v0.1-q6_k.gguf") is catalogue.get("codestral-22b-q6_k")
    assert catalogue.match("/some/where/else.gguf") is None


@pytest.mark.parametrize(
    "fault", [{"size_bytes": None}, {"size_gb_about": 1.0}, {"size_bytes": None, "size_gb_about": 1.0}]
)
def test_sizes_and_checksums_go_together(fault: dict[str, float | None]) -> None:
    pinned = msgspec.to_builtins(catalogue.get(catalogue.DEFAULT_NAME))
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(pinned | fault, Entry)
