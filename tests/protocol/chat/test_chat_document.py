"""Chats in Markdown documents, with real editors' capabilities and a model that says what it is told to."""

from __future__ import annotations

import re
import stat
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.chat.conftest import Make
from tests.support.chat_editor import ChatEditor, titles, told
from tests.support.editor import path_of
from tests.support.lsp_client import LspClient, inline_params
from tests.support.scripted_server import Reply, ScriptedServer

CANCELLED = -32800
SEND, STOP, AGAIN = "lsp_server.chat.send", "lsp_server.chat.stop", "lsp_server.chat.regenerate"
INVOKED, AUTOMATIC = 1, 2
HANGS = Reply(["It ", "reads ", "late"], hang_after=2)


# Opening


def test_a_chat_is_a_private_file_that_the_editor_opens(make: Make, chats: Path) -> None:
    editor = make()
    uris = [editor.run("lsp_server.openChat")["uri"] for _ in range(2)]
    assert len(set(uris)) == 2
    assert editor.shown == uris
    paths = [path_of(uri) for uri in uris]
    assert {path.parent for path in paths} == {chats}
    assert stat.S_IMODE(chats.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    [shown] = [it["params"] for it in editor.client.asked if it["method"] == "window/showDocument"][:1]
    text = paths[0].read_text("utf-8")
    assert text.startswith("# Chat\n\n> system: ")
    assert shown["takeFocus"] is True
    # There is a line in every editor: for some there is none behind the last line end.
    assert text.split("\n")[shown["selection"]["start"]["line"] :] == ["", ""]


def test_what_is_written_in_a_chat_is_completed_only_by_hand(
    make: Make, client: LspClient, model: ScriptedServer
) -> None:
    editor = make()
    uri = editor.new_chat("What does this")
    model.default = Reply([" do?"])
    line = editor.texts[uri].count("\n")

    def ask(uri: str, line: int, column: int, trigger: int) -> list[str]:
        params = inline_params(uri, line, column, trigger)
        return client.completed(client.request("textDocument/inlineCompletion", params))

    assert ask(uri, line, 14, AUTOMATIC) == []
    assert model.history == []
    assert ask(uri, line, 14, INVOKED) == [" do?"]
    notes = "file:///notes.md"  # the heading alone makes no chat
    editor.open(notes, "# Chat with the team\n\nWhat does this", "markdown")
    assert ask(notes, 2, 14, AUTOMATIC) == [" do?"]


def test_an_editor_that_shows_no_files_is_told_where_the_chat_is(make: Make, client: LspClient) -> None:
    editor = make("minimal")
    uri = editor.run("lsp_server.openChat")["uri"]
    assert str(path_of(uri)) in client.expect("window/showMessage")["message"]


def test_the_menu_of_a_file_opens_a_chat_about_what_stands_there(make: Make, root: Path) -> None:
    editor = make()
    path = root / "shapes.py"
    editor.open(path.as_uri(), "import os\n\n\ndef area(width):\n    return width * width\n")
    last = editor.menu(path.as_uri(), (4, 6))[-1]
    assert (last["title"], last["kind"]) == ("Ask about function area in a chat", "source.codestral.chat")
    chat = path_of(editor.client.result(editor.begin(last))["uri"]).read_text("utf-8")
    assert chat.endswith(f"## You\n\n[shapes.py:4-5]({path.as_uri()}#L4-L5)\n\n")
    assert editor.menu(path.as_uri(), (4, 6), only=["source.codestral.chat"]) == [last]
    assert last not in editor.menu(path.as_uri(), (4, 6), only=["refactor"])


def test_a_selection_is_attached_to_a_new_chat(make: Make, model: ScriptedServer, root: Path) -> None:
    file = root / "src" / "shapes.py"
    file.parent.mkdir()
    file.write_text("one = 1\ntwo = 2\nthree = 3\nfour = 4\n", encoding="utf-8")
    editor = make()
    selected = {"start": {"line": 1, "character": 0}, "end": {"line": 3, "character": 0}}
    uri = editor.new_chat("What is this?", uri=file.as_uri(), range=selected)
    assert "[src/shapes.py:2-3](" in editor.texts[uri]
    assert editor.run(SEND, uri=uri)["state"] == "answered"
    [(role, content)] = told(model)
    assert (role, "```python src/shapes.py:2-3\ntwo = 2\nthree = 3\n```" in content) == ("user", True)
    assert "one = 1" not in content
    assert str(root) not in content


def test_a_document_outside_of_the_workspace_is_not_attached(
    make: Make, client: LspClient, tmp_path: Path
) -> None:
    selected = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 3}}
    editor = make()
    uri = editor.new_chat(uri=(tmp_path / "other.py").as_uri(), range=selected)
    assert "other.py" not in editor.texts[uri]
    assert "workspace" in client.expect("window/showMessage")["message"]


