"""Keys that an editor gives to the server it starts: from its own secret storage, through the environment.

Owns that nobody else sees them: they leave the environment before any other process is started, and are kept
in the memory of this one.
"""

from __future__ import annotations

from collections.abc import MutableMapping

import msgspec

from lsp_server.keys.check import checked
from lsp_server.keys.key import Key

VARIABLE = "LSP_SERVER_KEYS"
"""A JSON object: the name of a backend to its key."""
PLACE = "the editor"

_UNREADABLE = (
    f"{VARIABLE} is not a JSON object of backend names and keys, so the keys in it are not used: "
    "give them to the editor once more."
)


class GivenKeys:
    """The keys of one process."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def take(self, environment: MutableMapping[str, str]) -> str | None:
        """Take the keys out of the environment; return one sentence if they cannot be read."""
        text = environment.pop(VARIABLE, "")
        try:
            self._keys = msgspec.json.decode(text, type=dict[str, str]) if text.strip() else {}
        except (msgspec.DecodeError, UnicodeError):
            return _UNREADABLE  # not what msgspec says of it: that may quote the text
        return None

    def find(self, name: str) -> Key | None:
        """Return the key NAME; raises ConfigurationError if it cannot be used."""
        return checked(self._keys.get(name, ""), PLACE)


given_keys = GivenKeys()
"""What the editor gave to this process."""
