"""Asking a running engine how it is, and to leave. Light: for front ends and the command line."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import httpx
import msgspec

from lsp_server.engine.state import EngineState

HEALTH_TIMEOUT_S = 5.0
POLL_S = 0.05

Client = httpx.AsyncClient


@dataclass(frozen=True)
class EngineAddress:
    """Where the engine is and how to be let in."""

    base_url: str
    token: str = field(repr=False)
    pid: int
    fim: bool = True
    """Whether the model knows fill-in-the-middle; else a completion sees the prefix alone."""


class Health(msgspec.Struct, frozen=True):
    """What `GET /health` answers."""

    state: str
    """`loading`, `ready` or `failed`."""
    pid: int
    fraction: float | None = None
    reason: str | None = None
    fim: bool = True
    version: str = ""


def open_client() -> httpx.AsyncClient:
    """Return a client for engines: on this machine, so no proxy, and no certificates to read."""
    return httpx.AsyncClient(timeout=HEALTH_TIMEOUT_S, trust_env=False, verify=False)


async def stop(state: EngineState, client: httpx.AsyncClient) -> None:
    """Ask an engine to leave and wait until it does not answer any more."""
    with contextlib.suppress(httpx.HTTPError):
        await client.post(f"{state.base_url}/shutdown", headers={"Authorization": f"Bearer {state.token}"})
    while await ask_health(state, client) is not None:  # noqa: ASYNC110 - it is another process's
        await asyncio.sleep(POLL_S)


async def is_ready(address: EngineAddress) -> bool:
    """Say whether the engine answers and has its model loaded."""
    async with open_client() as client:
        health = await ask_health(address, client)
    return health is not None and health.state == "ready"


async def ask_health(where: EngineState | EngineAddress, client: httpx.AsyncClient) -> Health | None:
    """Return what the engine says of itself, or None if it does not answer."""
    try:
        response = await client.get(
            f"{where.base_url}/health", headers={"Authorization": f"Bearer {where.token}"}
        )
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=Health)
    except (httpx.HTTPError, msgspec.MsgspecError):
        return None
