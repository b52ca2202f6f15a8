"""The editors that scenarios run in: what each can do, and how it is started.

Adapters are imported when they are used, so that a run in one editor needs no other.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.editors.editor import Editor, Environment, Feature


@dataclass(frozen=True)
class Entry:
    """One editor; `module` has `start(name, entry, place) -> Editor`."""

    module: str
    features: frozenset[Feature]
    pinned: bool = True
    """Can be had in one version for good, so that it belongs to the test command."""


@dataclass(frozen=True)
class Place:
    """Where an editor is started, and with what."""

    workspace: Path
    home: Path
    """For everything that the editor keeps: nothing of the real home is read or written."""
    artefacts: Path
    environment: Environment
    """Has `lsp_server` on `PATH`, and a configuration with the backends `local` and `scripted`."""


_ALL = frozenset(Feature)

EDITORS = {
    "vscode": Entry("tests.editors.vscode", _ALL),
    "neovim-0.11": Entry("tests.editors.neovim", _ALL),
    "neovim-0.12": Entry("tests.editors.neovim", _ALL, pinned=False),
    "emacs": Entry("tests.editors.emacs", _ALL - {Feature.PREVIEW}, pinned=False),
    "helix": Entry("tests.editors.helix", frozenset({Feature.ACTIONS, Feature.EXPLAIN}), pinned=False),
    "vim": Entry("tests.editors.vim", _ALL, pinned=False),
}


def start(name: str, place: Place) -> Editor:
    """Start an editor."""
    module = importlib.import_module(EDITORS[name].module)
    return cast(Editor, module.start(name, EDITORS[name], place))
