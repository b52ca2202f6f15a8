"""Literals that are secret because of the name they are given: `password = "…"`, `token: …`, `--api-key …`.

Finds them by the line, in the ways in which languages and file formats write names and values; parses none of
them. What goes on in the next line is said in a `Carry`.
"""

from __future__ import annotations

import re

from lsp_server.privacy.literals import NOTHING, Carry, Values
from lsp_server.privacy.open_values import carried
from lsp_server.privacy.randomness import is_mixed
from lsp_server.privacy.secret_forms import headers, open_pair, pairs
from lsp_server.privacy.secret_names import HINT, Secrecy, secrecy, singular
from lsp_server.privacy.spans import Line, Span

_NAME = re.compile(r"[A-Za-z_$][\w$.-]*")
_OPERATOR = re.compile(
    r"""\\?["'`]?[\])]*(?:\[\w*\])?"""
    r"""(?P<note>\s*:\s*(?!=)[^="'`(){};]{1,60}?(?=\s*=(?![=>])))?"""
    r"""(?P<op>\s*(?::=|=>|->|[=!]==?|\?\?=|\|\|=|::?|=)\s*|\s*,\s*|\s*\(\s*|[ \t]+(?=["']))""",
)
_CONFIG_OPERATOR = re.compile(r"""["']?\]?(?P<op>\s*(?:=>|:=|=|:(?=\s|$|["']))\s*|\s*,\s*|\s*\(\s*)""")
"""Where values need no quotes there are no types, and a value may contain `=`."""
_OPENING = re.compile(r"\(\s*|\b(?:new\s+)?(?:String|SecretStr|Secret)\s*\(\s*")
_NUMBER = re.compile(r"""-?\d[\d_]*(?=[\s,;)\]}"'`<]|$)""")
_READ = re.compile(
    r"(?i)(?:^|_)(?:get|read|fetch|load|find|has|have|is|check|validate|verify|remove|delete|missing|invalid|require"
    r"|expect|no|raise|on|parse|generate|create|new|make|match|next|consume|accept|peek)(?=_|[A-Z]|$)"
    r"|^(?:get|getpass|read|fetch|load|find|has|is|check|invalid)"
)
_EXPORTED = re.compile(
    r"(?:^|[\s;&|])(?:export|set|env|ENV|ARG|-e|--env|--build-arg|setx|declare -x)\s+$|^\s*$|^[#;/\s]+$"
)
_SHELL_VALUE = re.compile(r"""[^\s"'`;&|()<>]+""")
_QUERY_VALUE = re.compile(r"""[^\s"'`&<>;#)\]}]+""")
_FLAG_VALUE = re.compile(r"""[^\s"'`,;|<>()\[\]{}$]\S*?(?=["'`;]|\s|$)""")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_TYPE = re.compile(r"(?:[uif]|u?int|float|string|varchar|char|number)\d*|[A-Z]\w*\[.*")


def named_values(line: Line, carry: Carry) -> tuple[list[Span], Carry]:
    """Return the secret literals of a line, and what it leaves open."""
    found: list[Span] = []
    start = 0
    if carry != NOTHING:
        start, left = carried(line, carry, found)
        if left is not None:
            return found, left
    after = NOTHING
    if HINT.search(line.text):
        for match in _NAME.finditer(line.text, start):
            after = _Named(line, match, found).look(after)
        pairs(line, found)
        after = open_pair(line) or after
    headers(line, found)
    return found, after


