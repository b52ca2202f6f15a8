"""Emacs: the one that is installed, else Debian's; and lsp-mode 10 from Debian's newest suite, not pinned."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.editors.install import debian
from tests.editors.install.kept import kept
from tests.editors.install.wrapper import wrapper

_OLDEST = 28
"""What lsp-mode 10 needs."""


def program() -> Path:
    """Return an Emacs for the terminal; `emacsclient` is beside it."""
    installed = shutil.which("emacs")
    if installed and shutil.which("emacsclient") and _suits(installed):
        return Path(installed)
    return kept("emacs", _unpack) / "bin/emacs"


def packages() -> list[Path]:
    """Return the folders of lsp-mode and of what it needs: plain Lisp."""
    root = kept("lsp-mode-sid", _unpack_lsp_mode) / "root"
    return sorted(path for path in root.glob("usr/share/emacs/site-lisp/elpa-src/*") if path.is_dir())


def _suits(emacs: str) -> bool:
    asked = [emacs, "-Q", "--batch", "--eval", f"(kill-emacs (if (>= emacs-major-version {_OLDEST}) 0 1))"]
    return subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _unpack(place: Path) -> None:
    root = debian.unpack(["emacs-nox"], place)
    [share] = [path for path in (root / "usr/share/emacs").iterdir() if path.name[0].isdigit()]
    [libexec] = (root / "usr/libexec/emacs" / share.name).iterdir()
    lisp = [path for path in (share / "lisp", *(share / "lisp").rglob("*")) if path.is_dir()]
    variables = {
        "LD_LIBRARY_PATH": root / debian.LIBRARIES,
        "EMACSLOADPATH": ":".join(map(str, lisp)),
        "EMACSDATA": share / "etc",
        "EMACSDOC": share / "etc",
        "EMACSPATH": libexec,
    }
    (place / "bin").mkdir()
    dump = f"--dump-file={libexec / 'emacs.pdmp'}"
    wrapper(place / "bin/emacs", root / "usr/bin/emacs-nox", variables, [dump])
    wrapper(place / "bin/emacsclient", root / "usr/bin/emacsclient.emacs", {})


def _unpack_lsp_mode(place: Path) -> None:
    debian.unpack(["elpa-lsp-mode"], place, "sid")
