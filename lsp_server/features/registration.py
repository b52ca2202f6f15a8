"""client/registerCapability: capabilities that turn up after `initialize`."""

from __future__ import annotations

import logging

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)


async def register_later(server: LanguageServer, method: str, options: object) -> None:
    """Register `method` dynamically; an editor that refuses does without it."""
    registration = types.Registration(id=method, method=method, register_options=options)
    try:
        await server.client_register_capability_async(types.RegistrationParams([registration]))
    except JsonRpcException as error:
        logger.info("The editor did not register %s: %s", method, error.message)
