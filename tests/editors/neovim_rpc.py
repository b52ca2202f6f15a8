"""Questions to a running Neovim over its socket (https://neovim.io/doc/user/api.html#rpc).

`pynvim` does this too, but leaves its socket and its event loop open, which warnings as errors notice, and
waits without an end for a Neovim that hangs.
"""

from __future__ import annotations

import itertools
import socket
from pathlib import Path
from typing import Any

import msgpack

_REQUEST, _RESPONSE = 0, 1
_ANSWER_S = 60.0
"""For an answer, on a busy machine."""


class NeovimError(Exception):
    """Neovim refused a request."""


class NeovimSocket:
    """A connection; one request at a time."""

    def __init__(self, path: Path) -> None:
        """Connect; fails as sockets do, with nothing left open."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_ANSWER_S)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._unpacker = msgpack.Unpacker(strict_map_key=False)
        self._ids = itertools.count(1)

    def request(self, method: str, *arguments: object) -> Any:  # noqa: ANN401
        """Call a function of the API and return its result."""
        number = next(self._ids)
        self._socket.sendall(msgpack.packb([_REQUEST, number, method, list(arguments)]))
        while True:
            for kind, *rest in self._unpacker:
                if kind == _RESPONSE and rest[0] == number:
                    _, error, result = rest
                    if error:
                        raise NeovimError(error[1])
                    return result
            data = self._socket.recv(65536)
            if not data:
                raise NeovimError("Neovim has ended.")
            self._unpacker.feed(data)

    def close(self) -> None:
        self._socket.close()
