"""A file typed key by key with secrets about: what a recording server sees of them, and of all the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient, insertion
from tests.support.scripted_server import Reply, ScriptedServer

PLANTED = "correct7Horse9battery"
"""In the file from the start, as a password."""
TYPED = "tYped4Secret8value"
IN_ENV = "dotEnv5Secret3value"
IN_NEIGHBOUR = "neigh6Bour2secret"
SECRETS = (PLANTED, TYPED, IN_ENV, IN_NEIGHBOUR)

ABOVE = f'import os\n\nDATABASE = {{"user": "app", "password": "{PLANTED}"}}\n\n\n'
BELOW = "\n\ndef close(connection):\n    connection.close()\n"
TYPING = f'''\
def connect(host, port):
    settings = dict(DATABASE)
    settings["host"] = host
    api_key = "{TYPED}"
    for attempt in range(3):
        try:
            return open_connection(port, **settings)
        except OSError as error:
            report(attempt, error)
    return None
'''


@dataclass
class Replay:
    """What came of typing."""

    answered: list[list[str]] = field(default_factory=list)
    answered_in_env: list[list[str]] = field(default_factory=list)


@pytest.fixture
def recorder() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply(["answer"])) as server:
        yield server


def _options(recorder: ScriptedServer, destination: str) -> dict[str, Any]:
    backend = {
        "type": "mistral",
        "base_url": recorder.base_url,
        "model": "codestral-latest",
        "api_key_env": "SCRIPTED_KEY",
        "destination": destination,
    }
    return {
        "backend": "recorder",
        "backends": {"recorder": backend},
        "completion": {"debounce_ms": 0, "timeout_ms": 30_000},
    }


def _type(client: LspClient, folder: Path) -> Replay:
    replay = Replay()
    env, neighbour, main = (folder / name for name in (".env", "neighbour.py", "main.py"))
    client.open(env.as_uri(), f"API_KEY={IN_ENV}\n", "dotenv")
    client.open(neighbour.as_uri(), f'password = "{IN_NEIGHBOUR}"\n\n\ndef helper():\n    return 1\n')
    client.open(main.as_uri(), ABOVE + BELOW)
    for uri, line, into in (
        (env.as_uri(), 1, replay.answered_in_env),
        (neighbour.as_uri(), 5, replay.answered),
    ):
        into.append(client.completed(client.complete(uri, line, 0)))
    line, character = ABOVE.count("\n"), 0
    for key in TYPING:
        client.change(main.as_uri(), insertion(line, character, key))
        line, character = (line + 1, 0) if key == "\n" else (line, character + 1)
        replay.answered.append(client.completed(client.complete(main.as_uri(), line, character)))
    replay.answered_in_env.append(client.completed(client.complete(env.as_uri(), 0, 9)))
    return replay


def _everything(recorder: ScriptedServer) -> str:
    return "\n".join(
        json.dumps([request.path, dict(request.headers), request.body], ensure_ascii=False)
        for request in recorder.history
    )


@pytest.mark.parametrize("destination", ["third party", "my servers"])
def test_no_secret_reaches_another_machine_and_completions_go_on(
    start: Start, recorder: ScriptedServer, tmp_path: Path, destination: str
) -> None:
    with start() as client:
        client.discard("$/lsp_server/status")
        client.discard("window/logMessage")
        client.initialize(options=_options(recorder, destination), root=tmp_path)
        replay = _type(client, tmp_path)
    seen = _everything(recorder)
    for secret in SECRETS:
        # Not even pieces of them, whether from the start or from within.
        pieces = {secret[at : at + 6] for at in range(len(secret) - 5)}
        assert [piece for piece in pieces if piece in seen] == []
    assert str(tmp_path) not in seen
    assert "file:" not in seen
    assert replay.answered_in_env == [[], []]
    assert sum(items == [] for items in replay.answered) < len(replay.answered) / 2
    prompts = [request.body["prompt"] for request in recorder.history]
    assert len(prompts) > 50
    assert any(prompt.rstrip().endswith("return None") for prompt in prompts), "also after the secrets"
    log = client.log.read_text(encoding="utf-8")
    assert "withheld" in log
    assert [secret for secret in SECRETS if secret in log] == []


def test_this_machine_sees_all_verbatim(start: Start, recorder: ScriptedServer, tmp_path: Path) -> None:
    with start() as client:
        client.discard("$/lsp_server/status")
        client.discard("window/logMessage")
        client.initialize(options=_options(recorder, "this machine"), root=tmp_path)
        replay = _type(client, tmp_path)
    seen = _everything(recorder)
    assert [secret for secret in SECRETS if secret not in seen] == []
    assert "__WITHHELD__" not in seen
    for request in recorder.history[-20:-2]:
        assert (ABOVE + TYPING).startswith(request.body["prompt"])
    assert replay.answered_in_env[0] != []
