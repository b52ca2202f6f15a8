"""When a status line says that a model is at work."""

from __future__ import annotations

import asyncio

from pygls.lsp.server import LanguageServer

from lsp_server.features.status import BUSY_S, Status, StatusLine


class Watched(StatusLine):
    """Keeps what it would send."""

    def __init__(self) -> None:
        super().__init__(LanguageServer("test", "1"))
        self.sent: list[Status] = []
        self.news = asyncio.Event()

    def _send(self) -> None:
        self.sent.append(self.status)
        self.news.set()


async def _until(line: Watched, *, busy: bool) -> None:
    await line.news.wait()
    line.news.clear()
    assert line.status.busy is busy


async def test_work_shows_when_it_has_gone_on_for_a_moment() -> None:
    line = Watched()
    with line.working():
        assert line.sent == []
        await _until(line, busy=True)
    assert line.status.busy
    await _until(line, busy=False)
    assert [status.busy for status in line.sent] == [True, False]


async def test_short_work_never_shows() -> None:
    line = Watched()
    for _ in range(100):
        with line.working():
            pass
    await asyncio.sleep(2 * BUSY_S)
    assert line.sent == []


async def test_work_that_takes_the_place_of_other_work_goes_on() -> None:
    line = Watched()
    with line.working():
        await _until(line, busy=True)
    for _ in range(100):
        with line.working():
            pass
    with line.working(), line.working():
        await asyncio.sleep(2 * BUSY_S)
        assert line.status.busy
    await _until(line, busy=False)
    assert [status.busy for status in line.sent] == [True, False]


async def test_the_end_of_the_connection_ends_it() -> None:
    line = Watched()
    with line.working():
        line.end()
        await asyncio.sleep(2 * BUSY_S)
    assert line.sent == []
