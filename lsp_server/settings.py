"""Resolved settings: frozen, complete, with units in the names. Imports nothing of ours.

`options` turns what editors and files say into these. The docstring under each field is the
text of the settings table in the README; a field's metadata says what values it takes:
`min` and `max` (inclusive) or `choices`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class CompletionSettings:
    """Inline completions."""

    enabled: bool = True
    """Offer inline completions at all."""
    debounce_ms: int = field(default=75, metadata={"min": 0, "max": 10_000})
    """Pause after a keystroke before the model is asked; answers already known never wait."""
    context_tokens: int = field(default=1024, metadata={"min": 32})
    """Budget for the text around the cursor, in tokens (estimated at 3 bytes each)."""
    suffix_share: float = field(default=0.25, metadata={"min": 0, "max": 0.9})
    """Share of `context_tokens` for the text after the cursor."""
    max_tokens: int = field(default=160, metadata={"min": 1, "max": 4096})
    """Longest completion, in tokens; the syntax tree usually ends one much earlier."""
    multiline: str = field(default="auto", metadata={"choices": ("auto", "never", "always")})
    """`auto`: a block where the syntax tree asks for one, else one line; `never`; `always`."""
    temperature: float = field(default=0.0, metadata={"min": 0, "max": 2})
    """Sampling temperature; 0 takes the most likely token each time."""
    timeout_ms: int = field(default=10_000, metadata={"min": 100})
    """Give up on a completion after this long, not counting the time a model loads."""
    disabled_languages: tuple[str, ...] = ()
    """Language ids (as the editor names them) that never get completions."""
    as_completion_items: bool = False
    """Also answer `textDocument/completion`, for editors without inline completions."""


@dataclass(frozen=True)
class LocalSettings:
    """The local model and the engine process that holds it."""

    model: str = "qwen2.5-coder-0.5b"
    """A name of `lsp_server models list`, or the path of a `.gguf` or `.llamafile`."""
    context_tokens: int = field(default=4096, metadata={"min": 256})
    """Context length of each slot of the KV cache."""
    slots: int = field(default=3, metadata={"min": 1, "max": 64})
    """Prompts kept in the KV cache side by side (one per document or chat in use)."""
    threads: int = field(default=0, metadata={"min": 0})
    """CPU threads for the model; 0 takes all physical cores."""
    gpu_layers: int = field(default=-1, metadata={"min": -1})
    """Layers to put on the GPU if llama.cpp was built for one; -1 is all."""
    idle_exit_s: int = field(default=900, metadata={"min": 1})
    """The engine leaves after this long without a request."""
    download: bool = True
    """Fetch the model on first use if it is not on this machine yet."""


@dataclass(frozen=True)
class MistralSettings:
    """The Mistral API, or any server that speaks it."""

    base_url: str = "https://api.mistral.ai"
    """Where the API is; `https://codestral.mistral.ai` for a Codestral key."""
    model: str = "codestral-latest"
    """Model name sent with each request."""
    api_key_env: str = "MISTRAL_API_KEY"
    """Environment variable that holds the API key."""


@dataclass(frozen=True)
class Settings:
    """Everything a user can choose."""

    backend: str = field(default="auto", metadata={"choices": ("auto", "local", "mistral")})
    """`auto`, `local` or `mistral`; `auto` takes the local model if it can run here, else Mistral."""
    log_level: str = field(default="info", metadata={"choices": ("debug", "info", "warning", "error")})
    """`debug`, `info`, `warning` or `error`; buffer text is logged at `debug` only."""
    completion: CompletionSettings = field(default_factory=CompletionSettings)
    local: LocalSettings = field(default_factory=LocalSettings)
    mistral: MistralSettings = field(default_factory=MistralSettings)


def config_file_name() -> str:
    """Return the name of the per-workspace configuration file."""
    return ".codestral-lsp.toml"


WORKSPACE_SECTIONS = frozenset({"completion"})
"""Sections a workspace's own file may set: a cloned repository must not choose where text is sent."""


def workspace_file(root: Path) -> Path:
    """Return the configuration file of the workspace at `root`."""
    return root / config_file_name()
