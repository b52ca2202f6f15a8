"""One action as a file: TOML front matter between two lines `+++`, then what the model is told.

Owns the format and what is wrong with a file that does not keep to it. Must not know where files are found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal, cast, get_args

from lsp_server.chat.actions.front_matter import FrontMatter, PromptFileError, meant, shown, split
from lsp_server.chat.editing.promises import KEEPS
from lsp_server.documents.languages import LANGUAGES, PLAIN

__all__ = ["PromptFile", "PromptFileError", "Question", "parse"]

Output = Literal["replace", "insert_above", "insert_below", "new_file", "markdown"]
"""What becomes of the reply."""

Scope = Literal["selection", "definition", "signature", "statement", "comment", "file"]
"""What an action works on where nothing is selected."""

CONDITIONS = frozenset(
    {
        *("selection", "code", "file", "not_test", "commit", "diff"),
        *("function", "class", "definition", "comment"),
        *("diagnostics", "undocumented", "untyped"),
    }
)
"""What `when` may ask for; `offer` knows what they mean."""

PIECES = frozenset(
    {"outline", "imports", "definitions", "cells", "diagnostics", "tests", "staged_diff", "conventions"}
)
"""What `context` may ask for, and knows how to get. Who wants one of the first three gets `cells`, too."""

VARIABLES = (
    frozenset({"selection", "definition", "language", "file", "name", "kind", "line", "context"})
    | {"staged_files"}
    | PIECES
)
"""What a body or a system message may contain as `$name`, besides the variable of its question.

`selection` is the code that the action works on, `definition` all of the definition that it is part of (the
same, unless the scope is `signature` or less), `context` the pieces that the body does not name itself,
`staged_files` the files of the staged diff, each with what it is (new, deleted, …) and the verb for that.
"""

VARIABLE = re.compile(r"\$(\$|[A-Za-z_]\w*)")
"""A variable in a body, or `$$` for a dollar; a dollar before anything else is itself."""

_IN_TITLE = re.compile(r"\{(.*?)\}")
_TITLE_NAMES = ("kind", "name")

_ID = re.compile(r"[a-z][a-z0-9_-]*")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_KIND = re.compile(
    r"(quickfix|refactor(\.(extract|inline|move|rewrite))?|source)\.codestral(\.[A-Za-z0-9_-]+)*"
)
_KINDS = (
    "quickfix.codestral, refactor.codestral, refactor.rewrite.codestral (or extract, inline, move), "
    "source.codestral, or one of these with a dot and more behind it"
)
"""Nothing below `source.fixAll` and `source.organizeImports`: editors run those whenever a file is saved."""


@dataclass(frozen=True)
class Question:
    """What the user is asked before the model is."""

    variable: str
    """The variable of the body that takes the answer."""
    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class PromptFile:
    """One action."""

    id: str
    title: str
    """For the menu; `{kind}` and `{name}` are filled in from what the action would work on."""
    kind: str
    """LSP's code action kind, such as `refactor.rewrite.codestral`."""
    output: Output
    body: str
    """The user's message, with `$variables`."""
    system: str = ""
    """The system message; empty takes the one for the kind of output."""
    context: tuple[str, ...] = ()
    """What the model is told besides the code, see `context.PIECES`."""
    languages: tuple[str, ...] = ()
    """Names as in `documents.languages`; empty is all of them."""
    when: tuple[str, ...] = ()
    """What must hold at the place, see `offer.CONDITIONS`; all of them."""
    scope: Scope = "definition"
    documentation: bool = False
    """The reply is the documentation of a definition: it goes where the language has it, and nothing else."""
    keeps: tuple[str, ...] = ()
    """What an edit leaves alone, see `promises.KEEPS`; else it is not applied without a question."""
    question: Question | None = None
    max_tokens: int = 0
    """Longest reply; 0 takes the setting."""
    order: int = 0
    """Place in the menu, smaller ones first; 0 takes that of the file it replaces, or comes last."""
    origin: str = ""
    """The file's path, for messages."""


