"""Which backends the settings mean: the chains for completions and chat, and what else could be chosen.

Knows names, keys and whose machine a server is on; builds nothing and asks no server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from lsp_server.backends import presets
from lsp_server.backends.presets import AUTO, LOCAL, backend_names
from lsp_server.errors import ConfigurationError, ModelError
from lsp_server.privacy.destination import Destination, destination_of
from lsp_server.settings import BackendSettings, LocalSettings, PrivacySettings, ProfileSettings, Settings

log = logging.getLogger(__name__)

_AUTOMATIC = ("mistral", "codestral")
"""Presets that `auto` takes if their key is there. A key of another service was put there for something else,
and does not say that the user wants text to go to it."""

HasKey = Callable[[str, BackendSettings], bool]


@dataclass(frozen=True)
class Chains:
    """Names of backends, in the order in which they are tried."""

    completion: tuple[str, ...]
    chat: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """What a user may switch to."""

    name: str
    title: str


def has_key(name: str, config: BackendSettings) -> bool:
    """Say whether there is a key for a backend; blocks.

    A program that prints one is not run for this: it may ask the user for a password.
    """
    if config.api_key_command:
        return True
    from lsp_server.keys.find import find

    try:
        return find(name, variable=config.api_key_env) is not None
    except ConfigurationError as error:
        log.warning("%s", error)
        return False


def chains(settings: Settings, has_key: HasKey = has_key) -> Chains:
    """Return whom the settings ask; raises ConfigurationError, which says what to do, if there is nobody.

    Of a profile, a list that is empty is the other one.
    """
    if settings.backend == AUTO:
        name = _automatic(settings, has_key)
        return Chains((name,), (name,))
    if (profile := settings.profiles.get(settings.backend)) is not None:
        lists = Chains(profile.completion or profile.chat, profile.chat or profile.completion)
        if not lists.completion:
            raise ConfigurationError(f"The profile {settings.backend} names no backend.")
        return Chains(*(tuple(dict.fromkeys(names)) for names in (lists.completion, lists.chat)))
    if settings.backend not in backend_names(settings):
        near = presets.meant(settings.backend, [*settings.profiles, *backend_names(settings)])
        raise ConfigurationError(f"There is no backend or profile {settings.backend}{near}.")
    return Chains((settings.backend,), (settings.backend,))


def _automatic(settings: Settings, has_key: HasKey) -> str:
    """Return the backend for `auto`: a machine that can complete text itself sends it nowhere."""
    reason = _why_not_local(settings.local)
    if not reason:
        return LOCAL
    unusable = []
    for name, own in settings.backends.items():
        config = presets.over_preset(name, own)
        if presets.lack(name, config):
            continue
        if _needs_no_key(settings, own, config) or has_key(name, config):
            return name
        unusable.append(name)
    for name in _AUTOMATIC:
        if name not in settings.backends and has_key(name, presets.resolved(settings, name)):
            return name
    own_ones = f", or set backend to {' or '.join(unusable)}, for which there is no key" if unusable else ""
    raise ConfigurationError(
        f"There is no model to ask: {reason}, or set MISTRAL_API_KEY or run "
        f"`lsp_server keys set mistral` to use Mistral's{own_ones}."
    )


def _why_not_local(settings: LocalSettings) -> str:
    """Return what to do for a local model; empty if nothing is left to be done."""
    from lsp_server.backends.local import is_installed
    from lsp_server.models import store

    if not is_installed():
        return "install codestral-lsp[local] to run one here"
    if settings.download:
        return ""
    try:
        there = store.find(settings.model) is not None
    except ModelError:
        return ""  # a wrong name or path is for the local backend to explain, and no reason to send text away
    return "" if there else f"run `lsp_server models pull {settings.model}` to have one here"


def _needs_no_key(settings: Settings, own: BackendSettings, config: BackendSettings) -> bool:
    """Say whether a backend may well work without a key: the user says of none, and whose server it is."""
    if own.api_key_env or own.api_key_command:
        return False
    return config.type == "llm" or destination(config, settings.privacy) is not Destination.THIRD_PARTY


def destination(config: BackendSettings, privacy: PrivacySettings) -> Destination:
    """Return whose machine a backend's requests go to."""
    if config.destination != "auto":
        return Destination(config.destination)
    if config.type == "llm":
        return Destination.THIRD_PARTY  # a plugin's address cannot be known
    return destination_of(config.base_url, privacy.my_servers)


def selectable(settings: Settings, has_key: HasKey = has_key) -> list[Choice]:
    """Return what a user may switch to: what is configured, and presets that could work. Looks for keys."""
    from lsp_server.backends.local import is_installed

    found = [Choice(AUTO, "the local model if it can run here, else a server whose key is there")]
    if is_installed():
        found.append(Choice(LOCAL, f"{settings.local.model} on this machine"))
    found += (Choice(name, _described(profile)) for name, profile in settings.profiles.items())
    for name in dict.fromkeys((*settings.backends, *presets.preset_names())):
        config = presets.over_preset(name, settings.backends.get(name, BackendSettings()))
        if presets.lack(name, config) or any(choice.name == name for choice in found):
            continue
        here = destination(config, settings.privacy) is Destination.THIS_MACHINE
        if name in settings.backends or here or has_key(name, config):
            preset = presets.presets().get(name)
            found.append(Choice(name, preset.title if preset else _place(config)))
    return found


def _place(config: BackendSettings) -> str:
    # Without the part before an @, which may be a password.
    return urlsplit(config.base_url).netloc.rpartition("@")[2] or config.model


def _described(profile: ProfileSettings) -> str:
    completion = profile.completion or profile.chat
    chat = profile.chat or profile.completion
    return ", then ".join(completion) + (f"; chat: {', then '.join(chat)}" if chat != completion else "")
