"""Helix, from Debian's newest suite, which moves: not pinned."""

from __future__ import annotations

from pathlib import Path

from tests.editors.install import debian
from tests.editors.install.kept import kept
from tests.editors.install.wrapper import wrapper


def program() -> Path:
    """Return a Helix."""
    return kept("helix-sid", _unpack) / "hx"


def _unpack(place: Path) -> None:
    root = debian.unpack(["hx"], place, "sid")
    debian.relink(root, root / "usr/lib/hx/hx")
    wrapper(place / "hx", root / "usr/lib/hx/hx", {"HELIX_RUNTIME": root / "usr/lib/hx/runtime"})
