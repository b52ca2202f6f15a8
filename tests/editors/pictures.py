"""The README's pictures of editors, chosen from those that the scenarios have taken in their last run.

python -m tests.editors.pictures
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PICTURES = ROOT / "editors/pictures"

CHOSEN: Mapping[str, str] = {
    "vscode-block.png": "vscode-ghost-text.png",
    "vscode-preview.png": "vscode-preview.png",
    "neovim-0.11-explanation.svg": "neovim-explanation.svg",
}
"""What an adapter has called a picture, and what it is called in the README."""

_LARGEST_BYTES = 100_000
"""Of one picture: a clone of the repository has all that there ever were."""


def artefacts() -> Path:
    """Return where the scenarios keep pictures."""
    return Path(os.environ.get("LSP_SERVER_TEST_ARTEFACTS", ROOT / ".artefacts")) / "editors"


def choose(taken: Path, pictures: Path) -> list[Path]:
    """Copy the chosen pictures; return them."""
    missing = [name for name in CHOSEN if not (taken / name).exists()]
    if missing:
        sys.exit(f"{taken} has no {', '.join(missing)}: run the scenarios first (pytest tests/editors).")
    large = [name for name in CHOSEN if (taken / name).stat().st_size > _LARGEST_BYTES]
    if large:
        sys.exit(f"More than {_LARGEST_BYTES // 1000} kB: {', '.join(large)}. Take them of a smaller window.")
    pictures.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(taken / name, pictures / chosen)) for name, chosen in CHOSEN.items()]


if __name__ == "__main__":
    for picture in choose(artefacts(), PICTURES):
        print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")
