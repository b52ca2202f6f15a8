"""What editors and files say, checked and laid over the defaults.

Owns how the wire is read; which options there are is `options_reference`'s. Must not know LSP: layers
arrive as plain mappings.

Later layers win, key by key: defaults, the user's configuration file, the workspace's file,
initializationOptions, the editor's configuration. A wrong key becomes a `Problem`; what it would
have set keeps its earlier value, and everything else still applies. Only where that might send
text to a place the user did not mean, a wrong value closes the door (`if_wrong` in `settings`).
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from lsp_server.options_reference import NAME, Option, Section, known, options_table, sections, written
from lsp_server.settings import Settings

__all__ = [
    "DEFAULT",
    "EDITOR",
    "SECTION",
    "Layer",
    "Problem",
    "Resolved",
    "known",
    "options_table",
    "resolve",
]

SECTION = "lsp_server"
"""Name under which editors keep our options."""

EDITOR = "the editor's settings"
"""The place of what an editor has under this name."""

DEFAULT = "default"
"""The origin of a value that no layer sets."""

Parts = tuple[str, ...]
"""A key in its parts: names that users choose may have dots in them."""

Check = Callable[[Settings], tuple[Settings, Sequence[tuple[Parts, str]]]]
"""Judges settings as a whole; returns them as they can be used, and what is wrong with which key."""

_MOVED = {"mistral": "mistral is not a section of its own; write [backends.mistral]"}
_SECRETS = frozenset({"api_key", "apikey", "key", "token", "password"})
"""Where people would put a key; the closest option is `api_key_env`, which must not get it either."""


@dataclass(frozen=True)
class Problem:
    """A setting that cannot be used; `place` is a file (with a line), `EDITOR` or `initializationOptions`."""

    place: str
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True)
class Layer:
    """Options from one place, not checked yet."""

    place: str
    values: Mapping[str, object] = field(default_factory=dict)
    sections: frozenset[str] | None = None
    """The only top-level keys this place may set; None is all."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Where in the file a key stands, as far as known."""
    problems: tuple[Problem, ...] = ()
    """Why the place could not be read."""

    @classmethod
    def from_wire(cls, place: str, value: object) -> Layer:
        """Take options as an editor sends them: bare, or under `SECTION`; null is nothing set."""
        if isinstance(value, Mapping) and SECTION in value:
            value = value[SECTION]
        if value is None:
            return cls(place)
        if not isinstance(value, Mapping):
            message = f"options must be an object, not {_shown(value)}"
            return cls(place, problems=(Problem(place, "", message),))
        return cls(place, value)

    def problem(self, parts: Parts, message: str) -> Problem:
        """Describe what is wrong with a key here; the line is the key's, else that of a table around it."""
        around = (written(parts[:length]) for length in range(len(parts), 0, -1))
        line = next((self.lines[key] for key in around if key in self.lines), None)
        return Problem(f"{self.place}:{line}" if line else self.place, written(parts), message)


@dataclass(frozen=True)
class Resolved:
    """Complete settings, what could not be used, and where each value came from."""

    settings: Settings
    problems: tuple[Problem, ...]
    origins: Mapping[str, str]
    """Each option's origin; of named tables, as `backends.gpu.model`, those that somebody sets."""


def resolve(layers: Iterable[Layer], check: Check | None = None) -> Resolved:
    """Lay `layers` over the defaults, later ones winning, and let `check` judge what comes out."""
    laid = _Laid()
    for layer in layers:
        laid.add(layer)
    settings = laid.settings()
    if check is not None:
        settings, wrong = check(settings)
        told = {problem.key for problem in laid.problems}
        laid.problems += [laid.problem(*found) for found in wrong if written(found[0]) not in told]
    origins = {key: DEFAULT for key in known() if NAME not in key.split(".")}
    origins |= {written(parts): laid.sources[parts].place for parts in laid.values}
    return Resolved(settings, tuple(laid.problems), origins)


@dataclass(frozen=True)
class _Given:
    """What a layer says of an option; without one, that there is a table of this name."""

    parts: Parts
    option: Option | None = None
    value: object = None


@dataclass
class _Laid:
    """Layers on top of each other."""

    values: dict[Parts, object] = field(default_factory=dict)
    sources: dict[Parts, Layer] = field(default_factory=dict)
    """Who has the last word on a value, and on a table that has a name."""
    problems: list[Problem] = field(default_factory=list)

    def add(self, layer: Layer) -> None:
        """Put a layer on top."""
        self.problems += layer.problems
        for item in _given(layer, self.problems):
            if item.option is None:
                self.sources[item.parts] = layer
                continue
            try:
                value = _checked(item.option, item.parts, item.value)
            except ValueError as error:
                self.problems.append(layer.problem(item.parts, str(error)))
                if "if_wrong" not in item.option.metadata:
                    continue
                value = item.option.metadata["if_wrong"]
            if layer.sections is not None and not self._may_set(item, value):
                problem = _untrusted(f"{written(item.parts)} cannot be set to {_shown(value)}")
                self.problems.append(layer.problem(item.parts, problem))
                continue
            self.values[item.parts] = value
            self.sources[item.parts] = layer

    def _may_set(self, item: _Given, value: object) -> bool:
        """Say whether a workspace that is not trusted may: not what its user has switched off."""
        assert item.option is not None
        judge = item.option.metadata.get("untrusted")
        return judge is None or bool(judge(self.values.get(item.parts, item.option.default), value))

    def settings(self) -> Settings:
        """Build the settings."""
        tree: dict[str, Any] = {parts[0]: value for parts, value in self.values.items() if len(parts) == 1}
        for key, section in sections().items():
            if section.named:
                names = dict.fromkeys(parts[1] for parts in self.sources if parts[0] == key)
                tree[key] = {name: section.cls(**self._table(key, name)) for name in names}
            else:
                tree[key] = section.cls(**self._table(key))
        return Settings(**tree)

    def problem(self, parts: Parts, message: str) -> Problem:
        """Describe what is wrong with a key, where it is set or else the table around it is."""
        around = (parts[:length] for length in range(len(parts), 0, -1))
        source = next((self.sources[key] for key in around if key in self.sources), Layer(DEFAULT))
        return source.problem(parts, message)

    def _table(self, *table: str) -> dict[str, Any]:
        return {parts[-1]: value for parts, value in self.values.items() if parts[:-1] == table}


