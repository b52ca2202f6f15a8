"""An action, its target and its context as messages.

Owns the `$variables`. What stands in a value is text: it is never expanded again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from lsp_server.backends.protocol import ChatMessage, ChatRequest
from lsp_server.chat.actions.catalogue import system_message
from lsp_server.chat.actions.prompt_file import VARIABLE, PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.prompting.staged_diff import file_states
from lsp_server.chat.prompting.wording import dedented, estimated_tokens, fenced, size
from lsp_server.documents.languages import PLAIN
from lsp_server.documents.lines import unix
from lsp_server.errors import UserFacingError
from lsp_server.settings import ChatSettings

_HEADINGS: Mapping[str, str] = {
    "cells": "The cells of the notebook before this one, which stay as they are:",
    "imports": "The imports of the file:",
    "outline": "The rest of the file, in short:",
    "definitions": "Definitions of the file that the code uses:",
    "conventions": "How other code in the file is documented:",
    "staged_diff": "The staged changes:",
    "tests": "",
    "diagnostics": "Problems that other tools found:",
}
"""The pieces in the order in which `$context` has them: what changes least comes first."""

_CODE = frozenset(
    {"selection", "definition", "cells", "imports", "outline", "definitions", "conventions", "staged_diff"}
)
"""Variables that stand for code: on a line of their own and in no fence, they get one."""

_NAMES = {
    "python": "Python", "javascript": "JavaScript", "typescript": "TypeScript", "tsx": "TypeScript",
    "go": "Go", "rust": "Rust", "java": "Java", "c": "C", "cpp": "C++", "csharp": "C#", "ruby": "Ruby",
    "php": "PHP", "bash": "Bash", "lua": "Lua", "html": "HTML", "css": "CSS", "scss": "SCSS",
    "json": "JSON", "yaml": "YAML", "toml": "TOML", "markdown": "Markdown",
}  # fmt: skip
_FENCED = re.compile(r"^(`{3,}|~{3,})([^\n`]*)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_ALONE = re.compile(r"[ \t]*\$([A-Za-z_]\w*)[ \t]*")
_PARAGRAPH = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_BYTES_PER_TOKEN = 5  # no tokenizer needs fewer tokens for code than one for five bytes


def chat_request(
    file: PromptFile,
    target: Target,
    context: Context,
    settings: ChatSettings,
    answers: Mapping[str, str] | None = None,
) -> ChatRequest:
    """Return what the model is asked; `answers` are the user's to the file's question.

    `documents` names the target's file and those of the context; `prediction` is the code where the reply
    replaces it. Raises `UserFacingError` if the code alone is larger than the budget.
    """
    values = _values(file, target, context, answers or {})
    max_tokens = file.max_tokens or settings.max_tokens
    repeats = file.output == "replace" and not file.documentation
    _check_there_is_all(file, values, context)
    _check_size(file, target, values, settings, max_tokens if repeats else None)
    expansion = _Expansion(values, _tag(target))
    system = expansion.of(file.system) if file.system else system_message(file.output)
    return ChatRequest(
        messages=(ChatMessage("system", system), ChatMessage("user", expansion.of(file.body))),
        max_tokens=max_tokens,
        temperature=settings.temperature,
        documents=tuple(dict.fromkeys((target.snapshot.uri, target.snapshot.file_uri, *context.documents))),
        prediction=values["selection"] if repeats else None,
        must_fit=repeats,
    )


def no_answer(file: PromptFile, request: ChatRequest) -> tuple[str, ...]:
    """Return the texts of which no part is an answer.

    For what is written anew these are all that the model is told. What replaces code, and documentation, may
    rightly be a part of the code that is shown, so there they are the instructions alone.
    """
    if file.output == "replace" or file.documentation:
        system = file.system or system_message(file.output)
        return tuple(VARIABLE.sub("", text) for text in (system, file.body))
    return tuple(message.content for message in request.messages)


def rendered(request: ChatRequest) -> str:
    """Return a request as a text to read."""
    parts = [f"── {message.role} ──\n{message.content.rstrip()}\n" for message in request.messages]
    return "\n".join(parts)


def _values(file: PromptFile, target: Target, context: Context, answers: Mapping[str, str]) -> dict[str, str]:
    """Return what each variable stands for."""
    snapshot = target.snapshot
    around = target.definition
    whole = (around.start, around.end) if around is not None else (target.start, target.end)
    values = {
        **dict.fromkeys(_HEADINGS, ""),
        **context.pieces,
        "selection": _shown(target, target.start, target.end),
        "definition": _shown(target, *whole),
        "language": language_name(target),
        "file": PurePosixPath(unquote(urlsplit(snapshot.uri).path)).name,
        "name": target.name,
        "kind": target.kind,
        "line": str(snapshot.lines.line_of(target.start) + 1),
    }
    values["staged_files"] = file_states(values["staged_diff"])
    if file.question is not None:
        values[file.question.variable] = answers.get(file.question.variable, "")
    named = set(VARIABLE.findall(file.body)) | set(VARIABLE.findall(file.system))
    values["context"] = _context(
        {name: values[name] for name in _HEADINGS if name not in named}, _tag(target)
    )
    return values


def _context(pieces: Mapping[str, str], tag: str) -> str:
    found = []
    for name, text in pieces.items():
        if text:
            shown = _as_code(name, text, tag) if name in _CODE else text
            found.append(f"{_HEADINGS[name]}\n\n{shown}".lstrip())
    return "\n\n".join(found)


def _as_code(name: str, text: str, tag: str) -> str:
    return fenced(text, "diff" if name == "staged_diff" else tag)


def _shown(target: Target, start: int, end: int) -> str:
    """Return code of the target's document at the left border, as far as all its lines are indented."""
    text, lines = target.snapshot.text, target.snapshot.lines
    before = text[lines.start(lines.line_of(start)) : start]
    return dedented(unix(text[start:end]), before if not before.strip() else "")


