"""Our extension for VS Code, built from this checkout as its README says, in a copy."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
from pathlib import Path

from tests.editors.install.kept import kept
from tests.editors.install.node import npm

SOURCES = Path(__file__).parent.parent.parent.parent / "editors/vscode"
_BUILT = ("node_modules", "dist", "*.vsix")


@functools.cache
def package() -> Path:
    """Return the `.vsix`; built once per run."""
    place = Path(tempfile.mkdtemp(prefix="codestral-lsp-vsix-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    copy = place / "vscode"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns(*_BUILT))
    lock = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()[:12]
    (copy / "node_modules").symlink_to(kept(f"extension-modules-{lock}", _fetch) / "node_modules")
    npm(["run", "package"], place / "npm.log", copy)
    return next(copy.glob("*.vsix"))


def _fetch(place: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, place)
    npm(["ci"], place / "npm.log", place)
