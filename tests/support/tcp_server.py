"""A server that listens on a port of this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def tcp_server() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a server, and give it and its port once it says that it listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "lsp_server", "--tcp", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            assert f"127.0.0.1:{port}" in server.stderr.readline()
            yield server, port
        finally:
            server.kill()
