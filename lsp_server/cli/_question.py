"""A question with files and piped text as a request within the budget."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsp_server.backends.protocol import ChatMessage, ChatRequest
from lsp_server.chat.actions.catalogue import system_message
from lsp_server.chat.prompting.staged_diff import shortened, top_folder, uris
from lsp_server.chat.prompting.wording import BYTES_PER_TOKEN, estimated_tokens, fenced, head
from lsp_server.cli import _places
from lsp_server.documents.languages import PLAIN, detect
from lsp_server.errors import UserFacingError
from lsp_server.settings import ChatSettings

_FRAME_TOKENS = 10
"""Of fences and blank lines around each text."""
DIFF, CUT = "diff", "[the rest is not shown]\n"
_HEADER = re.compile(r"^(?=--- [^\n]*\n\+\+\+ )", re.MULTILINE)
_DIFF_STARTS = ("diff --git ", "diff --cc ", "--- ", "commit ", "Index: ")


@dataclass(frozen=True)
class Material:
    """A text that a question is about."""

    title: str
    text: str
    info: str
    """The language, as it stands behind a fence."""
    documents: tuple[str, ...] = ()
    """Uris of the files that the text is of."""


@dataclass(frozen=True)
class Question:
    """What the model is asked, and what of it had to be left out."""

    request: ChatRequest
    shortened: tuple[str, ...]
    """One phrase for each text that is not there as a whole."""


def of_file(place: str, language: str) -> Material:
    """Return the text at `FILE[:FIRST-LAST]`."""
    path, first, last = _places.lines(place)
    if path != _places.STDIN and not os.path.exists(path):  # noqa: PTH110  # a name may be too long to be one
        raise UserFacingError(
            f"There is no file {path}. A question of several words stands in quotes: "
            'lsp_server ask "What does this do?" FILE'
        )
    where = _places.snapshot(path, language)
    known = detect(language, where.uri)
    name = "Standard input" if path == _places.STDIN else f"`{path}`"
    text, title = where.text, name
    if first is not None and last is not None:
        start, end = _places.line_range(where, first, last)
        text, title = text[start:end], f"{name}, lines {first}-{last}"
    return Material(f"{title}:", text, "" if known is PLAIN else known.name, (where.uri,))


def of_pipe(text: str, language: str) -> Material:
    """Return what was piped into the command, often a diff."""
    if text.startswith(_DIFF_STARTS) and not language:
        return Material("", text, DIFF, _files_of(text))
    known = detect(language, "")
    return Material("", text, "" if known is PLAIN else known.name)


def _files_of(diff: str) -> tuple[str, ...]:
    """Return the uris of all files of a diff, of git or not: rather one too many than one too few."""
    here = Path.cwd()
    headed = _HEADER.sub("diff --git ?\n", diff)
    return tuple(uris(headed, top_folder("", here) or here))


def asked(question: str, materials: Sequence[Material], settings: ChatSettings) -> Question:
    """Return the request; texts that do not fit the budget lose their last lines, the question never does."""
    system = system_message("markdown")
    given = estimated_tokens(f"{system}{question}") + sum(
        estimated_tokens(material.title) + _FRAME_TOKENS for material in materials
    )
    room = settings.context_tokens - given
    if room < 0:
        raise UserFacingError(
            f"The question is about {given} tokens, but chat.context_tokens is {settings.context_tokens}: "
            f"raise it with --set chat.context_tokens={given + 512}."
        )
    parts, phrases = [question], []
    for material, text in zip(materials, _shares(materials, room), strict=True):
        if text != material.text:
            what = material.title.removesuffix(":") or "what was piped in"
            phrases.append(f"{what}: {_share(text.removesuffix(CUT), material.text)}")
        parts.append(f"{material.title}\n{fenced(text, material.info)}".strip())
    messages = (ChatMessage("system", system), ChatMessage("user", "\n\n".join(parts)))
    documents = dict.fromkeys(uri for material in materials for uri in material.documents)
    request = ChatRequest(
        messages, settings.max_tokens, temperature=settings.temperature, documents=tuple(documents)
    )
    return Question(request, tuple(phrases))


def _shares(materials: Sequence[Material], room: int) -> list[str]:
    """Return the texts, the longest ones cut after a line so that all together fit."""
    kept = [material.text for material in materials]
    by_length = sorted(range(len(kept)), key=lambda index: len(kept[index]))
    for done, index in enumerate(by_length):
        share = room // (len(kept) - done)
        if estimated_tokens(kept[index]) > share:
            cut = shortened if materials[index].info == DIFF else head
            rest = share - estimated_tokens(CUT)
            kept[index] = _cut(kept[index], rest * BYTES_PER_TOKEN, cut) + CUT if rest > 0 else ""
        room -= estimated_tokens(kept[index])
    return kept


def _cut(text: str, limit: int, cut: Callable[[str, int], str]) -> str:
    """Return the beginning of a text that takes `limit` bytes at most; of one long line a part of that."""
    kept = cut(text, limit)
    return kept or f"{text.encode()[: limit - 1].decode(errors='ignore')}\n"


def _share(shown: str, text: str) -> str:
    """Say how much of a text is shown."""
    lines = shown.count("\n")
    if lines > 1 or not shown or text.startswith(shown):
        return f"{lines} of {text.count(chr(10)) + (not text.endswith(chr(10)))} lines are shown"
    return f"{len(shown) - 1} of {len(text)} characters are shown"
