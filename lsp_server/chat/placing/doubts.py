"""Reasons to look at new code for a part of a file twice: it may be meant for more than that part.

What is the same as beside the target has been left out before; what the model changed there, too, cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.edits import Edit, applied
from lsp_server.chat.placing.reply_tokens import Token, has_word, tokens

_ALIKE = 0.65  # of the tokens of two lines: the one may be the other, changed
_NEAR = 3  # lines that count as neighbours
_NAME = re.compile(r"[^\W\d]\w*")
_PARTS = frozenset({"selection", "statement"})


def doubt(target: Target, edits: Sequence[Edit]) -> str:
    """Return why edits of a part may change more than that part, as a sentence; empty if they do not."""
    if target.kind not in _PARTS or not edits:
        return ""
    new = _new_text(target, edits)
    return _line_beside(target, new) or _renamed_in_part(target, new)


def _new_text(target: Target, edits: Sequence[Edit]) -> str:
    text = target.snapshot.text
    line = max(text.rfind("\n", 0, target.start), text.rfind("\r", 0, target.start)) + 1
    start = line if not text[line : target.start].strip() else target.start
    inside = [edit for edit in edits if start <= edit.start and edit.end <= target.end]
    moved = [Edit(edit.start - start, edit.end - start, edit.text) for edit in inside]
    return applied(text[start : target.end], moved)


def _line_beside(target: Target, new: str) -> str:
    """Return a sentence if the first or the last line is rather one beside the target than one of it."""
    document = target.snapshot.text
    before, after = document[: target.start].splitlines(), document[target.end :].splitlines()
    own, made = _code_lines(target, target.text.splitlines()), _code_lines(target, new.splitlines())
    for line, beside, place in (
        (made[:1], _code_lines(target, before[-2 * _NEAR :])[-_NEAR:], "above"),
        (made[-1:], _code_lines(target, after[: 2 * _NEAR])[:_NEAR], "below"),
    ):
        if len(made) < 2 or not beside:
            continue
        alike = max(_alike(line[0], other) for other in beside)
        if alike >= _ALIKE and alike > max((_alike(line[0], other) for other in own), default=0.0):
            lines = new.strip().splitlines()
            shown = " ".join(lines[0 if place == "above" else -1].split())[:40]
            return f"`{shown}` may be meant for a line {place}, which is not part of the code"
    return ""


def _code_lines(target: Target, lines: Sequence[str]) -> list[list[str]]:
    found = [[token for token in tokens(line, target.language) if not token.is_comment] for line in lines]
    return [[token.text for token in line] for line in found if has_word(line)]


def _alike(one: Sequence[str], other: Sequence[str]) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _renamed_in_part(target: Target, new: str) -> str:
    """Return a sentence if a variable has another name here, and its old one in the rest of the function."""
    around = target.definition
    text = target.snapshot.text
    start, end = (around.start, around.end) if around is not None else (0, len(text))
    if start >= target.start and end <= target.end:
        return ""
    rest = _code(target, text[start : target.start]) + _code(target, text[target.end : end])
    old, made = _code(target, target.text), _code(target, new)
    elsewhere = {token.text for token in rest}
    known = {token.text for token in _code(target, text)}
    names = {token.text for token in made}
    bound, bound_here, bound_now = _bound(rest + old), _bound(old), _bound(made)
    for name, other in _replaced(old, made):
        if name in names or other in known or name not in elsewhere or name not in bound:
            continue
        if other not in bound_now or name in bound_here:
            return f"`{name}` became `{other}` here, and is `{name}` in the rest of the function"
    unknown = _changed_in_place(made) - known - bound_now
    return f"nothing sets `{min(unknown)}` before it is changed" if unknown else ""


def _code(target: Target, text: str) -> list[Token]:
    return [token for token in tokens(text, target.language) if not token.is_comment]


def _bound(code: Sequence[Token]) -> set[str]:
    """Return the names that something is assigned to, and those that stand in brackets like parameters do."""
    return {
        name for before, name, after, more in _windows(code)
        if (after == "=" and more not in ("=", ">", "~")) or (after == ":" and more == "=")
        or (before in "(,&*$" and after in "),:=")
    }  # fmt: skip


def _changed_in_place(code: Sequence[Token]) -> set[str]:
    """Return the names `a` of `a += 1`."""
    return {
        name
        for before, name, after, more in _windows(code)
        if after in "+-*/" and more == "=" and before != "$"
    }


def _windows(code: Sequence[Token]) -> Iterator[tuple[str, str, str, str]]:
    """Yield names that are no members, each with what stands before it and the two signs behind it."""
    texts = ["\n", *(token.text for token in code), "\n", "\n"]
    for before, name, after, more in zip(texts, texts[1:], texts[2:], texts[3:], strict=False):
        if _NAME.fullmatch(name) and before not in (".", ">", ":"):
            yield before, name, after, more


def _replaced(old: Sequence[Token], new: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield the names that have another one in their place; not those of members and of what is called."""
    was, now = [token.text for token in old], [token.text for token in new]
    for tag, start, end, new_start, new_end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag != "replace" or end - start != new_end - new_start:
            continue
        for at, new_at in zip(range(start, end), range(new_start, new_end), strict=True):
            if not (_NAME.fullmatch(was[at]) and _NAME.fullmatch(now[new_at])):
                continue
            if was[at + 1 : at + 2] != ["("] and was[at - 1 : at] not in (["."], [">"], [":"]):
                yield was[at], now[new_at]
