"""A program that prints a key, such as a password manager's. Runs it; keeps nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from lsp_server.errors import ConfigurationError
from lsp_server.keys.check import checked
from lsp_server.keys.key import Key

TIME_LIMIT_S = 10.0
"""Enough for a password manager that asks its agent, not for somebody who has to type a password."""

# A console program would open a window of its own under an editor.
_FLAGS: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)


def printed(name: str, command: Sequence[str], time_limit_s: float = TIME_LIMIT_S) -> Key:
    """Return what `command` prints as the key NAME; raises ConfigurationError. Blocks.

    Sentences name the program alone: its arguments may hold a secret, and so may what it prints on stderr.
    """
    place = f"the program {command[0]}"
    result = _run(command, time_limit_s)
    if isinstance(result, str):
        raise ConfigurationError(f"The program {command[0]}, which is to print the API key {name}, {result}.")
    key = checked(result.decode("utf-8", "replace"), place)
    if key is None:
        raise ConfigurationError(
            f"The program {command[0]}, which is to print the API key {name}, printed nothing."
        )
    return key


def _run(command: Sequence[str], time_limit_s: float) -> bytes | str:
    """Return the output, or what went wrong: subprocess's exceptions carry arguments and output along."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,  # ours is the editor's
            capture_output=True,
            timeout=time_limit_s,
            check=False,
            creationflags=_FLAGS,
        )
    except FileNotFoundError:
        return "is not on this machine"
    except OSError as error:
        return f"cannot be run: {error.strerror or type(error).__name__}"
    except subprocess.TimeoutExpired:
        return f"has not ended within {time_limit_s:g} s; perhaps it waits for a password to be typed"
    if done.returncode != 0:
        return f"failed with status {done.returncode}; run it in a terminal to see why"
    return done.stdout
