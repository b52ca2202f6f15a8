"""Programs of a Debian suite in a folder, nothing installed: no root, the system untouched.

unpack(["chromium"], place)                # with what this machine lacks of its dependencies
root = unpack(["neovim"], place, "sid")    # another suite: with all of them, the C library too
relink(root, root / "usr/bin/nvim")        # ... and let the program use those
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.editors.install.kept import NotInstalled, say
from tests.editors.install.running import run

LIBRARIES = Path("usr/lib") / f"{platform.machine()}-linux-gnu"
_LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}


def unpack(packages: Sequence[str], place: Path, suite: str | None = None) -> Path:
    """Unpack packages below `place` and return the root of their files; of this suite or the machine's."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotInstalled(f"No apt here: install {' '.join(packages)} by this system's own means.")
    state, root, log = place / "apt", place / "root", place / "apt.log"
    for folder in (state / "lists/partial", state / "cache/archives/partial", root):
        folder.mkdir(parents=True)
    apt = ["apt-get", *_options(state, suite)]
    say(f"apt: {' '.join(packages)}{f' of {suite}' if suite else ''}")
    run([*apt, "update"], log)
    run([*apt, "install", "-y", "--download-only", *packages], log)
    for archive in sorted((state / "cache/archives").glob("*.deb")):
        run(["dpkg", "-x", archive, root], log)
    shutil.rmtree(state)
    return root


def relink(root: Path, program: Path) -> None:
    """Let a program of another suite use the libraries unpacked with it, loader and C library included.

    The older DT_RPATH, since DT_RUNPATH does not hold for what the libraries need themselves; and not the
    loader called with the program, since programs that start themselves again would start the loader.
    """
    loader = root / LIBRARIES / _LOADERS[platform.machine()]
    patchelf = _patchelf(root.parent / "patchelf")
    own = ["--set-interpreter", str(loader), "--force-rpath", "--set-rpath", str(root / LIBRARIES)]
    run([patchelf, *own, program], root.parent / "patchelf.log")


def _patchelf(place: Path) -> Path:
    installed = shutil.which("patchelf")
    if installed:
        return Path(installed)
    unpacked = place / "root/usr/bin/patchelf"
    return unpacked if unpacked.exists() else unpack(["patchelf"], place) / "usr/bin/patchelf"


def _options(state: Path, suite: str | None) -> list[str]:
    """Return options for state beside the system's, so that neither root nor its locks are needed."""
    pairs = {
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        "APT::Install-Recommends": "0",
        "Debug::NoLocking": "1",
        "Acquire::Retries": "3",
        # As root, apt fetches as a user of its own, which cannot write here.
        "APT::Sandbox::User": "",
    }
    if suite:
        (state / "status").touch()
        (state / "sources.list").write_text(f"deb {_mirror()} {suite} main\n", "utf-8")
        pairs |= {
            "Dir::State::status": state / "status",
            "Dir::Etc::sourcelist": state / "sources.list",
            "Dir::Etc::sourceparts": "-",
        }
    return [part for name, value in pairs.items() for part in ("-o", f"{name}={value}")]


def _mirror() -> str:
    """Return where this machine gets its Debian packages from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    known = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    if found := next((uri for uri in known if uri.endswith("/debian/")), None):
        return found
    raise RuntimeError("apt-get knows no mirror of Debian: write one into /etc/apt/sources.list")
