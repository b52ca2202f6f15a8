"""Names in the settings that stand for nothing, and backends that cannot work as they are written.

Says what is wrong with which key; where the key stands is for `options` to say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from lsp_server.backends import presets
from lsp_server.backends.presets import AUTO, LOCAL, backend_names
from lsp_server.settings import ProfileSettings, Settings

Wrong = tuple[tuple[str, ...], str]
"""A key in its parts, and a sentence without its full stop."""

INSTEAD = "; auto is used"
"""The end of a sentence about a backend that is not there; the command line stops at one."""


def check(settings: Settings) -> tuple[Settings, list[Wrong]]:
    """Return the settings without names that stand for nothing, and what was wrong; for `options.resolve`.

    A backend that lacks something stays: without it, the preset of its name would be asked in its place,
    which is another host.
    """
    wrong: list[Wrong] = []
    backends = {name: own for name, own in settings.backends.items() if name not in (AUTO, LOCAL)}
    wrong += [
        (("backends", name), f"{name} cannot be the name of a backend; {_RESERVED[name]}")
        for name in settings.backends
        if name not in backends
    ]
    usable = dataclasses.replace(settings, backends=backends)
    for name, own in backends.items():
        if lacking := presets.lack(name, presets.over_preset(name, own)):
            wrong.append((("backends", name, lacking[0]), lacking[1]))
    profiles = dict(_profiles(usable, wrong))
    usable = dataclasses.replace(usable, profiles=profiles)
    known = (AUTO, *profiles, *backend_names(usable))
    if settings.backend not in known:
        if settings.backend not in settings.profiles:  # else it was said already what is wrong with it
            near = presets.meant(settings.backend, known)
            wrong.append((("backend",), f"there is no backend or profile {settings.backend}{near}{INSTEAD}"))
        usable = dataclasses.replace(usable, backend=AUTO)
    return usable, wrong


_RESERVED = {
    AUTO: "it stands for the one that is there",
    LOCAL: "it stands for the model on this machine, which [local] is about",
}


def _profiles(settings: Settings, wrong: list[Wrong]) -> Iterator[tuple[str, ProfileSettings]]:
    """Yield the profiles that can be used, as far as they can be used."""
    for name, profile in settings.profiles.items():
        if name in (AUTO, LOCAL) or name in settings.backends:
            wrong.append((("profiles", name), f"{name} is the name of a backend; give the profile another"))
            continue
        lists = {
            use: tuple(_known(settings, ("profiles", name, use), names, wrong))
            for use, names in dataclasses.asdict(profile).items()
        }
        if any(lists.values()):
            yield name, ProfileSettings(**lists)
        elif not (profile.completion or profile.chat):
            wrong.append((("profiles", name), f"the profile {name} names no backend"))


def _known(
    settings: Settings, key: tuple[str, ...], names: tuple[str, ...], wrong: list[Wrong]
) -> Iterator[str]:
    known = backend_names(settings)
    for name in names:
        if name in known:
            yield name
        elif name == AUTO or name in settings.profiles:
            wrong.append((key, f"{name} cannot be part of a profile; name backends"))
        else:
            wrong.append((key, f"there is no backend {name}{presets.meant(name, known)}"))
