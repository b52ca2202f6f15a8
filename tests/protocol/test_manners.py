"""What every client relies on, in whatever units it counts columns: lists, places, turns, quiet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor
from tests.support.lsp_client import LspClient, inline_params, insertion
from tests.support.scripted_server import Reply, ScriptedServer

URI, OTHER = "file:///demo/a.py", "file:///demo/b.py"
METHOD = "textDocument/inlineCompletion"
NONE: dict[str, Any] = {"items": []}
UNITS = {"utf-8": 4, "utf-16": 2, "utf-32": 1}
"""Of a fox."""
HEAD = 'a = "🦊" # \u2028\f\x85\n'
"""One line of LSP, whatever Python says."""
LINE = 'b = "🦊" + '


@pytest.fixture(params=UNITS)
def encoding(request: pytest.FixtureRequest) -> str:
    """Return the units of this client."""
    return str(request.param)


@pytest.fixture
def client(start: Start, options: dict[str, Any], encoding: str) -> Iterator[LspClient]:
    with start() as client:
        offered = client.initialize({"general": {"positionEncodings": [encoding]}}, options=options)
        assert offered["positionEncoding"] == encoding
        yield client


def _end(encoding: str, line: str = LINE) -> int:
    """Return the column at the end of a line whose one wide character is a fox."""
    return len(line) - 1 + UNITS[encoding]


def test_a_completion_is_in_a_list_and_its_range_on_one_line(
    client: LspClient, model: ScriptedServer, encoding: str
) -> None:
    for number, text in enumerate(["1", "f(\n    1,\n    2,\n)", "1\n\n\nc = 2", '"🦊🦊"\n🦊']):
        model.enqueue(Reply([text]))
        client.open(f"{URI}{number}", HEAD + LINE + "\n")
        answer = client.result(client.complete(f"{URI}{number}", 1, _end(encoding)))
        assert set(answer) == {"items"}
        [item] = answer["items"]
        place = {"line": 1, "character": _end(encoding)}
        assert item["range"] == {"start": place, "end": place}
        assert text.startswith(item["insertText"])
        assert item["insertText"]


def test_nothing_is_an_empty_list_whatever_the_reason(
    client: LspClient, model: ScriptedServer, encoding: str, options: dict[str, Any]
) -> None:
    assert client.result(client.complete(URI, 0, 0)) == NONE  # not open
    client.open(URI, HEAD + LINE + "\n")
    assert client.result(client.complete(URI, 0, 0)) != NONE
    client.change(URI, {"text": "word"})
    assert client.result(client.complete(URI, 0, 2)) == NONE  # inside of a word
    model.enqueue(Reply([""]))
    assert client.result(client.complete(URI, 0, 4)) == NONE  # the model says nothing
    assert client.result(client.complete(URI, 0, 0)) == NONE  # moved
    client.close(URI)
    assert client.result(client.complete(URI, 0, 0)) == NONE
    client.open(OTHER, LINE)
    changed = {**options, "completion": {"enabled": False}}
    client.notify("workspace/didChangeConfiguration", {"settings": changed})
    assert client.result(client.complete(OTHER, 0, _end(encoding))) == NONE  # turned off


def test_without_a_cancel_the_newer_request_takes_the_place(
    client: LspClient, model: ScriptedServer, encoding: str
) -> None:
    client.open(URI, HEAD + LINE)
    model.default = Reply(["late"], hang_after=0)
    end, older = _end(encoding), []
    for key in range(3):
        older.append((client.complete(URI, 1, end + key), model.wait_for_request()))
        client.change(URI, insertion(1, end + key, "x"))
    model.default = Reply([" + 1"])
    newest = client.complete(URI, 1, end + 3)
    assert [client.result(request) for request, _ in older] == [NONE] * 3
    assert client.completed(newest) == [" + 1"]
    assert all(asked.disconnected.wait(20) for _, asked in older)


def test_an_answer_about_an_earlier_text_is_empty(
    client: LspClient, model: ScriptedServer, encoding: str
) -> None:
    client.open(URI, HEAD + LINE)
    model.enqueue(Reply(["1"], delay_s=0.5))
    request = client.complete(URI, 1, _end(encoding))
    model.wait_for_request()
    client.change(URI, insertion(0, 0, "# "))
    assert client.result(request) == NONE


def test_a_burst_is_answered_one_by_one(client: LspClient, model: ScriptedServer, encoding: str) -> None:
    client.open(URI, HEAD + LINE)
    end = _end(encoding)
    requests = [client.new_request(METHOD, inline_params(URI, 1, end)) for _ in range(30)]
    client.send(*requests)
    answers = [client.result(request["id"]) for request in requests]
    assert answers[-1] != NONE
    assert all(set(answer) == {"items"} for answer in answers)
    assert len(model.history) <= 2


def test_an_ordinary_session_shows_no_message(
    start: Start, options: dict[str, Any], model: ScriptedServer, encoding: str
) -> None:
    """Leaving the client would fail on anything that was shown."""
    model.default = Reply(["1"])
    with start() as client:
        editor = Editor(client, "vscode", options, encoding=encoding, experimental={"lspServerAnswers": True})
        client.discard("$/lsp_server/partial")
        for uri in (URI, OTHER):
            editor.open(uri, HEAD + LINE + "\n")
            assert client.completed(client.complete(uri, 1, _end(encoding))) == ["1"]
        client.change(URI, insertion(1, _end(encoding), "1"))
        client.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
        request = client.complete(URI, 1, _end(encoding) + 1)
        client.notify("$/cancelRequest", {"id": request})
        client.response(request)
        client.complete(URI, 90, 90)
        client.complete(OTHER, 0, 0)
        client.change(OTHER, {"text": ""})
        client.close(OTHER)
        for number in (1, 2):
            assert client.result(number + request)["items"] is not None
        changed = {**options, "log_level": "warning"}
        client.notify("workspace/didChangeConfiguration", {"settings": changed})
        hover = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 0}}
        assert client.result(client.request("textDocument/hover", hover)) is None
        assert editor.menu(URI, (1, 0))


def test_a_menu_asks_no_model_and_waits_for_none(
    start: Start, options: dict[str, Any], model: ScriptedServer, encoding: str
) -> None:
    with start() as client:
        editor = Editor(client, "vscode", options, encoding=encoding)
        editor.open(URI, "def area():\n    return '🦊'\n" * 500)
        model.enqueue(Reply(["late"], hang_after=0))
        completion = client.complete(URI, 1, 4)
        model.wait_for_request()
        for line in (0, 100, 998):
            assert editor.item(URI, (line, 6), "refactor")
        assert not client.is_answered(completion)
        assert len(model.history) == 1
        client.close(URI)
        assert client.result(completion) == NONE
