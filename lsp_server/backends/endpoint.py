"""Where a server is and how it is to be treated: what every backend over HTTP is made of. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from lsp_server.errors import ConfigurationError
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination

FindKey = Callable[[], "Key | None"]
"""Looks for the key; may take a while (keyring, a program), so it is called on a thread."""


def no_key() -> Key | None:
    """Find no key: for servers that want none."""
    return None


@dataclass(frozen=True)
class Deadlines:
    """Longest waits, in seconds; None is no limit of this kind."""

    connect_s: float | None
    first_token_s: float | None
    """From the connection to the first piece of text."""
    total_s: float | None
    patient: bool = False
    """Whether whoever waits would rather have it tried again than be refused: not while typing."""


@dataclass(frozen=True)
class Endpoint:
    """A server."""

    name: str
    """The backend's name, for logs, `--why` and sentences."""
    base_url: str
    """Without a slash or `/v1` at its end."""
    destination: Destination
    fim: Deadlines
    chat: Deadlines
    find_key: FindKey = no_key
    key_hint: str = "the API key"
    """Where the key comes from or should be put, for the sentence about a refused or missing one."""
    verify: bool = True
    ca_file: str = ""


def runs_elsewhere(name: str, model: str, place: str) -> ConfigurationError:
    """Return the error for a model of backend `name` that only seems to be on this machine."""
    return ConfigurationError(
        f"The model {model} runs at {place}, not on this machine: "
        f"to use it set backends.{name}.destination to `third party`."
    )


def shown(base_url: str) -> str:
    """Return an address for sentences: without what stands before an `@`, which may be a password."""
    address = urlsplit(base_url)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"
