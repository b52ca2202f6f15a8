"""VS Code for a browser: code-server, the workbench and the extension host of the real one, from npm."""

from __future__ import annotations

import os
from pathlib import Path

from tests.editors.install import debian
from tests.editors.install.kept import kept, say
from tests.editors.install.node import ROOT, npm

VERSION = "4.139.1"
"""VS Code 1.139.1."""


def entry() -> Path:
    """Return the script that node runs."""
    return kept(f"code-server-{VERSION}", _build) / "node_modules/code-server/out/node/entry.js"


def _build(place: Path) -> None:
    say("npm: code-server (a minute or two, native modules are compiled)")
    (place / "package.json").write_text('{"private": true}\n', "utf-8")
    # Native modules are built for our node, whatever a configuration of npm says.
    variables = {"npm_config_nodedir": str(ROOT), **_headers(place)}
    npm(["install", f"code-server@{VERSION}"], place / "npm.log", place, variables)


def _headers(place: Path) -> dict[str, str]:
    """Return where the compiler finds Kerberos, which one of the native modules is made with."""
    if Path("/usr/include/gssapi/gssapi.h").exists():
        return {}
    root = debian.unpack(["libkrb5-dev"], place / "kerberos")
    folders = {"CPATH": root / "usr/include", "LIBRARY_PATH": root / debian.LIBRARIES}
    return {
        name: os.pathsep.join(map(str, (folder, folder / "mit-krb5"))) for name, folder in folders.items()
    }
