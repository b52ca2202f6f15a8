"""VS Code: the workbench and extension host of the real one, served by code-server, shown in Chromium."""

from __future__ import annotations

from tests.editors.install import code_server, extension
from tests.editors.install.chromium import chromium
from tests.editors.registry import Entry, Place
from tests.editors.vscode.app import App
from tests.editors.vscode.window import Window


def get() -> None:
    """Get all that it needs, and build our extension."""
    chromium()
    code_server.entry()
    extension.package()


def start(name: str, entry: Entry, place: Place) -> Window:
    """Start VS Code on an empty workspace; its end is the end of the window."""
    app = App(place.home, place.environment)
    try:
        return Window(app, place.workspace, place.artefacts, name=name, features=entry.features, alone=True)
    except BaseException:
        app.close()
        raise
