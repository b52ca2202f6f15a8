"""Questions to llama.cpp's server about its vocabulary: older servers, other vocabularies, no answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.http import HttpClient
from lsp_server.backends.llama_server import LlamaServer
from lsp_server.errors import BackendUnavailable
from lsp_server.families import load_families
from lsp_server.privacy.destination import Destination

QWEN = next(family for family in load_families() if family.id == "qwen2.5-coder")
CONTROLS = QWEN.all_controls

Answer = Callable[[dict[str, Any]], "list[Any] | None"]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[LlamaServer]:
    """Give each question's body to `answer`; None is silence."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split()[0])
        tokens = answer(json.loads(await reader.readexactly(length)))
        if tokens is None:
            await reader.read()
        else:
            body = json.dumps({"tokens": tokens}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    waits = Deadlines(5, 20, 20)
    http = HttpClient(Endpoint("box", url, Destination.THIS_MACHINE, fim=waits, chat=waits))
    try:
        yield LlamaServer(http, "m", 20)
    finally:
        await http.aclose()
        server.close()
        await server.wait_closed()


def _pieces(body: dict[str, Any]) -> list[Any]:
    """Answer as a vocabulary of bytes and three control tokens."""
    if body["parse_special"]:
        half = [{"id": 7, "piece": [239, 189]}]
        return half + [{"id": 100 + number, "piece": text} for number, text in enumerate(CONTROLS)]
    return [{"id": 1, "piece": "<"}]


async def test_a_piece_that_is_half_a_character_is_no_control_token() -> None:
    async with served(_pieces) as server:
        family = await server.family(("Qwen2.5-Coder-7B",))
    assert family is not None and family.id == QWEN.id


async def test_a_server_that_gives_no_pieces_has_no_family() -> None:
    async with served(lambda _: [1, 2, 3]) as server:
        assert await server.family(("Qwen2.5-Coder-7B",)) is None


async def test_a_prompt_is_not_waited_for_longer_than_its_deadline() -> None:
    async with served(lambda body: _pieces(body) if "with_pieces" in body else None) as server:
        family = await server.family(("Qwen2.5-Coder-7B",))
        assert family is not None
        before = asyncio.all_tasks()
        with pytest.raises(BackendUnavailable, match=r"within 0\.2 s"):
            await server.prompt(family, "x = ", "\n", (), 0.2)
        assert not [task for task in asyncio.all_tasks() - before if "LlamaServer" in repr(task.get_coro())]
