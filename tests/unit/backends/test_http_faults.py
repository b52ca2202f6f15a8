"""Every fault of a server: the right error, one sentence, the next request served, nothing left over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.protocol import FimRequest
from lsp_server.errors import BackendError, RateLimited
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination
from tests.support.faulty_server import FAULTS, KEY, FaultyServer

REQUEST = FimRequest("def private_function():\n    ", "\n", max_tokens=10, document="private.py")
SHORT = Deadlines(connect_s=5.0, first_token_s=1.0, total_s=1.5)
LONG = Deadlines(connect_s=10.0, first_token_s=20.0, total_s=20.0)
"""Shorter than the patience of a chat, and longer than a busy machine needs."""


def open_backend(server: FaultyServer, ca_directory: Path) -> MistralBackend:
    deadlines = SHORT if server.fault.waits else LONG
    return MistralBackend(
        Endpoint(
            "faulty",
            server.base_url,
            Destination.THIS_MACHINE,
            fim=deadlines,
            chat=deadlines,
            find_key=lambda: Key(KEY, "the test"),
            ca_file=server.write_authority(ca_directory),
        ),
        "codestral-latest",
    )


async def text_of(backend: MistralBackend) -> str:
    return "".join([chunk.text async for chunk in backend.fim(REQUEST)])


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fault = FAULTS[name]
    caplog.set_level("DEBUG")
    with FaultyServer(name) as server:
        backend = open_backend(server, tmp_path)
        if fault.error is None:
            assert await text_of(backend) == fault.text
        else:
            with pytest.raises(fault.error) as caught:
                await text_of(backend)
            await check_error(caught.value, fault.sentence)
        if fault.heals:
            server.heal()
            assert await patient_text_of(backend) == "done"
        await backend.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert await asyncio.to_thread(server.wait_until_deserted)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("lsp_server")]
    assert not [message for message in ours if "private_function" in message]
    assert KEY not in caplog.text


async def check_error(error: BackendError, part: str) -> None:
    sentence = str(error)
    assert part in sentence
    assert sentence.isprintable() and not set(sentence) & set("{}")
    assert "private" not in sentence
    assert KEY not in f"{error!r} {error.__cause__!r} {error.__context__!r}"
    if isinstance(error, RateLimited):
        await asyncio.sleep(error.wait_s)


async def patient_text_of(backend: MistralBackend) -> str:
    return await asyncio.wait_for(text_of(backend), 20)


async def test_a_failure_that_may_pass_is_tried_once_more(tmp_path: Path) -> None:
    for name, requests in {
        "502": 2,
        "closed before headers": 2,
        "500": 1,
        "503 loading": 1,
        "401": 1,
    }.items():
        with FaultyServer(name) as server:
            backend = open_backend(server, tmp_path)
            with pytest.raises(BackendError):
                await text_of(backend)
            await backend.aclose()
            assert len(server.history) == requests, name


async def test_a_name_with_several_addresses_where_nothing_listens(tmp_path: Path) -> None:
    with FaultyServer("connection refused") as server:
        address = server.base_url.replace("127.0.0.1", "localhost")
        endpoint = Endpoint("box", address, Destination.THIS_MACHINE, LONG, LONG, lambda: None)
        backend = MistralBackend(endpoint, "m")
        with pytest.raises(BackendError, match="cannot be reached: start it, or check the base URL"):
            await text_of(backend)
        await backend.aclose()