def parse(text: str, origin: str) -> PromptFile:
    """Return the action that a file describes; raises `PromptFileError`."""
    file = split(text, origin)
    file.known_only([item.name for item in fields(PromptFile) if item.name not in ("body", "origin")])
    found = PromptFile(
        id=_matching(file, _ID, "small letters, digits, - and _, a letter first", "id"),
        title=_title(file),
        kind=_kind(file),
        output=cast(Output, file.one_of("output", get_args(Output))),
        body=file.body,
        system=file.text("system", default="").strip(),
        context=file.some_of("context", PIECES, "piece of context"),
        languages=file.some_of("languages", [item.name for item in (*LANGUAGES, PLAIN)], "language"),
        when=file.some_of("when", CONDITIONS, "condition"),
        scope=cast(Scope, file.one_of("scope", get_args(Scope), "definition")),
        documentation=file.flag("documentation"),
        keeps=file.some_of("keeps", KEEPS, "promise"),
        question=_question(file) if "question" in file.values else None,
        max_tokens=file.number("max_tokens"),
        order=file.number("order"),
        origin=origin,
    )
    _check_as_a_whole(file, found)
    return found


def _title(file: FrontMatter) -> str:
    title = " ".join(file.text("title").split())
    for name in _IN_TITLE.findall(title):
        if name not in _TITLE_NAMES:
            file.fail(f"title: there is no {{{name}}}{meant(name, _TITLE_NAMES)}", "title")
    return title


def _kind(file: FrontMatter) -> str:
    kind = file.text("kind")
    if not _KIND.fullmatch(kind):
        file.fail(f"kind must be {_KINDS}, not {shown(kind)}", "kind")
    return kind


def _question(file: FrontMatter) -> Question:
    file.known_only([item.name for item in fields(Question)], "question")
    variable = _matching(file, _NAME, "small letters, digits and _", "question", "variable")
    if variable in VARIABLES:
        file.fail(f"question.variable: ${variable} has a meaning already", "question", "variable")
    return Question(variable, file.text("question", "text").strip(), file.texts("question", "choices"))


def _matching(file: FrontMatter, pattern: re.Pattern[str], says: str, *path: str) -> str:
    value = file.text(*path)
    if not pattern.fullmatch(value):
        file.fail(f"{'.'.join(path)} must be made of {says}, not {shown(value)}", *path)
    return value


def _check_as_a_whole(file: FrontMatter, found: PromptFile) -> None:
    """Refuse what is only wrong together with something else."""
    if not found.body:
        file.fail("there is no text for the model below the second line +++", line=file.body_line)
    if found.output == "new_file" and "tests" not in found.context:
        file.fail('output = "new_file" needs context = ["tests"]: the new file is the test file', "output")
    if found.documentation and found.output in ("new_file", "markdown"):
        file.fail(f'documentation goes into the code, so output cannot be "{found.output}"', "documentation")
    if found.keeps and found.output == "markdown":
        file.fail('keeps says what an edit leaves alone, and output = "markdown" edits nothing', "keeps")
    asked = {found.question.variable} if found.question is not None else set()
    known = {*VARIABLES, *asked}
    used = set(_variables(found.system)) | set(_variables(found.body))
    for name in _variables(found.system):
        if name not in known:
            file.fail(f"there is no variable ${name}{meant(name, known)}; write $$ for a dollar", "system")
    for number, line in enumerate(found.body.split("\n"), start=file.body_line):
        for name in _variables(line):
            if name not in known:
                message = f"there is no variable ${name}{meant(name, known)}; write $$ for a dollar"
                file.fail(message, line=number)
    if unused := asked - used:
        file.fail(f"the body has no ${unused.pop()}, so the answer would be lost", "question")
    for piece in sorted(used & PIECES - set(found.context)):
        file.fail(f'${piece} is empty unless context has "{piece}"', "context")


def _variables(text: str) -> list[str]:
    return [name for name in VARIABLE.findall(text) if name != "$"]
