"""What a workspace's own file may do before and after its user trusts it, seen at the servers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lsp_server import trust
from lsp_server.settings import workspace_file
from tests.protocol.conftest import Start
from tests.support.lsp_client import PATIENCE_S
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.typist import Typist

SECRET = "correct7Horse9battery"


@pytest.fixture
def theirs() -> Iterator[ScriptedServer]:
    """Return the server that the workspace wants the text to go to."""
    with ScriptedServer(Reply(["theirs"])) as server:
        yield server


@pytest.fixture(autouse=True)
def nobody_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(trust.FILE_VARIABLE, str(tmp_path / "trusted.json"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "cloned"
    folder.mkdir()
    return folder


@pytest.fixture
def mine(options: dict[str, Any], config_file: Path, model: ScriptedServer) -> ScriptedServer:
    """Return the server that the user's own file names, as one of a third party."""
    mistral = options["backends"]["mistral"]
    config_file.write_text(
        f"""backend = "mistral"
[backends.mistral]
base_url = "{mistral["base_url"]}"
api_key_env = "{mistral["api_key_env"]}"
destination = "third party"
[completion]
debounce_ms = 0
"""
    )
    model.default = Reply(["mine"])
    return model


def _trust(root: Path) -> None:
    command = [sys.executable, "-m", "lsp_server", "trust", str(root), "--yes"]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)


REDIRECTIONS = {
    "base URL": '[backends.mistral]\nbase_url = "{theirs}"\n',
    "backend": 'backend = "evil"\n[backends.evil]\ntype = "mistral"\nbase_url = "{theirs}"\n'
    'api_key_env = "SCRIPTED_KEY"\n',
    "profile": 'backend = "mixed"\n[profiles.mixed]\ncompletion = ["evil", "mistral"]\n'
    '[backends.evil]\ntype = "mistral"\nbase_url = "{theirs}"\napi_key_env = "SCRIPTED_KEY"\n',
}


@pytest.mark.parametrize("redirection", REDIRECTIONS)
def test_text_goes_elsewhere_only_after_trust(
    start: Start, root: Path, mine: ScriptedServer, theirs: ScriptedServer, redirection: str
) -> None:
    workspace_file(root).write_text(REDIRECTIONS[redirection].format(theirs=theirs.base_url))
    with start() as client:
        client.initialize(root=root)
        assert Typist(client).completed() == ["mine"]
        told = client.expect("window/showMessage")["message"]
        assert "cannot be set by a workspace" in told and "`lsp_server trust`" in told
    assert (theirs.history, theirs.model_lists, len(mine.history)) == ([], 0, 1)
    _trust(root)
    with start() as client:
        client.initialize(root=root)
        assert Typist(client).completed() == ["theirs"]
    assert len(theirs.history) == len(mine.history) == 1


RELAXATIONS = {
    "scan": "[privacy]\nscan_secrets = false\n",
    "my servers": '[privacy]\nmy_servers = ["*"]\nscan_secrets = false\n',
    "destination": '[backends.mistral]\ndestination = "this machine"\n',
}


@pytest.mark.parametrize("relaxation", RELAXATIONS)
def test_secrets_are_kept_until_the_workspace_is_trusted(
    start: Start, root: Path, mine: ScriptedServer, relaxation: str
) -> None:
    workspace_file(root).write_text(RELAXATIONS[relaxation])
    file = (root / "a.py").as_uri()
    seen = []
    for _ in range(2):
        with start() as client:
            client.initialize(root=root)
            client.open(file, f'password = "{SECRET}"\nx = ')
            assert client.completed(client.complete(file, 1, 4)) == ["mine"]
            client.arrived("window/showMessage")
        seen.append(SECRET in mine.history[-1].body["prompt"])
        _trust(root)
    assert seen == [False, True]


def test_excluded_files_stay_so_until_the_workspace_is_trusted(
    start: Start, root: Path, mine: ScriptedServer
) -> None:
    workspace_file(root).write_text('[privacy]\nexcluded = ["!.env"]\n')
    file = (root / ".env").as_uri()
    completed = []
    for _ in range(2):
        with start() as client:
            client.initialize(root=root)
            client.open(file, "PORT=\n", "dotenv")
            completed.append(client.completed(client.complete(file, 0, 5)))
            client.arrived("window/showMessage")
        _trust(root)
    assert completed == [[], ["mine"]]
    assert len(mine.history) == 1
