"""How long a document waits while others are being completed: one server, texts that are hard on it, hovers.

A hover asks no model, so what it waits for is the server itself. Times are given as multiples of those of the
same server at rest: machines differ.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.cli._served import Served, served
from lsp_server.errors import BackendUnavailable

QUIET = "at rest"
GAP_S = 0.1
"""Between two keys: ten a second, which is fast."""
HOVER_S = 0.01
"""Between two hovers."""
READY_S = 120.0
"""Longest wait for a model that loads."""
TYPED = "f(a, b[1]); "
_QUIET_HOVERS = 200


@dataclass(frozen=True)
class Hard:
    """A text that is hard on a server, and where it is typed in."""

    name: str
    language: str
    text: str
    line: int
    character: int


@dataclass(frozen=True)
class Waits:
    """How long hovers took while one text was being completed."""

    name: str
    ms: tuple[float, ...]

    def at(self, share: float) -> float:
        """Return the time that this share of the hovers took at most."""
        times = sorted(self.ms)
        return times[min(len(times) - 1, int(len(times) * share))]


def hard_texts() -> list[Hard]:
    """Return texts to be completed; generated, for nobody wants such files in a repository."""
    code = "var a=function(b,c){return b+c*2};"
    short, words = "def f(x):\n    return x + 1\n\n", "word " * 60_000
    nested = "x = " + "[" * 5000 + "\n" + "]" * 5000 + ";\n"
    return [
        Hard("a line of 300 kB", "javascript", code * 9000, 0, len(code) * 4500 + 20),
        Hard("50,000 lines", "python", short * 16_667, 25_000, 0),
        Hard("5,000 brackets deep", "javascript", nested, 0, 5004),
        Hard("a string of 300 kB", "python", f"x = '{words}'\ny = 1\n", 0, 150_005),
        Hard("a comment of 300 kB", "c", f"int x;\n/* {words} */\nint y;\n", 1, 150_000),
        Hard("open brackets", "javascript", "f(" * 10_000 + "\n" + "x = 1;\n" * 1000, 0, 20_000),
    ]


async def measure(root: Path, options: dict[str, object], keys: int, tell: Callable[[Waits], None]) -> None:
    """Measure a server at rest, then while each of the texts is being completed."""
    async with served(root, options) as server:
        here = (root / "hover.py").as_uri()
        _open(server, here, "python", "def area(width, height):\n    return width * height\n")
        await _ready(server)
        hover = {"textDocument": {"uri": here}, "position": {"line": 0, "character": 5}}
        await server.request("textDocument/hover", hover)
        quiet = [await _timed(server, hover) for _ in range(_QUIET_HOVERS)]
        tell(Waits(QUIET, tuple(quiet)))
        for hard in hard_texts():
            tell(Waits(hard.name, tuple(await _beside(server, hover, hard, keys, root))))


async def _ready(server: Served) -> None:
    """Wait until completions are served."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        status: Any = await server.request("workspace/executeCommand", {"command": "lsp_server.status"})
        if status["state"] in ("ready", "fallback"):
            return
        if status["state"] == "failed":
            raise BackendUnavailable(status["message"])
        await asyncio.sleep(0.1)
    raise BackendUnavailable(f"No model was ready within {READY_S:.0f} s: see `lsp_server doctor`.")


async def _beside(server: Served, hover: object, hard: Hard, keys: int, root: Path) -> Sequence[float]:
    """Return the times of hovers while somebody types into a hard text."""
    uri = (root / "hard").as_uri()
    _open(server, uri, hard.language, hard.text)
    typing = asyncio.create_task(_type(server, uri, hard, keys))
    times: list[float] = []
    while not typing.done():
        times.append(await _timed(server, hover))
    await typing
    server.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return times


async def _type(server: Served, uri: str, hard: Hard, keys: int) -> None:
    asked: list[asyncio.Task[Any]] = []
    for number, key in enumerate(itertools.islice(itertools.cycle(TYPED), keys)):
        place = {"line": hard.line, "character": hard.character + number}
        change = {"range": {"start": place, "end": place}, "text": key}
        document = {"uri": uri, "version": number + 2}
        server.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
        params = {
            "textDocument": {"uri": uri},
            "position": {**place, "character": place["character"] + 1},
            "context": {"triggerKind": 2},
        }
        asked.append(asyncio.create_task(server.request("textDocument/inlineCompletion", params)))
        await asyncio.sleep(GAP_S)
    await asyncio.wait(asked)


async def _timed(server: Served, hover: object) -> float:
    await asyncio.sleep(HOVER_S)
    started = time.perf_counter()
    await server.request("textDocument/hover", hover)
    return (time.perf_counter() - started) * 1000


def _open(server: Served, uri: str, language: str, text: str) -> None:
    document = {"uri": uri, "languageId": language, "version": 1, "text": text}
    server.notify("textDocument/didOpen", {"textDocument": document})