def _given(layer: Layer, problems: list[Problem]) -> Iterator[_Given]:
    """Yield what a layer says of known options; collect the rest as problems."""
    for name, value in layer.values.items():
        section = sections().get(name)
        option = known().get(name)
        if value is None:
            continue
        if section is None and (option is None or option.section):
            problems.append(layer.problem((name,), _unknown(name, (), None)))
        elif layer.sections is not None and name not in layer.sections:
            problems.append(layer.problem((name,), _untrusted(f"{name} cannot be set")))
        elif section is None:
            yield _Given((name,), option, value)
        else:
            yield from _given_section(layer, section, value, problems)


def _given_section(
    layer: Layer, section: Section, value: object, problems: list[Problem]
) -> Iterator[_Given]:
    if not section.named or not isinstance(value, Mapping):
        yield from _given_table(layer, section, (section.key,), value, problems)
        return
    for name, table in value.items():
        if table is None:
            continue
        parts = (section.key, name)
        if isinstance(table, Mapping):
            yield _Given(parts)
            yield from _given_table(layer, section, parts, table, problems)
        else:
            problems.append(layer.problem(parts, _no_table(section, name, table)))


def _given_table(
    layer: Layer, section: Section, table: Parts, value: object, problems: list[Problem]
) -> Iterator[_Given]:
    if not isinstance(value, Mapping):
        message = f"{written(table)} must be a table of options, not {_shown(value)}"
        problems.append(layer.problem(table, message))
        return
    for name, inner in value.items():
        parts = (*table, name)
        option = known().get(f"{section.prefix}{name}")
        if inner is None:
            continue
        if option is None:
            problems.append(layer.problem(parts, _unknown(name, table, section)))
        else:
            yield _Given(parts, option, inner)


def _untrusted(problem: str) -> str:
    return (
        f"{problem} by a workspace that you have not trusted: "
        "run `lsp_server trust` in that folder, or set it in your own configuration"
    )


def _no_table(section: Section, name: str, value: object) -> str:
    if f"{section.prefix}{name}" in known():
        return f"{name} belongs in a table with a name of yours, [{section.key}.{NAME}]"
    return f"{written((section.key, name))} must be a table of options, not {_shown(value)}"


def _unknown(name: str, table: Parts, section: Section | None) -> str:
    """Say that there is no such option, and which one may be meant."""
    if not table and name in _MOVED:
        return _MOVED[name]
    shown = written((name,))
    if section is not None and section.key == "backends" and name.replace("-", "_").lower() in _SECRETS:
        return (
            f"{shown} is not an option of [{written(table)}], since keys do not belong in files: "
            f"run `lsp_server keys set {table[-1]}`, or name an environment variable in api_key_env"
        )
    home = section.prefix.removesuffix(".") if section is not None else ""
    siblings = [option.name for option in known().values() if option.section == home]
    if section is None:
        siblings += sections()
    of = f" of [{written(table)}]" if table else ""
    if close := get_close_matches(name.replace("-", "_"), siblings, n=1):
        return f"{shown} is not an option{of}; did you mean {close[0]}?"
    homes = [option.section for option in known().values() if option.name == name]
    if homes:
        place = f"[{homes[0]}]" if homes[0] else "the top level"
        return f"{shown} is not an option{of}; it belongs in {place}"
    return f"{shown} is not an option{of}"


def _checked(option: Option, parts: Parts, value: object) -> object:
    """Return `value` as the option's type; raises ValueError, with a sentence, if it may not be one."""
    name = written(parts)
    typed = _typed(option, name, value)
    low, high, choices, pattern = (option.metadata.get(key) for key in ("min", "max", "choices", "pattern"))
    if choices is not None and typed not in choices:
        raise ValueError(f"{name} must be one of {', '.join(filter(None, choices))}, not {_shown(value)}")
    if pattern is not None and not pattern.fullmatch(str(typed)):
        # Not shown: it may be a key that was put in the wrong place.
        raise ValueError(f"{name} {option.metadata['says']}")
    if isinstance(typed, (int, float)):
        if low is not None and high is not None and not low <= typed <= high:
            raise ValueError(f"{name} must be between {low} and {high}, not {_shown(value)}")
        if low is not None and typed < low:
            raise ValueError(f"{name} must be at least {low}, not {_shown(value)}")
    return typed


def _typed(option: Option, name: str, value: object) -> object:
    if typing.get_origin(option.type) is tuple:
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif isinstance(value, bool) or option.type in (bool, str):
        if type(value) is option.type:
            return value
    elif isinstance(value, int) or (
        isinstance(value, float) and (option.type is float or value.is_integer())
    ):
        with suppress(OverflowError):  # a float cannot be as large as an int
            return option.type(value)
    raise ValueError(f"{name} must be {option.kind}, not {_shown(value)}")


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"  # enough to recognise it in a pop-up
