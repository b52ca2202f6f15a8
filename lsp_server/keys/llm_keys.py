"""The keys that `llm keys set` has stored: Simon Willison's `llm` library, read without importing it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click
import msgspec

from lsp_server.keys.check import checked
from lsp_server.keys.key import Key

log = logging.getLogger(__name__)

_NAMES = {"anyscale": "anyscale-endpoints"}
"""Where llm's plugin calls the key otherwise than our preset is called."""


def keys_file() -> Path:
    """Return where `llm` keeps its keys: https://llm.datasette.io/en/stable/setup.html#saving-and-using-stored-keys."""
    folder = os.environ.get("LLM_USER_PATH") or click.get_app_dir("io.datasette.llm")
    return Path(folder) / "keys.json"


def find(name: str) -> Key | None:
    """Return the key that `llm` calls NAME."""
    value = _stored().get(_NAMES.get(name, name))
    return checked(value, "llm's keys") if isinstance(value, str) else None


def names() -> tuple[str, ...]:
    """Return the names that `llm` has a key for, as we call them."""
    ours = {theirs: name for name, theirs in _NAMES.items()}
    return tuple(ours.get(name, name) for name in _stored() if not name.startswith("//"))  # "// Note"


def _stored() -> dict[str, object]:
    try:
        return msgspec.json.decode(keys_file().read_bytes(), type=dict[str, object])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        # Somebody else's file; nothing of ours is lost by going on without it.
        log.warning("%s cannot be read (%s); its keys are not used", keys_file(), type(error).__name__)
        return {}
