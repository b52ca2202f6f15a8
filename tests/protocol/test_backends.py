"""Several backends side by side: which one answers, what the editor is told, how it is changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.protocol.conftest import Start
from tests.support.lsp_client import PATIENCE_S, LspClient
from tests.support.scripted_server import Reply, ScriptedServer
from tests.support.typist import Typist

SELECT, LIST, STATUS = "lsp_server.selectBackend", "lsp_server.backends", "$/lsp_server/status"
SECRET = "correct7Horse9battery"


@pytest.fixture
def other() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply(["other"])) as server:
        yield server


@pytest.fixture
def two(model: ScriptedServer, other: ScriptedServer) -> dict[str, Any]:
    """Return options with two backends and a profile that tries them in order."""
    model.default = Reply(["first"])
    servers = {"first": model, "other": other}
    return {
        "backend": "both",
        "backends": {
            name: {"type": "mistral", "base_url": server.base_url, "api_key_env": "SCRIPTED_KEY"}
            for name, server in servers.items()
        },
        "profiles": {"both": {"completion": ["first", "other"]}},
        "completion": {"debounce_ms": 0},
    }


def _command(client: LspClient, name: str, *arguments: object) -> int:
    return client.request("workspace/executeCommand", {"command": name, "arguments": list(arguments)})


def test_the_next_backend_answers_while_the_first_is_away(
    start: Start, two: dict[str, Any], model: ScriptedServer, other: ScriptedServer
) -> None:
    with start() as client:
        client.initialize(options=two)
        typist = Typist(client)
        assert typist.completed() == ["first"]
        port = urlsplit(model.base_url).port
        model.stop()
        assert typist.completed() == ["other"]
        assert typist.completed() == ["other"]
        notice = client.expect("window/showMessage")
        assert notice["type"] == 2 and "first" in notice["message"] and "other" in notice["message"]
        with ScriptedServer(Reply(["back"]), port=port or 0):
            deadline = time.monotonic() + PATIENCE_S
            while (completion := typist.completed()) != ["back"]:
                assert completion == ["other"] and time.monotonic() < deadline
                time.sleep(0.2)
        client.round_trip()


def test_a_backend_is_selected_by_name(
    start: Start, two: dict[str, Any], model: ScriptedServer, other: ScriptedServer
) -> None:
    with start() as client:
        offered = client.initialize(options=two)
        assert SELECT in offered["executeCommandProvider"]["commands"]
        typist = Typist(client)
        assert typist.completed() == ["first"]
        answer = client.result(_command(client, SELECT, "other"))
        assert answer["selected"] == "other"
        assert client.result(_command(client, LIST)) == answer
        assert answer["configured"] == ["first", "other"]
        assert {"auto", "both", "first", "other"} <= {choice["name"] for choice in answer["choices"]}
        assert typist.completed() == ["other"]
        assert client.result(_command(client, SELECT, "both"))["selected"] == "both"
        assert typist.completed() == ["first"]


def test_a_name_that_is_not_there_changes_nothing(start: Start, two: dict[str, Any]) -> None:
    with start() as client:
        client.initialize(options=two)
        answer = client.response(_command(client, SELECT, "frist"))
        assert answer["error"]["code"] == -32602 and "frist" in answer["error"]["message"]
        assert Typist(client).completed() == ["first"]


@pytest.mark.parametrize("chosen", ["other", None])
def test_without_a_name_the_user_is_asked(start: Start, two: dict[str, Any], chosen: str | None) -> None:
    with start() as client:
        client.initialize(options=two)
        titles = {
            choice["name"]: f"{choice['name']}: {choice['title']}"
            for choice in client.result(_command(client, SELECT, "both"))["choices"]
        }
        client.answers["window/showMessageRequest"] = {"title": titles[chosen]} if chosen else None
        assert client.result(_command(client, SELECT))["selected"] == (chosen or "both")
        assert Typist(client).completed() == ["other" if chosen else "first"]
        (asked,) = (it for it in client.asked if it["method"] == "window/showMessageRequest")
        assert {"title": titles["other"]} in asked["params"]["actions"]


def test_the_status_goes_to_whoever_wants_it(
    start: Start, two: dict[str, Any], model: ScriptedServer
) -> None:
    with start() as client:
        client.initialize({"experimental": {"lspServerStatus": True}}, options=two)
        typist = Typist(client)
        assert typist.completed() == ["first"]
        ready = client.expect(STATUS, state="ready", backend="first", destination="this machine")
        assert (ready["selected"], ready["withheld"]) == ("both", [])
        model.stop()
        assert typist.completed() == ["other"]
        fallback = client.expect(STATUS, state="fallback", backend="other")
        assert "first" in fallback["message"]
        assert client.result(_command(client, "lsp_server.status"))["backend"] == "other"
        client.discard(STATUS)
        client.discard("window/showMessage")


def test_nobody_else_hears_of_it(start: Start, two: dict[str, Any]) -> None:
    with start() as client:
        client.initialize(options=two)
        assert Typist(client).completed() == ["first"]
        assert client.result(_command(client, "lsp_server.status"))["state"] == "ready"


def test_the_status_says_what_was_withheld(
    start: Start, two: dict[str, Any], model: ScriptedServer, tmp_path: Path
) -> None:
    two["backends"]["first"]["destination"] = "third party"
    env, secret, plain = ((tmp_path / name).as_uri() for name in (".env", "secret.py", "plain.py"))
    with start() as client:
        client.initialize({"experimental": {"lspServerStatus": True}}, options={**two, "backend": "first"})
        client.open(env, f"API_KEY={SECRET}\n", "dotenv")
        client.open(secret, f'password = "{SECRET}"\nx = ')
        client.open(plain, "x = ")
        assert client.completed(client.complete(env, 1, 0)) == []
        (excluded,) = client.expect(STATUS, uri=env)["withheld"]
        assert ".env" in excluded and "nothing of it was sent" in excluded
        assert model.history == []
        assert client.completed(client.complete(secret, 1, 4)) == ["first"]
        (redacted,) = client.expect(STATUS, uri=secret, destination="third party")["withheld"]
        assert redacted.startswith("1 secret in this text")
        assert client.completed(client.complete(plain, 0, 4)) == ["first"]
        assert client.expect(STATUS, uri=plain, destination="third party")["withheld"] == []
        client.discard(STATUS)
    assert SECRET not in str([request.body for request in model.history]) + excluded + redacted
    assert len(model.history) == 2
