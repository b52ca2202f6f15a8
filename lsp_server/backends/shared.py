"""A value made on a thread once, for all who wait for it. Knows nothing of what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Makes its value when it is first wanted; a failure is told to who waits, and tried again by the next.

    Whoever waits may be cancelled by the next keystroke: the work goes on for that one.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._task: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return the value."""
        if self._task is None:
            self._task = asyncio.create_task(asyncio.to_thread(self._make))
            self._task.add_done_callback(_heard)
        task = self._task
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._task is task:
                self._task = None
            raise

    def forget(self) -> None:
        """Have the value made anew when it is wanted next."""
        if self._task is not None and self._task.done():
            self._task = None

    async def give_up(self) -> T | None:
        """Return the value if it has been made, and forget it; stop waiting for one that has not."""
        task, self._task = self._task, None
        if task is None:
            return None
        task.cancel()
        await asyncio.wait({task})
        return None if task.cancelled() or task.exception() else task.result()


def _heard(task: asyncio.Task[T]) -> None:
    # asyncio complains about errors that nobody asked for; all who waited may have been cancelled.
    if not task.cancelled():
        task.exception()
