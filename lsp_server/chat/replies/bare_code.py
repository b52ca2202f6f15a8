"""Code in a reply without fences: between a sentence before and an explanation after it, or none at all.

Owns what reads as prose and what reads as code.
"""

from __future__ import annotations

import re

from lsp_server.documents.languages import Language
from lsp_server.documents.syntax import SyntaxTree, parse

_OPENING_WORDS = (
    "here|here's|this|these|that|the|sure|certainly|note|in|to|you|your|we|i|it|its|output|example|explanation|"
    "below|above|of|as|and|but|so|yes|no|if|when|now|then|first|okay|ok|alright|absolutely|great"
)
_SENTENCE = re.compile(
    rf"(?:[A-Z][\w'’]*|(?:{_OPENING_WORDS})\b)[,!]?(?:\s+[\w'’`\"*(),./:%-]+)*\s*[.:!?]?(?:\*\*)?",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"\s*(?:#{2,6} |\*\*|> |(?:[-*+]|\d+[.)]) +(?:\*\*|`|[A-Z]\w* \w+))")
_SPAN = re.compile(r"\s*(`{1,3})(?P<code>[^`]+)\1\s*")
_CODE = re.compile(r"[;{}=<>\[\]\\|&@$]|\w\(|->|^\s*(?:#|//|--|/\*|\*)|\"\"\"|'''")


def bare_code(text: str, language: Language) -> str:
    """Return the code in a text without fences; empty if it is prose."""
    lines = text.strip("\n").split("\n")
    if len(lines) == 1 and (span := _SPAN.fullmatch(lines[0])):
        return span["code"]
    first, last = 0, len(lines)
    while first < last and (not lines[first].strip() or _prose(lines[first])):
        first += 1
    while last > first and (not lines[last - 1].strip() or _prose(lines[last - 1])):
        last -= 1
    code = "\n".join(lines[first : _explained(lines, first, last)])
    if not code.strip() or not _reads_as_code(code, language):
        return ""
    return code


def _prose(line: str) -> bool:
    """Tell whether a line is a sentence, or Markdown, and no code."""
    if _MARKUP.match(line):
        return True
    if line[:1].isspace() or _CODE.search(line):
        return False
    words = line.split()
    if not _SENTENCE.fullmatch(line.strip()):
        return False
    return len(words) >= 4 or (line.rstrip().endswith((":", ".", "!")) and line[0].isupper())


def _explained(lines: list[str], first: int, last: int) -> int:
    """Return the line where an explanation begins after the code: a sentence after a blank line."""
    string = ""
    for at in range(first, last):
        line = lines[at]
        for quote in ('"""', "'''"):
            if line.count(quote) % 2 and string in ("", quote):
                string = "" if string else quote
        if not string and at > first and not lines[at - 1].strip() and _prose(line):
            return at
    return last


def _reads_as_code(code: str, language: Language) -> bool:
    lines = [line for line in code.split("\n") if line.strip()]
    prose = sum(_prose(line) for line in lines)
    if prose * 3 > len(lines):
        return False
    tree = parse(code, language)
    if tree is None:
        return prose == 0 and _CODE.search(code) is not None
    if language.name in ("bash", "ruby", "yaml", "html", "css", "toml") and not _CODE.search(code):
        return False  # any words parse as these
    return _broken(tree) * 3 <= len(tree.data)


def _broken(tree: SyntaxTree) -> int:
    """Return how many bytes the parser could not make anything of."""
    total, stack = 0, [tree.root]
    while stack:
        node = stack.pop()
        if node.is_error:
            total += node.end_byte - node.start_byte
        elif node.has_error:
            stack += node.children
    return total
