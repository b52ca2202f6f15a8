"""The process of the editor: when it has died, nobody will end the server's input.

Some other process may hold the pipe open, such as a terminal that the editor started. The process is asked
for by what the system keeps of it where that is possible (Linux, Windows): its number may be given to another
one, and stays while nobody takes note of its end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import sys
from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)

LOOK_S = 3.0
"""Between looks: they cost nothing, and who starts an editor again waits no longer for the memory."""


def leave_with(pid: int, leave: Callable[[], object]) -> Coroutine[object, object, None]:
    """Return what waits for the end of the process and calls `leave` then.

    It ends at once for a process that is not to be seen from here: such a `pid` is that of another machine,
    or of the outside of a container. The process is taken hold of before this returns: the editor lives
    until it has its answer.
    """
    return _leave_with(pid, _watched(pid), leave)


async def _leave_with(pid: int, lives: Callable[[], bool] | None, leave: Callable[[], object]) -> None:
    if lives is None:
        logger.info("The editor's process %d is not on this machine, and its end is not looked for", pid)
        return
    while lives():  # noqa: ASYNC110 - it is another process's
        await asyncio.sleep(LOOK_S)
    logger.warning("The editor's process %d has ended", pid)
    leave()


def _watched(pid: int) -> Callable[[], bool] | None:
    """Return what says whether the process lives, or None if there is none or it cannot be told."""
    if pid <= 0:  # to POSIX these are groups of processes
        return None
    try:
        if sys.platform == "win32":
            return _by_handle(pid)
        return _by_descriptor(pid) or _by_number(pid)
    except (ProcessLookupError, OverflowError):
        return None


if sys.platform == "win32":
    import ctypes

    SYNCHRONIZE = 0x00100000
    """The right to wait for a process, and no other."""
    WAIT_OBJECT_0 = 0

    def _by_handle(pid: int) -> Callable[[], bool] | None:
        kernel = ctypes.WinDLL("kernel32")
        kernel.OpenProcess.restype = ctypes.c_void_p
        kernel.WaitForSingleObject.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
        handle = kernel.OpenProcess(SYNCHRONIZE, False, ctypes.c_uint32(pid))
        # None, too, for a process that this user may not wait for: nothing can be said of its end.
        return None if not handle else lambda: kernel.WaitForSingleObject(handle, 0) != WAIT_OBJECT_0


else:

    def _by_descriptor(pid: int) -> Callable[[], bool] | None:
        """Take hold of the process itself, where the system can; raises ProcessLookupError."""
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            raise
        except (AttributeError, OSError):  # another system, or a sandbox that forbids it
            return None
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        return lambda: not ended.poll(0)


def _by_number(pid: int) -> Callable[[], bool]:
    """Ask for the number alone; raises ProcessLookupError if nobody has it."""

    def lives() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # there it is, and another user's
            return True
        return True

    if not lives():
        raise ProcessLookupError(pid)
    return lives
