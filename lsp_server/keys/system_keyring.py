"""The keyring of the operating system, through the `keyring` library, which may not answer at all.

A locked wallet asks for its password in a window, and where there is no desktop nobody ever sees that
window: so each question is asked on a thread of its own and waited for only so long.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_T = TypeVar("_T")

SERVICE = "codestral-lsp"
"""What our entries are called in the keyring's own program."""

LOOK_UP_S = 5.0
"""An unlocked keyring answers in milliseconds; a completion waits for this one."""
STORE_S = 60.0
"""Somebody sits at the terminal and may have to type the wallet's password."""


class KeyringUnusable(Exception):
    """There is no keyring, or it does not answer; the text says which."""

    is_normal = False


class NoKeyring(KeyringUnusable):
    """There is none, which is how it is on servers and in containers."""

    is_normal = True


class SystemKeyring:
    """Passwords of the service `codestral-lsp`; its methods block and raise KeyringUnusable."""

    def __init__(self, look_up_s: float = LOOK_UP_S, store_s: float = STORE_S) -> None:
        self._look_up_s = look_up_s
        self._store_s = store_s
        self._one_at_a_time = threading.Lock()
        self._asked: threading.Thread | None = None

    def get(self, name: str) -> tuple[str, str] | None:
        """Return the password NAME and what the keyring is called."""

        def ask(keyring: KeyringBackend) -> tuple[str, str] | None:
            password = keyring.get_password(SERVICE, name)
            return None if password is None else (password, keyring.name)

        return self._ask(ask, self._look_up_s)

    def set(self, name: str, password: str) -> str:
        """Store a password and return what the keyring is called."""

        def ask(keyring: KeyringBackend) -> str:
            keyring.set_password(SERVICE, name, password)
            return keyring.name

        return self._ask(ask, self._store_s)

    def remove(self, name: str) -> str | None:
        """Delete the password NAME and return what the keyring is called, None if it had none."""

        def ask(keyring: KeyringBackend) -> str | None:
            if keyring.get_password(SERVICE, name) is None:
                return None
            keyring.delete_password(SERVICE, name)
            return keyring.name

        return self._ask(ask, self._store_s)

    def _ask(self, question: Callable[[KeyringBackend], _T], patience_s: float) -> _T:
        with self._one_at_a_time:
            if self._asked is not None and self._asked.is_alive():
                raise KeyringUnusable("the keyring has still not answered")
            answer: list[_T] = []
            trouble: list[KeyringUnusable] = []
            self._asked = threading.Thread(
                target=_answer, args=(question, answer, trouble), name="keyring", daemon=True
            )
            self._asked.start()
            self._asked.join(patience_s)
            if answer:
                return answer[0]
            if trouble:
                raise trouble[0]
            raise KeyringUnusable(f"the keyring has not answered within {patience_s:g} s")


def _answer(
    question: Callable[[KeyringBackend], _T], answer: list[_T], trouble: list[KeyringUnusable]
) -> None:
    try:
        answer.append(question(_usable_keyring()))
    except KeyringUnusable as error:
        trouble.append(error)
    except BaseException as error:
        # Whatever a desktop's libraries raise; never its text, which may quote what was to be stored.
        trouble.append(KeyringUnusable(f"the keyring failed ({type(error).__name__})"))


def _usable_keyring() -> KeyringBackend:
    import keyring

    chosen = keyring.get_keyring()
    # `fail` and `null`, which stand for "none", have priorities of 0 and less; so has an empty chain.
    if chosen.priority <= 0:
        raise NoKeyring("there is no keyring on this machine")
    return chosen
