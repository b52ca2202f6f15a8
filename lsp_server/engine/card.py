"""Asking a running engine what its model is. Light: for the command line."""

from __future__ import annotations

import msgspec

from lsp_server.engine.health import Client
from lsp_server.engine.state import EngineState


class ModelCard(msgspec.Struct, frozen=True):
    """The one entry of `GET /v1/models`."""

    id: str
    family: str
    """Prompt family, found by the model's control tokens."""
    fim: bool
    """Whether the model knows fill-in-the-middle."""
    max_context_length: int
    """Tokens of one slot."""


class _Models(msgspec.Struct, frozen=True):
    data: tuple[ModelCard, ...]


async def ask_card(state: EngineState, client: Client) -> ModelCard:
    """Return what the engine says of its model once it is loaded; raises httpx.HTTPError."""
    response = await client.get(
        f"{state.base_url}/v1/models", headers={"Authorization": f"Bearer {state.token}"}
    )
    response.raise_for_status()
    return msgspec.json.decode(response.content, type=_Models).data[0]
