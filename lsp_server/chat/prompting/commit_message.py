"""Buffers that git has a commit message written in: which they are, and what in them is the message.

Knows what git puts below the message. Must not run git.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from lsp_server.documents.snapshot import Snapshot

_IDS = frozenset({"gitcommit", "git-commit", "commit"})
_NAMES = frozenset({"COMMIT_EDITMSG", "MERGE_MSG", "SQUASH_MSG", "TAG_EDITMSG"})
_SUBJECT_CHARS = 72  # the longest first line that git's own tools show whole
_BULLET = re.compile(r"\s*[-*+•]\s+")
_SENTENCE = re.compile(r"(?<=[a-z\d`)'\"])\.\s+(?=[A-Z])")
_COMMENT = re.compile(r"^#", re.MULTILINE)  # git's default `core.commentChar`
_DIFF = re.compile(r"^diff --git ", re.MULTILINE)


def is_one(snapshot: Snapshot) -> bool:
    """Tell whether a document is a commit message being written."""
    name = unquote(urlsplit(snapshot.uri).path).rpartition("/")[2]
    return snapshot.language_id.lower() in _IDS or name in _NAMES


def tidy(message: str) -> str:
    """Return a message whose first line is no item of a list and, where sentences allow, not too long."""
    first, newline, rest = message[bullet.end() if (bullet := _BULLET.match(message)) else 0 :].partition(
        "\n"
    )
    if len(first) <= _SUBJECT_CHARS or (sentence := _SENTENCE.search(first)) is None:
        return f"{first}{newline}{rest}"
    return f"{first[: sentence.start()]}\n\n{first[sentence.end() :]}{newline}{rest}"


def end(text: str) -> int:
    """Return where the message ends, without the comments and the diff that git puts below it."""
    starts = [match.start() for pattern in (_COMMENT, _DIFF) if (match := pattern.search(text))]
    return len(text[: min(starts, default=len(text))].rstrip())


def diff(text: str) -> str:
    """Return the diff that `git commit --verbose` puts below the message; empty if there is none."""
    match = _DIFF.search(text)
    return text[match.start() :] if match else ""
