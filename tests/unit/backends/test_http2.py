"""HTTP/2: one connection for all, and a cancelled request costs neither server nor others anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from h2.errors import ErrorCodes

from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.protocol import FimRequest
from lsp_server.errors import BackendUnavailable
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination
from tests.support.faulty_server import event
from tests.support.http2_server import Http2Server, Reply

FIM = FimRequest("a = ", "\n", max_tokens=10)
LONG = Deadlines(10.0, 20.0, 25.0)
SECRET = "key-that-nobody-may-see"
HANGS = Reply(data=event("pa"), ends=False)


@pytest.fixture
def server() -> Iterator[Http2Server]:
    with Http2Server() as running:
        yield running


def opened(server: Http2Server, directory: Path, fim: Deadlines = LONG) -> MistralBackend:
    authority = directory / "authority.pem"
    server.authority.cert_pem.write_to_path(str(authority))
    return MistralBackend(
        Endpoint(
            "h2",
            server.base_url,
            Destination.THIS_MACHINE,
            fim=fim,
            chat=LONG,
            find_key=lambda: Key(SECRET, "the test"),
            ca_file=str(authority),
        ),
        "m",
    )


@pytest.fixture
async def backend(server: Http2Server, tmp_path: Path) -> AsyncIterator[MistralBackend]:
    backend = opened(server, tmp_path)
    yield backend
    await backend.aclose()


async def text_of(backend: MistralBackend) -> str:
    return "".join([chunk.text async for chunk in backend.fim(FIM)])


async def test_requests_share_a_connection_and_their_key_is_in_no_log(
    server: Http2Server, backend: MistralBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assert await text_of(backend) == "done"
    assert await asyncio.gather(*(text_of(backend) for _ in range(5))) == ["done"] * 5
    assert server.connections == 1
    assert server.requests[0]["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in caplog.text


async def test_cancelling_resets_the_stream_and_leaves_the_others_alone(
    server: Http2Server, backend: MistralBackend
) -> None:
    assert await text_of(backend) == "done"
    server.replies.extend([HANGS, HANGS])
    async with aclosing(backend.fim(FIM)) as kept:
        assert (await anext(kept)).text == "pa"
        async with aclosing(backend.fim(FIM)) as closed:
            assert (await anext(closed)).text == "pa"
        assert await asyncio.to_thread(server.wait_for_resets, 1)
        assert await text_of(backend) == "done"
        assert server.resets == [ErrorCodes.CANCEL]
    assert await asyncio.to_thread(server.wait_for_resets, 2)
    assert server.connections == 1


async def test_cancelling_before_the_headers_resets_the_stream(
    server: Http2Server, backend: MistralBackend
) -> None:
    assert await text_of(backend) == "done"
    server.replies.append(Reply(headers=False))
    waiting = asyncio.create_task(text_of(backend))
    assert await asyncio.to_thread(server.wait_for_requests, 2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(server.wait_for_resets, 1)
    assert await text_of(backend) == "done"
    assert server.connections == 1


async def test_a_deadline_resets_the_stream(server: Http2Server, tmp_path: Path) -> None:
    backend = opened(server, tmp_path, Deadlines(10.0, 1.0, 20.0))
    server.replies.append(HANGS)
    with pytest.raises(BackendUnavailable, match="silent"):
        await text_of(backend)
    assert await asyncio.to_thread(server.wait_for_resets, 1)
    assert await text_of(backend) == "done"
    assert server.connections == 1
    await backend.aclose()


async def test_streams_and_windows_are_not_used_up(server: Http2Server, backend: MistralBackend) -> None:
    """100 streams may be open and 16 MiB under way on one connection."""
    lavish = Reply(data=event("x" * 200_000) * 2, ends=False)
    for _ in range(120):
        server.replies.append(lavish)
        async with aclosing(backend.fim(FIM)) as stream:
            await anext(stream)
    assert await asyncio.to_thread(server.wait_for_resets, 120)
    assert await text_of(backend) == "done"
    assert server.connections == 1
