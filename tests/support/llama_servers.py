"""Real servers from PyPI as child processes: llama.cpp's own (carried by `xllamacpp`) and llama-cpp-python's.

with llama_cpp_server(model) as address: ...        # http://127.0.0.1:12345
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

CONTEXT_TOKENS = 2048
THREADS = 2
START_S = 120
"""To load half a gigabyte on a busy machine."""

_LLAMA_CPP = """
import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.hostnames, p.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
p.n_ctx, p.n_batch, p.n_ubatch, p.n_parallel = int(sys.argv[3]), 512, 512, 1
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = int(sys.argv[4])
server = xllamacpp.Server(p)
while True:
    time.sleep(3600)
"""


@contextlib.contextmanager
def llama_cpp_server(model: Path) -> Iterator[str]:
    """Run llama.cpp's server, with one slot."""
    port = _free_port()
    arguments = [_LLAMA_CPP, str(model), str(port), str(CONTEXT_TOKENS), str(THREADS)]
    with _running(["-c", *arguments], f"http://127.0.0.1:{port}", "/health") as address:
        yield address


@contextlib.contextmanager
def llama_cpp_python_server(model: Path) -> Iterator[str]:
    """Run llama-cpp-python's server."""
    port = _free_port()
    arguments = ["--model", model, "--host", "127.0.0.1", "--port", port]
    arguments += ["--n_ctx", CONTEXT_TOKENS, "--n_threads", THREADS]
    command = ["-m", "llama_cpp.server", *map(str, arguments)]
    with _running(command, f"http://127.0.0.1:{port}", "/v1/models") as address:
        yield address


@contextlib.contextmanager
def _running(command: list[str], address: str, sign_of_life: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, address + sign_of_life)
        yield address
    finally:
        process.kill()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended instead of listening"
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False, timeout=5).is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
