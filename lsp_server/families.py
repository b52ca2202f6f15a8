"""Model families: how each wants a fill-in-the-middle prompt, read from `prompts/fim/*.toml`.

Owns the format of these files and the choice of one for a loaded model or for a model's name. Which token
ids or which text comes out is the business of `engine.fim` and `backends.raw_fim`. Where a vocabulary can be
looked into, a family is never chosen by name alone: its control tokens must be there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from lsp_server.errors import ConfigurationError
from lsp_server.resources import prompts_folder

PREFIX, SUFFIX = "{prefix}", "{suffix}"
MAX_STOP = 4
"""Stop sequences that OpenAI-compatible servers take."""

_REST_OF_LINE_EMPTY = re.compile(r"[^\S\r\n]*(?:[\r\n]|\Z)")

Place = Literal["psm", "spm"]
"""Prefix, suffix, middle or suffix, prefix, middle."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a family file; a key that is not known is an error."""


class Detect(_Table, frozen=True):
    """When a model belongs to the family."""

    tokens: tuple[str, ...] = ()
    """Control tokens that must all be in the vocabulary."""
    names: tuple[str, ...] = ()
    """If given, one of these must also be in the model's or the file's name: the tokens cannot tell alone."""


class Remote(_Table, frozen=True):
    """Names by which servers know models of the family, where their vocabulary cannot be looked into.

    Each is looked for as whole words in the last part of a model's path; `_` and blanks count as `-`.
    """

    names: tuple[str, ...]
    without: tuple[str, ...] = ()
    """Not with one of these in the name: relatives that have not learnt it, or are not reached as text."""
    spelled: dict[str, str] = {}
    """How control tokens are written for these models, where not as in the layouts."""
    order: Place | None = None
    """The layout for prompts written as text, if it is not the family's."""


class Order(_Table, frozen=True):
    """Which layout to take where the cursor is."""

    line_end: Place
    """Nothing but blanks follows the cursor on its line."""
    mid_line: Place


class Layout(_Table, frozen=True):
    """The parts of a prompt, in order: control tokens, `{prefix}` and `{suffix}`."""

    psm: tuple[str, ...] = ()
    spm: tuple[str, ...] = ()


class Files(_Table, frozen=True):
    """How the family was shown other files of a repository: parts with `{path}` and `{text}`."""

    other: tuple[str, ...] = ()
    current: tuple[str, ...] = ()


