"""Twenty thousand keys: memory stays as it is."""

from __future__ import annotations

import asyncio
import gc

import psutil

from lsp_server.completion.completer import Completer
from lsp_server.documents.snapshot import Snapshot
from lsp_server.settings import CompletionSettings
from tests.support.scripted_backend import ScriptedBackend

KEYS = 20_000
WARM_UP = 2_000
"""Keys after which caches are full."""
FUNCTION = "def area_{0}(width, height):\n    return width * height + {0}\n\n\n"
BEFORE, AFTER = (
    "".join(FUNCTION.format(number) for number in numbers) for numbers in (range(8), range(8, 16))
)
BOUND_BYTES = 8_000_000
"""What allocators keep for themselves: 1.3 MB were measured. One text kept a key would be 20 MB and more."""


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def type_keys(completer: Completer, backend: ScriptedBackend, keys: int, uri: str) -> None:
    typed = ""
    for key in range(keys):
        typed = "" if len(typed) > 40 else typed + "(x = "[key % 5]
        backend.requests.clear()
        snapshot = Snapshot(uri, "python", key, BEFORE + typed + "\n" + AFTER)
        await completer.complete(snapshot, len(BEFORE) + len(typed))


def test_memory_is_flat_over_twenty_thousand_keys() -> None:
    async def day() -> int:
        backend = ScriptedBackend(name="1 + 2\n")
        completer = Completer(backend, CompletionSettings(debounce_ms=0))
        await type_keys(completer, backend, WARM_UP, "file:///a.py")
        before = resident()
        await type_keys(completer, backend, KEYS, "file:///a.py")
        await completer.aclose()
        return resident() - before

    assert asyncio.run(day()) < BOUND_BYTES
