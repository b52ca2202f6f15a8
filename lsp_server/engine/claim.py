"""An engine's claim to its model: the lock that says it lives, and the state file that says where.

Both are files that somebody may delete, change or put others in the place of while the engine lives. The
engine looks at them now and then and puts its own back; it is the lock alone that decides whose model it is.
"""

from __future__ import annotations

import logging
import os
import threading

import filelock

from lsp_server.engine.state import EngineFiles, EngineState
from lsp_server.errors import ConfigurationError
from lsp_server.own_folders import STATE, writing

log = logging.getLogger(__name__)

OWNER_WAIT_S = 1.0
"""A front end that looks whether an engine lives holds the lock for a moment, another engine for good."""


class Claim:
    """What one engine holds; `renew` may be called on another thread than the rest."""

    def __init__(self, files: EngineFiles) -> None:
        self._files = files
        self._locks: list[filelock.FileLock] = []
        """Of those whose file was deleted none is released: older versions would delete the last one's."""
        self._stamp: os.stat_result | None = None
        self._state: EngineState | None = None
        self._publishing = threading.Lock()
        self._told = ""

    def take(self) -> bool:
        """Take the lock; False if another engine has it. Raises ConfigurationError as `writing` does."""
        self._files.prepare()
        lock = filelock.FileLock(self._files.owner_lock, thread_local=False)
        try:
            with writing(STATE, self._files.directory):
                lock.acquire(timeout=OWNER_WAIT_S)
                self._stamp = self._files.owner_lock.stat()
        except filelock.Timeout:
            return False
        self._locks.append(lock)
        return True

    def publish(self, state: EngineState) -> None:
        """Let front ends find this engine; raises ConfigurationError if that cannot be written."""
        self._files.write_state(state)
        self._state = state

    def withdraw(self) -> None:
        """Let front ends find it no more: from here on they start another engine."""
        with self._publishing:
            if self._state is not None:
                self._files.remove_state(self._state.token)
                self._state = None

    def renew(self) -> bool:
        """Put back what is gone; False if another engine has the model now."""
        try:
            if not self._holds_the_lock():
                if not self.take():
                    return False
                log.warning("the lock of engine %d was deleted; it has taken a new one", os.getpid())
            with self._publishing:
                if self._state is not None and self._files.read_state() != self._state:
                    self._files.write_state(self._state)
                    log.warning("the state file was not of engine %d; it is written anew", os.getpid())
            self._told = ""
        except ConfigurationError as error:  # the engine still serves those who have found it
            if str(error) != self._told:
                self._told = str(error)
                log.warning("%s", error)
        return True

    def release(self) -> None:
        """Give up the lock."""
        if self._locks:
            self._locks[-1].release()

    def _holds_the_lock(self) -> bool:
        """Tell whether the lock's file is the one that was locked, and no later one of its name."""
        try:
            return self._stamp is not None and os.path.samestat(self._stamp, self._files.owner_lock.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # nothing is known to be gone, and the lock would be refused to whoever has it
            return True
