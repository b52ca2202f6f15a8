"""An action that runs while things happen: it is cancelled, the text changes, the editor goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor
from tests.support.editor_capabilities import EDITORS, VS_CODE
from tests.support.lsp_client import LspClient, insertion
from tests.support.scripted_server import Recorded, Reply, ScriptedServer

URI = "file:///demo/shapes.py"
AREA = "def area(width, height):\n    return width * height\n"
USE = "\n\nprint(area(2, 3))\n"
BETTER = 'def area(width, height):\n    """Return the area."""\n    return width * height\n'
FENCED = f"```python\n{BETTER}```\n"
CANCELLED = -32800

BEFORE_HEADERS = Reply(hang_before_headers=True)
BEFORE_TEXT = Reply(["late"], hang_after=0)
MID_STREAM = Reply(["```python\n", "def area(", "late"], hang_after=2)
AT_THE_END = Reply([FENCED], hang_after=1)
MOMENTS = {
    "headers": BEFORE_HEADERS,
    "first token": BEFORE_TEXT,
    "mid-stream": MID_STREAM,
    "end": AT_THE_END,
}


@pytest.fixture
def client(start: Start, tmp_path: Path) -> Iterator[LspClient]:
    with start(env={"XDG_CACHE_HOME": str(tmp_path / "cache")}) as client:
        yield client


@pytest.fixture
def make(client: LspClient, options: dict[str, Any]) -> Callable[..., Editor]:
    """Return a way to make the editor, with the document open."""

    def make(name: str = "vscode", text: str = AREA + USE, **more: Any) -> Editor:  # noqa: ANN401
        options["chat"] = more.pop("chat", {})
        editor = Editor(client, name, options, **more)
        editor.open(URI, text)
        return editor

    return make


def _begin(editor: Editor, model: ScriptedServer, action: str, reply: Reply) -> tuple[int, Recorded]:
    """Run an action up to where the scripted reply stops."""
    model.enqueue(reply)
    request = editor.begin(editor.item(URI, (0, 6), action))
    recorded = model.wait_for_request()
    assert editor.client.expect("$/progress")["value"]["kind"] == "begin"
    if reply.hang_after:  # until some of the text is there
        while "words" not in str(editor.client.expect("$/progress")["value"].get("message")):
            pass
    return request, recorded


def _nothing_came_of_it(editor: Editor, recorded: Recorded) -> None:
    assert recorded.disconnected.wait(20)
    editor.client.round_trip()
    assert editor.edits == []
    assert not [request for request in editor.client.asked if request["method"] == "workspace/applyEdit"]


@pytest.mark.parametrize("action", ["refactor", "explain"])
@pytest.mark.parametrize("reply", MOMENTS.values(), ids=list(MOMENTS))
def test_a_cancelled_request_stops_the_model(
    make: Callable[..., Editor], model: ScriptedServer, action: str, reply: Reply
) -> None:
    editor = make()
    request, recorded = _begin(editor, model, action, reply)
    editor.client.notify("$/cancelRequest", {"id": request})
    assert editor.client.error_code(request) == CANCELLED
    _nothing_came_of_it(editor, recorded)


def test_a_cancelled_command_of_an_edit_stops_the_model(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make("minimal")
    model.enqueue(BEFORE_TEXT)
    request = editor.begin(editor.item(URI, (0, 6), "refactor"))
    recorded = model.wait_for_request()
    editor.client.notify("$/cancelRequest", {"id": request})
    assert editor.client.error_code(request) == CANCELLED
    _nothing_came_of_it(editor, recorded)


def _cancel_the_bar(editor: Editor) -> None:
    [created] = [it for it in editor.client.asked if it["method"] == "window/workDoneProgress/create"]
    editor.client.notify("window/workDoneProgress/cancel", {"token": created["params"]["token"]})


def _close(editor: Editor) -> None:
    editor.client.close(URI)


@pytest.mark.parametrize("stop", [_cancel_the_bar, _close], ids=["bar", "closed"])
@pytest.mark.parametrize("action", ["refactor", "explain"])
@pytest.mark.parametrize("reply", [BEFORE_HEADERS, MID_STREAM], ids=["headers", "mid-stream"])
def test_a_run_that_ends_early_is_answered_with_nothing(
    make: Callable[..., Editor],
    model: ScriptedServer,
    action: str,
    reply: Reply,
    stop: Callable[[Editor], None],
) -> None:
    editor = make()
    request, recorded = _begin(editor, model, action, reply)
    stop(editor)
    _polite(editor.client.result(request))
    _nothing_came_of_it(editor, recorded)


def _polite(result: dict[str, Any]) -> None:
    assert "edit" not in result
    assert result.get("cancelled") is True or "title" in result


@pytest.mark.parametrize("action", ["refactor", "explain"])
def test_shutdown_answers_a_run_first(
    make: Callable[..., Editor], model: ScriptedServer, action: str
) -> None:
    editor = make()
    request, recorded = _begin(editor, model, action, MID_STREAM)
    editor.client.shut_down()
    _polite(editor.client.result(request))
    assert recorded.disconnected.wait(20)
    assert editor.edits == []
    editor.client.notify("exit")
    assert editor.client.exit_status() == 0


@pytest.mark.parametrize("action", ["refactor", "explain"])
@pytest.mark.parametrize("reply", [BEFORE_HEADERS, MID_STREAM], ids=["headers", "mid-stream"])
def test_an_editor_that_is_gone_stops_the_model(
    make: Callable[..., Editor], model: ScriptedServer, action: str, reply: Reply
) -> None:
    editor = make()
    request, recorded = _begin(editor, model, action, reply)
    editor.client.end_of_input()
    assert recorded.disconnected.wait(20)
    assert editor.client.exit_status() == 1
    _polite(editor.client.result(request))
    assert editor.edits == []


def test_new_settings_stop_a_run(
    make: Callable[..., Editor], model: ScriptedServer, options: dict[str, Any]
) -> None:
    editor = make()
    request, recorded = _begin(editor, model, "refactor", MID_STREAM)
    settings = {**options, "chat": {"max_tokens": 77}}
    editor.client.notify("workspace/didChangeConfiguration", {"settings": settings})
    _polite(editor.client.result(request))
    _nothing_came_of_it(editor, recorded)


def test_the_same_action_again_takes_the_place(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make()
    first, recorded = _begin(editor, model, "refactor", MID_STREAM)
    model.enqueue(Reply([FENCED]))
    editor.choose(editor.item(URI, (0, 6), "refactor"))
    _polite(editor.client.result(first))
    assert recorded.disconnected.wait(20)
    assert editor.texts[URI] == BETTER + USE


def test_another_action_goes_on_beside_it(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make()
    request, recorded = _begin(editor, model, "refactor", MID_STREAM)
    model.enqueue(Reply(["It multiplies."]))
    assert editor.choose(editor.item(URI, (0, 6), "explain"))["markdown"] == "It multiplies."
    assert not recorded.disconnected.is_set()
    editor.client.notify("$/cancelRequest", {"id": request})
    assert editor.client.error_code(request) == CANCELLED


@pytest.mark.parametrize("name", ["vscode", "neovim"])
def test_a_change_elsewhere_moves_the_edit(
    make: Callable[..., Editor], model: ScriptedServer, name: str
) -> None:
    editor = make(name)
    model.enqueue(Reply([FENCED[:20], FENCED[20:]], delay_s=0.5))
    request = editor.begin(editor.item(URI, (0, 6), "refactor"))
    model.wait_for_request()
    editor.replace(URI, "import os\n\n\n" + AREA + USE + "# the end\n")
    resolved = editor.client.result(request)
    assert editor.apply(resolved["edit"])
    assert editor.texts[URI] == "import os\n\n\n" + BETTER + USE + "# the end\n"


def test_a_change_of_the_code_itself_voids_the_edit(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make()
    model.enqueue(Reply([FENCED[:20], FENCED[20:]], delay_s=0.5))
    request = editor.begin(editor.item(URI, (0, 6), "refactor"))
    model.wait_for_request()
    editor.replace(URI, AREA.replace("*", "+") + USE)
    assert "edit" not in editor.client.result(request)
    assert "changed" in editor.client.expect("window/showMessage")["message"]


def test_a_command_whose_code_has_changed_is_run_again_if_the_user_says_so(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make()
    editor.answer = "Run again"
    model.enqueue(Reply([FENCED[:20], FENCED[20:]], delay_s=0.5), Reply([FENCED]))
    data = editor.item(URI, (0, 6), "refactor")["data"]
    params = {"command": "lsp_server.runAction", "arguments": [data]}
    request = editor.client.request("workspace/executeCommand", params)
    model.wait_for_request()
    editor.replace(URI, "import os\n\n\n" + AREA.replace("*", "+") + USE)
    assert editor.client.result(request) == {"applied": True}
    assert "changed" in editor.questions[0]["message"]
    assert "width + height" in str(model.history[1].body["messages"])
    assert editor.texts[URI] == "import os\n\n\n" + BETTER + USE


def test_a_menu_that_was_open_while_the_text_changed_still_finds_its_code(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make()
    item = editor.item(URI, (0, 6), "refactor")
    editor.replace(URI, "import os\n\n\n" + AREA + USE)
    model.enqueue(Reply([FENCED]))
    editor.choose(item)
    assert editor.texts[URI] == "import os\n\n\n" + BETTER + USE


BROKEN = "```python\ndef area(width, height:\n    return width *\n```\n"


def test_what_does_not_parse_is_sent_back_once(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make()
    model.enqueue(Reply([BROKEN]), Reply([FENCED]))
    editor.choose(editor.item(URI, (0, 6), "refactor"))
    assert editor.texts[URI] == BETTER + USE
    assert [message["role"] for message in model.history[1].body["messages"]][-2:] == ["assistant", "user"]


def test_what_never_parses_is_marked_where_the_editor_shows_it_first(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make(chat={"preview": False})
    model.enqueue(Reply([BROKEN]), Reply([BROKEN]))
    resolved = editor.client.result(editor.begin(editor.item(URI, (0, 6), "refactor")))
    assert len(model.history) == 2
    [annotation] = resolved["edit"]["changeAnnotations"].values()
    assert annotation["needsConfirmation"] is True
    assert "parse" in annotation["label"]


@pytest.mark.parametrize("answer", ["Apply anyway", "Discard", None])
def test_what_never_parses_is_asked_about_elsewhere(
    make: Callable[..., Editor], model: ScriptedServer, answer: str | None
) -> None:
    editor = make("neovim")
    editor.answer = answer
    model.enqueue(Reply([BROKEN]), Reply([BROKEN]))
    editor.choose(editor.item(URI, (0, 6), "refactor"))
    assert "parse" in editor.questions[0]["message"]
    assert (editor.texts[URI] != AREA + USE) == (answer == "Apply anyway")


def test_what_never_parses_is_shown_and_not_applied_where_nobody_can_be_asked(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make("minimal")
    model.enqueue(Reply([BROKEN]), Reply([BROKEN]))
    assert editor.choose(editor.item(URI, (0, 6), "refactor")) == {"applied": False}
    assert "Not applied" in editor.client.expect("window/showMessage")["message"]


def test_a_preview_is_wanted_by_default_and_can_be_turned_off(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make()
    model.enqueue(Reply([FENCED]))
    resolved = editor.client.result(editor.begin(editor.item(URI, (0, 6), "refactor")))
    [annotation] = resolved["edit"]["changeAnnotations"].values()
    assert annotation == {"label": "Refactor function area", "needsConfirmation": True}


def test_no_preview_where_it_is_not_wanted(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make(chat={"preview": False})
    model.enqueue(Reply([FENCED]))
    resolved = editor.client.result(editor.begin(editor.item(URI, (0, 6), "refactor")))
    assert "changeAnnotations" not in resolved["edit"]
    assert editor.apply(resolved["edit"])
    assert editor.texts[URI] == BETTER + USE


def test_an_editor_that_does_not_apply_is_told_of(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make("neovim")
    editor.client.answers["workspace/applyEdit"] = {"applied": False, "failureReason": "read-only"}
    model.enqueue(Reply([FENCED]))
    data = editor.item(URI, (0, 6), "refactor")["data"]
    params = {"command": "lsp_server.runAction", "arguments": [data]}
    assert editor.client.result(editor.client.request("workspace/executeCommand", params)) == {
        "applied": False
    }
    assert "read-only" in editor.client.expect("window/showMessage")["message"]


def test_a_failing_backend_is_told_each_time(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make()
    for _ in range(2):
        model.enqueue(Reply(status=400, error={"message": "no"}))
        assert "edit" not in editor.choose(editor.item(URI, (0, 6), "refactor"))
        editor.client.expect("window/showMessage")


def test_prose_is_no_edit(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make()
    model.default = Reply(["I would not change anything about this function, it is fine."])
    assert "edit" not in editor.choose(editor.item(URI, (0, 6), "refactor"))
    assert "no code" in editor.client.expect("window/showMessage")["message"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_encodings_and_line_ends(
    make: Callable[..., Editor], model: ScriptedServer, encoding: str, end: str
) -> None:
    # The selection starts behind characters of one to four bytes.
    text = 'crab = "🦀 é"; size = area(1,2)  # ñ🦀\nprint(size)\n'.replace("\n", end)
    editor = make("vscode", text, encoding=encoding)
    start, stop = text.index("size = "), text.index("  # ")
    begin, finish = editor.position(URI, start), editor.position(URI, stop)
    model.enqueue(Reply(["```python\nsize = area(1, 2)\n```\n"]))
    item = editor.item(
        URI,
        (begin["line"], begin["character"]),
        "refactor",
        (finish["line"], finish["character"]),
    )
    editor.choose(item)
    assert "size = area(1,2)" in str(model.history[0].body["messages"])
    assert editor.texts[URI] == text.replace("area(1,2)", "area(1, 2)")


def test_progress_says_how_it_goes_and_partial_text_comes_to_who_wants_it(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make(experimental={"lspServerPartial": True})
    editor.client.discard("$/lsp_server/partial")
    model.enqueue(Reply(["It multiplies ", "the width ", "by the height."], delay_s=0.15))
    item = editor.item(URI, (0, 6), "explain")
    command = item["command"]
    params = {"command": command["command"], "arguments": command["arguments"], "workDoneToken": "mine"}
    result = editor.client.result(editor.client.request("workspace/executeCommand", params))
    begin = editor.client.expect("$/progress", token="mine")["value"]
    assert begin["title"] == "Explain function area"
    assert begin["cancellable"] is True
    texts = [params["text"] for params in editor.client.arrived("$/lsp_server/partial")]
    assert texts[-1] == result["markdown"] == "It multiplies the width by the height."
    assert all(texts[-1].startswith(text) for text in texts)
    assert len(texts) > 1


def test_an_explanation_grows_in_its_file(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make(calls_itself="Visual Studio Code")
    request, recorded = _begin(editor, model, "explain", Reply(["So far ", "so good", "late"], hang_after=2))
    deadline = time.monotonic() + 60
    while not editor.shown:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    path = Path(editor.shown[0].removeprefix("file://"))
    assert "So far" in path.read_text()
    editor.client.notify("$/cancelRequest", {"id": request})
    assert editor.client.error_code(request) == CANCELLED
    assert recorded.disconnected.wait(20)
    while "Stopped" not in path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_editor_that_does_not_reload_files_gets_whole_answers_in_files_of_their_own(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make("neovim", calls_itself="Neovim")
    request, recorded = _begin(editor, model, "explain", Reply(["So far ", "so good"], hang_after=2))
    assert editor.shown == []
    editor.client.notify("$/cancelRequest", {"id": request})
    assert editor.client.error_code(request) == CANCELLED
    assert recorded.disconnected.wait(20)
    for text in ("It multiplies.", "It really does."):
        model.enqueue(Reply([text]))
        editor.choose(editor.item(URI, (0, 6), "explain"))
        assert text in Path(editor.shown[-1].removeprefix("file://")).read_text()
    assert len(set(editor.shown)) == 2


@pytest.mark.parametrize("name", ["vscode", "neovim"])
@pytest.mark.parametrize("action", ["refactor", "explain"])
def test_the_menu_stops_what_runs(
    make: Callable[..., Editor], model: ScriptedServer, action: str, name: str
) -> None:
    editor = make(name)
    request, recorded = _begin(editor, model, action, MID_STREAM)
    first = editor.menu(URI, (4, 0))[0]
    assert first["title"] == f"Stop: {action.capitalize()} function area"
    assert editor.client.result(editor.begin(first)) == {"stopped": True}
    _polite(editor.client.result(request))
    _nothing_came_of_it(editor, recorded)
    assert "Stop" not in editor.menu(URI, (4, 0))[0]["title"]
    assert editor.client.result(editor.begin(first)) == {"stopped": False}


def test_an_answer_that_was_cut_off_says_so(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make()
    model.enqueue(Reply(["It multiplies"], finish_reason="length"))
    result = editor.choose(editor.item(URI, (0, 6), "explain"))
    assert "chat.max_tokens" in Path(result["uri"].removeprefix("file://")).read_text()


def test_hover_shows_the_last_explanation_until_its_code_changes(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make()
    client = editor.client

    def hover(line: int) -> Any:  # noqa: ANN401
        params = {"textDocument": {"uri": URI}, "position": {"line": line, "character": 6}}
        return client.result(client.request("textDocument/hover", params))

    assert hover(0) is None
    model.enqueue(Reply(["It multiplies."]))
    editor.choose(editor.item(URI, (0, 6), "explain"))
    assert hover(0)["contents"] == {"kind": "markdown", "value": "It multiplies."}
    assert hover(4) is None
    client.change(URI, insertion(0, 0, "import os\n"))
    assert hover(0) is None
    assert hover(1)["range"]["start"] == {"line": 1, "character": 0}
    client.change(URI, insertion(2, 4, "x = "))
    assert hover(1) is None


def test_an_editor_that_stands_still_while_it_waits_gets_its_answer_at_once(
    make: Callable[..., Editor], model: ScriptedServer
) -> None:
    editor = make("neovim", calls_itself="Emacs (eglot)")
    model.enqueue(Reply([FENCED], delay_s=0.2))
    assert editor.choose(editor.item(URI, (0, 6), "refactor")) == {"started": True}
    assert editor.texts[URI] == AREA + USE
    deadline = time.monotonic() + 60
    while editor.texts[URI] != BETTER + USE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_false_is_null_on_the_way_back_from_emacs(make: Callable[..., Editor], model: ScriptedServer) -> None:
    editor = make("neovim", calls_itself="emacs")
    entry = editor.item(URI, (0, 6), "explain")
    assert entry["command"]["arguments"][0]["wait"] is False
    entry["command"]["arguments"][0]["wait"] = None
    model.enqueue(Reply(["It multiplies."]))
    assert editor.choose(entry) == {"started": True}


def test_an_editor_that_previews_only_what_it_is_asked_to_apply_is_asked(
    make: Callable[..., Editor], model: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = {**VS_CODE["textDocument"]["codeAction"], "honorsChangeAnnotations": False}
    text = {**VS_CODE["textDocument"], "codeAction": older}
    monkeypatch.setitem(EDITORS, "older", {**VS_CODE, "textDocument": text})
    editor = make("older")
    model.enqueue(Reply([FENCED]))
    assert editor.choose(editor.item(URI, (0, 6), "refactor")) == {"applied": True}
    [annotation] = editor.edits[0]["changeAnnotations"].values()
    assert annotation["needsConfirmation"] is True


@pytest.mark.parametrize("is_open", [False, True])
def test_tests_are_added_to_a_file_that_has_some(
    make: Callable[..., Editor], model: ScriptedServer, tmp_path: Path, is_open: bool
) -> None:
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    source, tests = root / "shapes.py", root / "tests" / "test_shapes.py"
    source.write_text(AREA)
    there = "from shapes import area\n\n\ndef test_zero():\n    assert area(0, 1) == 0\n"
    tests.write_text(there)
    editor = make("vscode", root=root)
    editor.open(source.as_uri(), AREA)
    if is_open:
        editor.open(tests.as_uri(), "# not saved yet\n" + there)
    model.enqueue(Reply(["```python\ndef test_area():\n    assert area(2, 3) == 6\n```\n"]))
    editor.choose(editor.item(source.as_uri(), (0, 6), "write_tests"))
    text = editor.texts[tests.as_uri()]
    assert text.startswith(("# not saved yet\n" if is_open else "") + there)
    assert "def test_area():" in text
    assert editor.shown == [tests.as_uri()]
    assert text.split("\n")[editor.places[0]["line"]] == "def test_area():"
    [changed] = editor.edits[0]["documentChanges"]
    assert changed["textDocument"]["version"] == (1 if is_open else None)
    assert tests.read_text() == there  # the editor saves, nobody else
