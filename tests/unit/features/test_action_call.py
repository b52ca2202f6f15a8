"""What travels with an action comes back as it went, and what is none is refused with a reason."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.features.action_call import ActionCall, BadCallError

RANGE = types.Range(types.Position(1, 2), types.Position(3, 4))
CALL = ActionCall(
    "fix",
    "file:///a.py",
    7,
    RANGE,
    (types.Diagnostic(RANGE, "wrong", types.DiagnosticSeverity.Warning, "E1", source="lint"),),
    {"to": "Rust"},
    wait=False,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def test_a_call_comes_back_as_it_went() -> None:
    assert ActionCall.from_wire(json.loads(json.dumps(CALL.to_wire()))) == CALL


def test_only_the_action_and_the_document_are_needed() -> None:
    call = ActionCall.from_wire({"action": "explain", "uri": "file:///a.py"})
    assert call.version is None
    assert call.wait
    assert call.range == types.Range(types.Position(0, 0), types.Position(0, 0))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", ""),
        ("uri", 3),
        ("version", "7"),
        ("version", True),
        ("version", 2**40),
        ("range", []),
        ("range", {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}}),
        ("range", {"start": {"line": 2, "character": 0}, "end": {"line": 1, "character": 0}}),
        ("range", {"start": {"line": 0.5, "character": 0}, "end": {"line": 1, "character": 0}}),
        ("diagnostics", {"a": 1}),
        ("diagnostics", [3]),
        ("diagnostics", [{"range": None}]),
        ("answers", ["Rust"]),
        ("answers", {"to": 3}),
        ("answers", {"to": "x" * 1000}),
    ],
)
def test_what_is_no_call_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadCallError):
        ActionCall.from_wire({**CALL.to_wire(), field: value})


@given(JSON, st.sampled_from(["action", "uri", "version", "range", "diagnostics", "answers", "wait"]))
def test_any_value_is_a_call_or_refused(value: object, field: str) -> None:
    try:
        call = ActionCall.from_wire({**CALL.to_wire(), field: value})
    except BadCallError:
        return
    assert ActionCall.from_wire(call.to_wire()) == call
