"""The preparation of several backends side by side, told as if they were one. Knows nothing of requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from lsp_server.backends.member import Member
from lsp_server.backends.protocol import Readiness

GRACE_S = 1.0
"""For an earlier member that does not say that there is something to wait for: mostly it is milliseconds
behind, and people would wonder why the fallback answers first."""


async def first_ready(members: Sequence[Member]) -> AsyncGenerator[Readiness, None]:
    """Prepare all, and report the way of the first that is not ready until one is.

    The others go on in the background. If none can be made ready, no step says `ready`.
    """
    news: asyncio.Queue[tuple[Member, Readiness | None] | None] = asyncio.Queue()

    def listen(member: Member, step: Readiness | None) -> None:
        news.put_nowait((member, step))

    last = dict.fromkeys(members, Readiness(ready=True))
    ready: list[Member] = []
    grace: asyncio.TimerHandle | None = None
    try:
        for member in members:
            member.listeners.add(listen)
            member.prepare()
        waited_for = [member for member in members if member.preparing]
        if waited_for and waited_for[0].loading:  # since before we came to listen
            yield Readiness(ready=False, message=waited_for[0].loading)
        while waited_for and (item := await news.get()) is not None:
            member, step = item
            if step is None:
                waited_for = [other for other in waited_for if other is not member]
                ready += [member] if member.unready is None else []
            elif step.ready:
                last[member] = step
            elif not ready and member is waited_for[0]:
                yield step
            if ready and not _worth_waiting(waited_for, before=ready[0], members=members):
                break
            if ready and grace is None:
                grace = asyncio.get_running_loop().call_later(GRACE_S, news.put_nowait, None)
        if ready:
            yield last[min(ready, key=members.index)]
    finally:
        for member in members:
            member.listeners.discard(listen)
        if grace is not None:
            grace.cancel()


def _worth_waiting(waited_for: Sequence[Member], *, before: Member, members: Sequence[Member]) -> bool:
    return any(not member.loading and members.index(member) < members.index(before) for member in waited_for)
