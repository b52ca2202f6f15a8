"""A code block of a chat and the file that it is for: which one, and what it changes there.

Owns the way from a name behind a fence, or an attached file, to a proposal. What the model wrote is as
untrusted as any text: nothing outside of the workspace is read or proposed. Reads files and parses: call it
on a thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lsp_server.chat.chats.conversation import CUT, Conversation, Turn, lines_of, note, said_by_model
from lsp_server.chat.chats.escapes import unescaped
from lsp_server.chat.chats.merge_code import merged
from lsp_server.chat.editing.check import damage
from lsp_server.chat.editing.edits import Edit, applied, line_edits
from lsp_server.chat.editing.proposal import Proposal
from lsp_server.chat.replies.fences import Block, Fences
from lsp_server.chat.workspace.attachments import split_lines
from lsp_server.chat.workspace.workspace_text import Unreadable, content, place, shown
from lsp_server.documents.languages import PLAIN, Language, detect
from lsp_server.documents.positions import LineIndex
from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import UserFacingError
from lsp_server.uris import same

NO_FILE = (
    "This block is for no file: attach the file to the question, or write its name behind the language, "
    "such as ```python src/app.py."
)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_ATTRIBUTE = re.compile(r"(?:title|file|filename|path|name)=", re.IGNORECASE)


@dataclass(frozen=True)
class Aim:
    """A file, or some lines of it, that a block may be for."""

    path: str
    """As the model or the user wrote it."""
    first_line: int | None = None
    last_line: int | None = None
    may_create: bool = False


@dataclass(frozen=True)
class AimedBlock:
    """A code block, and what it may be for; the likeliest first."""

    code: str
    aims: tuple[Aim, ...]
    cut: bool = False
    """The answer ended in it, at its token limit."""


@dataclass(frozen=True)
class TargetFile:
    """A file of the workspace as it is now."""

    name: str
    uri: str
    text: str
    open: Snapshot | None
    exists: bool


def block_at(conversation: Conversation, offset: int) -> AimedBlock | None:
    """Return the block of an answer that `offset` of the document is in; None if it is in none."""
    answer = next((it for it in conversation.turns if it.start <= offset <= it.end), None)
    if answer is None or answer.role != "assistant":
        return None
    line = len(lines_of(answer.raw[: max(0, offset - answer.body)])) - 1
    for block, first, last in _blocks(answer):
        if first <= line <= last:
            rest = "\n".join(lines_of(answer.raw)[last + 1 :]).strip()
            cut = rest.startswith(note(CUT))
            return AimedBlock(block.code, tuple(_aims(conversation, answer, block)), cut)
    return None


def target_file(aim: Aim, root: Path, documents: tuple[Snapshot, ...]) -> TargetFile:
    """Return the file of an aim; raises `UserFacingError` if it is none that may be written."""
    path = aim.path.replace("\\", "/")
    parts = PurePosixPath(path).parts
    if ".." in parts:
        raise Unreadable(f"{shown(aim.path)} is not taken: the name of a file may have no `..` in it.")
    if path.startswith("~") or _SCHEME.match(path):
        raise Unreadable(f"{shown(aim.path)} is not taken: it is no path in the workspace.")
    where = place(root, path)
    if any(_is_of_git(part) for part in (*parts, *where.path.relative_to(root.resolve()).parts)):
        raise Unreadable(f"{shown(aim.path)} is not taken: it belongs to Git.")
    for document in documents:
        if any(same(document.uri, uri) for uri in (where.uri, where.path.as_uri())):
            return TargetFile(where.name, document.uri, document.text, document, exists=True)
    if not where.path.exists():
        if not aim.may_create:
            raise Unreadable(f"There is no file {where.name}.")
        return TargetFile(where.name, where.uri, "", None, exists=False)
    try:
        text = content(where.path, where.name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{where.name} cannot be read as UTF-8 text.") from error
    return TargetFile(where.name, where.uri, text, None, exists=True)


def _is_of_git(part: str) -> bool:
    """Tell whether a part of a path is git's folder, as file systems without case and Windows read it."""
    return part.lower().rstrip(" .") in (".git", "git~1")


