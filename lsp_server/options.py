"""What editors and files say, checked and laid over the defaults.

Owns names, types and ranges of the wire format, all read from the dataclasses of `settings`, so
that a new field there needs no change here. Must not know LSP: layers arrive as plain mappings.

Later layers win: defaults, the user's configuration file, the workspace's file,
initializationOptions, the editor's configuration. A wrong key becomes a `Problem`; what it would
have set keeps its earlier value, and everything else still applies.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from lsp_server import settings as fields
from lsp_server.settings import Settings

SECTION = "lsp_server"
"""Name under which editors keep our options."""

DEFAULT = "default"
"""The origin of a value that no layer sets."""

_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    tuple[str, ...]: "a list of strings",
}


@dataclass(frozen=True)
class Problem:
    """A setting that cannot be used; `place` is a file (with a line) or the name of an LSP message."""

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

    def problem(self, key: str, message: str) -> Problem:
        """Describe what is wrong with `key` here."""
        line = self.lines.get(key)
        return Problem(f"{self.place}:{line}" if line else self.place, key, message)


@dataclass(frozen=True)
class Resolved:
    """Complete settings, what could not be used, and where each value came from."""

    settings: Settings
    problems: tuple[Problem, ...]
    origins: Mapping[str, str]


@dataclass(frozen=True)
class Option:
    """One setting on the wire; `key` is `name` or `section.name`."""

    key: str
    type: Any
    default: object
    metadata: Mapping[str, Any]

    @property
    def section(self) -> str:
        """Return the section, empty for top-level options."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Return the name within the section."""
        return self.key.rpartition(".")[2]


@lru_cache(maxsize=1)
def known() -> Mapping[str, Option]:
    """Return every option by key, in the order of the dataclasses."""
    return {option.key: option for option in _options(Settings, "")}


def _options(cls: type, prefix: str) -> Iterator[Option]:
    types = typing.get_type_hints(cls)
    for item in dataclasses.fields(cls):
        if dataclasses.is_dataclass(types[item.name]):
            yield from _options(types[item.name], f"{item.name}.")
        else:
            yield Option(f"{prefix}{item.name}", types[item.name], item.default, item.metadata)


def _sections() -> dict[str, Any]:
    return {
        name: cls for name, cls in typing.get_type_hints(Settings).items() if dataclasses.is_dataclass(cls)
    }


def resolve(layers: Iterable[Layer]) -> Resolved:
    """Lay `layers` over the defaults, later ones winning."""
    values: dict[str, object] = {}
    origins = dict.fromkeys(known(), DEFAULT)
    problems: list[Problem] = []
    for layer in layers:
        problems.extend(layer.problems)
        for key, value in _flat(layer, problems):
            checked = _checked(layer, key, value)
            if isinstance(checked, Problem):
                problems.append(checked)
            else:
                values[key] = checked
                origins[key] = layer.place
    return Resolved(_settings(values), tuple(problems), origins)


def _settings(values: Mapping[str, object]) -> Settings:
    tree: dict[str, Any] = {key: value for key, value in values.items() if "." not in key}
    for section, cls in _sections().items():
        chosen = {known()[key].name: values[key] for key in values if known()[key].section == section}
        tree[section] = cls(**chosen)
    return Settings(**tree)


def _flat(layer: Layer, problems: list[Problem]) -> Iterator[tuple[str, object]]:
    """Yield the known keys of a layer with their values; collect the others as problems."""
    for name, value in layer.values.items():
        if value is None:
            continue
        if layer.sections is not None and name not in layer.sections:
            message = f"{name} cannot be set by a workspace; set it in your own configuration file or editor"
            problems.append(layer.problem(name, message))
        elif name not in _sections():
            if name in known():
                yield name, value
            else:
                problems.append(layer.problem(name, _unknown(name, "")))
        elif isinstance(value, Mapping):
            yield from _flat_section(layer, name, value, problems)
        else:
            problems.append(layer.problem(name, f"{name} must be a table of options, not {_shown(value)}"))


def _flat_section(
    layer: Layer, section: str, values: Mapping[str, object], problems: list[Problem]
) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        key = f"{section}.{name}"
        if value is None:
            continue
        if key in known():
            yield key, value
        else:
            problems.append(layer.problem(key, _unknown(name, section)))


def _unknown(name: str, section: str) -> str:
    """Say that there is no such option, and which one may be meant."""
    siblings = [option.name for option in known().values() if option.section == section]
    if not section:
        siblings += _sections()
    of = f" of [{section}]" if section else ""
    if close := get_close_matches(name.replace("-", "_"), siblings, n=1):
        return f"{name} is not an option{of}; did you mean {close[0]}?"
    homes = [option.section for option in known().values() if option.name == name]
    if homes:
        home = f"[{homes[0]}]" if homes[0] else "the top level"
        return f"{name} is not an option{of}; it belongs in {home}"
    return f"{name} is not an option{of}"


def _checked(layer: Layer, key: str, value: object) -> object:
    """Return `value` as the option's type, or the `Problem` with it."""
    option = known()[key]
    try:
        return _ranged(option, _typed(option, value))
    except ValueError as error:
        return layer.problem(key, str(error))


def _ranged(option: Option, value: object) -> object:
    low, high, choices = (option.metadata.get(name) for name in ("min", "max", "choices"))
    if choices is not None and value not in choices:
        raise ValueError(f"{option.name} must be one of {', '.join(choices)}, not {_shown(value)}")
    if isinstance(value, (int, float)):
        if low is not None and high is not None and not low <= value <= high:
            raise ValueError(f"{option.name} must be between {low} and {high}, not {_shown(value)}")
        if low is not None and value < low:
            raise ValueError(f"{option.name} must be at least {low}, not {_shown(value)}")
    return value


def _typed(option: Option, value: object) -> object:
    if option.type is tuple or typing.get_origin(option.type) is tuple:
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif isinstance(value, bool) or option.type in (bool, str):
        if type(value) is option.type:
            return value
    elif isinstance(value, (int, float)) and (option.type is float or float(value).is_integer()):
        # Editors configured in Lua or Lisp may send 75.0 for 75.
        return option.type(value)
    raise ValueError(f"{option.name} must be {_KINDS[option.type]}, not {_shown(value)}")


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"  # enough to recognise it in a pop-up


def options_table() -> list[tuple[str, str, str, str]]:
    """Return (key, type, default, description) of every option, for the README and `--help`."""
    descriptions = _descriptions()
    return [
        (key, _kind(option), json.dumps(option.default), descriptions[key]) for key, option in known().items()
    ]


def _kind(option: Option) -> str:
    if choices := option.metadata.get("choices"):
        return ", ".join(f"`{choice}`" for choice in choices)
    return _KINDS[option.type]


def _descriptions() -> dict[str, str]:
    """Read the string under each field; Python keeps it in the source only."""
    found: dict[str, str] = {}
    classes = {cls.__name__: f"{section}." for section, cls in _sections().items()} | {Settings.__name__: ""}
    for node in ast.parse(inspect.getsource(fields)).body:
        if not isinstance(node, ast.ClassDef) or node.name not in classes:
            continue
        for item, following in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(item, ast.AnnAssign)
                and isinstance(item.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                found[classes[node.name] + item.target.id] = inspect.cleandoc(str(following.value.value))
    return found