class FimTemplate(_Table, frozen=True):
    """A model family."""

    id: str
    title: str
    sources: tuple[str, ...]
    """Where the format comes from."""
    order: Order
    layout: Layout
    detect: Detect = Detect()
    bos: Literal["auto", "always", "never"] = "auto"
    """`auto` does what the model file says."""
    healing: bool = True
    suffix_after: str = ""
    """The suffix is tokenised behind this text, whose tokens are dropped: no space at its start."""
    empty_suffix: Literal["layout", "plain"] = "layout"
    """`plain`: if nothing follows the cursor, the prompt is the prefix alone, without control tokens."""
    end_tokens: tuple[str, ...] = ()
    """Control tokens that end a completion, beyond the vocabulary's own and those of the layouts."""
    stop: tuple[str, ...] = ()
    """Text that ends a completion."""
    other_spellings: dict[str, tuple[str, ...]] = {}
    """What a control token is called in other conversions of the same vocabulary."""
    files: Files = Files()
    controls: tuple[str, ...] = ()
    """Further control tokens, which text for a server that parses them must not contain."""
    remote: tuple[Remote, ...] = ()

    def __post_init__(self) -> None:
        if len(self.stop) > MAX_STOP:
            raise ValueError(f"`stop` has {len(self.stop)} entries, at most {MAX_STOP} are allowed")
        for place in {self.order.line_end, self.order.mid_line}:
            if not self.parts(place):
                raise ValueError(f"`order` names `{place}`, but `layout.{place}` is missing")
        for place, parts in (("psm", self.layout.psm), ("spm", self.layout.spm)):
            self._check(place, parts)

    def _check(self, place: str, parts: tuple[str, ...]) -> None:
        for part in parts:
            if part.startswith("{") and part not in (PREFIX, SUFFIX):
                raise ValueError(f"`layout.{place}` has the unknown part `{part}`")
        if parts and parts.count(PREFIX) != 1:
            raise ValueError(f"`layout.{place}` must name {PREFIX} exactly once")
        if parts.count(SUFFIX) > 1:
            raise ValueError(f"`layout.{place}` names {SUFFIX} more than once")
        if SUFFIX in parts and (parts.index(SUFFIX) < parts.index(PREFIX)) != (place == "spm"):
            raise ValueError(f"`layout.{place}` has {PREFIX} and {SUFFIX} in the other order")

    def respelled(self, remote: Remote) -> FimTemplate:
        """Return the family with its control tokens written as they are for some of its models."""

        def spell(parts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(remote.spelled.get(part, part) for part in parts)

        layout = Layout(psm=spell(self.layout.psm), spm=spell(self.layout.spm))
        order = Order(remote.order, remote.order) if remote.order else self.order
        return msgspec.structs.replace(self, layout=layout, order=order, end_tokens=spell(self.end_tokens))

    @property
    def all_controls(self) -> tuple[str, ...]:
        """Every control token that the file names, in all spellings."""
        named = (*self.detect.tokens, *self.markers, *self.end_tokens, *self.controls)
        others = (text for spellings in self.other_spellings.values() for text in spellings)
        written = (text.strip() for remote in self.remote for text in remote.spelled.values())
        return tuple(dict.fromkeys((*named, *others, *written)))

    @property
    def fim(self) -> bool:
        """Say whether the model is told what follows the cursor."""
        return any(SUFFIX in parts for parts in (self.layout.psm, self.layout.spm))

    @property
    def markers(self) -> tuple[str, ...]:
        """The control tokens of the layouts."""
        parts = (*self.layout.psm, *self.layout.spm)
        return tuple(dict.fromkeys(part for part in parts if part not in (PREFIX, SUFFIX)))

    def parts(self, place: Place) -> tuple[str, ...]:
        """Return a layout."""
        return self.layout.spm if place == "spm" else self.layout.psm

    def layout_before(self, suffix: str) -> tuple[str, ...]:
        """Return the layout for a cursor that `suffix` follows."""
        if not suffix and self.empty_suffix == "plain":
            return (PREFIX,)
        at_line_end = _REST_OF_LINE_EMPTY.match(suffix)
        return self.parts(self.order.line_end if at_line_end else self.order.mid_line)

    def token(self, marker: str, vocabulary: Markers) -> int | None:
        """Return the id of a control token, under any of its spellings."""
        spellings = (marker, *self.other_spellings.get(marker, ()))
        return next((token for text in spellings if (token := vocabulary.find(text)) is not None), None)

    def missing_from(self, vocabulary: Markers) -> tuple[str, ...]:
        """Return the control tokens without which the family's prompts cannot be written."""
        needed = dict.fromkeys((*self.detect.tokens, *self.markers))
        return tuple(marker for marker in needed if self.token(marker, vocabulary) is None)


class Markers(Protocol):
    """The part of a vocabulary that detection needs."""

    def find(self, text: str) -> int | None:
        """Return the control token written exactly so."""
        ...


def load_families(folder: Path | None = None) -> tuple[FimTemplate, ...]:
    """Read every family file of `folder` (that of the package if none is given), by id."""
    return _shipped() if folder is None else _read(folder)


def detect(
    vocabulary: Markers,
    names: Sequence[str],
    override: str | None = None,
    *,
    families: Sequence[FimTemplate] | None = None,
) -> FimTemplate:
    """Choose the family of a model by its control tokens, then by what it is called.

    Families that need a name and match one come first, then those with more control tokens; where
    that leaves none or several, `prefix-only`. `override` is the id of a family to take instead;
    ConfigurationError if the model does not have its tokens.
    """
    by_id = {family.id: family for family in (load_families() if families is None else families)}
    if override is not None:
        return _overridden(by_id, override, vocabulary)
    present = [f for f in by_id.values() if f.detect.tokens and not f.missing_from(vocabulary)]
    called = [name.casefold() for name in names]
    named = [f for f in present if any(part in name for part in f.detect.names for name in called)]
    candidates = named or [family for family in present if not family.detect.names]
    most = max((len(family.detect.tokens) for family in candidates), default=0)
    best = [family for family in candidates if len(family.detect.tokens) == most]
    return best[0] if len(best) == 1 else by_id["prefix-only"]


def named(model: str, *, families: Sequence[FimTemplate] | None = None) -> FimTemplate | None:
    """Return the family of a model of which only the name is known, None if none is sure.

    Its control tokens are spelled as this model's are, for prompts written as text.
    """
    words = _words(re.split(r"[/\\]", model.strip().rstrip("/"))[-1])
    found = [
        family.respelled(remote)
        for family in (load_families() if families is None else families)
        for remote in family.remote
        if any(_among(name, words) for name in remote.names)
        and not any(_among(name, words) for name in remote.without)
    ]
    return found[0] if len(found) == 1 else None


def chosen(family: str, model: str) -> FimTemplate:
    """Return a family by its id, spelled for `model` as `named` does; ConfigurationError if there is none."""
    known = {template.id: template for template in load_families()}
    if family not in known:
        raise ConfigurationError(
            f"No model family is called `{family}`: take one of {', '.join(sorted(known))}."
        )
    by_name = named(model, families=[known[family]])
    if by_name is not None or not known[family].remote:
        return by_name or known[family]
    return known[family].respelled(known[family].remote[0])


def _words(name: str) -> str:
    return re.sub(r"[\s_]+", "-", name.casefold())


def _among(part: str, words: str) -> bool:
    # `starcoder` is not in `starcoder2`, nor `granite-3` in `granite-3.3` or `2b` in `22b`.
    return re.search(rf"(?<![a-z0-9]){re.escape(_words(part))}(?![a-z0-9]|\.[0-9])", words) is not None


def _overridden(by_id: dict[str, FimTemplate], chosen: str, vocabulary: Markers) -> FimTemplate:
    if chosen not in by_id:
        raise ConfigurationError(
            f"No model family is called `{chosen}`: take one of {', '.join(sorted(by_id))}."
        )
    missing = by_id[chosen].missing_from(vocabulary)
    if missing:
        raise ConfigurationError(
            f"The model is not of the family `{chosen}`, it has no token {missing[0]}: "
            "leave the family out or take `prefix-only`."
        )
    return by_id[chosen]


@cache
def _shipped() -> tuple[FimTemplate, ...]:
    return _read(prompts_folder() / "fim")


def _read(folder: Path) -> tuple[FimTemplate, ...]:
    families = tuple(_read_file(path) for path in sorted(folder.glob("*.toml")))
    if not any(family.id == "prefix-only" for family in families):
        raise ConfigurationError(f"{folder} has no prefix-only.toml, which models of unknown families need.")
    return families


def _read_file(path: Path) -> FimTemplate:
    try:
        family = msgspec.toml.decode(path.read_bytes(), type=FimTemplate)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigurationError(f"{path} is not a model family: {error}.") from error
    if family.id != path.stem:
        raise ConfigurationError(f"{path} must be called {family.id}.toml, after its id.")
    return family
