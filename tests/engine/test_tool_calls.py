"""Calls in what models write, cut into pieces of every size."""

from __future__ import annotations

import json

import pytest

from lsp_server.engine.tool_calls import ToolCallReader

TOOLS = ("read_file", "list")
READ = ("read_file", {"path": "a.py"})
LIST: tuple[str, dict[str, str]] = ("list", {})


def read(text: str, size: int) -> tuple[str, str, list[tuple[str, object]]]:
    """Return what goes out while the text comes, what at the end, and the calls."""
    reader = ToolCallReader(TOOLS)
    early = "".join(reader.feed(text[at : at + size]) for at in range(0, len(text), size))
    late, calls = reader.finish()
    assert all(len(call.id) == 9 and call.id.isalnum() for call in calls)
    return early, late, [(call.name, json.loads(call.arguments)) for call in calls]


ANSWERS = {
    '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>': ("", "", [READ]),
    'Let me see.\n<tool_call>\n{"name": "list", "arguments": {}}\n</tool_call>\n<tool_call>\n'
    '{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>': ("Let me see.\n", "", [LIST, READ]),
    '<tool_call>\n{"name": "list", "arguments": {}}': ("", "", [LIST]),
    '<tool_call>{"name": "list", "parameters": {}}</tool_call> Done.': ("", " Done.", [LIST]),
    '<tool_call>{"name": "list", "arguments": "{}"}</tool_call>': ("", "", [LIST]),
    '[TOOL_CALLS][{"name": "list", "arguments": {}}, {"name": "read_file", "arguments": {"path": "a.py"}, '
    '"id": "abcdefghi"}]': ("", "", [LIST, READ]),
    'Well. [TOOL_CALLS] [{"name": "list", "arguments": {}}]': ("Well. ", "", [LIST]),
    '[TOOL_CALLS]list[ARGS]{}[TOOL_CALLS]read_file[CALL_ID]abcdefghi[ARGS]{"path": "a.py"}': (
        "", "", [LIST, READ],
    ),
    '```json\n{\n  "name": "read_file",\n  "arguments": {"path": "a.py"}\n}\n```': ("", "", [READ]),
    '{"name": "list", "arguments": {}}': ("", "", [LIST]),
}  # fmt: skip
NO_CALLS = [
    "",
    "Hello <tool> and [TOOLS] and a < b",
    "<tool_call>\n{not JSON}\n</tool_call>",
    '<tool_call>{"arguments": {}}</tool_call>',
    "In Qwen's format a call is written between <tool_call> and </tool_call>.",
    "[TOOL_CALLS]",
    '[TOOL_CALLS][{"name": "list"}, 3]',
    "[TOOL_CALLS]two words[ARGS]{}",
    '```json\n{\n  "name": "someone else",\n  "age": 3\n}\n```',
    '{"name": "unknown", "arguments": {}}',
    'Here:\n```json\n{"name": "list", "arguments": {}}\n```',
    "```python\ndef f():\n    return {}\n```",
    "<tool_c",
    "[" * 3000,
    "<tool_call>" + "[" * 100_000,
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("answer", ANSWERS)
def test_calls_and_the_text_around_them(answer: str, size: int) -> None:
    assert read(answer, size) == ANSWERS[answer]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("answer", NO_CALLS)
def test_what_is_no_call_is_text(answer: str, size: int) -> None:
    early, late, calls = read(answer[:5000], size)
    assert (early + late, calls) == (answer[:5000], [])


def test_text_does_not_wait_longer_than_it_must() -> None:
    reader = ToolCallReader(TOOLS)
    assert reader.feed("Hello <") == "Hello "
    assert reader.feed("b>") == "<b>"
    assert ToolCallReader(TOOLS).feed('{"a": 1}' * 20) == '{"a": 1}' * 20


def test_ids_and_malformed_arguments_are_passed_on() -> None:
    reader = ToolCallReader(TOOLS)
    reader.feed("[TOOL_CALLS]list[CALL_ID]abcdefghi[ARGS]{not JSON")
    _, (call,) = reader.finish()
    assert (call.id, call.name, call.arguments) == ("abcdefghi", "list", "{not JSON")
