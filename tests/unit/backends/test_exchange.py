"""Deadlines, and cancellations that come at the same moment."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from lsp_server.backends.endpoint import Deadlines
from lsp_server.backends.exchange import Exchange, Late


async def test_a_cancellation_is_not_lost_to_a_result_that_comes_with_it() -> None:
    result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(Exchange(Deadlines(None, None, 20.0)).within(result))
    await asyncio.sleep(0)
    result.set_result(1)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()


async def test_a_cancellation_is_not_lost_to_a_deadline_that_passes_with_it() -> None:
    waiting = asyncio.create_task(Exchange(Deadlines(None, None, 0.01)).within(asyncio.sleep(20)))
    await asyncio.sleep(0)
    time.sleep(0.02)  # noqa: ASYNC251  # the loop is to see both at once
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()


async def test_a_cancellation_is_not_lost_while_a_deadline_cleans_up() -> None:
    cleaning_up = asyncio.Event()

    async def slow_to_leave() -> None:
        try:
            await asyncio.sleep(20)
        finally:
            cleaning_up.set()
            await asyncio.sleep(20)

    waiting = asyncio.create_task(Exchange(Deadlines(None, None, 0.01)).within(slow_to_leave()))
    await cleaning_up.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError if sys.version_info >= (3, 11) else Late):
        await waiting


async def test_a_deadline_names_itself() -> None:
    with pytest.raises(Late, match=r"did not finish within 0\.01 s"):
        await Exchange(Deadlines(None, None, 0.01)).within(asyncio.sleep(20))
