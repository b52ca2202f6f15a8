"""Comments that stand for code: `// ... rest of the code`. Owns how models write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsp_server.chat.editing.line_diff import Hunk
from lsp_server.documents.languages import Language

_THINGS = (
    r"(?:code|codes|function|functions|method|methods|class|classes|implementation|logic|file|module|program|"
    r"script|body|content|contents|parts?|lines|fields|tests|imports|definitions)"
)
_MARK = r"^\s*(?:#|//|--|/\*+|\*|<!--|%|;)\s*"
_ELISION = re.compile(
    rf"{_MARK}(?:"
    r"(?:\.{3,}|…)\s*(?:\*/|-->)?\s*$"
    rf"|[(\[.…\s]*(?:the\s+)?(?:rest|remainder)\s+(?:of\s+)?(?:(?:the|your|this)\s+)?(?:\w+\s+){{0,2}}{_THINGS}\b"
    rf"|[(\[.…\s]*(?:the\s+)?(?:rest|remainder)\b.{{0,30}}\b(?:unchanged|same|omitted|here|as before)\b"
    r"|[(\[.…\s]*(?:your|the)?\s*(?:existing|remaining|previous|original|other|unchanged)\s+"
    rf"(?:\w+\s+)?{_THINGS}\b"
    r"(?:\s+(?:here|goes here|stays?|remains?|as before|unchanged|is|are|continues)\b.{0,30}"
    r"|\s*[.…)\]*/>-]*)\s*$"
    r"|(?:\.{3,}|…)\s*(?:\w+\s+){1,5}(?:\.{3,}|…)"
    r"|[(\[.…\s]*(?:code|implementation|body)\s+(?:omitted|unchanged|remains|stays|goes here)\b"
    r"|[(\[.…\s]*(?:unchanged|same as (?:before|above)|as before|no changes? (?:here|needed))[.…)\]*/>\s-]*$"
    r")",
    re.IGNORECASE,
)
_DOTS = re.compile(r"\s*\.\.\.\s*")
_LOST_LINES = 3  # lines less that make a lone `...` in Python a gap and not a stub


def left_out(
    old: Sequence[str], new: Sequence[str], changes: Sequence[Hunk], language: Language
) -> int | None:
    """Return the line that stands for code in a reply; lines like that which were there do not count."""
    known = {line.strip() for line in old}
    for first, last, new_first, new_last in changes:
        lost = (last - first) - (new_last - new_first)
        for at in range(new_first, new_last):
            text = new[at].strip()
            dots = language.name == "python" and lost >= _LOST_LINES and _DOTS.fullmatch(text)
            if text not in known and (dots or _ELISION.match(text)):
                return at
    return None
