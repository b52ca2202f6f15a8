"""Literals that stand for a secret name, and which of them are kept back. Knows no names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.privacy.randomness import is_mixed
from lsp_server.privacy.secret_names import Secrecy, is_spoken
from lsp_server.privacy.spans import Line, Span

KIND = "Secret Keyword"


@dataclass(frozen=True, slots=True)
class Carry:
    """What a line leaves open for the next."""

    delimiter: str = ""
    """What ends the secret literal that is open."""
    secrecy: Secrecy = Secrecy.NONE
    """Of the name whose value comes in the next line."""
    pair: bool = False
    """The next line is expected to say `value: …` of that name."""
    block: int = -1
    """Lines indented deeper than this belong to a secret block of YAML."""
    joined: bool = False
    """A bracket is open: the value is all string literals that follow it."""
    items: bool = False
    """The next lines are items of a list of secrets."""


NOTHING = Carry()

_LITERAL = re.compile(r"""(?:(?:u8|[A-Za-z@$&]|[rbfRBF]{2}|\$@|@\$)\#{0,2})?(?P<quote>\"{3}|'{3}|\\?["'`])""")
MORE = re.compile(r"\s*(?:\+|\.\.?|&|\|\||<>)?\s*")
"""What joins two literals to one value."""
_NOT_LITERAL = re.compile(
    r"(?i:null|none|~|true|false|yes|no)|\$\{.*|[{\[](?:.*[}\]])?|[*&][a-z_-]+"
    r"|!(?:vault|secret|ref|Ref|Sub|GetAtt|ImportValue|env|ENV|env_var|include|file|reference)\b.*"
    r"|(?:~|\.{1,2})?/\w[\w.-]*/(?:[^0-9]*|.*\.\w{1,5})"
)
"""What stands without quotes in a configuration file and is no secret: references, structure, paths."""


class Values:
    """Takes the literals that stand for one name."""

    def __init__(self, line: Line, found: list[Span], level: Secrecy, *, is_argument: bool = False) -> None:
        self._line = line
        self._found = found
        self._level = level
        self._is_argument = is_argument
        self.after = NOTHING

    def take(self, start: int, *, is_open: bool = False) -> int | None:
        """Take the string literal at `start` and those joined to it; returns where they end."""
        text, end = self._line.text, None
        while (literal := _LITERAL.match(text, start)) is not None:
            end = self._literal(literal)
            joint = MORE.match(text, end)
            start = joint.end() if joint is not None else end
            if self.after != NOTHING:
                return end
            if not text[start:].strip(" \\"):
                if is_open or text[end:].strip():  # the next line goes on with it
                    self.after = Carry(secrecy=self._level, joined=is_open)
                return end
        return end

    def take_unquoted(self, start: int, *, in_flow: bool = False) -> None:
        """Take the rest of the line as the value."""
        text = self._line.text
        end = len(text)
        comment = re.compile(r"\s+#").search(text, start)
        if comment:
            end = comment.start()
        if in_flow:
            closing = re.compile(r"[,}]").search(text, start, end)
            end = closing.start() if closing else end
        value = text[start:end].rstrip().rstrip(",")
        end = start + len(value)
        if not self._line.is_typed(start, end) and _NOT_LITERAL.fullmatch(value):
            return
        self.add(start, end)

    def _literal(self, literal: re.Match[str]) -> int:
        """Take one literal; returns where it ends."""
        text, quote, start = self._line.text, literal["quote"], literal.end()
        end = start
        while end < len(text) and not text.startswith(quote, end):
            end += 2 if text[end] == "\\" and len(quote) == 1 else 1
        end = min(end, len(text))
        closed = text.startswith(quote, end)
        if not closed and (len(quote) == 3 or quote == "`" or text.endswith("\\")):
            self.after = Carry(delimiter=quote)
        self.add(start, end, holds=True)
        return end + len(quote) if closed else len(text)

    def add_match(self, match: re.Match[str] | None) -> None:
        """Take what a pattern found, if anything."""
        if match is not None:
            self.add(*match.span())

    def add(self, start: int, end: int, *, holds: bool = False) -> None:
        """Take a value unless it is complete and not a secret."""
        value = self._line.text[start:end]
        if self._is_kept_back(value, typed=self._line.is_typed(start, end)):
            self._found.append(Span(start, end, KIND, holds))

    def _is_kept_back(self, value: str, *, typed: bool) -> bool:
        if self._level is Secrecy.MENTIONED:
            return is_mixed(value) and len(value) >= 8
        if typed:
            return True
        if is_spoken(value):
            return False
        if self._level is Secrecy.LIKELY or (self._is_argument and self._level < Secrecy.PASSWORD):
            return is_mixed(value)
        return not (self._is_argument and " " in value)
