"""What an action needs to run, as it travels to the client and back. What comes back is anybody's text.

    {"action": "explain", "uri": "file:///a.py", "version": 3, "range": {…},
     "diagnostics": [{"range": {…}, "severity": 1, "message": "…"}], "answers": {"to": "Rust"}, "wait": true}

Only `action` and `uri` have to be there: without a version the range is one of the newest text, without a
range it is the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lsprotocol import types

MOST_DIAGNOSTICS = 50
"""The prompt has room for less."""
LONGEST_ANSWER = 200
"""An answer to a question is a word or two."""
LARGEST = 2**31 - 1
"""LSP's largest number."""


class BadCallError(ValueError):
    """The data is no call; the message says what is wrong with it."""


@dataclass(frozen=True)
class ActionCall:
    """One action at one place."""

    action: str
    uri: str
    version: int | None = None
    range: types.Range = field(default_factory=lambda: _range(None))
    diagnostics: tuple[types.Diagnostic, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    wait: bool = True
    """Answer the command when the action is done, and not at once."""

    def to_wire(self) -> dict[str, object]:
        """Return the call as JSON values."""
        return {
            "action": self.action,
            "uri": self.uri,
            "version": self.version,
            "range": _plain_range(self.range),
            "diagnostics": [_plain_diagnostic(found) for found in self.diagnostics],
            "answers": dict(self.answers),
            "wait": self.wait,
        }

    @classmethod
    def from_wire(cls, data: object) -> ActionCall:
        """Return the call that JSON values stand for; raises `BadCallError`."""
        if not isinstance(data, Mapping):
            raise BadCallError("an action is an object")
        version = data.get("version")
        return cls(
            action=_text(data, "action"),
            uri=_text(data, "uri"),
            version=None if version is None else _number(version, "version"),
            range=_range(data.get("range")),
            diagnostics=tuple(map(_diagnostic, _list(data, "diagnostics")[:MOST_DIAGNOSTICS])),
            answers=_answers(data.get("answers")),
            # Emacs gives false back as null.
            wait=data.get("wait", True) not in (False, None),
        )


def _text(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise BadCallError(f"`{name}` has to be a text")
    return value


def _number(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -LARGEST <= value <= LARGEST:
        raise BadCallError(f"`{name}` has to be a whole number")
    return value


def _list(data: Mapping[str, object], name: str) -> Sequence[object]:
    value = data.get(name) or []
    if not isinstance(value, list):
        raise BadCallError(f"`{name}` has to be a list")
    return value


def _answers(value: object) -> dict[str, str]:
    found = value or {}
    if not isinstance(found, Mapping):
        raise BadCallError("`answers` has to be an object")
    for name, answer in found.items():
        if not isinstance(name, str) or not isinstance(answer, str) or len(answer) > LONGEST_ANSWER:
            raise BadCallError(f"an answer is a text of at most {LONGEST_ANSWER} characters")
    return dict(found)


def _range(value: object) -> types.Range:
    if value is None:
        return types.Range(types.Position(0, 0), types.Position(0, 0))
    if not isinstance(value, Mapping):
        raise BadCallError("`range` has to be an object")
    start, end = _position(value.get("start")), _position(value.get("end"))
    if start > end:
        raise BadCallError("`range` ends before it starts")
    return types.Range(start, end)


def _position(value: object) -> types.Position:
    if not isinstance(value, Mapping):
        raise BadCallError("a position is an object")
    line, character = _number(value.get("line"), "line"), _number(value.get("character"), "character")
    if line < 0 or character < 0:
        raise BadCallError("a position is not negative")
    return types.Position(line, character)


def _diagnostic(value: object) -> types.Diagnostic:
    if not isinstance(value, Mapping):
        raise BadCallError("a diagnostic is an object")
    severity = value.get("severity")
    source, code = value.get("source"), value.get("code")
    return types.Diagnostic(
        range=_range(value.get("range")),
        message=_text(value, "message"),
        severity=types.DiagnosticSeverity(severity) if severity in (1, 2, 3, 4) else None,
        source=source if isinstance(source, str) else None,
        code=code if isinstance(code, str | int) else None,
    )


def _plain_range(found: types.Range) -> dict[str, object]:
    return {
        "start": {"line": found.start.line, "character": found.start.character},
        "end": {"line": found.end.line, "character": found.end.character},
    }


def _plain_diagnostic(found: types.Diagnostic) -> dict[str, object]:
    values = {
        "range": _plain_range(found.range),
        "message": found.message,
        "severity": int(found.severity) if found.severity else None,
        "source": found.source,
        "code": found.code,
    }
    return {name: value for name, value in values.items() if value is not None}
