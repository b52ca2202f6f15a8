"""Calls of functions in what a model writes, as the families that were taught to call write them. Pure.

Qwen and the others that follow Hermes: `<tool_call>{"name": …, "arguments": …}</tool_call>`, one a call.
Mistral up to version 7: `[TOOL_CALLS][{"name": …, "arguments": …}, …]`; from version 11 on one a call:
`[TOOL_CALLS]name[ARGS]{…}`, in 11 with `[CALL_ID]id` before `[ARGS]`.
Small models (Qwen2.5-Coder's most often) leave the marks out: their answer is the JSON, fenced or not.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from lsp_server.engine.stops import begun_stop, first_stop
from lsp_server.engine.vocabulary import Vocabulary

HERMES, HERMES_END = "<tool_call>", "</tool_call>"
MISTRAL, CALL_ID, ARGS = "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"
OPENERS = (HERMES, MISTRAL)

UNMARKED = re.compile(r'\s*(?:```\w*\s*)?\{\s*"name"\s*:\s*"([\w.-]+)"\s*,')
"""How an answer begins that is a call without marks."""
UNMARKED_BEGINNING = 80
"""Characters in which it can be told: a fence and the longest name in use."""

_NAME = re.compile(r"\s*([\w.-]+)\s*")
_ID = re.compile(r"[a-zA-Z0-9]{9}")
_JSON = json.JSONDecoder(strict=False)


@dataclass(frozen=True)
class Call:
    """A function to be called; `arguments` is JSON, or what the model wrote in its place."""

    id: str
    name: str
    arguments: str


def named(vocabulary: Vocabulary) -> dict[int, bytes]:
    """Return the control tokens that write calls, by the text they are read as."""
    tokens = {vocabulary.find(text): text for text in (*OPENERS, HERMES_END, CALL_ID, ARGS)}
    return {token: text.encode() for token, text in tokens.items() if token is not None}


class ToolCallReader:
    """Takes the calls out of an answer as it comes; text before the first one is passed on at once."""

    def __init__(self, names: Collection[str]) -> None:
        """Read calls; `names` are the functions there are."""
        self._names = frozenset(names)
        self._held = ""
        self._calling = self._begun = False

    def feed(self, text: str) -> str:
        """Return the text that is certainly no call."""
        self._held += text
        if self._calling or self._may_be_unmarked():
            return ""
        self._begun = True
        at = first_stop(self._held, OPENERS)
        self._calling = at is not None
        end = len(self._held) - begun_stop(self._held, OPENERS) if at is None else at
        out, self._held = self._held[:end], self._held[end:]
        return out

    def finish(self) -> tuple[str, tuple[Call, ...]]:
        """Return what is left of the text, and the calls; what only looks like a call is text."""
        rest, calls = "", []
        for piece in _pieces(self._held):
            found = _read(piece) if piece.startswith(OPENERS) else self._read_unmarked(piece)
            calls += found
            rest += "" if found else piece
        self._held = ""
        return rest if rest.strip() else "", tuple(calls)

    def _may_be_unmarked(self) -> bool:
        """Say whether the answer is, or may still turn out to be, a call without marks."""
        if self._begun:
            return False
        if (match := UNMARKED.match(self._held)) is not None:
            self._calling = match[1] in self._names
            return self._calling
        return len(self._held) < UNMARKED_BEGINNING and self._held.lstrip()[:1] in ("", "{", "`")

    def _read_unmarked(self, piece: str) -> list[Call]:
        match = UNMARKED.match(piece)
        if self._begun or match is None or match[1] not in self._names:
            return []
        return _calls(_value(piece[piece.index("{") :]))


def _pieces(text: str) -> Iterator[str]:
    """Yield calls and the text between them."""
    at = 0
    while at < len(text):
        starts = (text.find(opener, at + 1) for opener in OPENERS)
        end = min((start for start in starts if start >= 0), default=len(text))
        if text.startswith(HERMES, at) and (close := text.find(HERMES_END, at, end)) >= 0:
            end = close + len(HERMES_END)
        yield text[at:end]
        at = end


def _read(piece: str) -> list[Call]:
    if piece.startswith(HERMES):
        return _calls(_value(piece.removeprefix(HERMES)))
    body = piece.removeprefix(MISTRAL)
    if body.lstrip()[:1] in ("[", "{"):
        return _calls(_value(body))
    head, found, arguments = body.partition(ARGS)
    name, _, call_id = head.partition(CALL_ID)
    match = _NAME.fullmatch(name)
    return [_call(match[1], arguments.strip(), call_id)] if match and found else []


def _value(text: str) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON that a text begins with."""
    try:
        return _JSON.raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None


def _calls(value: Any) -> list[Call]:  # noqa: ANN401 - JSON
    """Return the calls of a list, or the one; none if any of them is none."""
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries):
        return []
    return [
        _call(entry["name"], entry.get("arguments", entry.get("parameters", {})), entry.get("id"))
        for entry in entries
    ]


def _call(name: str, arguments: object, call_id: object) -> Call:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    given = call_id.strip() if isinstance(call_id, str) else ""
    return Call(given if _ID.fullmatch(given) else secrets.token_hex(5)[:9], name, text)
