"""The code in what a model writes: out of fences, prose and chatter, while it streams.

The result does not depend on how the text was cut into chunks. Must not know what the code is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lsp_server.chat.replies.bare_code import bare_code
from lsp_server.chat.replies.fences import Block
from lsp_server.chat.replies.reply_lines import ReplyLines
from lsp_server.documents.languages import LANGUAGES, PLAIN, Language
from lsp_server.documents.outline import definitions
from lsp_server.documents.syntax import parse

__all__ = ["Block", "Reply", "ReplyParser"]

_ALIASES = {
    **{suffix.lstrip("."): language.name for language in LANGUAGES for suffix in language.suffixes},
    **{name: language.name for language in LANGUAGES for name in (language.name, *language.ids)},
    "c++": "cpp", "c#": "csharp", "golang": "go", "node": "javascript", "nodejs": "javascript",
    "py3": "python", "python3": "python", "shell": "bash", "zsh": "bash",
    **dict.fromkeys(("text", "txt", "plaintext", "plain"), PLAIN.name),
}  # fmt: skip
_KINDRED = ({"javascript", "typescript", "tsx"}, {"c", "cpp"}, {"css", "scss"})
_USAGE = frozenset(
    ["bash", "console", "shell-session", "shellsession", "session", "terminal", "powershell", "ps1", "cmd"]
) | {"bat", "batch", "output", "stdout", "log", "diff", "patch", "pycon", PLAIN.name}
"""What shows how code is used, and what comes of it, but is not the code."""


@dataclass(frozen=True)
class Reply:
    """A whole reply, or what has come of one so far.

    Without what a model thinks before it speaks and without control tokens at the end; lines end in `\\n`.
    """

    text: str
    blocks: tuple[Block, ...]

    def code(self, language: str, original: str = "") -> str:
        """Return the code for a file of this language: a block, or if there is none the reply itself.

        Empty if there is nothing but prose. Of several blocks it is the first, and if `original` is given,
        which the code is to replace, the first that is not the same again and that defines the same.
        """
        found = self.candidates(language)
        if len(found) < 2 or not original:
            return found[0] if found else ""
        known = _language(language)
        changed = [code for code in found if code.split() != original.split()]
        names = _defined(original, known)
        same = [code for code in changed if names and names & _defined(code, known)]
        return (same or changed or found)[0]

    def candidates(self, language: str) -> tuple[str, ...]:
        """Return all that may be the code for a file of this language, in the order of the reply."""
        if (whole := self._without_opener(language)) is not None:
            return (whole,) if whole else ()
        blocks = [(_name(block.info), _trimmed(block.code)) for block in self.blocks]
        blocks = [(name, code) for name, code in blocks if code]
        if not blocks or (language == "markdown" and not any(name == language for name, _ in blocks)):
            bare = self._bare(language)
            return (bare,) if bare else ()
        kindred = next((names for names in _KINDRED if language in names), {language})
        tiers: Iterable[list[str]] = (
            [code for name, code in blocks if name == language],
            [code for name, code in blocks if name in kindred],
            [code for name, code in blocks if not name],
            [code for name, code in blocks if name not in _USAGE and not _is_other(name, code, language)],
        )
        return tuple(next((tier for tier in tiers if tier), []))

    def _without_opener(self, language: str) -> str | None:
        """Return the code of a reply whose only fence is the closing one; None for other replies.

        Models forget the opening fence, or it was written for them.
        """
        first = self.blocks[0] if len(self.blocks) == 1 else None
        if first is None or first.closed or first.info or language in ("markdown", PLAIN.name):
            return None
        known = _language(language)
        if bare_code(first.code, known):
            return None
        return _trimmed(bare_code(self.text[: first.start], known))

    def _bare(self, language: str) -> str:
        if language == "markdown" and len(self.blocks) == 1 and not self.blocks[0].info:
            block = self.blocks[0]
            if not (self.text[: block.start] + self.text[block.end :]).strip():
                return _trimmed(block.code)
        if language == PLAIN.name:
            text = self.text.strip()
            quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`" and text.count(text[0]) == 2
            return _trimmed(text[1:-1] if quoted else self.text)
        if language == "markdown":
            return _trimmed(self.text)
        return "" if self.blocks else _trimmed(bare_code(self.text, _language(language)))


def _name(info: str) -> str:
    """Return the language that an info string names: `python title="x"`, `js:a.js`, `{.rust}`, `foo.py`."""
    word = re.split(r"[\s:,{}=]", info.strip().lstrip("{.").lower(), maxsplit=1)[0]
    return _ALIASES.get(word) or _ALIASES.get(word.rpartition(".")[2]) or word


def _is_other(name: str, code: str, language: str) -> bool:
    """Tell whether a block is of another language, and not of this one under a wrong name."""
    other, known = _language(name), _language(language)
    tree = parse(code, known) if other is not PLAIN else None
    return tree is not None and tree.root.has_error


def _language(name: str) -> Language:
    return next((language for language in LANGUAGES if language.name == name), PLAIN)


def _defined(code: str, language: Language) -> set[str]:
    tree = parse(code, language)
    return {item.name for item in definitions(tree)} if tree else set()


def _trimmed(code: str) -> str:
    """Return code without blank lines at its ends; its last line ends."""
    lines = code.rstrip().split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    return "".join(f"{line}\n" for line in lines)


class ReplyParser:
    """Takes a reply piece by piece."""

    def __init__(self) -> None:
        self._lines = ReplyLines()
        self._pending: list[str] = []
        self._reply: Reply | None = None

    def feed(self, text: str) -> None:
        """Take the next piece."""
        if not text:
            return
        self._reply = None
        self._pending.append(text)
        if "\n" not in text:
            return
        *whole, rest = "".join(self._pending).split("\n")
        self._pending = [rest] if rest else []
        for line in whole:
            for part in _parts(line):
                self._lines.take(part, "\n")

    @property
    def reply(self) -> Reply:
        """Return what has come so far; an open block counts as one that is not closed."""
        if self._reply is None:
            self._reply = self._so_far()
        return self._reply

    def _so_far(self) -> Reply:
        lines = self._lines.copy()
        *whole, last = _parts("".join(self._pending))
        for part in whole:
            lines.take(part, "\n")
        # One or two backticks at the end of an open block are the beginning of its closing fence.
        if last and not (lines.fences.inside and last.strip() in ("`", "``", "~", "~~")):
            lines.take(last, "")
        text = "".join(lines.parts)
        return Reply(text, lines.fences.blocks(len(text)))


def _parts(line: str) -> list[str]:
    """Return what is between `\\r` in a line that ended in `\\n`, whose own `\\r` belongs to its end."""
    return line.removesuffix("\r").split("\r") if "\r" in line else [line]
