"""Resolved settings: frozen, complete, with units in the names. Imports nothing of ours.

`options` turns what editors and files say into these. The docstring under each field is the
text of the settings table in the README; a field's metadata says what values it takes:
`min` and `max` (inclusive), `choices`, or a `pattern`, which a text must match as a whole, with what a wrong
one is told (`says`). `if_wrong` stands in for a wrong value where the default could send text somewhere it
was not meant to go. `untrusted` says whether the file of a workspace that is not trusted may set its second
argument where it was the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class CompletionSettings:
    """Inline completions."""

    enabled: bool = field(default=True, metadata={"untrusted": lambda mine, theirs: mine or not theirs})
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
    disabled_languages: tuple[str, ...] = field(
        default=(), metadata={"untrusted": lambda mine, theirs: set(mine) <= set(theirs)}
    )
    """Language ids (as the editor names them) that never get completions."""
    as_completion_items: bool = False
    """Also answer `textDocument/completion`, for editors without inline completions."""


@dataclass(frozen=True)
class ChatSettings:
    """Code actions and chat."""

    enabled: bool = True
    """Offer code actions, chat documents and their hovers."""
    context_tokens: int = field(default=2048, metadata={"min": 256})
    """Budget for what a question is asked with: the code, its file's outline, diagnostics, attached files."""
    max_tokens: int = field(default=1024, metadata={"min": 16})
    """Longest reply, in tokens."""
    temperature: float = field(default=0.0, metadata={"min": 0, "max": 2})
    """Sampling temperature of code actions and chat."""
    preview: bool = True
    """Let the editor show an edit and ask before it is applied, where it can."""
    tools: bool = True
    """Let the model look into the workspace in a chat, where it can: read files, find text, list symbols."""
    hidden_actions: tuple[str, ...] = ()
    """Ids of code actions (`lsp_server prompts list`) not to be offered."""
    prompts_folder: str = ""
    """Folder of your own prompt files, instead of the folder `prompts` beside the configuration file."""


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
class BackendSettings:
    """A server, or another way to reach a model; what is empty comes from the preset of this name."""

    type: str = field(default="", metadata={"choices": ("", "mistral", "openai", "ollama", "llm")})
    """How it is spoken to: Mistral's API, OpenAI's, Ollama's, or the `llm` library. Presets know theirs."""
    base_url: str = field(default="", metadata={"if_wrong": "?"})
    """Where the server is, with or without `/v1`."""
    model: str = ""
    """Model name sent with each request; empty takes the only or first one that the server has."""
    chat_model: str = ""
    """Model name for chat, if it is another one."""
    api_key_env: str = field(
        default="",
        metadata={
            "pattern": re.compile(r"[A-Z_][A-Z0-9_]*|"),
            "says": "must be the name of an environment variable, in capitals, and not the key itself",
        },
    )
    """Environment variable that holds the API key; else `lsp_server keys set NAME` stores one."""
    api_key_command: tuple[str, ...] = ()
    """Program and arguments that print the API key, such as a password manager's."""
    fim: str = field(
        default="auto", metadata={"choices": ("auto", "native", "suffix", "infill", "raw", "chat")}
    )
    """How fill-in-the-middle is asked for; `auto` finds out once what the server can do."""
    family: str = ""
    """Model family (a file of `prompts/fim`) for `raw`, where the model's name does not tell it."""
    destination: str = field(
        default="auto",
        metadata={
            "choices": ("auto", "this machine", "my servers", "third party"),
            "if_wrong": "third party",
        },
    )
    """Whose it is: decides what may be sent there. `auto` goes by the host in `base_url`."""
    verify: bool = True
    """Check the server's certificate."""
    ca_file: str = ""
    """Certificates (PEM) to trust besides the system's, such as a company's."""
    connect_timeout_ms: int = field(default=3000, metadata={"min": 100})
    """Longest wait for a connection."""
    first_token_timeout_ms: int = field(default=6000, metadata={"min": 100})
    """Longest wait for the first piece of a completion, not counting the time a model loads."""
    chat_first_token_timeout_ms: int = field(default=120_000, metadata={"min": 100})
    """Longest wait for the first piece of a chat reply."""
    chat_timeout_ms: int = field(default=600_000, metadata={"min": 1000})
    """Longest chat reply."""
    python: str = ""
    """For type `llm`: the Python that has `llm` and its plugins, if it is not this one."""


@dataclass(frozen=True)
class ProfileSettings:
    """Backends for each use, each list in the order in which they are tried."""

    completion: tuple[str, ...] = ()
    """Backends for inline completions: the first that works answers. Empty is those for chat."""
    chat: tuple[str, ...] = ()
    """Backends for chat and code actions. Empty is those for completions."""


@dataclass(frozen=True)
class PrivacySettings:
    """What may leave this machine, and to where."""

    my_servers: tuple[str, ...] = ()
    """Hosts that are yours, such as `gpu-box` or `*.example.org`; all others are third parties."""
    excluded: tuple[str, ...] = field(default=(), metadata={"if_wrong": ("*",)})
    """Files (patterns as in `.gitignore`) never sent off this machine; `!pattern` lifts a built-in rule."""
    scan_secrets: bool = True
    """Look for keys and passwords in what would leave this machine, and leave them out."""


@dataclass(frozen=True)
class Settings:
    """Everything a user can choose."""

    backend: str = "auto"
    """A backend, a profile, or `auto`: the local model if it can run here, else a server with a key."""
    log_level: str = field(default="info", metadata={"choices": ("debug", "info", "warning", "error")})
    """`debug`, `info`, `warning` or `error`; buffer text is logged at `debug` only."""
    completion: CompletionSettings = field(default_factory=CompletionSettings)
    chat: ChatSettings = field(default_factory=ChatSettings)
    local: LocalSettings = field(default_factory=LocalSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    backends: Mapping[str, BackendSettings] = field(default_factory=dict)
    profiles: Mapping[str, ProfileSettings] = field(default_factory=dict)


def config_file_name() -> str:
    """Return the name of the per-workspace configuration file."""
    return ".codestral-lsp.toml"


WORKSPACE_SECTIONS = frozenset({"completion"})
"""Sections a workspace's own file may set before it is trusted: a cloned repository must not choose where
text is sent, which programs run, or what is kept back. Nor may it turn completions on, see `untrusted`."""


def workspace_file(root: Path) -> Path:
    """Return the configuration file of the workspace at `root`."""
    return root / config_file_name()


def workspace_prompts_folder(root: Path) -> Path:
    """Return the folder of the workspace's own prompt files."""
    return root / ".codestral-lsp" / "prompts"