# Sending


@pytest.mark.parametrize("name", ["vscode", "neovim"])
def test_the_answer_is_written_under_the_question(make: Make, model: ScriptedServer, name: str) -> None:
    model.enqueue(Reply(["It reads", " the\nset", "tings."]))
    editor = make(name)
    uri = editor.new_chat("What does it do?\n")
    result = editor.run(SEND, uri=uri)
    assert result == {"uri": uri, "state": "answered", "message": "", "text": "It reads the\nsettings."}
    assert editor.turns(uri) == ["You: What does it do?", "Model: It reads the\nsettings.", "You: "]
    assert editor.texts[uri].endswith("\n\n## You\n\n")
    versions = [edit["documentChanges"][0]["textDocument"]["version"] for edit in editor.edits]
    assert versions == list(range(1, len(versions) + 1))


def test_the_model_is_told_what_was_said_before(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["Blue.\n## You\nand so on"]), Reply(["Green."]))
    editor = make()
    uri = editor.new_chat("Which colour?")
    editor.run(SEND, uri=uri)
    editor.type(uri, lambda text: text + "And another?")
    editor.run(SEND, uri=uri)
    said = "Blue.\n## You\nand so on"
    assert told(model) == [("user", "Which colour?"), ("assistant", said), ("user", "And another?")]
    assert model.history[-1].body["messages"][0]["role"] == "system"
    assert editor.turns(uri)[-2:] == ["Model: Green.", "You: "]