def proposal(block: AimedBlock, aim: Aim, target: TargetFile) -> Proposal:
    """Return what a block changes in a file; raises `UserFacingError` if it does not say where it belongs."""
    old, language = target.text, _language(target)
    if not target.exists or not old.strip():
        new, left_out = block.code, ""
    else:
        result = merged(old, block.code, language, _range(aim, old))
        if result is None:
            raise UserFacingError(
                f"Where the code belongs in {target.name} is not clear: attach the lines that it replaces, "
                f"such as [{target.name}:10-40]({target.name})."
            )
        new, left_out = result
    warning = damage(old, new, language) if target.exists else None
    edits = line_edits(old, new) if target.exists else (Edit(0, 0, new),)
    assert applied(old, edits) == new
    return Proposal(
        target.uri,
        target.open,
        edits,
        creates=not target.exists,
        disk_text="" if target.open else old,
        region=(edits[0].start, edits[-1].end) if edits else (0, 0),
        warning="; ".join(filter(None, [CUT if block.cut else "", left_out, warning])),
    )


def best_aim(
    block: AimedBlock, root: Path, documents: tuple[Snapshot, ...]
) -> tuple[Aim, TargetFile] | UserFacingError:
    """Return the first aim that is a file which may be written; else why the likeliest is not."""
    whys: list[UserFacingError] = []
    for aim in block.aims:
        found = _looked_at(aim, root, documents)
        if isinstance(found, TargetFile):
            return aim, found
        whys.append(found)
    return (*whys, UserFacingError(NO_FILE))[0]


def _looked_at(aim: Aim, root: Path, documents: tuple[Snapshot, ...]) -> TargetFile | UserFacingError:
    try:
        return target_file(aim, root, documents)
    except UserFacingError as error:
        return error


def _language(target: TargetFile) -> Language:
    return detect(target.open.language_id if target.open else "", target.uri)


def _blocks(answer: Turn) -> Iterator[tuple[Block, int, int]]:
    """Yield the blocks of an answer with their first and last line in it, those with the fences."""
    fences, at, lines = Fences(), 0, _lines_said(answer)
    for line in lines:
        fences.take(line, at)
        at += len(line) + 1
    text = "\n".join(lines)
    for block in fences.blocks(len(text)):
        yield block, text.count("\n", 0, block.start), text.count("\n", 0, block.end)


def _lines_said(answer: Turn) -> list[str]:
    written = "\n".join(lines_of(answer.raw))
    return said_by_model(unescaped(written)).split("\n")


def _aims(conversation: Conversation, answer: Turn, block: Block) -> Iterator[Aim]:
    if (named := _named(block.info)) is not None:
        yield named
        return  # the user sees this name at the block: no other file is meant
    word = block.info.split()[0].lower() if block.info.split() else ""
    language = detect(word, f"file:///x.{word}")
    if word and language is PLAIN:
        return
    for turn in reversed(conversation.turns[: conversation.turns.index(answer)]):
        for link in turn.links:
            if not word or detect("", f"file:///{PurePosixPath(link.path).name}") is language:
                yield Aim(link.path, link.first_line, link.last_line)


def _named(info: str) -> Aim | None:
    """Return the file that is named behind a fence: `python src/a.py:1-9`, `python:a.py`, `a.py`."""
    words = info.split()
    if not words:
        return None
    rest = " ".join(words[1:])
    _, _, after = words[0].partition(":")
    if not rest and after and not after[0].isdigit():
        rest = after
    elif not rest:
        rest = words[0] if "." in words[0] or "/" in words[0] else ""
    rest = _ATTRIBUTE.sub("", rest).strip("\"'`")
    path, first, last = split_lines(rest)
    looks_like_path = path and not path.startswith("{") and ("/" in path or "\\" in path or "." in path)
    return Aim(path, first, last, may_create=True) if looks_like_path else None


def _range(aim: Aim, text: str) -> tuple[int, int] | None:
    if aim.first_line is None or aim.last_line is None:
        return None
    lines = LineIndex(text)
    start, end = lines.start(aim.first_line - 1), lines.start(aim.last_line)
    return (start, end) if start < end else None
