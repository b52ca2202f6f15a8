"""Bytes in and out of the server, over stdio or one TCP connection. Knows nothing of LSP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from lsp_server.errors import ConfigurationError
from lsp_server.framing import Reader

logger = logging.getLogger(__name__)


def stdin_reader() -> Reader:
    """Read stdin on a daemon thread of its own.

    Works for pipes, files and consoles on every platform, unlike `connect_read_pipe`, and never
    keeps the process from leaving, unlike a thread pool.
    """
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()
    descriptor = sys.stdin.fileno()

    def pump() -> None:
        # RuntimeError: the loop is closed, nobody reads any more.
        with contextlib.suppress(RuntimeError):
            with contextlib.suppress(OSError):
                while data := os.read(descriptor, 1 << 16):  # the size of a pipe's buffer on Linux
                    loop.call_soon_threadsafe(stream.feed_data, data)
            loop.call_soon_threadsafe(stream.feed_eof)

    threading.Thread(target=pump, name="stdin", daemon=True).start()
    return Reader(stream)


def claim_stdout() -> BinaryIO:
    """Take stdout for the protocol; whatever else is printed, also by C code, goes to stderr."""
    sys.stdout.flush()
    protocol = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return protocol


@asynccontextmanager
async def one_connection(host: str, port: int) -> AsyncIterator[tuple[Reader, asyncio.StreamWriter]]:
    """Listen, take the first connection and turn others away."""
    first: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    first = asyncio.get_running_loop().create_future()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if first.done():
            writer.close()
        else:
            first.set_result((reader, writer))

    try:
        server = await asyncio.start_server(connected, host, port)
    except OSError as error:
        raise ConfigurationError(f"Cannot listen on {host}:{port}: {error.strerror}") from error
    async with server:
        address = server.sockets[0].getsockname()
        logger.info("Waiting for an editor on %s:%d", address[0], address[1])
        reader, writer = await first
        try:
            yield Reader(reader), writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
