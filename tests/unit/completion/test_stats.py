"""What is counted, and how it is known what was accepted."""

from __future__ import annotations

import pytest

from lsp_server.backends.protocol import Usage
from lsp_server.completion import stats_report
from lsp_server.completion.acceptance import Offer
from lsp_server.completion.result import Completion, NoCompletion, Reason, Source, Trace
from lsp_server.completion.stats import BackendStats, Stats, median_and_p90
from lsp_server.documents.snapshot import Snapshot

URI = "file:///a.py"
BEFORE, AFTER = "x = ", "\ny = 2\n"
TEXT = "area(width, height)"


class Typing:
    """A document in which `TEXT` is shown after `x = `."""

    def __init__(self, text: str = TEXT) -> None:
        self.stats = Stats()
        self._version = 1
        self._now = self._snapshot(BEFORE + AFTER)
        self._at = len(BEFORE)
        self.show(text)

    def show(self, text: str) -> None:
        self.stats.offer(Offer(self._now, self._at, self._at, text))

    def insert(self, text: str) -> None:
        self.becomes(self._now.text[: self._at] + text + self._now.text[self._at :])
        self._at += len(text)

    def becomes(self, text: str) -> None:
        self._version += 1
        self._now = self._snapshot(text)
        self.stats.changed(self._now)

    @property
    def counted(self) -> tuple[int, int, int, int]:
        stats = self.stats
        return stats.shown, stats.accepted, stats.accepted_in_part, stats.accepted_characters

    def _snapshot(self, text: str) -> Snapshot:
        return Snapshot(URI, "python", self._version, text)


def test_all_of_it_at_once_is_accepted() -> None:
    typing = Typing()
    typing.insert(TEXT)
    assert typing.counted == (1, 1, 0, len(TEXT))


@pytest.mark.parametrize("piece", ["area", "area(", "area(width, "])
def test_a_start_that_ends_with_a_word_is_accepted_in_part(piece: str) -> None:
    typing = Typing()
    typing.insert(piece)
    assert typing.counted == (1, 0, 1, len(piece))


def test_word_by_word_to_the_end_is_one_completion_accepted() -> None:
    typing = Typing()
    for piece in ("area", "(width", ", ", "height)"):
        typing.insert(piece)
    assert typing.counted == (1, 1, 0, len(TEXT))


def test_keys_are_typing_and_the_rest_is_accepted() -> None:
    typing = Typing()
    for key in "are":
        typing.insert(key)
    assert typing.counted == (1, 0, 0, 0)
    typing.insert("a(width, height)")
    assert typing.counted == (1, 1, 0, len(TEXT) - 3)


def test_keys_that_arrive_together_are_typing() -> None:
    typing = Typing()
    typing.insert("ar")
    assert typing.counted == (1, 0, 0, 0)
    typing.insert("ea(width, height)")
    assert typing.counted == (1, 1, 0, len(TEXT) - 2)


def test_typing_to_the_last_character_accepts_nothing() -> None:
    typing = Typing("ab")
    typing.insert("a")
    typing.insert("b")
    assert typing.counted == (1, 0, 0, 0)


def test_the_rest_shown_again_after_a_piece_is_the_same_completion() -> None:
    typing = Typing()
    typing.insert("area")
    typing.show("(width, height)")
    typing.insert("(width, height)")
    assert typing.counted == (1, 1, 0, len(TEXT))


@pytest.mark.parametrize("other", ["zone", "area)", "area(width, height) + 1", "\n"])
def test_other_text_is_none_of_it(other: str) -> None:
    typing = Typing()
    typing.insert(other)
    typing.insert(TEXT)  # too late
    assert typing.counted == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "text", [BEFORE + TEXT + "\n", "y" + BEFORE + TEXT + AFTER, BEFORE, BEFORE + AFTER, TEXT, ""]
)
def test_other_changes_accept_nothing(text: str) -> None:
    typing = Typing()
    typing.becomes(text)
    assert typing.counted == (1, 0, 0, 0)


