"""Backends that are known by name, read from `presets.toml`, under what the user writes of them.

Owns what makes a backend complete; knows nothing of how one is asked.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lsp_server.errors import ConfigurationError
from lsp_server.settings import BackendSettings, Settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AUTO, LOCAL = "auto", "local"
"""Names that are neither presets nor the user's: whichever is there, and the engine of this machine."""

TYPES = "mistral, openai, ollama or llm"

_DEFAULTS = BackendSettings()


@dataclass(frozen=True)
class Preset:
    """A backend that need not be configured."""

    title: str
    note: str
    """What to know before choosing it, and what is not certain."""
    config: BackendSettings
    needs_model: bool = False
    """It has many models, and no first one that could be meant."""


@cache
def presets() -> dict[str, Preset]:
    """Return all of them, in the order of the file."""
    tables = tomllib.loads(Path(__file__).with_name("presets.toml").read_text(encoding="utf-8"))
    return {name: _preset(**table) for name, table in tables.items()}


def _preset(title: str, note: str, needs_model: bool = False, **config: Any) -> Preset:  # noqa: ANN401
    return Preset(title, note, BackendSettings(**config), needs_model)


def preset_names() -> tuple[str, ...]:
    """Return the names, in the order of the file."""
    return tuple(presets())


def backend_names(settings: Settings) -> tuple[str, ...]:
    """Return every name that stands for one backend."""
    return tuple(dict.fromkeys((LOCAL, *settings.backends, *presets())))


def resolved(settings: Settings, name: str) -> BackendSettings:
    """Return the user's `[backends.NAME]` laid over the preset of that name.

    Raises ConfigurationError for a name that is neither and for a backend that lacks something.
    """
    own = settings.backends.get(name)
    if own is None and name not in presets():
        raise ConfigurationError(
            f"There is no backend {name}{meant(name, [*settings.backends, *presets()])}."
        )
    config = over_preset(name, own or _DEFAULTS)
    if lacking := lack(name, config):
        raise ConfigurationError(f"{lacking[1]}.")
    return config


def over_preset(name: str, own: BackendSettings) -> BackendSettings:
    """Return `own`, and where it has the default, what the preset of this name says."""
    preset = presets().get(name)
    if preset is None:
        return own
    said = {
        item.name: getattr(own, item.name)
        for item in dataclasses.fields(own)
        if getattr(own, item.name) != getattr(_DEFAULTS, item.name)
    }
    return dataclasses.replace(preset.config, **said)


def lack(name: str, config: BackendSettings) -> tuple[str, str] | None:
    """Return the field a backend cannot do without and the sentence about it, without its full stop."""
    if not config.type:
        near = meant(name, presets())
        return "type", f"backends.{name} needs a type ({TYPES}): there is no preset of that name{near}"
    preset = presets().get(name)
    if preset is not None and preset.needs_model and not config.model:
        hint = "`llm models` names them" if config.type == "llm" else "its documentation names them"
        return "model", f"backends.{name} needs a model: {hint}"
    if config.type == "llm":
        return None
    if not config.base_url:
        return "base_url", f"backends.{name} needs a base_url, the address of the server"
    if not is_address(config.base_url):
        # Not shown: a password may be in it.
        return "base_url", f"backends.{name}.base_url must be an address such as http://127.0.0.1:8080"
    return None


def is_address(base_url: str) -> bool:
    """Say whether this is an HTTP address with a host."""
    try:
        parts = urlsplit(base_url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def meant(name: str, names: Iterable[str]) -> str:
    """Return ` (did you mean …?)`, to go behind a wrong name, if one of `names` is close to it."""
    close = get_close_matches(name, list(names), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
