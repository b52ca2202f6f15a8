"""Where the code of a reply goes in the document, with the indentation and the line endings it has there.

Nothing outside of the target is touched, but for imports that the code needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.edits import Edit, applied, line_edits
from lsp_server.chat.editing.python_syntax import syntax_error
from lsp_server.chat.placing.documentation import documentation_edits
from lsp_server.chat.placing.fitting import fitted, is_for
from lsp_server.chat.placing.imports import import_edits
from lsp_server.chat.placing.indentation import (
    converted,
    dedented,
    leading,
    line_end_of,
    unit_of,
    with_line_ends,
)
from lsp_server.documents.node_types import STRINGS
from lsp_server.documents.outline import definitions
from lsp_server.documents.positions import LINE_END
from lsp_server.documents.syntax import parse


def placed(file: PromptFile, target: Target, code: str) -> tuple[Edit, ...]:
    """Return the smallest line edits of the target's document that put `code` where the action wants it.

    Empty if nothing would change. Not for `new_file` and `markdown`.
    """
    if file.documentation:
        return documentation_edits(target, code)
    if not code.strip():
        return ()
    code = "\n".join(LINE_END.split(code)).strip("\n")
    fit = fitted(target, code, file.scope, file.output)
    if not fit.code.strip() and not fit.others:
        return ()
    if file.output == "replace":
        edits = _best(fit.target or target, (fit.code, *fit.others))
    else:
        edits = _inserting(target, fit.code, above=file.output == "insert_above")
    if not edits:
        return ()
    imports = import_edits(target, fit)
    return tuple(sorted((*imports, *edits), key=lambda edit: (edit.start, edit.end)))


def _best(target: Target, codes: Sequence[str]) -> tuple[Edit, ...]:
    """Return the edits that put the first code in the target's place with which the file parses best."""
    fitting = [code for code in codes if code.strip() and is_for(target, code)]
    best: tuple[tuple[bool, int], tuple[Edit, ...]] | None = None
    for code in fitting:
        edits = _replacing(target, code)
        flaws = _flaws(target, edits) if len(fitting) > 1 else (False, 0)
        if best is None or flaws < best[0]:
            best = flaws, edits
        if flaws == (False, 0):
            break
    return best[1] if best is not None else ()


def _flaws(target: Target, edits: Sequence[Edit]) -> tuple[bool, int]:
    """Return whether Python cannot compile the file with edits, and how many places of it do not parse."""
    text, language = applied(target.snapshot.text, edits), target.language
    tree = parse(text, language)
    broken = language.name == "python" and syntax_error(text) is not None
    stack, count = [tree.root] if tree is not None else [], 0
    while stack:
        node = stack.pop()
        count += node.is_error or node.is_missing
        if node.has_error:
            stack += node.children
    return broken, count


def _replacing(target: Target, code: str) -> tuple[Edit, ...]:
    text = target.snapshot.text
    start, base = _line_start(text, target.start)
    old = text[start : target.end]
    lines = _indented(target, code, base or "")
    if base is None:
        # The target starts behind other code: its first line stays there.
        lines[0] = lines[0].lstrip()
    exact = target.language.name in ("markdown", "plain text")
    end = line_end_of(old, line_end_of(text))
    new = with_line_ends(old, lines, end, exact=exact)
    if not old.endswith(("\n", "\r")):
        new = new.removesuffix("\n").removesuffix("\r")
    return line_edits(old, new, start)


def _inserting(target: Target, code: str, *, above: bool) -> tuple[Edit, ...]:
    text = target.snapshot.text
    start, _ = _line_start(text, target.start, grow=True)
    base = leading(text[start:])
    end = line_end_of(target.text, line_end_of(text))
    block = end.join(_indented(target, code, base))
    gap = end * (1 + _blank_lines(target, code, base))
    if above:
        return (Edit(start, start, block + gap),)
    found = LINE_END.search(text, max(target.start, len(text[: target.end].rstrip("\r\n"))))
    at = found.start() if found else len(text)
    return (Edit(at, at, gap + block),)


def _blank_lines(target: Target, code: str, base: str) -> int:
    """Return how many blank lines there are between the target and what is written beside it."""
    if target.kind in ("comment", "statement", "selection", "file", ""):
        return 0
    tree = parse(code, target.language)
    if tree is None or not definitions(tree):
        return 0
    return 2 if target.language.name == "python" and not base else 1


def _line_start(text: str, offset: int, *, grow: bool = False) -> tuple[int, str | None]:
    """Return where a part begins with its indentation, and that; None for one that starts behind code."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    before = text[start:offset]
    if before.strip() and not grow:
        return offset, None
    return start, before + leading(text[offset:]) if not before.strip() else leading(before)


def _indented(target: Target, code: str, base: str) -> list[str]:
    """Return the lines of code as they are indented in the file; blank ones are empty."""
    text = target.snapshot.text
    old = text[_line_start(text, target.start)[0] : target.end]
    raw = code.split("\n")
    lines = dedented(raw, base, target.language)
    lines = converted(lines, unit_of("\n".join(lines)), unit_of(old) or unit_of(text))
    lines = [base + line if line.strip() else "" for line in lines]
    # A line of a string that is the same as in the file belongs where it is, whatever the code around it.
    there = set(LINE_END.split(old))
    for at in _string_lines(code, target):
        if raw[at] in there and lines[at] not in there:
            lines[at] = raw[at]
    return lines


def _string_lines(code: str, target: Target) -> Iterator[int]:
    """Yield the lines that begin inside of a string."""
    tree = parse(code, target.language)
    stack = [tree.root] if tree is not None else []
    while stack:
        node = stack.pop()
        first, last = node.start_point[0], node.end_point[0]
        if first == last:
            continue
        if node.type in STRINGS:
            yield from range(first + 1, last + 1)
        else:
            stack += node.children
