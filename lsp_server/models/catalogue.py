"""The models known by name: what they are, what they need, where they come from.

Owns `catalogue.toml`. Knows nothing of what is on this machine.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files
from pathlib import PurePath

import msgspec

from lsp_server.errors import ModelError
from lsp_server.settings import LocalSettings

DEFAULT_NAME = LocalSettings().model

ENGINE_BYTES = 400_000_000
"""What the engine needs beside weights and KV cache: 50 MB for Python and llama.cpp and the compute
buffer, at most 311 MB for Qwen's vocabulary (512 rows of 151,936 four-byte logits), rounded up.
Measured with the default model after a prompt of 800 tokens: 171 MB."""

KV_TOKENS = LocalSettings().context_tokens * LocalSettings().slots
"""Tokens in the KV cache of an engine with default settings: all slots together."""


class HubSource(msgspec.Struct, frozen=True, tag="hub", forbid_unknown_fields=True):
    """A file in a repository of the Hugging Face Hub."""

    repo: str
    file: str
    """Path in the repository."""

    def __str__(self) -> str:
        return f"the hub ({self.repo})"


class Wheel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wheel on PyPI that carries a slice of the weights; it is read as a zip, never installed."""

    project: str
    version: str
    entry: str
    """Pattern of the one entry that is the slice."""


class WheelSource(msgspec.Struct, frozen=True, tag="wheels", forbid_unknown_fields=True):
    """Wheels whose slices, one after the other, are the file."""

    wheels: tuple[Wheel, ...]

    def __str__(self) -> str:
        more = f" and {len(self.wheels) - 1} more" if len(self.wheels) > 1 else ""
        return f"PyPI ({self.wheels[0].project}{more})"


Source = HubSource | WheelSource


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model in one quantisation."""

    name: str
    title: str
    family: str
    """Key of the prompt family in `prompts/fim`."""
    licence: str
    licence_note: str = ""
    """What the licence forbids or asks, for people who would otherwise not look."""
    chat: bool = True
    """Whether it follows instructions; base models only complete."""
    file: str
    """File name in the model store; unique."""
    size_bytes: int | None = None
    """Exact size, where we have seen the file."""
    size_gb_about: float | None = None
    """Approximate size in 10^9 bytes, where we have not."""
    sha256: str | None = None
    """Checksum, where we have seen the file; else the hub's record is what a download must match."""
    kv_bytes_per_token: int
    """KV cache of one token in 16 bits: layers x (key width + value width) x 2."""
    aliases: tuple[str, ...] = ()
    ollama: str | None = None
    """The same weights in the same quantisation in Ollama's library, as `model:tag`."""
    sources: tuple[Source, ...]

    def __post_init__(self) -> None:
        if (self.size_bytes is None) == (self.size_gb_about is None):
            raise ValueError(f"{self.name}: give size_bytes or size_gb_about")
        if self.sha256 is not None and self.size_bytes is None:
            raise ValueError(f"{self.name}: a file whose checksum is known has a known size")

    @property
    def about_bytes(self) -> int:
        """Return the size of the file, approximate unless `size_bytes` is set."""
        return self.size_bytes if self.size_bytes is not None else int((self.size_gb_about or 0) * 1e9)

    def ram_bytes(self, kv_tokens: int = KV_TOKENS) -> int:
        """Return the memory an engine with this model needs: weights, KV cache, the engine itself."""
        return self.about_bytes + self.kv_bytes_per_token * kv_tokens + ENGINE_BYTES


class _Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: tuple[Entry, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """Return all models, the smallest of each family first."""
    text = files("lsp_server.models").joinpath("catalogue.toml").read_bytes()
    return msgspec.toml.decode(text, type=_Catalogue).model


def get(name: str) -> Entry:
    """Return the model called `name`, or raise `ModelError` with names that are close."""
    known = {spelling: entry for entry in entries() for spelling in (entry.name, *entry.aliases)}
    entry = known.get(name.lower())
    if entry is not None:
        return entry
    close = difflib.get_close_matches(name.lower(), known, n=3)
    hint = f"did you mean {' or '.join(close)}" if close else "see `lsp_server models list`"
    raise ModelError(f"There is no model called {name!r}; {hint}, or give the path of a .gguf file.")


def match(name_or_path: str) -> Entry | None:
    """Return the entry that a name or the file name of a path stands for, if any."""
    file_name = PurePath(name_or_path).name.lower()
    for entry in entries():
        if name_or_path.lower() in (entry.name, *entry.aliases) or file_name == entry.file.lower():
            return entry
    return None
