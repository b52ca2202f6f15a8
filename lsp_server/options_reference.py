"""What options there are: names, types, ranges and descriptions, read from the dataclasses of `settings`.

So a new field there needs no change here. A section is a dataclass; a named section is a mapping of them,
with names that the user chooses, written `NAME` where any of them is meant.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lsp_server import settings as fields
from lsp_server.settings import Settings

NAME = "NAME"

_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    tuple[str, ...]: "a list of strings",
}


@dataclass(frozen=True)
class Option:
    """One setting on the wire; `key` is `name`, `section.name` or `section.NAME.name`."""

    key: str
    type: Any
    default: object
    metadata: Mapping[str, Any]

    @property
    def section(self) -> str:
        """Return the section, with `.NAME` if it is a named one; empty for top-level options."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Return the name within the section."""
        return self.key.rpartition(".")[2]

    @property
    def kind(self) -> str:
        """Say in words what values it takes."""
        return _KINDS[self.type]


@dataclass(frozen=True)
class Section:
    """A table of options, or of such tables if `named`."""

    key: str
    cls: type
    named: bool

    @property
    def prefix(self) -> str:
        """Return what the keys of its options start with."""
        return f"{self.key}.{NAME}." if self.named else f"{self.key}."


@lru_cache(maxsize=1)
def sections() -> Mapping[str, Section]:
    """Return every section by its top-level key, in the order of the dataclass."""
    found = {}
    for key, cls in typing.get_type_hints(Settings).items():
        if dataclasses.is_dataclass(cls):
            found[key] = Section(key, typing.cast(type, cls), named=False)
        elif issubclass(typing.get_origin(cls) or cls, Mapping):
            found[key] = Section(key, typing.get_args(cls)[1], named=True)
    return found


@lru_cache(maxsize=1)
def known() -> Mapping[str, Option]:
    """Return every option by key, in the order of the dataclasses."""
    return {option.key: option for option in _all()}


@lru_cache(maxsize=1)
def needing_trust() -> frozenset[str]:
    """Return the options that a workspace may not set as it likes although it may set their section."""
    return frozenset(key for key, option in known().items() if "untrusted" in option.metadata)


def _all() -> Iterator[Option]:
    for item in dataclasses.fields(Settings):
        if section := sections().get(item.name):
            yield from _of(section.cls, section.prefix)
        else:
            yield from _of(Settings, "", only=item.name)


def _of(cls: type, prefix: str, only: str | None = None) -> Iterator[Option]:
    types = typing.get_type_hints(cls)
    for item in dataclasses.fields(cls):
        if only in (None, item.name):
            yield Option(f"{prefix}{item.name}", types[item.name], item.default, item.metadata)


def written(parts: Iterable[str]) -> str:
    """Return a key as one writes it in TOML: `backends.gpu.model`, `backends."my gpu".model`."""
    return ".".join(map(_part, parts))


def _part(part: str) -> str:
    # ASCII alone: a key may come from a cloned repository and go to a terminal.
    bare = part.isascii() and part.replace("-", "").replace("_", "").isalnum()
    return part if bare else json.dumps(part)


def options_table() -> list[tuple[str, str, str, str]]:
    """Return (key, values, default, description) of every option, for the README and `--help`."""
    descriptions = _descriptions()
    return [
        (key, _values(option), json.dumps(option.default), descriptions[key])
        for key, option in known().items()
    ]


def _values(option: Option) -> str:
    if choices := option.metadata.get("choices"):
        return ", ".join(f"`{choice}`" for choice in choices if choice)
    return option.kind


def _descriptions() -> dict[str, str]:
    """Read the string under each field; Python keeps it in the source only."""
    found: dict[str, str] = {}
    prefixes = {section.cls.__name__: section.prefix for section in sections().values()}
    prefixes[Settings.__name__] = ""
    for node in ast.parse(inspect.getsource(fields)).body:
        if not isinstance(node, ast.ClassDef) or node.name not in prefixes:
            continue
        for item, following in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(item, ast.AnnAssign)
                and isinstance(item.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                found[prefixes[node.name] + item.target.id] = inspect.cleandoc(str(following.value.value))
    return found