class _Named:
    """A name in a line, and the literal that may follow it."""

    def __init__(self, line: Line, match: re.Match[str], found: list[Span]) -> None:
        self._line = line
        self._text = line.text
        self._match = match
        self._found = found

    def look(self, after: Carry) -> Carry:
        """Add the value of this name if it is a secret; returns what is left open."""
        name = self._match.group().rstrip(".-")
        end = self._match.start() + len(name)
        if not HINT.search(name):
            return after
        level = secrecy(name)
        single = singular(name)
        plural = level < Secrecy.LIKELY and single is not None and secrecy(single) >= Secrecy.LIKELY
        if plural and single is not None:
            level = secrecy(single)
        if level is Secrecy.NONE:
            return after
        if self._is_flag() and not plural:
            self._flag(end, level)
        self._element(end, level)
        operator = (_CONFIG_OPERATOR if self._line.is_config else _OPERATOR).match(self._text, end)
        if operator is None:
            return after
        return self._value(operator, level, plural) or after

    def _value(self, operator: re.Match[str], level: Secrecy, plural: bool) -> Carry | None:
        op = operator["op"].strip()
        if not self._is_assignment(op, operator, level):
            return None
        values = Values(self._line, self._found, level, is_argument=op in {",", "("})
        start = operator.end()
        rest = self._text[start:].strip()
        if plural:
            return self._items(values, start, level) if rest[:1] in {"[", "("} else None
        if op in {"=", ":"} and level > Secrecy.MENTIONED and _BLOCK.match(self._text, start):
            return Carry(block=len(self._text) - len(self._text.lstrip()))
        opening = _OPENING.match(self._text, start) if op not in {",", "("} else None
        if opening:
            start = opening.end()
        if not self._text[start:].strip(" \\") and level > Secrecy.MENTIONED:
            quoted = self._text[operator.start() : operator.start() + 1] in {'"', "'"}
            if op in {"=", ":="} or (op == ":" and (quoted or self._line.is_config)):
                return Carry(secrecy=level, joined=opening is not None)
            return None
        # In a URL or a connection string: `?api_key=e"` is no string with a prefix.
        inside = self._text[: self._match.start()].endswith(("?", "&", ";")) and rest[:1].isalnum()
        end = None if inside else values.take(start, is_open=opening is not None)
        if end is None:
            self._unquoted(values, operator, start, op, level)
        return values.after if values.after != NOTHING else None

    def _is_assignment(self, op: str, operator: re.Match[str], level: Secrecy) -> bool:
        name, before = self._match.group(), self._text[: self._match.start()]
        if op == "(":
            return level >= Secrecy.CERTAIN and not _READ.search(name.rpartition(".")[2])
        if op == ",":
            return before.endswith(('("', "('", "(`")) and self._text[operator.start()] in "\"'`"
        if op == "":  # `ENV PASSWORD "…"`: a name and a string beside each other
            return level >= Secrecy.CERTAIN and self._text[operator.start() : operator.start() + 1] not in {
                '"',
                "'",
            }
        if op in {"==", "!=", "===", "!=="}:
            return level >= Secrecy.CERTAIN
        return True

    def _items(self, values: Values, start: int, level: Secrecy) -> Carry | None:
        end: int | None = start + 1
        separator = re.compile(r"\s*,?\s*")
        while end is not None:
            gap = separator.match(self._text, end)
            last, end = end, values.take(gap.end() if gap else end)
        if values.after != NOTHING:
            return values.after
        return Carry(secrecy=level, items=True) if not self._text[last:].strip(" ,") else None

    def _unquoted(self, values: Values, operator: re.Match[str], start: int, op: str, level: Secrecy) -> None:
        text, before = self._text, self._text[: self._match.start()]
        if op not in {"=", ":", "::", "=>", ":="} or level is Secrecy.MENTIONED:
            return
        number = _NUMBER.match(text, start)
        if number and level is Secrecy.PASSWORD and not self._line.is_config:
            values.add(number.start(), number.end())
        elif before.endswith(("?", "&")) and op == "=":
            values.add_match(_QUERY_VALUE.match(text, start))
        elif re.search(r";\s*$|[\"']$", before) and op == "=" and ";" in text:  # a connection string
            values.add_match(re.compile(r"[^;\"'`]+").match(text, start))
        elif self._line.is_config:
            values.take_unquoted(start, in_flow="{" in before)
        elif (
            op == "=" and operator["op"] == "=" and self._match.group().isupper() and _EXPORTED.search(before)
        ):
            values.add_match(_SHELL_VALUE.match(text, start))
        elif op in {":", "="} and text[operator.start()] not in "\"'":
            self._in_prose(values, start, before, op)

    def _in_prose(self, values: Values, start: int, before: str, op: str) -> None:
        """Take a value without quotes where a language wants them, if it can be nothing but a secret."""
        word = re.compile(r"[^\s,;()\[\]{}\"'`]+").match(self._text, start)
        if word is None or (
            self._text[word.end() :].strip(" .*/-") and not self._line.is_typed(*word.span())
        ):
            return
        in_comment = re.search(r"(?:#|//|--|/\*|^\s*\*|^\s*;)", before) is not None
        odd = re.search(r"[^\w.]", word.group()) is not None
        if is_mixed(word.group()) and not _TYPE.fullmatch(word.group()) and (in_comment or op == ":" or odd):
            values.add(*word.span())

    def _is_flag(self) -> bool:
        return self._text[: self._match.start()].endswith("--")

    def _flag(self, end: int, level: Secrecy) -> None:
        gap = re.compile(r"=|[ \t]+").match(self._text, end)
        value = _FLAG_VALUE.match(self._text, gap.end()) if gap else None
        if value and not value.group().startswith(("-", "|", "\\")) and level >= Secrecy.LIKELY:
            word = value.group()
            is_word = word.isupper() or (word.islower() and word.isalpha())  # `--token TOKEN`, in a sentence
            is_given = level is Secrecy.PASSWORD and self._text[end] == "=" and not word.isupper()
            if self._line.is_typed(*value.span()) or is_given or not is_word:
                Values(self._line, self._found, level).add_match(value)

    def _element(self, end: int, level: Secrecy) -> None:
        """Take the text of an XML element of this name."""
        before = self._text[: self._match.start()]
        if before.rpartition(":")[0].endswith("<") or before.endswith("<"):
            value = re.compile(r"(?:\s[^>]*)?>(?P<value>[^<]*)").match(self._text, end)
            if value and level > Secrecy.MENTIONED and self._text[value.start() :][:1] != "/":
                Values(self._line, self._found, level).add(*value.span("value"))
