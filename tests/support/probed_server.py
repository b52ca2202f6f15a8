"""The language server with requests about its own memory: `python -m tests.support.probed_server --stdio`.

    test/memory {}          bytes of resident memory, after a collection
    test/holders {text}     what keeps strings or bytes with this text: chains of types, outermost first

The question is no holder: its text comes as a list of pieces, and is put together inside.
"""

from __future__ import annotations

import gc
import types
from collections import deque
from typing import Any

import psutil

from lsp_server import cli, server

LONGEST_CHAIN = 12
_PASSED_OVER = (types.FrameType, types.ModuleType)


class ProbedServer(server.Server):
    """A server that tells what it keeps."""

    def __init__(self, log_place: str, log_level: str | None, warning: str | None = None) -> None:
        super().__init__(log_place, log_level, warning)

        @self.feature("test/memory")
        def memory(_params: Any) -> int:  # noqa: ANN401
            gc.collect()
            return int(psutil.Process().memory_info().rss)

        @self.feature("test/holders")
        def holders(params: Any) -> list[str]:  # noqa: ANN401
            return holders_of("".join(params.text))


def holders_of(text: str) -> list[str]:
    """Return a chain of types to each string, or bytes, with `text` in it, from as far up as is known."""
    gc.collect()
    data = text.encode()
    above: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = deque(it for it in gc.get_objects() if not isinstance(it, _PASSED_OVER))
    seen.update(map(id, waiting))
    known = set(seen)
    found: list[Any] = []
    while waiting:
        holder = waiting.popleft()
        for held in gc.get_referents(holder):
            if id(held) in known:
                above.setdefault(id(held), holder)
            if id(held) in seen or held is text or held is data:
                continue
            seen.add(id(held))
            above.setdefault(id(held), holder)
            if isinstance(held, str):
                if text in held:
                    found.append(held)
            elif isinstance(held, bytes | bytearray):
                if data in held:
                    found.append(held)
            else:
                waiting.append(held)
    return sorted({_chain(it, above) for it in found})


def _chain(held: Any, above: dict[int, Any]) -> str:  # noqa: ANN401
    names: list[str] = []
    passed: set[int] = set()
    while held is not None and len(names) < LONGEST_CHAIN and id(held) not in passed:
        passed.add(id(held))
        names.append(
            type(held).__name__ + (f":{held.__name__}" if isinstance(held, types.FunctionType) else "")
        )
        held = above.get(id(held))
    return " > ".join(reversed(names))


if __name__ == "__main__":
    server.Server = ProbedServer  # type: ignore[misc]
    cli.main()