def test_only_turns_that_fit_are_told(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["word " * 200]), Reply(["Fine."]))
    editor = make(context_tokens=300)
    uri = editor.new_chat("A long answer, please.")
    editor.run(SEND, uri=uri)
    editor.type(uri, lambda text: text + "Thank you.")
    editor.run(SEND, uri=uri)
    assert told(model) == [("user", "Thank you.")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_emoji_and_crlf(make: Make, model: ScriptedServer, encoding: str) -> None:
    model.enqueue(Reply(["😀 ", "é\r", "\nzwei 😀", "\n\ndrei"]), Reply(["vier"]))
    editor = make(encoding=encoding)
    uri = editor.new_chat()
    editor.type(uri, lambda text: (text + "😀 wie, é?").replace("\n", "\r\n"))
    editor.run(SEND, uri=uri)
    assert editor.turns(uri) == ["You: 😀 wie, é?", "Model: 😀 é\nzwei 😀\n\ndrei", "You: "]
    assert "\n" not in editor.texts[uri].replace("\r\n", "")
    editor.type(uri, lambda text: text + "und 😀?")
    editor.run(SEND, uri=uri)
    assert told(model)[:2] == [("user", "😀 wie, é?"), ("assistant", "😀 é\nzwei 😀\n\ndrei")]
    assert editor.turns(uri)[-2:] == ["Model: vier", "You: "]


def test_an_empty_question_is_not_sent(make: Make, model: ScriptedServer, client: LspClient) -> None:
    editor = make()
    uri = editor.new_chat("  \n")
    assert editor.run(SEND, uri=uri)["state"] == "refused"
    assert "write one" in client.expect("window/showMessage")["message"]
    assert model.history == []


def test_a_document_that_is_no_chat_is_not_sent(make: Make, model: ScriptedServer, client: LspClient) -> None:
    editor = make()
    editor.open("file:///demo/a.md", "# Chat\n\nAbout our chat.\n", "markdown")
    assert editor.run(SEND, uri="file:///demo/a.md")["state"] == "refused"
    assert "is no chat" in client.expect("window/showMessage")["message"]
    assert model.history == []


def test_a_second_send_while_an_answer_is_written(
    make: Make, model: ScriptedServer, client: LspClient
) -> None:
    model.enqueue(HANGS)
    editor = make()
    uri = editor.new_chat("Well?")
    first = editor.command(SEND, uri=uri)
    editor.wait_for(uri, "reads")
    assert editor.run(SEND, uri=uri)["state"] == "refused"
    assert "still being written" in client.expect("window/showMessage")["message"]
    assert editor.run(STOP, uri=uri) == {"stopped": True}
    assert client.result(first)["state"] == "stopped"
    assert len(model.history) == 1


def test_the_menu_starts_an_answer_and_does_not_wait(make: Make, model: ScriptedServer) -> None:
    model.enqueue(HANGS)
    editor = make()
    uri = editor.new_chat("Well?")
    assert titles(editor, uri) == ["Send the question"]
    [send] = editor.menu(uri, (0, 0))
    assert editor.choose(send)["state"] == "started"
    editor.wait_for(uri, "reads")
    [stop] = editor.menu(uri, (0, 0))
    assert stop["title"] == "Stop the answer"
    assert editor.choose(stop) == {"stopped": True}
    editor.wait_for(uri, "## You\n\nWell?\n\n## Model\n\nIt reads\n\n## You\n")


# Stopping


@pytest.mark.parametrize(
    ("reply", "seen", "left"),
    [
        (HANGS, "reads", ["You: Well?", "Model: It reads", "You: "]),
        (Reply(hang_before_headers=True), "## Model", ["You: Well?"]),
        (
            Reply(["```python\nx = 1\n", "late"], hang_after=1),
            "x = 1",
            ["You: Well?", "Model: ```python\nx = 1\n```", "You: "],
        ),
    ],
    ids=["mid-stream", "before the first token", "in code"],
)
@pytest.mark.parametrize("how", ["stop", "cancel", "progress"])
def test_stopping_keeps_what_has_come(
    make: Make,
    model: ScriptedServer,
    client: LspClient,
    how: str,
    reply: Reply,
    seen: str,
    left: list[str],
) -> None:
    model.enqueue(reply)
    editor = make()
    uri = editor.new_chat("Well?")
    request = editor.command(SEND, uri=uri)
    recorded = model.wait_for_request()
    editor.wait_for(uri, seen)
    _stop(how, editor, client, uri, request)
    if how == "cancel":
        assert client.error_code(request) == CANCELLED
    else:
        assert client.result(request)["state"] == "stopped"
    assert recorded.disconnected.wait(20)
    editor.wait_for_turns(uri, left)
    editor.type(uri, lambda text: text + "And?")
    assert editor.run(SEND, uri=uri)["state"] == "answered"


def _stop(how: str, editor: ChatEditor, client: LspClient, uri: str, request: int) -> None:
    """Stop the answer that this request has asked for, in one of the ways that editors have."""
    if how == "stop":
        assert editor.run(STOP, uri=uri) == {"stopped": True}
    elif how == "cancel":
        client.notify("$/cancelRequest", {"id": request})
    else:
        [created] = [it for it in client.asked if it["method"] == "window/workDoneProgress/create"][-1:]
        client.notify("window/workDoneProgress/cancel", {"token": created["params"]["token"]})


@pytest.mark.parametrize("how", ["stop", "cancel", "progress"])
@pytest.mark.parametrize("again", [SEND, AGAIN])
def test_the_next_run_waits_for_the_end_of_a_stopped_one(
    make: Make, model: ScriptedServer, client: LspClient, how: str, again: str
) -> None:
    model.enqueue(HANGS)
    editor = make()
    uri = editor.new_chat("Well?")
    request = editor.command(SEND, uri=uri)
    editor.wait_for(uri, "reads")
    editor.late.clear()  # the edits that put the chat in order are not made yet
    _stop(how, editor, client, uri, request)
    second = editor.command(again, uri=uri)  # the server reads it before the answers to its edits
    editor.late.set()
    answered = client.result(second)
    assert client.response(request)
    if again == AGAIN:
        assert answered["state"] == "answered"
        assert editor.turns(uri) == ["You: Well?", "Model: done", "You: "]
    else:  # there is no question yet
        assert answered["state"] == "refused"
        # On a busy machine the wait for the stopped run is over before the next heading is there.
        message = client.expect("window/showMessage")["message"]
        assert "write one" in message or "Write a question" in message


def test_closing_the_chat_stops_the_model(make: Make, model: ScriptedServer, client: LspClient) -> None:
    model.enqueue(HANGS)
    editor = make()
    uri = editor.new_chat("Well?")
    request = editor.command(SEND, uri=uri)
    editor.wait_for(uri, "reads")
    client.close(uri)
    assert model.history[-1].disconnected.wait(20)
    assert client.result(request)["state"] == "stopped"
    edits = len(editor.edits)
    client.round_trip()
    assert len(editor.edits) == edits


def test_new_settings_stop_the_model_and_leave_the_chat_in_order(
    make: Make, model: ScriptedServer, client: LspClient, options: dict[str, Any]
) -> None:
    model.enqueue(HANGS)
    editor = make()
    uri = editor.new_chat("Well?")
    request = editor.command(SEND, uri=uri)
    editor.wait_for(uri, "reads")
    changed = {**options, "chat": {"max_tokens": 99}}
    client.notify("workspace/didChangeConfiguration", {"settings": {"lsp_server": changed}})
    assert client.result(request)["state"] == "stopped"
    assert model.history[-1].disconnected.wait(20)
    editor.wait_for(uri, "It reads\n\n## You\n")


def test_shutdown_ends_an_answer(make: Make, model: ScriptedServer, client: LspClient) -> None:
    model.enqueue(HANGS)
    editor = make()
    uri = editor.new_chat("Well?")
    request = editor.command(SEND, uri=uri)
    editor.wait_for(uri, "reads")
    client.shut_down()
    assert client.result(request)["state"] == "stopped"
    assert model.history[-1].disconnected.wait(20)
    client.notify("exit")
    assert client.exit_status() == 0


# The user types meanwhile


def test_typing_elsewhere_while_an_answer_is_written(make: Make, model: ScriptedServer) -> None:
    words = [f"word{number} " for number in range(40)]
    model.enqueue(Reply(words, delay_s=0.02))
    editor = make()
    uri = editor.new_chat("Well? 😀")
    request = editor.command(SEND, uri=uri)
    editor.wait_for(uri, "word1 ")
    for number in range(15):
        editor.type(uri, partial(re.sub, "> system:", f"> system: {number}"))
        editor.type(uri, partial(re.sub, "Well[?]", f"Well?\n{number}"))
    assert editor.client.result(request)["state"] == "answered"
    assert editor.turns(uri)[1:] == [f"Model: {''.join(words).strip()}", "You: "]
    assert "Well?\n14\n13" in editor.texts[uri]


@pytest.mark.parametrize("claims", [False, True])
def test_an_edit_that_comes_too_late_is_made_again(make: Make, model: ScriptedServer, claims: bool) -> None:
    model.enqueue(Reply(["Fine."]))
    editor = make()
    uri = editor.new_chat("Well?")
    editor.late.clear()
    request = editor.command(SEND, uri=uri)
    while not [it for it in editor.client.asked if it["method"] == "workspace/applyEdit"]:
        time.sleep(0.01)
    editor.type(uri, lambda text: text.replace("Well?", "Well, then?"))
    editor.refusals, editor.claims = 1, claims
    editor.late.set()
    assert editor.client.result(request)["state"] == "answered"
    assert editor.turns(uri) == ["You: Well, then?", "Model: Fine.", "You: "]


def test_taking_out_the_answer_stops_it(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["First."]), Reply(["It ", "reads "] + ["on "] * 500, delay_s=0.05))
    editor = make()
    uri = editor.new_chat("One?")
    editor.run(SEND, uri=uri)
    editor.type(uri, lambda text: text + "Two?")
    request = editor.command(SEND, uri=uri)
    editor.wait_for(uri, "It reads")
    editor.type(uri, lambda text: text[: text.index("Two?")])
    assert editor.client.result(request)["state"] == "gone"
    assert model.history[-1].disconnected.wait(20)
    assert editor.turns(uri) == ["You: One?", "Model: First.", "You: "]


