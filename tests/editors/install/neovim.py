"""Neovim 0.12 or later, from Debian's newest suite, which moves: not pinned."""

from __future__ import annotations

from pathlib import Path

from tests.editors.install import debian
from tests.editors.install.kept import kept
from tests.editors.install.wrapper import wrapper


def program() -> Path:
    """Return a Neovim that has inline completions built in."""
    return kept("neovim-sid", _unpack) / "nvim"


def _unpack(place: Path) -> None:
    root = debian.unpack(["neovim"], place, "sid")
    debian.relink(root, root / "usr/bin/nvim")
    wrapper(place / "nvim", root / "usr/bin/nvim", {"VIMRUNTIME": root / "usr/share/nvim/runtime"})
