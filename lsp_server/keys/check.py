"""What may be used as a key. Says nothing of what it holds when it may not."""

from __future__ import annotations

from lsp_server.errors import ConfigurationError
from lsp_server.keys.key import Key


def checked(value: str, place: str) -> Key | None:
    """Return `value` as a key, None if it is blank; raises ConfigurationError if no header can carry it.

    HTTP clients refuse such a value as well, and quote it in their error.
    """
    value = value.strip()
    if not value:
        return None
    if not (value.isascii() and value.isprintable()):
        raise ConfigurationError(
            f"The API key from {place} has a line break or a character that no key has; give it once more."
        )
    return Key(value, place)
