"""Vim: the one that is installed, if it is new enough and has what the plugin needs, else Debian's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.editors.install import debian
from tests.editors.install.kept import kept
from tests.editors.install.wrapper import wrapper

_FEATURES = ("patch-9.0.1378", "vim9script", "channel", "job", "textprop", "syntax")
_NEEDED = " && ".join(f"has('{feature}')" for feature in _FEATURES)


def program() -> Path:
    """Return a Vim that can run the plugin."""
    installed = shutil.which("vim")
    if installed and _suits(installed):
        return Path(installed)
    return kept("vim", _unpack) / "vim"


def _suits(vim: str) -> bool:
    asked = [vim, "-Nesu", "NONE", "-c", f"if {_NEEDED} | qall! | else | cquit | endif"]
    return subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _unpack(place: Path) -> None:
    root = debian.unpack(["vim"], place)
    variables = {"VIMRUNTIME": root / "usr/share/vim/vim90", "LD_LIBRARY_PATH": root / debian.LIBRARIES}
    wrapper(place / "vim", root / "usr/bin/vim.basic", variables)
