"""Where a key comes from: a program, the editor, the environment, what was stored, what `llm` has stored.

The editor comes before the environment: who types a key there means this server, a variable may be meant for
any program.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from lsp_server.keys import llm_keys, program
from lsp_server.keys.check import checked
from lsp_server.keys.given import given_keys
from lsp_server.keys.key import Key
from lsp_server.keys.store import stored_keys


def find(name: str, *, variable: str = "", command: Sequence[str] = ()) -> Key | None:
    """Return the key NAME, looked for in that order; a `command` is the only place if there is one.

    Blocks, for seconds if a program or a keyring takes its time. Raises ConfigurationError for a program that
    fails and for a key that cannot be used.
    """
    if command:
        return program.printed(name, command)
    if given := given_keys.find(name):
        return given
    if variable and (key := checked(os.environ.get(variable, ""), f"the environment variable {variable}")):
        return key
    return stored_keys().get(name) or llm_keys.find(name)
