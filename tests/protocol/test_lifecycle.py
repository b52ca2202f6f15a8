"""From initialize to exit, and what comes at the wrong time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from lsp_server import __version__
from tests.protocol.conftest import Start
from tests.support.lsp_client import inline_params
from tests.support.scripted_server import Reply, ScriptedServer

INVALID_REQUEST, INVALID_PARAMS, NOT_INITIALIZED, PARSE_ERROR = -32600, -32602, -32002, -32700
URI = "file:///demo/a.py"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "utf-16"),
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-16"], "utf-16"),
        (["utf-32", "utf-8"], "utf-32"),
        (["utf-7", "utf-8"], "utf-8"),
        (["utf-7"], "utf-16"),
    ],
)
def test_initialize_takes_the_clients_first_known_encoding(
    start: Start, offered: list[str] | None, chosen: str
) -> None:
    general = {"positionEncodings": offered} if offered else {}
    with start() as client:
        assert client.initialize({"general": general})["positionEncoding"] == chosen


def test_initialize_advertises_what_is_served(start: Start) -> None:
    with start() as client:
        capabilities = client.initialize()
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["textDocumentSync"]["openClose"] is True
    assert capabilities["textDocumentSync"]["change"] == 2
    assert "completionProvider" not in capabilities


def test_the_server_names_itself(start: Start) -> None:
    with start() as client:
        request = client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert client.result(request)["serverInfo"] == {"name": "codestral-lsp", "version": __version__}


def test_nothing_is_served_before_initialize(start: Start) -> None:
    with start() as client:
        client.open(URI, "")
        assert client.error_code(client.complete(URI, 0, 0)) == NOT_INITIALIZED
        client.initialize()
        assert client.completed(client.complete(URI, 0, 0)) == []


def test_a_second_initialize_is_refused(start: Start) -> None:
    with start() as client:
        client.initialize()
        again = client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert client.error_code(again) == INVALID_REQUEST


def test_requests_after_shutdown_are_refused(start: Start) -> None:
    with start() as client:
        client.initialize()
        client.shut_down()
        assert client.error_code(client.complete(URI, 0, 0)) == INVALID_REQUEST
        assert client.error_code(client.request("shutdown")) == INVALID_REQUEST
        client.notify("exit")
        assert client.exit_status() == 0


def test_exit_without_shutdown_is_a_failure(start: Start) -> None:
    with start() as client:
        client.initialize()
        client.notify("exit")
        assert client.exit_status() == 1


def test_the_server_leaves_when_its_editor_is_gone(start: Start, options: dict[str, Any]) -> None:
    with start() as client:
        client.initialize(options=options)
        client.end_of_input()
        assert client.exit_status() == 1


def test_shutdown_answers_what_is_under_way(
    start: Start, model: ScriptedServer, options: dict[str, Any]
) -> None:
    model.enqueue(Reply(hang_before_headers=True))
    with start() as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        running = client.complete(URI, 0, 4)
        asked = model.wait_for_request()
        client.shut_down()
        assert client.completed(running) == []
        assert asked.disconnected.wait(20)
        client.notify("exit")
        assert client.exit_status() == 0


def test_shutdown_and_exit_in_one_write(start: Start, model: ScriptedServer, options: dict[str, Any]) -> None:
    model.enqueue(Reply(hang_before_headers=True))
    with start() as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        running = client.complete(URI, 0, 4)
        model.wait_for_request()
        shutdown = client.new_request("shutdown")
        client.send(shutdown, {"method": "exit"})
        assert client.result(shutdown["id"]) is None
        assert client.completed(running) == []
        assert client.exit_status() == 0


@pytest.mark.parametrize(
    "params",
    [
        inline_params(URI, 0, 0, trigger=0),
        inline_params(URI, -1, 0),
        {"textDocument": {"uri": URI}, "position": None, "context": {"triggerKind": 1}},
        {},
        [],
        None,
        "text",
    ],
)
def test_unreadable_parameters_are_answered(start: Start, params: object) -> None:
    with start() as client:
        client.initialize()
        request = client.request("textDocument/inlineCompletion", params)
        assert client.error_code(request) == INVALID_PARAMS
        assert client.completed(client.complete(URI, 0, 0)) == []


def test_unreadable_notifications_are_survived(start: Start) -> None:
    with start() as client:
        client.initialize()
        client.notify("textDocument/didOpen", {"textDocument": {"uri": 5}})
        client.notify("textDocument/didChange", None)
        client.notify("$/unknown")
        client.notify("unknown", {"a": 1})
        client.round_trip()


def test_what_is_not_json_rpc_is_refused(start: Start) -> None:
    with start() as client:
        client.initialize()
        client.tracebacks_expected = True
        client.send_bytes(b"Content-Length: 9\r\n\r\nnot JSON!")
        assert client.error_code(None) == PARSE_ERROR
        body = json.dumps({"id": 77, "method": "shutdown"}).encode()
        client.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert client.error_code(77) == INVALID_REQUEST


def test_unknown_cancellations_are_ignored(start: Start) -> None:
    with start() as client:
        client.initialize()
        client.notify("$/cancelRequest", {"id": 4711})
        client.notify("$/cancelRequest", {"id": "x"})
        client.round_trip()


def test_the_server_does_not_stay_in_the_folder_of_its_editor(start: Start, tmp_path: Path) -> None:
    """It may be a cloned repository: programs, libraries and their settings are looked for where one is."""
    with start(env={"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}) as client:
        client.initialize()
        assert Path(psutil.Process(client.pid).cwd()) == tmp_path


def test_a_server_without_a_home_folder_starts(start: Start, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with start(env={"HOME": missing, "USERPROFILE": missing}) as client:
        client.initialize()
        assert Path(psutil.Process(client.pid).cwd()) == Path(sys.prefix).resolve().parents[-1]


def test_the_server_starts_without_model_libraries() -> None:
    """The editor waits for `initialize`; these take seconds to import and belong to the engine."""
    script = (
        "import sys, lsp_server.cli, lsp_server.server as s; s.Server('', None);"
        "print(sorted({'llama_cpp', 'numpy', 'huggingface_hub', 'httpx', 'tree_sitter'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_front_end_that_completes_has_no_model_libraries(
    start: Start, model: ScriptedServer, options: dict[str, Any]
) -> None:
    with start(env={"PYTHONPROFILEIMPORTTIME": "1"}) as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        assert client.completed(client.complete(URI, 0, 4)) == ["done"]
    imported = {line.rpartition("|")[2].strip() for line in client.log.read_text().splitlines()}
    assert "lsp_server.completion.completer" in imported
    assert not {"llama_cpp", "numpy", "huggingface_hub"} & imported
