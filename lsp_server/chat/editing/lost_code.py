"""Code that a rewrite took away and put nothing in the place of: the end of a reply that stopped early, a
statement that the model forgot.

Syntax cannot tell: what is left parses. Whether code was not needed is not known here either, so this is a
reason to ask, and not to refuse.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from lsp_server.chat.editing.line_diff import Hunk
from lsp_server.documents.languages import Language
from lsp_server.documents.outline import definitions
from lsp_server.documents.syntax import SyntaxTree

_CALL = re.compile(r"([\w$]+)\s*!?\(")
_JUMP = re.compile(r"\s*(?:return|raise|throw|yield|break|continue|goto)\b")
_ASSIGNED = re.compile(
    r"\s*(?:[\w<>:,&*\[\]?]+[ \t]+)*?([\w$.@]+)(?:\[[^\]]*\])?\s*(?::[^=]*)?"
    r"([-+*/|&^%.<>]|\*\*|\?\?)?:?=(?![=>])(.*)"
)
_LONGEST = 200  # characters of a line that may begin an assignment: the pattern takes their square
_WORD = re.compile(r"[\w$]+")
_RETURN = re.compile(r"\breturn\b[ \t(]*[^\s;})]")
_GIVES = re.compile(r"\breturn\b|\byield\b|=>|\bfn\b")
_LAST_VALUE = frozenset({"ruby", "rust"})
"""Languages in which a function gives back its last value, whether it says `return` or not."""
_MANY = 2  # lines of code in a row: nobody takes away so much without a word in their place


def taken_away(
    old: Sequence[str],
    new: Sequence[str],
    changes: Sequence[Hunk],
    language: Language,
    spared: Collection[int] = (),
) -> str | None:
    """Return the code that is gone, as a sentence; None if all that is gone has something in its place.

    `spared` are lines of the old text that may go: somebody has complained of them.
    """
    put = [line for _, _, first, last in changes for line in new[first:last]]
    taken = [line for first, last, _, _ in changes for line in old[first:last]]
    there = {line.strip() for line in put}
    seen = _Seen(
        words=frozenset(_WORD.findall("\n".join(new))),
        assigned=frozenset(name for line in new if (name := _newly_assigned(line))),
        calls_gone=Counter(_CALL.findall("\n".join(taken))) - Counter(_CALL.findall("\n".join(put))),
    )
    for first, last, new_first, new_last in changes:
        gone = [
            at for at in range(first, last) if _is_code(old[at], language) and old[at].strip() not in there
        ]
        instead = [line.strip() for line in new[new_first:new_last] if _is_code(line, language)]
        if gone and len(instead) == 1 and len(gone) > 1 and old[gone[0]].strip().startswith(instead[0]):
            instead = []  # the reply stops in the middle of this line
        if instead or not gone or any(at in spared for at in range(first, last)):
            continue
        if len(gone) >= _MANY:
            return f"{len(gone)} lines are gone, from `{_shown(old[gone[0]])}` on"
        if _is_missed(old[gone[0]], seen):
            return f"`{_shown(old[gone[0]])}` is gone"
    return None


def _is_code(line: str, language: Language) -> bool:
    """Tell whether a line is more than a comment, and more than what closes a block."""
    text = line.strip()
    marks = (language.line_comment or "//", "/*", "*", "<!--", '"""', "'''")
    return (
        re.search(r"\w", text) is not None
        and not text.startswith(marks)
        and text not in ("end", "fi", "done")
    )


@dataclass(frozen=True)
class _Seen:
    """What of a text after a rewrite tells whether a line is missed."""

    words: frozenset[str]
    assigned: frozenset[str]
    """Names that get a value that they do not build on."""
    calls_gone: Counter[str]


def _is_missed(line: str, seen: _Seen) -> bool:
    if _JUMP.match(line) or any(seen.calls_gone[name] for name in _CALL.findall(line)):
        return True
    match = _ASSIGNED.match(line[:_LONGEST])
    if match is None or not set(_WORD.findall(match[1])) <= seen.words:
        return False
    return not _newly_assigned(line) or match[1] not in seen.assigned


def _newly_assigned(line: str) -> str:
    """Return the name to which a line gives a value that it does not build on; empty if to none."""
    match = _ASSIGNED.match(line[:_LONGEST])
    return "" if match is None or match[2] or match[1] in _WORD.findall(match[3]) else match[1]


def _shown(line: str) -> str:
    text = line.strip()
    return f"{text[:39]}…" if len(text) > 40 else text


def returns_lost(old: SyntaxTree | None, new: SyntaxTree | None) -> str | None:
    """Return which function gave a value back and does not any more, as a sentence."""
    if old is None or new is None or old.language.name in _LAST_VALUE:
        return None
    now = dict(_texts(new))
    for name, text in _texts(old):
        if _RETURN.search(text) and name in now and not _GIVES.search(now[name]):
            return f"`{name}` returns nothing any more"
    return None


def _texts(tree: SyntaxTree) -> Iterator[tuple[str, str]]:
    for item in definitions(tree):
        if item.name:
            yield item.name, tree.text[slice(*item.range)]
