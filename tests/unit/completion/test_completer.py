"""The pipeline with a scripted model: who is answered, when the model is asked, when it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from lsp_server.completion.completer import Completer
from lsp_server.completion.result import Completion, NoCompletion, Reason
from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import BackendUnavailable
from lsp_server.settings import CompletionSettings
from tests.support.drawn import cursor
from tests.support.scripted_backend import ScriptedBackend

SETTINGS = CompletionSettings(debounce_ms=1)
URI = "file:///a.py"


class Editor:
    """A document in an editor, drawn with `█` as the cursor."""

    def __init__(self, drawn: str, backend: ScriptedBackend, settings: CompletionSettings = SETTINGS) -> None:
        self.completer = Completer(backend, settings)
        self.version = 0
        self.draw(drawn)

    def draw(self, drawn: str) -> None:
        text, self.offset = cursor(drawn)
        self.version += 1
        self.snapshot = Snapshot(URI, "python", self.version, text)

    def type(self, text: str) -> None:
        old = self.snapshot.text
        self.draw(old[: self.offset] + text + "█" + old[self.offset :])

    def backspace(self, count: int = 1) -> None:
        old = self.snapshot.text
        self.draw(old[: self.offset - count] + "█" + old[self.offset :])

    async def ask(self, *, invoked: bool = False) -> Completion | NoCompletion:
        return await self.completer.complete(
            self.snapshot, self.offset, invoked=invoked, current=lambda: self.snapshot
        )

    async def text(self) -> str:
        result = await self.ask()
        assert isinstance(result, Completion), result
        return result.text

    async def reason(self) -> Reason:
        result = await self.ask()
        assert isinstance(result, NoCompletion), result
        return result.reason


async def test_a_line_is_cut_at_its_end_and_the_model_is_stopped_there() -> None:
    backend = ScriptedBackend(["range", "(10)", "\n", "next = 1\n"])
    editor = Editor("x = █\n", backend)
    assert await editor.text() == "range(10)"
    assert len(backend.closed) == 1


async def test_typing_along_asks_the_model_nothing() -> None:
    backend = ScriptedBackend(["range(10)\n"])
    editor = Editor("x = █\n", backend)
    await editor.ask()
    for typed, left in (("r", "ange(10)"), ("an", "ge(10)"), ("ge(10", ")")):
        editor.type(typed)
        result = await editor.ask()
        assert isinstance(result, Completion)
        assert (result.text, result.source) == (left, "typed_through")
    assert len(backend.requests) == 1


async def test_going_back_finds_the_completion_again() -> None:
    backend = ScriptedBackend(["range(10)\n"], ["other\n"])
    editor = Editor("x = █\n", backend)
    await editor.ask()
    editor.type("z")
    assert await editor.text() == "other"
    editor.backspace()
    result = await editor.ask()
    assert isinstance(result, Completion)
    assert (result.text, result.source) == ("range(10)", "cache")
    assert len(backend.requests) == 2


@pytest.mark.parametrize("changed", ["x = █\n#\n", "y = █\n", "x =  █\n", "\nx = █\n"])
async def test_any_other_change_asks_again(changed: str) -> None:
    backend = ScriptedBackend(["range(10)\n"], ["other\n"])
    editor = Editor("x = █\n", backend)
    await editor.ask()
    editor.draw(changed)
    assert await editor.text() == "other"


async def test_a_model_with_nothing_to_say_is_asked_once() -> None:
    backend = ScriptedBackend([" \n"])
    editor = Editor("x = █\n", backend)
    assert await editor.reason() is Reason.EMPTY
    assert await editor.reason() is Reason.EMPTY
    assert len(backend.requests) == 1


async def test_a_newer_request_supersedes_the_older() -> None:
    backend = ScriptedBackend([None], ["other\n"])
    editor = Editor("x = █\n", backend)
    older = asyncio.create_task(editor.ask())
    await _until(lambda: len(backend.requests) == 1)
    editor.draw("y = █\n")
    newer = asyncio.create_task(editor.ask())
    result = await older
    assert isinstance(result, NoCompletion)
    assert result.reason is Reason.SUPERSEDED
    answer = await newer
    assert isinstance(answer, Completion)
    assert answer.text == "other"
    assert backend.closed[0] is backend.requests[0]


async def test_a_request_under_way_serves_who_types_along() -> None:
    backend = ScriptedBackend(["ra", None, "nge(10)\n"])
    editor = Editor("x = █\n", backend)
    older = asyncio.create_task(editor.ask())
    await _until(lambda: len(backend.requests) == 1)
    editor.type("ran")
    newer = asyncio.create_task(editor.ask())
    assert isinstance(await older, NoCompletion)
    backend.go_on.set()
    result = await newer
    assert isinstance(result, Completion)
    assert result.text == "ge(10)"
    assert len(backend.requests) == 1


async def test_a_request_under_way_is_dropped_once_it_disagrees() -> None:
    backend = ScriptedBackend(["ra", None], ["z"])
    editor = Editor("x = █\n", backend)
    older = asyncio.create_task(editor.ask())
    await _until(lambda: len(backend.requests) == 1)
    await asyncio.sleep(0)
    editor.type("q")
    assert await editor.text() == "z"
    await older
    assert len(backend.closed) == 1


async def test_cancelling_stops_the_model() -> None:
    backend = ScriptedBackend([None])
    editor = Editor("x = █\n", backend)
    asked = asyncio.create_task(editor.ask())
    await _until(lambda: len(backend.requests) == 1)
    asked.cancel()
    await _until(lambda: len(backend.closed) == 1)
    with pytest.raises(asyncio.CancelledError):
        await asked


async def test_cancelling_because_the_user_types_along_keeps_the_request() -> None:
    backend = ScriptedBackend(["ra", None, "nge(10)\n"])
    editor = Editor("x = █\n", backend)
    asked = asyncio.create_task(editor.ask())
    await _until(lambda: len(backend.requests) == 1)
    editor.type("r")
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    newer = asyncio.create_task(editor.ask())
    backend.go_on.set()
    result = await newer
    assert isinstance(result, Completion)
    assert result.text == "ange(10)"
    assert len(backend.requests) == 1


async def test_closing_the_document_answers_and_stops() -> None:
    backend = ScriptedBackend([None])
    editor = Editor("x = █\n", backend)
    asked = asyncio.create_task(editor.ask())
    await _until(lambda: len(backend.requests) == 1)
    editor.completer.forget(URI)
    assert isinstance(await asked, NoCompletion)
    await _until(lambda: len(backend.closed) == 1)


async def test_an_answer_for_an_older_version_is_not_offered() -> None:
    backend = ScriptedBackend([None, "range(10)\n"])
    editor = Editor("x = █\n", backend)
    asked = asyncio.create_task(editor.ask())
    await _until(lambda: len(backend.requests) == 1)
    editor.type("q")
    backend.go_on.set()
    result = await asked
    assert isinstance(result, NoCompletion)
    assert result.reason is Reason.STALE


async def test_a_failing_backend_is_a_reason() -> None:
    editor = Editor("x = █\n", ScriptedBackend(BackendUnavailable("The server is down.")))
    result = await editor.ask()
    assert result == NoCompletion(Reason.BACKEND_FAILED, "The server is down.")


async def test_what_came_before_the_time_limit_is_kept() -> None:
    backend = ScriptedBackend(["range(10)", None])
    editor = Editor("x = █\n", backend, CompletionSettings(debounce_ms=0, timeout_ms=100))
    assert await editor.text() == "range(10)"
    await _until(lambda: len(backend.closed) == 1)


async def test_nothing_before_the_time_limit_is_a_reason() -> None:
    editor = Editor("x = █\n", ScriptedBackend([None]), CompletionSettings(debounce_ms=0, timeout_ms=50))
    assert await editor.reason() is Reason.TIMEOUT


async def test_a_cursor_inside_a_word_is_left_alone_unless_asked_for() -> None:
    backend = ScriptedBackend(["n"])
    editor = Editor("pri█t\n", backend)
    assert await editor.reason() is Reason.MID_WORD
    assert not backend.requests
    await editor.ask(invoked=True)
    assert len(backend.requests) == 1


async def test_the_same_words_at_another_depth_are_no_repetition() -> None:
    backend = ScriptedBackend(["return False\n"])
    editor = Editor("def f(x):\n    if x:\n        return False\n    █\n", backend)
    assert await editor.text() == "return False"


async def test_windows_line_ends_come_back() -> None:
    backend = ScriptedBackend(["a = 1\n    return a\n", "\n\nx = 2\n"])
    editor = Editor("def f():\r\n█\r\n\r\ny = 1\r\n", backend)
    assert await editor.text() == "    a = 1\r\n    return a"
    assert "\r" not in backend.requests[0].prefix + backend.requests[0].suffix


async def test_two_documents_do_not_disturb_each_other() -> None:
    backend = ScriptedBackend([None, "1\n"], [None, "2\n"])
    first = Editor("x = █\n", backend)
    asked = asyncio.create_task(first.ask())
    await _until(lambda: len(backend.requests) == 1)
    other = Snapshot("file:///b.py", "python", 1, "y = \n")
    also = asyncio.create_task(first.completer.complete(other, 4, current=lambda: other))
    await _until(lambda: len(backend.requests) == 2)
    backend.go_on.set()
    assert [
        result.text for result in await asyncio.gather(asked, also) if isinstance(result, Completion)
    ] == [
        "1",
        "2",
    ]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (CompletionSettings(enabled=False), Reason.DISABLED),
        (CompletionSettings(disabled_languages=("python",)), Reason.LANGUAGE_DISABLED),
    ],
)
async def test_what_is_turned_off_is_not_asked(settings: CompletionSettings, reason: Reason) -> None:
    backend = ScriptedBackend()
    assert await Editor("x = █\n", backend, settings).reason() is reason


async def _until(condition: Callable[[], bool], seconds: float = 5) -> None:
    for _ in range(int(seconds * 1000)):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never happened")
