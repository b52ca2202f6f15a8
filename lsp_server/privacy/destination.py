"""Whose machine an address belongs to. Looks at the address alone and asks no name server."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from enum import Enum
from fnmatch import fnmatchcase
from urllib.parse import urlsplit


class Destination(Enum):
    """Where a request goes; the values are what users read and write."""

    THIS_MACHINE = "this machine"
    MY_SERVERS = "my servers"
    THIRD_PARTY = "third party"


OLLAMA_CLOUD = "Ollama's cloud"


def destination_of(base_url: str, my_servers: Iterable[str]) -> Destination:
    """Return whose the host of `base_url` is.

    `my_servers` are names and addresses of hosts, and patterns of them such as `*.example.org`.
    A name is taken as it is written: one that merely resolves to this machine may resolve elsewhere tomorrow.
    """
    host = (urlsplit(base_url).hostname or "").rstrip(".").lower()
    if _is_loopback(host):
        return Destination.THIS_MACHINE
    if host and any(fnmatchcase(host, pattern.strip().lower()) for pattern in my_servers):
        return Destination.MY_SERVERS
    return Destination.THIRD_PARTY


def is_passed_on(model: str) -> bool:
    """Say whether a server of this machine passes such a model's requests on: Ollama's cloud models.

    `gpt-oss:120b-cloud`, `glm-4.7:cloud`: https://docs.ollama.com/cloud. Not each version says so when asked.
    """
    tag = model.rpartition("/")[2].partition(":")[2].lower()
    return tag == "cloud" or tag.endswith("-cloud")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # RFC 6761: these never leave the machine.
        return host == "localhost" or host.endswith(".localhost")
