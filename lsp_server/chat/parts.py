"""A target that is too long for one reply, in parts: for actions that change each line by itself.

Parts begin and end between lines, never within a comment or a string, and rather where blocks do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.prompting.wording import estimated_tokens
from lsp_server.documents import lines as text_lines
from lsp_server.documents.leaves import leaves

_LEAST_SHARE = 0.5
"""A part may end so much earlier than it must, to end at a better place."""


def by_parts(file: PromptFile) -> bool:
    """Tell whether an action may be done in parts: it leaves the code as it is, so nothing joins them."""
    local = {"code", "untyped_code"} & set(file.keeps)
    return bool(local) and file.output == "replace" and file.scope in ("definition", "selection", "file")


def nothing_to_change(file: PromptFile, target: Target) -> bool:
    """Tell whether an action that leaves all code alone has no comment to work on; parses nothing."""
    if "code" not in file.keeps or file.output != "replace" or target.tree is None:
        return False
    return not _comments(target)


def parts(file: PromptFile, target: Target, most_tokens: int) -> tuple[Target, ...]:
    """Return the target cut into parts of about `most_tokens` at most, without those that cannot change.

    Tokens are estimated. It is one part if it cannot be cut. Call it on a thread.
    """
    spans = _spans(target, most_tokens)
    if len(spans) < 2:
        return (target,)
    cut = tuple(replace(target, start=start, end=end, kind="selection", name="") for start, end in spans)
    return tuple(part for part in cut if not nothing_to_change(file, part)) or cut[:1]


def _spans(target: Target, most_tokens: int) -> list[tuple[int, int]]:
    text, lines = target.snapshot.text, target.snapshot.lines
    first, last = lines.line_of(target.start), lines.line_of(target.end)
    whole = _unbroken(target)
    found, start, line = list[tuple[int, int]](), target.start, first
    while line <= last:
        end, ends = line, list[int]()  # the lines that this part may end with
        while end <= last:
            stop = min(lines.end(end), target.end)
            if ends and estimated_tokens(text[start:stop]) > most_tokens:
                break
            if end not in whole:
                ends.append(end)
            end += 1
        chosen = last if end > last else _best_end(target, ends)
        stop = min(lines.end(chosen), target.end)
        if text[start:stop].strip():
            found.append((_first_code(text, start, stop), stop))
        line, start = chosen + 1, lines.start(chosen + 1) if chosen < last else target.end
    return found


def _best_end(target: Target, ends: Sequence[int]) -> int:
    """Return the line to end a part with: the next one is the least indented, and the last of those."""
    late = ends[int(len(ends) * _LEAST_SHARE) :]

    def indent(line: int) -> int:
        below = text_lines.line_text(target.snapshot.text, target.snapshot.lines, line + 1)
        return text_lines.width(below) if below.strip() else 0

    return min(late, key=lambda line: (indent(line), -line))


def _unbroken(target: Target) -> set[int]:
    """Return the lines after which no part may end: a comment or a string goes on in the next one."""
    if target.tree is None:
        return set()
    line_of, offset = target.snapshot.lines.line_of, target.tree.offset
    spans = [
        (line_of(offset(leaf.start)), line_of(offset(leaf.end)), leaf.is_comment)
        for leaf in leaves(target.tree)
    ]
    found = {line for first, last, _ in spans for line in range(first, last)}
    for (_, end, is_comment), (start, _, follows) in pairwise(spans):
        if is_comment and follows and start == end + 1:  # lines of one comment
            found.add(end)
    return found


def _comments(target: Target) -> bool:
    assert target.tree is not None
    start, end = target.tree.byte(target.start), target.tree.byte(target.end)
    return any(leaf.is_comment and start <= leaf.start < end for leaf in leaves(target.tree))


def _first_code(text: str, start: int, stop: int) -> int:
    part = text[start:stop]
    return start + len(part) - len(part.lstrip())