def test_an_editor_that_tells_its_changes_late(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply([f"word{number} " for number in range(20)], delay_s=0.05))
    editor = make("neovim")
    uri = editor.new_chat("Well?")
    editor.lag_s = 0.2
    assert editor.run(SEND, uri=uri)["state"] == "answered"
    assert editor.turns(uri)[1] == f"Model: {' '.join(f'word{number}' for number in range(20))}"


def test_two_chats_at_once(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["a "] * 20, delay_s=0.02), Reply(["b "] * 20, delay_s=0.02))
    editor = make()
    uris = [editor.new_chat(question) for question in ("A?", "B?")]
    requests = [editor.command(SEND, uri=uri) for uri in uris]
    assert {editor.client.result(request)["state"] for request in requests} == {"answered"}
    answers = {editor.turns(uri)[1] for uri in uris}
    assert answers == {f"Model: {'a ' * 20}".strip(), f"Model: {'b ' * 20}".strip()}


# Again


def test_the_last_answer_is_replaced(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["One."]), Reply(["Two."]), Reply(["Three."]))
    editor = make()
    uri = editor.new_chat("First?")
    editor.run(SEND, uri=uri)
    editor.type(uri, lambda text: text + "Second?")
    editor.run(SEND, uri=uri)
    editor.type(uri, lambda text: text + "a draft")
    assert editor.run(AGAIN, uri=uri)["state"] == "answered"
    assert told(model) == [("user", "First?"), ("assistant", "One."), ("user", "Second?")]
    assert editor.turns(uri) == [
        "You: First?",
        "Model: One.",
        "You: Second?",
        "Model: Three.",
        "You: a draft",
    ]


