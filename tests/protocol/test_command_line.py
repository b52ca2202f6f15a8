"""The command `lsp_server` from outside: transports, help, errors."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lsp_server import __version__
from tests.support.tcp_server import tcp_server

PATIENCE_S = 60.0


def _run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lsp_server", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S,
        env={**os.environ, "CODESTRAL_LSP_CONFIG": os.devnull, **(env or {})},
    )


def test_the_version() -> None:
    assert __version__ in _run("--version").stdout


def test_help_names_the_commands_and_no_private_modules() -> None:
    done = _run("--help")
    assert done.returncode == 0
    assert "--stdio" in done.stdout
    assert "\n  settings " in done.stdout
    assert "\n  _" not in done.stdout


def test_on_a_terminal_it_explains_itself() -> None:
    leader, terminal = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lsp_server"],
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    finally:
        os.close(leader)
        os.close(terminal)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")


@pytest.mark.parametrize("address", ["2087", "localhost:", ":2087", "localhost:99999", "localhost:x"])
def test_a_wrong_address_is_one_line(address: str) -> None:
    done = _run("--tcp", address)
    assert done.returncode == 1
    assert done.stderr == f"lsp_server: --tcp takes HOST:PORT, such as 127.0.0.1:2087, not {address}\n"


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = _run("--tcp", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    assert done.stderr.startswith("lsp_server: Cannot listen on 127.0.0.1:")
    assert done.stderr.count("\n") == 1


def test_an_unknown_command_is_refused() -> None:
    done = _run("frobnicate")
    assert done.returncode == 2
    assert "frobnicate" in done.stderr


def test_settings_show_values_and_where_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[completion]\nmax_tokens = 7\nmax_token = 8\n")
    done = _run("settings", "--json", "--root", str(tmp_path), env={"CODESTRAL_LSP_CONFIG": str(file)})
    rows = json.loads(done.stdout)
    assert rows["completion.max_tokens"] == {"value": 7, "from": str(file)}
    assert rows["backend"] == {"value": "auto", "from": "default"}
    assert done.stderr == (
        f"lsp_server: {file}:3: max_token is not an option of [completion]; did you mean max_tokens?\n"
    )


def test_settings_print_the_table_of_the_readme() -> None:
    table = _run("settings", "--markdown").stdout
    assert table.startswith("| option | values | default | what it does |")
    assert "| `completion.debounce_ms` | a whole number | `75` | " in table


def test_one_editor_is_served_over_tcp() -> None:
    with (
        tcp_server() as (server, port),
        socket.create_connection(("127.0.0.1", port), PATIENCE_S) as editor,
        editor.makefile("rwb") as stream,
    ):
        assert _ask(stream, 1, "initialize", {"capabilities": {}})["result"]["serverInfo"]
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as second:
            assert second.recv(1) == b""
        assert _ask(stream, 2, "shutdown", None)["result"] is None
        _send(stream, {"method": "exit"})
        assert server.wait(PATIENCE_S) == 0


def _send(stream: Any, message: dict[str, Any]) -> None:  # noqa: ANN401
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()


def _ask(stream: Any, request_id: int, method: str, params: object) -> Any:  # noqa: ANN401
    _send(stream, {"id": request_id, "method": method, "params": params})
    length = 0
    while line := stream.readline().strip():
        if line.startswith(b"Content-Length: "):
            length = int(line.partition(b": ")[2])
    return json.loads(stream.read(length))