def language_name(target: Target) -> str:
    """Return what people call the target's language."""
    if target.language is PLAIN:
        return _unknown(target) or "text"
    return _NAMES.get(target.language.name, target.language.name)


def _unknown(target: Target) -> str:
    """Return what the editor calls a language that nothing else is known of."""
    language_id = target.snapshot.language_id
    return "" if language_id in PLAIN.ids else language_id


def _tag(target: Target) -> str:
    """Return what stands behind the fence of a block in the target's language."""
    tag = _unknown(target) if target.language is PLAIN else target.language.name
    return tag if re.fullmatch(r"[\w#+.-]*", tag) else ""


def _check_there_is_all(file: PromptFile, values: Mapping[str, str], context: Context) -> None:
    if file.output == "new_file" and context.new_file is None:
        raise UserFacingError(
            f"It is not known where tests of {values['file']} belong: "
            "this takes a file of the workspace, in a language that has a usual place for tests."
        )
    if "staged_diff" in VARIABLE.findall(file.body) and not values["staged_diff"]:
        raise UserFacingError("There are no staged changes that git could show: stage some with git add.")


def _check_size(
    file: PromptFile, target: Target, values: Mapping[str, str], settings: ChatSettings, reply: int | None
) -> None:
    used = [values[name] for name in ("selection", "definition") if name in VARIABLE.findall(file.body)]
    tokens = estimated_tokens(max(used, key=len, default=""))
    if tokens > settings.context_tokens:
        raise UserFacingError(
            f"The {target.kind} is about {tokens:,} tokens long, and chat.context_tokens is "
            f"{settings.context_tokens:,}: select less, or raise chat.context_tokens."
        )
    least = size(values["selection"]) // _BYTES_PER_TOKEN
    if reply is not None and least > reply:
        where = f"max_tokens of {file.origin or file.id}" if file.max_tokens else "chat.max_tokens"
        raise UserFacingError(
            f"The {target.kind} is more than {least:,} tokens long, and so is what replaces it, "
            f"but {where} is {reply:,}: select less, or raise {where}."
        )


class _Expansion:
    """Puts values into a text of ours, once: what stands in a value is text."""

    def __init__(self, values: Mapping[str, str], tag: str) -> None:
        self._values = values
        self._tag = tag

    def of(self, template: str) -> str:
        """Return the text; a paragraph that is nothing but empty variables vanishes."""
        parts, at = list[str](), 0
        for block in _FENCED.finditer(template):
            parts += self._paragraphs(template[at : block.start()])
            info = self._line(block[2].replace("$language", self._tag))
            code = self._line(block[3])
            if code.strip() or not block[3].strip():
                parts.append(fenced(code, info))
            at = block.end()
        parts += self._paragraphs(template[at:])
        return "\n\n".join(parts)

    def _paragraphs(self, template: str) -> list[str]:
        found = []
        for paragraph in _PARAGRAPH.split(template.strip("\n")):
            alone = _ALONE.fullmatch(paragraph)
            name = alone[1] if alone is not None else ""
            text = self._line(paragraph)
            if text.strip():
                found.append(_as_code(name, text, self._tag) if name in _CODE else text)
        return found

    def _line(self, template: str) -> str:
        return VARIABLE.sub(self._value, template)

    def _value(self, match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else self._values.get(match[1], match[0])
