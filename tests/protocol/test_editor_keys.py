"""Keys from an editor's secret storage: used, kept in memory, and passed on to nobody."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.protocol.conftest import Start
from tests.support.engines import own_state, started_engines
from tests.support.lsp_client import LspClient
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer
from tests.support.tiny_gguf import write_tiny_mistral
from tests.support.typist import DEMO, Typist

KEYS = "LSP_SERVER_KEYS"


@pytest.fixture
def options(model: ScriptedServer) -> dict[str, Any]:
    """Return options that say nothing of keys."""
    model.default = Reply(["one"])
    return {
        "backend": "mistral",
        "backends": {"mistral": {"base_url": model.base_url}},
        "completion": {"debounce_ms": 0},
    }


def _env(key: str) -> dict[str, str]:
    return {KEYS: json.dumps({"mistral": key})}


def test_the_key_of_the_editor_is_used_and_another_after_a_restart(
    start: Start, options: dict[str, Any], tmp_path: Path
) -> None:
    with start(env=_env("wrong-key")) as client:
        client.initialize(options=options)
        client.discard("window/showMessage")
        assert Typist(client).completed() == []
    assert "wrong-key" not in (tmp_path / "server.log").read_text()
    with start(env=_env(API_KEY)) as client:
        client.initialize(options={**options, "log_level": "debug"})
        assert Typist(client).completed() == ["one"]
    assert API_KEY not in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize(
    "given", ["{scripted-key", '["scripted-key"]', '{"mistral": {"key": "scripted-key"}}']
)
def test_what_cannot_be_read_is_said_once_and_not_shown(
    start: Start, options: dict[str, Any], given: str, tmp_path: Path
) -> None:
    options["backends"]["mistral"]["api_key_env"] = "SCRIPTED_KEY"
    with start(env={KEYS: given}) as client:
        client.initialize(options=options)
        message = client.expect("window/showMessage")["message"]
        assert KEYS in message
        assert API_KEY not in message
        assert Typist(client).completed() == ["one"]
        client.notify("workspace/didChangeConfiguration", {"settings": {**options, "log_level": "info"}})
        client.round_trip()
    assert API_KEY not in (tmp_path / "server.log").read_text()


def test_a_program_for_keys_does_not_see_it(start: Start, options: dict[str, Any], tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(str(dict(os.environ)))"
    code = f"{script}; print({API_KEY!r})"
    options["backends"]["mistral"]["api_key_command"] = [sys.executable, "-c", code]
    with start(env=_env("secret-of-the-editor")) as client:
        client.initialize(options=options)
        assert Typist(client).completed() == ["one"]
    assert "PATH" in seen.read_text()
    assert KEYS not in seen.read_text()
    assert "secret-of-the-editor" not in seen.read_text()


def test_an_engine_does_not_see_it(start: Start, tmp_path: Path) -> None:
    weights = write_tiny_mistral(tmp_path / "tiny.gguf", vocab_only=False)
    local = {"model": str(weights), "context_tokens": 512, "slots": 1, "idle_exit_s": 300}
    with own_state(tmp_path / "state"), start(env=_env("secret-of-the-editor")) as client:
        client.initialize(options={"backend": "local", "local": local, "completion": {"debounce_ms": 0}})
        client.open(DEMO, "x = ")
        client.result(client.complete(DEMO, 0, 4))
        _quietly(client)
        [pid] = started_engines(tmp_path / "state")
        environment = psutil.Process(pid).environ()
        assert "PATH" in environment
        assert KEYS not in environment


def _quietly(client: LspClient) -> None:
    """Do not care what is said of a model of random weights."""
    client.discard("window/showMessage")
    client.discard("$/progress")
