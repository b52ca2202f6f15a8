"""A scripted model server, and clients that start the language server on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.lsp_client import LspClient
from tests.support.scripted_server import API_KEY, ScriptedServer

Start = Callable[..., LspClient]


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Return the user's configuration file, empty so far."""
    path = tmp_path / "config.toml"
    path.touch()
    return path


@pytest.fixture
def options(model: ScriptedServer) -> dict[str, Any]:
    """Return options that lead to the scripted server."""
    return {
        "backend": "mistral",
        "backends": {"mistral": {"base_url": model.base_url, "api_key_env": "SCRIPTED_KEY"}},
        "completion": {"debounce_ms": 0},
    }


@pytest.fixture
def start(tmp_path: Path, config_file: Path) -> Start:
    """Return a way to start servers that see no configuration but the test's."""

    def start(
        *,
        env: Mapping[str, str] | None = None,
        arguments: Sequence[str] = ("--stdio",),
        configuration: object = None,
        module: str = "lsp_server",
    ) -> LspClient:
        env = {"CODESTRAL_LSP_CONFIG": str(config_file), "SCRIPTED_KEY": API_KEY, **(env or {})}
        log = tmp_path / "server.log"
        return LspClient(log, env=env, arguments=arguments, configuration=configuration, module=module)

    return start
