"""A day of editing: what was closed is let go of, and memory is as it was in the morning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient, insertion
from tests.support.scripted_server import Reply, ScriptedServer

MARK = "kept_in_memory"
HALVES = [MARK[:6], MARK[6:]]
"""So that the question itself is no answer."""
URI = "file:///demo/closed.py"
TEXT = f"def {MARK}(width, height):\n    return width * height\n\n\nx = 1\n" + f"print({MARK}(2, 3))\n" * 400
CAPABILITIES = {
    "experimental": {"lspServerPartialText": True},
    "window": {"showDocument": {"support": True}},
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
        "inlineCompletion": {},
    },
}


@pytest.fixture
def client(start: Start, tmp_path: Path, options: dict[str, Any]) -> Iterator[LspClient]:
    """Return a client of a server that tells what it keeps; all text it sends is scanned for secrets."""
    options["backends"]["mistral"]["destination"] = "third party"
    options["completion"] |= {"as_completion_items": True, "timeout_ms": 30_000}
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with start(module="tests.support.probed_server", env=environment) as client:
        for method in ("$/lsp_server/status", "$/progress", "window/showMessage", "window/logMessage"):
            client.discard(method)
        client.answers |= {
            "window/showDocument": {"success": True},
            "workspace/applyEdit": {"applied": False},
        }
        client.initialize(CAPABILITIES, options=options, root=Path("/demo"))
        yield client


def holders(client: LspClient) -> list[str]:
    """Return what keeps text with the mark."""
    found: list[str] = client.result(client.request("test/holders", {"text": HALVES}))
    return found


def _place(line: int = 0, character: int = 5) -> dict[str, Any]:
    return {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}


def _menu(client: LspClient) -> list[dict[str, Any]]:
    here = {"start": {"line": 0, "character": 5}, "end": {"line": 0, "character": 5}}
    wrong = [{"range": here, "message": f"{MARK} is wrong", "severity": 1}]
    params = {"textDocument": {"uri": URI}, "range": here, "context": {"diagnostics": wrong}}
    found: list[dict[str, Any]] = client.result(client.request("textDocument/codeAction", params))
    return found


def _entry(client: LspClient, title: str) -> dict[str, Any]:
    return next(entry for entry in _menu(client) if title in entry["title"])


def _type(client: LspClient) -> None:
    client.change(URI, insertion(4, 5, " + "))


def completed(client: LspClient, _model: ScriptedServer) -> None:
    _type(client)
    assert client.completed(client.complete(URI, 4, 8))


def taken_word_by_word(client: LspClient, model: ScriptedServer) -> None:
    completed(client, model)
    client.change(URI, insertion(4, 8, MARK))
    assert client.completed(client.complete(URI, 4, 8 + len(MARK)))


def typed_over(client: LspClient, model: ScriptedServer) -> None:
    completed(client, model)
    client.change(URI, insertion(4, 8, "("))
    client.completed(client.complete(URI, 4, 9))


def closed_while_the_model_writes(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply([MARK, "late"], hang_after=1))
    _type(client)
    request = client.complete(URI, 4, 8)
    model.wait_for_request()
    client.close(URI)
    assert client.completed(request) == []


def closed_at_once(client: LspClient, model: ScriptedServer) -> None:
    completed(client, model)
    request = client.complete(URI, 4, 5)
    client.close(URI)
    client.completed(request)


def closed_while_a_large_text_is_parsed(client: LspClient, model: ScriptedServer) -> None:
    completed(client, model)
    client.change(URI, {"text": TEXT * 50})
    requests = []
    for _ in range(5):
        client.change(URI, insertion(4, 5, "("))
        requests += [client.complete(URI, 4, 6), client.complete(URI, 1, 4)]
    menu = client.request("textDocument/codeAction", {**_RANGE, "context": {"diagnostics": []}})
    client.close(URI)
    for request in requests:
        client.completed(request)
    client.result(menu)


def cancelled(client: LspClient, _model: ScriptedServer) -> None:
    _type(client)
    request = client.complete(URI, 4, 8)
    client.notify("$/cancelRequest", {"id": request})
    client.response(request)


def continued_from_the_editors_list(client: LspClient, _model: ScriptedServer) -> None:
    _type(client)
    selected = {
        "range": {"start": {"line": 4, "character": 8}, "end": {"line": 4, "character": 8}},
        "text": MARK,
    }
    context = {"triggerKind": 2, "selectedCompletionInfo": selected}
    client.result(client.request("textDocument/inlineCompletion", {**_place(4, 8), "context": context}))


def as_an_entry_of_the_menu(client: LspClient, _model: ScriptedServer) -> None:
    _type(client)
    assert client.result(client.request("textDocument/completion", _place(4, 8)))["items"]


def a_menu_of_actions(client: LspClient, _model: ScriptedServer) -> None:
    assert _menu(client)


def an_edit(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply([FENCED]))
    assert "edit" in client.result(client.request("codeAction/resolve", _entry(client, "Refactor")))


def an_explanation(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(Reply([f"The function `{MARK}` is fine."]))
    command = _entry(client, "Explain")["command"]
    assert MARK in client.result(client.request("workspace/executeCommand", command))["markdown"]
    client.change(URI, insertion(3, 0, "\n"))
    assert MARK in client.result(client.request("textDocument/hover", _place()))["contents"]["value"]


def closed_while_it_is_explained(client: LspClient, model: ScriptedServer) -> None:
    entry = _entry(client, "Explain")
    model.enqueue(Reply([MARK, "late"], hang_after=1))
    request = client.request("workspace/executeCommand", entry["command"])
    model.wait_for_request()
    client.close(URI)
    assert client.result(request) == {"cancelled": True}


def a_chat_about_it(client: LspClient, _model: ScriptedServer) -> None:
    client.result(client.request("workspace/executeCommand", _entry(client, "in a chat")["command"]))


def a_failing_backend(client: LspClient, model: ScriptedServer) -> None:
    model.enqueue(*[Reply(status=500, error={"message": MARK})] * 5)
    _type(client)
    assert client.completed(client.complete(URI, 4, 8)) == []


def changed_after_it_was_closed(client: LspClient, model: ScriptedServer) -> None:
    completed(client, model)
    client.close(URI)
    client.change(URI, {"text": TEXT})
    assert client.completed(client.complete(URI, 4, 8)) == []


_RANGE = {
    "textDocument": {"uri": URI},
    "range": {"start": {"line": 0, "character": 0}, "end": {"line": 3, "character": 0}},
}
FENCED = f"```python\ndef {MARK}(width, height):\n    return height * width\n```\n"
USES: list[Callable[[LspClient, ScriptedServer], None]] = [
    completed,
    taken_word_by_word,
    typed_over,
    closed_while_the_model_writes,
    closed_at_once,
    closed_while_a_large_text_is_parsed,
    cancelled,
    continued_from_the_editors_list,
    as_an_entry_of_the_menu,
    a_menu_of_actions,
    an_edit,
    an_explanation,
    closed_while_it_is_explained,
    a_chat_about_it,
    a_failing_backend,
    changed_after_it_was_closed,
]


@pytest.mark.parametrize("use", USES, ids=lambda use: str(use.__name__))
def test_nothing_keeps_the_text_of_a_closed_document(
    client: LspClient, model: ScriptedServer, use: Callable[[LspClient, ScriptedServer], None]
) -> None:
    model.default = Reply([f"{MARK}(1, 2)\n"])
    client.open(URI, TEXT)
    assert holders(client)
    use(client, model)
    client.close(URI)
    deadline = time.monotonic() + 5
    while (kept := holders(client)) and time.monotonic() < deadline:
        time.sleep(0.1)  # a thread may still be at it
    assert kept == []


DOCUMENTS = 1000
GROWTH_BYTES = 12_000_000
"""What allocators keep for themselves. One text kept a document would be 25 MB, one tree 2 GB."""


def _open_complete_close(client: LspClient, numbers: range) -> None:
    for number in numbers:
        uri = f"file:///demo/{number}.py"
        client.open(uri, f"number = {number}\n" + TEXT)
        client.change(uri, insertion(5, 5, f" + {number}"))
        assert client.completed(client.complete(uri, 5, 8 + len(str(number)))) == ["1 + 2"]
        client.close(uri)


def test_memory_is_flat_over_a_thousand_documents(client: LspClient, model: ScriptedServer) -> None:
    model.default = Reply(["1 + 2\n"])
    _open_complete_close(client, range(100))
    before = client.result(client.request("test/memory", {}))
    _open_complete_close(client, range(100, 100 + DOCUMENTS))
    assert client.result(client.request("test/memory", {})) - before < GROWTH_BYTES
