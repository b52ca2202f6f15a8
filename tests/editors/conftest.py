"""One window of each editor for all scenarios, a server with the default model, and a second backend."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.config_files import CONFIG_VARIABLE
from lsp_server.engine.state import STATE_VARIABLE
from tests.editors import vscode
from tests.editors.editor import PATIENCE_S, Editor, Environment, Feature
from tests.editors.install.kept import NotInstalled
from tests.editors.registry import EDITORS, Place, start
from tests.support.engines import own_state
from tests.support.scripted_server import API_KEY, ScriptedServer

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LONGEST_S = 900
"""The first test of an editor starts it: VS Code took 280 s where six others wanted each processor."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario in every chosen editor that can do what it needs."""
    if "editor" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("needs")
    needed: set[Feature] = set(marker.args) if marker is not None else set()
    names = [
        name for name in metafunc.config.getoption("--editors").split(",") if needed <= EDITORS[name].features
    ]
    metafunc.parametrize("editor", names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what none of the chosen editors can do; pytest would skip it. Give editors time to start."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(LONGEST_S))
    left_out = [item for item in items if item.path.parent == HERE and item.name.endswith("[NOTSET]")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Get VS Code before the first test: it takes minutes on a new machine, more than a test may."""
    needed = any("vscode" in item.nodeid for item in session.items if item.path.parent == HERE)
    if needed and not session.config.getoption("collectonly"):
        # What cannot be had is told by the tests that need it.
        with contextlib.suppress(NotInstalled):
            vscode.get()


@pytest.fixture(scope="session")
def scripted() -> Iterator[ScriptedServer]:
    """Serve the second backend; what it answers is written down by the scenarios."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="session")
def environment(
    tmp_path_factory: pytest.TempPathFactory, model_path: Path, scripted: ScriptedServer
) -> Iterator[Environment]:
    """Return what an editor's processes need: a configuration, keys, and engines of their own."""
    folder = tmp_path_factory.mktemp("user")
    config = folder / "config.toml"
    # On a busy machine a completion takes its time; one that is cut off half-way is for other tests.
    config.write_text(
        f"[completion]\ntimeout_ms = {PATIENCE_S * 1000:.0f}\n"
        f'[local]\nmodel = "{model_path.as_posix()}"\n'
        f'[backends.scripted]\ntype = "mistral"\nbase_url = "{scripted.base_url}"\n'
        'api_key_env = "SCRIPTED_API_KEY"\n',
        "utf-8",
    )
    with own_state(folder / "state"):
        yield {
            CONFIG_VARIABLE: str(config),
            STATE_VARIABLE: str(folder / "state"),
            "SCRIPTED_API_KEY": API_KEY,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Return the folder for pictures; kept after the run."""
    folder = Path(os.environ.get("LSP_SERVER_TEST_ARTEFACTS", ROOT / ".artefacts")) / "editors"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def editor(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    environment: Environment,
    artefacts: Path,
) -> Iterator[Editor]:
    """Return the window of one editor, on an empty workspace."""
    name: str = request.param
    place = Place(
        tmp_path_factory.mktemp("workspace"), tmp_path_factory.mktemp("home"), artefacts, environment
    )
    editor = start(name, place)
    try:
        yield editor
    finally:
        editor.close()