def test_an_answer_is_kept_until_there_is_another(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["One."]), Reply(status=400, error={"message": "no"}))
    editor = make(tools=False)
    uri = editor.new_chat("First?")
    editor.run(SEND, uri=uri)
    assert editor.run(AGAIN, uri=uri)["state"] == "failed"
    assert editor.turns(uri)[1].startswith("Model: One.\n\n> codestral-lsp: ")


# When it does not work


def test_a_question_is_not_lost_when_the_server_refuses(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(status=400, error={"message": "no"}), Reply(["Fine."]))
    editor = make(tools=False)
    uri = editor.new_chat("Well?")
    result = editor.run(SEND, uri=uri)
    assert result["state"] == "failed"
    assert editor.turns(uri) == [f"You: Well?\n\n> codestral-lsp: {result['message']}"]
    assert editor.run(SEND, uri=uri)["state"] == "answered"
    assert editor.turns(uri) == ["You: Well?", "Model: Fine.", "You: "]
    assert told(model) == [("user", "Well?")]


def test_what_has_come_stays_when_the_server_breaks_off(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["It ", "reads ", "late"], cut_after=2))
    editor = make()
    uri = editor.new_chat("Well?")
    assert editor.run(SEND, uri=uri)["state"] == "failed"
    [question, answer, following] = editor.turns(uri)
    assert answer.startswith("Model: It reads\n\n> codestral-lsp: ")
    assert (question, following) == ("You: Well?", "You: ")


def test_an_answer_that_is_cut_off_says_so(make: Make, model: ScriptedServer) -> None:
    model.enqueue(Reply(["It reads"], finish_reason="length"))
    editor = make()
    uri = editor.new_chat("Well?")
    assert editor.run(SEND, uri=uri)["state"] == "answered"
    assert "> codestral-lsp: the answer was cut off" in editor.turns(uri)[1]


def test_an_editor_that_takes_no_edits_is_told(make: Make, client: LspClient) -> None:
    editor = make("minimal")
    uri = editor.new_chat("Well?")
    client.expect("window/showMessage")
    result = editor.run(SEND, uri=uri)
    assert (result["state"], "workspace/applyEdit" in result["message"]) == ("failed", True)
    assert "workspace/applyEdit" in client.expect("window/showMessage")["message"]


def test_chats_can_be_turned_off(make: Make, client: LspClient) -> None:
    editor = make(enabled=False)
    assert editor.run("lsp_server.openChat")["state"] == "refused"
    assert "chat.enabled" in client.expect("window/showMessage")["message"]
