"""Where the files that ship with the package lie. Knows nothing of what is in them."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def prompts_folder() -> Path:
    """Return the folder that holds `fim/` and `chat/`: inside the package, or in a checkout beside it."""
    installed = _PACKAGE / "prompts"
    return installed if installed.is_dir() else _PACKAGE.parent / "prompts"
