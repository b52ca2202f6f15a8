from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server.cli.models import models
from lsp_server.errors import ModelError
from lsp_server.models import catalogue, store
from lsp_server.models.checksums import KnownChecksums
from tests.support.hub_server import HubServer

CODESTRAL = catalogue.get("codestral")
CODESTRAL_REPO = "bartowski/Codestral-22B-v0.1-GGUF"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(models, arguments)


@pytest.fixture
def pulled(hub: HubServer, write_gguf: Callable[..., Path]) -> Result:
    hub.add(CODESTRAL_REPO, CODESTRAL.file, write_gguf().read_bytes())
    return run("pull", "codestral")


def test_pull_prints_the_path_and_the_licence(pulled: Result) -> None:
    assert pulled.exit_code == 0
    assert pulled.stdout.strip() == str(store.folder() / CODESTRAL.file)
    assert "non-production" in pulled.stderr
    assert "Downloading Codestral 22B v0.1 (Q4_K_M)" in pulled.stderr


def test_list_shows_what_is_here(pulled: Result) -> None:
    lines = {line.split()[0]: line for line in run("list").stdout.splitlines() if line.strip()}
    assert "yes" in lines[CODESTRAL.name].split()[1]
    assert lines[catalogue.DEFAULT_NAME].split()[:3] == [catalogue.DEFAULT_NAME, "(default)", "491.4"]
    assert "MNPL" in lines[CODESTRAL.name]


def test_list_as_json(pulled: Result) -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert list(rows) == [entry.name for entry in catalogue.entries()]
    assert rows[CODESTRAL.name]["path"] == pulled.stdout.strip()
    assert rows[CODESTRAL.name]["size_is_exact"] is False
    default = rows[catalogue.DEFAULT_NAME]
    assert (default["path"], default["default"], default["size_bytes"]) == (None, True, 491400064)


def test_path(pulled: Result) -> None:
    assert run("path", "codestral").stdout == pulled.stdout
    missing = run("path", catalogue.DEFAULT_NAME)
    assert isinstance(missing.exception, ModelError)
    assert f"models pull {catalogue.DEFAULT_NAME}" in str(missing.exception)


def test_verify_sees_a_changed_file(pulled: Result) -> None:
    assert run("verify").stdout.startswith(f"{CODESTRAL.name}: right")
    path = Path(pulled.stdout.strip())
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    changed = run("verify", "codestral")
    assert isinstance(changed.exception, ModelError)
    assert "WRONG checksum" in changed.stdout


def test_verify_of_a_file_nobody_has_a_checksum_of(pulled: Result) -> None:
    (store.folder() / "checksums.json").unlink()
    assert "no checksum to compare with" in run("verify").stdout
    assert KnownChecksums(store.folder()).recorded(Path(pulled.stdout.strip())) is None


def test_verify_of_a_model_that_is_not_here() -> None:
    assert isinstance(run("verify", "codestral").exception, ModelError)


def test_pull_of_an_unknown_name() -> None:
    failed = run("pull", "codestrall")
    assert isinstance(failed.exception, ModelError)
    assert "did you mean codestral" in str(failed.exception)
