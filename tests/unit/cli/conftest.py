"""Commands that see no configuration but the test's, and a scripted model for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.scripted_server import API_KEY, ScriptedServer


@pytest.fixture(autouse=True)
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's configuration file, empty so far; the current folder is the test's own."""
    path = tmp_path / "config.toml"
    path.touch()
    monkeypatch.setenv("CODESTRAL_LSP_CONFIG", str(path))
    monkeypatch.setenv("SCRIPTED_KEY", API_KEY)
    for variable in ("MISTRAL_API_KEY", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def scripted(model: ScriptedServer) -> list[str]:
    """Return the arguments that lead a command to the scripted model."""
    options = (
        "backend=mistral",
        f"backends.mistral.base_url={model.base_url}",
        "backends.mistral.api_key_env=SCRIPTED_KEY",
    )
    return [argument for option in options for argument in ("--set", option)]
