"""Which backend the settings mean. Knows nothing of how the backends work."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from lsp_server.backends.local import NOT_INSTALLED, LocalBackend, is_installed
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.protocol import Backend
from lsp_server.errors import ConfigurationError
from lsp_server.settings import MistralSettings, Settings


def choose(settings: Settings) -> Backend:
    """Return the backend to use.

    `auto` never sends text away from a machine that could complete it itself: it takes Mistral only where
    no local model can run and a key says that Mistral is wanted.
    """
    if settings.backend == "local":
        return _local(settings)
    if settings.backend == "mistral":
        return _mistral(settings.mistral)
    if settings.backend != "auto":
        raise ConfigurationError(f"backend must be auto, local or mistral, not {settings.backend}.")
    if is_installed():
        return _local(settings)
    if os.environ.get(settings.mistral.api_key_env):
        return _mistral(settings.mistral)
    raise ConfigurationError(
        "There is no model to ask: install codestral-lsp[local] to run one here, "
        f"or set {settings.mistral.api_key_env} to use Mistral's."
    )


def _local(settings: Settings) -> LocalBackend:
    if not is_installed():
        raise ConfigurationError(NOT_INSTALLED)
    return LocalBackend(settings.local)


def _mistral(settings: MistralSettings) -> MistralBackend:
    variable = settings.api_key_env
    if not os.environ.get(variable) and _needs_key(settings.base_url):
        raise ConfigurationError(f"There is no API key for Mistral: set the environment variable {variable}.")
    return MistralBackend(
        settings.base_url,
        settings.model,
        lambda: os.environ.get(variable),
        key_hint=f"the environment variable {variable}",
    )


def _needs_key(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == "mistral.ai" or host.endswith(".mistral.ai")
