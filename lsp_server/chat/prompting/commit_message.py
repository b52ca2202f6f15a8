"""Buffers that git has a commit message written in: which they are, and what in them is the message.

Knows what git puts below the message. Must not run git.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from lsp_server.documents.snapshot import Snapshot

_IDS = frozenset({"gitcommit", "git-commit", "commit"})
_NAMES = frozenset({"COMMIT_EDITMSG", "MERGE_MSG", "SQUASH_MSG", "TAG_EDITMSG"})
_COMMENT = re.compile(r"^#", re.MULTILINE)  # git's default `core.commentChar`
_DIFF = re.compile(r"^diff --git ", re.MULTILINE)


def is_one(snapshot: Snapshot) -> bool:
    """Tell whether a document is a commit message being written."""
    name = unquote(urlsplit(snapshot.uri).path).rpartition("/")[2]
    return snapshot.language_id.lower() in _IDS or name in _NAMES


def end(text: str) -> int:
    """Return where the message ends, without the comments and the diff that git puts below it."""
    starts = [match.start() for pattern in (_COMMENT, _DIFF) if (match := pattern.search(text))]
    return len(text[: min(starts, default=len(text))].rstrip())


def diff(text: str) -> str:
    """Return the diff that `git commit --verbose` puts below the message; empty if there is none."""
    match = _DIFF.search(text)
    return text[match.start() :] if match else ""
