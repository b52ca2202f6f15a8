"""How a text is put before a model: its fence, its size, its line ends. Pure strings."""

from __future__ import annotations

import re

BYTES_PER_TOKEN = 3
"""A low guess for code (Qwen and Mistral tokenisers: 3 to 4), so that budgets hold."""

_RUN = re.compile(r"`+")


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text is, rather too many than too few."""
    return -(-size(text) // BYTES_PER_TOKEN)


def size(text: str) -> int:
    """Return the length of a text in bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def fenced(text: str, info: str = "") -> str:
    """Return `text` as a fenced block, whatever is in it."""
    longest = max((len(run) for run in _RUN.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text.rstrip()}\n{fence}"


def head(text: str, limit: int) -> str:
    """Return the first lines of a text that take `limit` bytes at most."""
    if size(text) <= limit:
        return text
    kept = []
    for line in text.splitlines(keepends=True):
        limit -= size(line)
        if limit < 0:
            break
        kept.append(line)
    return "".join(kept)


def dedented(text: str, indent: str) -> str:
    """Return code whose first line stands behind `indent`, without what all its lines share of it."""
    lines = text.split("\n")
    for line in lines[1:]:
        while line.strip() and not line.startswith(indent):
            indent = indent[:-1]
    return "\n".join([lines[0], *(line.removeprefix(indent) if line.strip() else "" for line in lines[1:])])
