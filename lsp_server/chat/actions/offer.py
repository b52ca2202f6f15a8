"""Which actions make sense at a place. Owns the conditions of `when`. Asks no model: runs at each move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Site, Target
from lsp_server.chat.actions.traits import has_code, has_comment, is_diff, is_documented, is_test, is_untyped
from lsp_server.chat.prompting import commit_message
from lsp_server.documents.enclosing import CLASSES, FUNCTIONS
from lsp_server.uris import file_path

_NAME_CHARS = 40  # of a name in a menu


@dataclass(frozen=True)
class Offer:
    """An action and what it would work on."""

    file: PromptFile
    target: Target
    title: str
    """For the menu: says what it works on, such as `Explain function parse`."""


Condition = Callable[[Site, Target], bool]

_OTHER_KINDS = frozenset({"selection", "statement", "comment", "file"})

CONDITIONS: Mapping[str, Condition] = {
    "selection": lambda site, _: site.selected,
    "code": lambda _, target: has_code(target),
    "function": lambda _, target: target.kind in FUNCTIONS,
    "class": lambda _, target: target.kind in CLASSES or target.kind == "type",
    "definition": lambda _, target: target.kind not in _OTHER_KINDS,
    "comment": lambda _, target: has_comment(target),
    "diagnostics": lambda _, target: bool(target.diagnostics),
    "undocumented": lambda _, target: target.kind not in _OTHER_KINDS and not is_documented(target),
    "untyped": lambda _, target: is_untyped(target),
    "file": lambda _, target: file_path(target.snapshot.uri) is not None,
    "not_test": lambda _, target: not is_test(target),
    "commit": lambda _, target: commit_message.is_one(target.snapshot),
    "diff": lambda _, target: is_diff(target.snapshot),
}
"""What `when` may ask for, by name."""


def offers(files: Iterable[PromptFile], site: Site) -> list[Offer]:
    """Return the actions that make sense, in the order of `files`."""
    found = []
    for file in files:
        if file.languages and site.language.name not in file.languages:
            continue
        target = site.target(file.scope)
        if target is not None and all(CONDITIONS[name](site, target) for name in file.when):
            found.append(Offer(file, target, titled(file.title, target)))
    return found


def titled(title: str, target: Target) -> str:
    """Return the title of an action for what it works on: `{kind}` and `{name}` filled in."""
    name = " ".join(target.name.split())
    if len(name) > _NAME_CHARS:
        name = f"{name[: _NAME_CHARS - 1]}…"
    return " ".join(title.replace("{kind}", target.kind).replace("{name}", name).split())
