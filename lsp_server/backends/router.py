"""From settings to backends: builds what is named, wraps it in the privacy rules, and chains it.

Knows how each kind of backend is made and nothing of how it works; imports only the kinds that are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lsp_server.backends import presets, profiles
from lsp_server.backends.broken import Broken
from lsp_server.backends.chain import Chain
from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.guarded import Guarded
from lsp_server.backends.member import Change, Member, OnChange
from lsp_server.backends.presets import LOCAL
from lsp_server.backends.protocol import Backend, NamesModel, Reloads
from lsp_server.errors import ConfigurationError
from lsp_server.keys.find import find
from lsp_server.keys.key import Key
from lsp_server.privacy.destination import Destination
from lsp_server.privacy.rules import PrivacyRules
from lsp_server.settings import BackendSettings, Settings

PATIENCE_S = 2.0
"""A small model is back in this time after its engine left; while a large one loads, others answer."""


@dataclass(frozen=True)
class Connected:
    """The backends of a profile. A backend that is in both chains is one, connections and all."""

    completion: Backend
    chat: Backend
    names: tuple[str, ...]
    """Whom both are made of, those for completions first."""
    asked_in_chats: tuple[Guarded, ...] = ()
    """Those that a conversation may be sent to."""
    backends: Mapping[str, Backend] = field(default_factory=dict)
    """All of them, by name."""

    def model_of(self, name: str) -> str:
        """Return which model the backend NAME asks for completions; empty while that is not known."""
        inner = _inner(self.backends.get(name))
        return inner.asks() if isinstance(inner, NamesModel) else ""

    def why_withheld(self, document: str) -> str | None:
        """Return why nothing of `document` may be in a conversation, None if it may.

        It may not if any backend for chat is beyond this machine and must not see it. Blocks: it reads files.
        """
        reasons = (backend.why_withheld(document) for backend in self.asked_in_chats)
        return next((reason for reason in reasons if reason is not None), None)

    async def aclose(self) -> None:
        """Close all of them."""
        await self.completion.aclose()
        await self.chat.aclose()


def _ignore(_: Change) -> None:
    return None


def connect(settings: Settings, on_change: OnChange = _ignore) -> Connected:
    """Make the backends that the settings name; `on_change` is told what becomes of them.

    Blocks: it imports, and `auto` looks for keys. Nothing is sent yet, and `on_change` is called later, where
    requests are made. Raises ConfigurationError if none of a chain's backends can be made.
    """
    chains = profiles.chains(settings)
    rules = PrivacyRules(settings.privacy)
    names = tuple(dict.fromkeys((*chains.completion, *chains.chat)))
    with_others = {name for wanted in (chains.completion, chains.chat) if len(wanted) > 1 for name in wanted}
    made = {name: _guarded_or_broken(settings, name, rules, name in with_others) for name in names}

    def chain(wanted: tuple[str, ...], use: str) -> Chain:
        backends = [made[name] for name in wanted]
        if all(isinstance(backend, Broken) for backend in backends):
            raise next(backend.error for backend in backends if isinstance(backend, Broken))
        return Chain([members[name] for name in wanted], on_change, use=use)

    members = {name: _member(backend, on_change) for name, backend in made.items()}
    completion = chain(chains.completion, "completion")
    chat = completion if chains.chat == chains.completion else chain(chains.chat, "chat")
    may_be_asked = (made[name] for name in chains.chat)
    guarded = tuple(backend for backend in may_be_asked if isinstance(backend, Guarded))
    return Connected(completion, chat, names, guarded, made)


def _member(backend: Backend, on_change: OnChange) -> Member:
    member = Member(backend, on_change)
    inner = _inner(backend)
    if isinstance(inner, Reloads):
        inner.on_reload = member.prepare
    return member


def _inner(backend: Backend | None) -> Backend | None:
    return backend.inner if isinstance(backend, Guarded) else backend


def _guarded_or_broken(settings: Settings, name: str, rules: PrivacyRules, with_others: bool) -> Backend:
    try:
        return _guarded(settings, name, rules, with_others)
    except ConfigurationError as error:
        return Broken(name, error)


def build(settings: Settings, name: str) -> Backend:
    """Return the one backend NAME under the privacy rules, in no chain: it fails as it fails."""
    return _guarded(settings, name, PrivacyRules(settings.privacy))


def find_key(settings: Settings, name: str) -> Key | None:
    """Return the API key of the backend NAME; blocks, and raises ConfigurationError, as `keys.find` does."""
    return None if name == LOCAL else _find_key(name, presets.resolved(settings, name))


def _guarded(settings: Settings, name: str, rules: PrivacyRules, with_others: bool = False) -> Backend:
    if name == LOCAL:
        from lsp_server.backends.local import NOT_INSTALLED, LocalBackend, is_installed

        if not is_installed():
            raise ConfigurationError(NOT_INSTALLED)
        local = LocalBackend(settings.local, patience_s=PATIENCE_S if with_others else None)
        return Guarded(local, Destination.THIS_MACHINE, rules)
    config = presets.resolved(settings, name)
    whose = profiles.destination(config, settings.privacy)
    if config.type == "llm":
        from lsp_server.backends.llm import LlmBackend

        return Guarded(LlmBackend(name, config), whose, rules)
    return Guarded(_over_http(_endpoint(settings, name, config, whose), config), whose, rules)


def _over_http(endpoint: Endpoint, config: BackendSettings) -> Backend:
    if config.type == "mistral":
        if config.fim not in ("auto", "native"):
            raise ConfigurationError(
                f"Mistral's API fills in the middle as `native`, not as `{config.fim}`: "
                f"change backends.{endpoint.name}.fim."
            )
        from lsp_server.backends.mistral import MistralBackend

        return MistralBackend(endpoint, config.model, config.chat_model)
    if config.type == "openai":
        from lsp_server.backends.openai import OpenAIBackend

        return OpenAIBackend(endpoint, config)
    from lsp_server.backends.ollama import OllamaBackend

    return OllamaBackend(endpoint, config)


def _endpoint(settings: Settings, name: str, config: BackendSettings, whose: Destination) -> Endpoint:
    connect_s = config.connect_timeout_ms / 1000
    return Endpoint(
        name=name,
        base_url=config.base_url.rstrip("/").removesuffix("/v1").rstrip("/"),
        destination=whose,
        fim=Deadlines(connect_s, config.first_token_timeout_ms / 1000, settings.completion.timeout_ms / 1000),
        chat=Deadlines(
            connect_s,
            config.chat_first_token_timeout_ms / 1000,
            config.chat_timeout_ms / 1000,
            patient=True,
        ),
        find_key=_key_finder(name, config),
        key_hint=key_hint(name, config),
        verify=config.verify,
        ca_file=config.ca_file,
    )


def key_hint(name: str, config: BackendSettings) -> str:
    """Return where the key of a backend comes from or is to be put, as part of a sentence."""
    if config.api_key_command:
        return f"the program {config.api_key_command[0]}"
    stored = f"`lsp_server keys set {name}`"
    return f"the environment variable {config.api_key_env}, or {stored}" if config.api_key_env else stored


def _find_key(name: str, config: BackendSettings) -> Key | None:
    return find(name, variable=config.api_key_env, command=config.api_key_command)


def _key_finder(name: str, config: BackendSettings) -> Callable[[], Key | None]:
    def look() -> Key | None:
        key = _find_key(name, config)
        if key is None and _wants_key(config.base_url):
            # Found out here and not from a 401: without a key, text need not leave the machine to be refused.
            raise ConfigurationError(
                f"There is no API key for {name} ({urlsplit(config.base_url).hostname}): "
                f"give one by {key_hint(name, config)}."
            )
        return key

    return look


def _wants_key(base_url: str) -> bool:
    """Say whether nobody is answered there without a key; each of Mistral's hosts wants one of its own."""
    host = urlsplit(base_url).hostname or ""
    return host == "mistral.ai" or host.endswith(".mistral.ai")
