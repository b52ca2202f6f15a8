"""Headers of messages: every spelling that means the same is read, and every other ends with a sentence."""

from __future__ import annotations

import json
import socket

import pytest

from tests.protocol.conftest import Start
from tests.support.lsp_client import PATIENCE_S, framed
from tests.support.tcp_server import tcp_server

BODY = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "test/unknownMethod"}).encode()
LENGTH = b"%d" % len(BODY)


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: %s\r\n\r\n",
        b"CONTENT-LENGTH: %s\r\n\r\n",
        b"cOnTeNt-LeNgTh: %s\r\n\r\n",
        b"Content-Length:%s\r\n\r\n",
        b"Content-Length : %s\r\n\r\n",
        b"Content-Length:\t  %s \r\n\r\n",
        b"Content-Length: 000%s\r\n\r\n",
        b"Content-Length: %s\n\n",
        b"\r\n\r\nContent-Length: %s\r\n\r\n",
        b"Content-Length: %s\r\ncontent-length: %s\r\n\r\n",
        b"Content-Length: %s\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: %s\r\n\r\n",
        b"x-trace: 7\r\ncontent-type: a\r\ncontent-length:%s\r\nX-Content-Length: 3\r\n\r\n",
    ],
)
def test_spellings_of_one_header(start: Start, header: bytes) -> None:
    with start() as client:
        client.initialize()
        for split in (1, len(header) // 2, len(header)):
            message = header.replace(b"%s", LENGTH) + BODY
            client.send_bytes(message[:split])
            client.send_bytes(message[split:])
            assert client.error_code(1) == -32601
        client.round_trip()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"Content-Type: a\r\n\r\n", "without Content-Length"),
        (b"Content-Length-: 5\r\n\r\n", "without Content-Length"),
        (b"Content-Length: -5\r\n\r\n", "not a number"),
        (b"Content-Length: +5\r\n\r\n", "not a number"),
        (b"Content-Length: five\r\n\r\n", "not a number"),
        (b"Content-Length: 0x10\r\n\r\n", "not a number"),
        (b"Content-Length: 5.0\r\n\r\n", "not a number"),
        (b"Content-Length: 1 2\r\n\r\n", "not a number"),
        (b"Content-Length: \xd9\xa1\r\n\r\n", "not a number"),
        (b"Content-Length:\r\n\r\n", "not a number"),
        (b"Content-Length: 99999999999\r\n\r\n", "512 MiB"),
        (b"Content-Length: 536870913\r\n\r\n", "512 MiB"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", "512 MiB"),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "two different"),
        (b"Content-Length 5\r\n\r\n", "no colon"),
        (b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", "no colon"),
        (b'{"jsonrpc" "2.0"}\n\n', "no colon"),
        (b"x: " + b"y" * 200_000, "too long"),
        (b"x: y\r\n" * 40, "more than 32 lines"),
    ],
    ids=lambda it: it if isinstance(it, str) else repr(it[:30]),
)
def test_what_is_no_header_ends_with_one_sentence(start: Start, header: bytes, said: str) -> None:
    with start() as client:
        client.initialize()
        client.send_bytes(header + BODY)  # the pipe stays open
        assert client.exit_status() == 1
        (line,) = [line for line in client.log.read_text().splitlines() if "ERROR" in line]
        assert said in line
        assert "`lsp_server --stdio`" in line


def test_after_shutdown_it_is_no_failure(start: Start) -> None:
    with start() as client:
        client.initialize()
        client.shut_down()
        client.send_bytes(b"good bye\r\n\r\n")
        assert client.exit_status() == 0


@pytest.mark.parametrize("end", [b"", b"Content-Le", b"Content-Length: 50\r\n\r\n{", b"x: y\r\n"])
def test_an_end_inside_of_a_message_is_an_end(start: Start, end: bytes) -> None:
    with start() as client:
        client.initialize()
        client.send_bytes(end)
        client.end_of_input()
        assert client.exit_status() == 1
        assert "ERROR" not in client.log.read_text()


@pytest.mark.parametrize("body", [b"", b"not JSON!", b"\xff\xfe\xfd", b"[" * 100_000, b'{"a": '])
def test_a_body_that_is_no_json_is_answered(start: Start, body: bytes) -> None:
    with start() as client:
        client.initialize()
        client.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert client.error_code(None) == -32700
        client.round_trip()


def test_messages_over_tcp_have_the_same_headers() -> None:
    with tcp_server() as (server, port):
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as editor:
            message = framed(
                {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}
            )
            editor.sendall(message.replace(b"Content-Length: ", b"content-length:"))
            assert editor.recv(1)
            editor.sendall(b"Content-Length: -1\r\n\r\n")
            assert server.wait(PATIENCE_S) == 1
        assert server.stderr is not None
        assert "not a number" in server.stderr.read()