def test_several_lines_in_a_file_of_windows() -> None:
    typing = Typing("(\r\n    1,\r\n)")
    typing.insert("(\r\n    1,\r\n)")
    assert typing.counted == (1, 1, 0, 12)


def test_an_entry_of_the_list_is_not_ours_and_what_follows_it_is() -> None:
    snapshot = Snapshot(URI, "python", 1, "x = ar")
    offer = Offer(snapshot, 4, 6, "area(width)", known=4)
    for text, counted in (("x = area", (0, 0)), ("x = area(width)", (1, 7))):
        stats = Stats()
        stats.offer(offer)
        stats.changed(Snapshot(URI, "python", 2, text))
        assert (stats.accepted, stats.accepted_characters) == counted


def test_a_closed_document_is_forgotten() -> None:
    typing = Typing()
    typing.stats.forget(URI)
    typing.insert(TEXT)
    assert typing.counted == (1, 0, 0, 0)


def _answer(source: Source, ms: float = 0.0, usage: Usage | None = None) -> Completion:
    stages = {"stream": ms} if ms else {}
    return Completion("text of the buffer", source, Trace(backend="local", usage=usage, stages_ms=stages))


def test_where_answers_came_from_and_what_they_cost() -> None:
    stats = Stats()
    for ms in (10.0, 20.0, 30.0):
        stats.answered(_answer("backend", ms, Usage(100, 90, 7)), ms)
    stats.answered(_answer("cache"), 0.1)
    stats.answered(_answer("typed_through"), 0.1)
    stats.answered(NoCompletion(Reason.MID_WORD), 0.1)
    stats.answered(NoCompletion(Reason.SUPERSEDED, trace=_answer("backend", 5.0).trace), 5.0)
    shown = stats_report.values(stats)
    assert shown["requests"] == 7
    assert (shown["from_model"], shown["from_cache"], shown["typed_through"]) == (3, 1, 1)
    assert shown["nothing"] == {"mid_word": 1, "superseded": 1}
    assert shown["evaluated_tokens_per_request"] == pytest.approx(30 / 7)
    assert shown["backends"] == {
        "local": {
            "answers": 3,
            "median_ms": 20.0,
            "p90_ms": 28.0,
            "prompt_tokens": 300,
            "evaluated_tokens": 30,
            "completion_tokens": 21,
        }
    }
    told = stats_report.markdown(stats)
    assert "| local | 3 | 20 ms | 28 ms | 30 | 21 |" in told
    assert Reason.MID_WORD.value in told
    assert "text of the buffer" not in told + str(shown)


def test_a_reply_that_answers_two_requests_is_one() -> None:
    stats, flight = Stats(), Trace(backend="local", usage=Usage(10, 0, 2), stages_ms={"stream": 9.0})
    stats.answered(NoCompletion(Reason.SUPERSEDED, trace=flight), 4.0)
    stats.answered(Completion("b", "typed_through", flight), 5.0)
    stats.answered(Completion("b", "backend", flight), 6.0)
    assert (stats.backends["local"].answers, stats.backends["local"].evaluated_tokens) == (1, 10)


def test_a_server_that_does_not_count_tokens() -> None:
    stats = Stats()
    stats.answered(_answer("backend", 10.0), 12.0)
    shown = stats_report.values(stats)
    assert shown["evaluated_tokens_per_request"] is None
    assert shown["backends"]["local"]["evaluated_tokens"] is None
    assert "| local | 1 | 12 ms | 12 ms | not known | not known |" in stats_report.markdown(stats)


def test_nothing_yet() -> None:
    assert stats_report.values(Stats())["requests"] == 0
    assert "| requests | 0 |" in stats_report.markdown(Stats())
    assert median_and_p90(BackendStats().times_ms) is None
