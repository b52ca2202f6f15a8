"""A browser for tests: the one that is installed, else Debian's unpacked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.editors.install import debian
from tests.editors.install.kept import kept

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")

_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{root}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{root}/fontcache</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <match><edit name="family" mode="append_last"><string>DejaVu Sans</string></edit></match>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A program and what its processes need."""

    program: Path
    variables: Mapping[str, str] = field(default_factory=dict)


def chromium() -> Chromium:
    """Return a browser that Playwright can drive."""
    installed = next(filter(None, map(shutil.which, _NAMES)), None)
    if installed:
        return Chromium(Path(installed))
    root = kept("chromium", _unpack) / "root"
    libraries = root / debian.LIBRARIES
    variables = {
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, (libraries, libraries / "pulseaudio"))),
        "FONTCONFIG_FILE": str(root / "fonts.conf"),
    }
    return Chromium(root / "usr/lib/chromium/chromium", variables)


def _unpack(place: Path) -> None:
    root = debian.unpack(["chromium", "fonts-dejavu-core"], place)
    (root / "fonts.conf").write_text(_FONTS.format(root=root), "utf-8")
