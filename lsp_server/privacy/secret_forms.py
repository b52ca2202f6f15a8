"""Secrets in forms of their own: `name: …, value: …` pairs, HTTP headers, commands. Knows single lines."""

from __future__ import annotations

import re

from lsp_server.privacy.literals import KIND, Carry, Values
from lsp_server.privacy.randomness import is_mixed
from lsp_server.privacy.secret_names import Secrecy, is_spoken, secrecy
from lsp_server.privacy.spans import Line, Span

_PAIR = re.compile(
    r"""(?<![\w.])(?:name|key|id|Name|Key|property)["']?\s*[:=]\s*["']?(?P<name>[A-Za-z_][\w.-]*)["']?"""
)
PAIR_VALUE = re.compile(r"""(?<![\w.])[Vv]alue["']?\s*[:=]\s*""")
_HEADER = re.compile(
    r"""(?i:\bauthorization(?P<name>)|x-[\w-]+(?P<other>)|["'`])["'`]?\]?\s*[:=,]?\s*["'`]?"""
    r"""(?:Bearer|Basic|Bot|(?:(?<=[:\s"'`])(?:Token|bearer|basic|token)))[ \t]+"""
)
_SURE_SCHEME = re.compile("Bearer|Basic")
_HEADER_VALUE = re.compile(r"""[^\s"'`<>,;(){}$%]+""")
_COMMANDS = (
    re.compile(
        r"\b(?:curl|wget|http)\b.*?\s(?:-u|--user|--proxy-user)[\s=]+[\"']?[^\s:\"']+:(?P<value>[^\s\"']+)"
    ),
    re.compile(r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b.*?\s-p(?P<value>[^\s\"']+)"),
    re.compile(r"\bsshpass\s+-p\s*[\"']?(?P<value>[^\s\"']+)"),
    re.compile(r"\b(?:redis-cli|mongosh?)\b.*?\s(?:-a|-p)\s+[\"']?(?P<value>[^\s\"']+)"),
    re.compile(r"\b(?:docker|podman|helm|az)\b.*?\blogin\b.*?\s-p\s+[\"']?(?P<value>[^\s\"']+)"),
    re.compile(r"(?<![\w-])//[^\s=]+/:_(?:authToken|auth|password)\s*=\s*(?P<value>\S+)"),
    re.compile(r"^\s*machine\s+\S+\s+login\s+\S+\s+password\s+(?P<value>\S+)"),
)


def pairs(line: Line, found: list[Span]) -> None:
    """Take `value="…"` beside `name="password"`."""
    for pair in _PAIR.finditer(line.text):
        level = secrecy(pair["name"])
        value = PAIR_VALUE.search(line.text, pair.end()) if level > Secrecy.MENTIONED else None
        if value is not None:
            values = Values(line, found, level)
            if values.take(value.end()) is None and line.is_config:
                values.take_unquoted(value.end(), in_flow="{" in line.text)


def open_pair(line: Line) -> Carry | None:
    """Return that the next line is expected to have the value of the secret name in this one."""
    pair = _PAIR.search(line.text)
    if pair is None or PAIR_VALUE.search(line.text, pair.end()):
        return None
    level = secrecy(pair["name"])
    return Carry(secrecy=level, pair=True) if level > Secrecy.MENTIONED else None


def headers(line: Line, found: list[Span]) -> None:
    """Take what authorizes a request or a command."""
    for match in _HEADER.finditer(line.text):
        value = _HEADER_VALUE.match(line.text, match.end())
        if value is None:
            continue
        word = value.group()
        is_typed = line.is_typed(*value.span())
        is_header = match["name"] is not None or match["other"] is not None
        is_plain = is_spoken(word) or (word.isalpha() and word.islower())
        if (
            is_mixed(word)
            or (is_typed and _SURE_SCHEME.search(match.group()))
            or (is_header and (is_typed or not is_plain))
        ):
            found.append(Span(*value.span(), "Authorization Header", holds=True))
    for command in _COMMANDS:
        for match in command.finditer(line.text):
            start, end = match.span("value")
            if line.is_typed(start, end) or not is_spoken(match["value"]):
                found.append(Span(start, end, KIND))
