"""What the worker passes on of a reply, however it comes in pieces."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.llm_worker import Pipes, Reply, Request


class Sink(Pipes):
    """Answers go into a list."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, answer: dict[str, Any]) -> None:
        self.sent.append(answer)

    @property
    def text(self) -> str:
        return "".join(answer["text"] for answer in self.sent)


def reply_to(sink: Sink, *, stop: list[str], max_tokens: int = 100, cut: bool = True) -> Reply:
    return Reply(Request({"id": 1, "stop": stop, "max_tokens": max_tokens}, sink), cut=cut)


@given(st.lists(st.text("ab\n", max_size=4), max_size=12), st.text("ab\n", min_size=1, max_size=3))
def test_ends_before_a_stop_sequence_wherever_it_was_split(pieces: list[str], stop: str) -> None:
    sink = Sink()
    reply = reply_to(sink, stop=[stop])
    ended = any(reply.take(piece) for piece in pieces)
    reply.finish()
    whole = "".join(pieces)
    assert sink.text == whole.partition(stop)[0]
    assert ended == (stop in whole) and reply.end == "stop"


def test_passes_on_at_once_what_cannot_be_a_stop_sequence() -> None:
    sink = Sink()
    reply = reply_to(sink, stop=["\n\n"])
    reply.take("a = 1\n")
    assert sink.text == "a = 1"
    reply.take("b")
    assert sink.text == "a = 1\nb"


def test_the_length_is_kept_to_where_the_model_does_not_know_it() -> None:
    sink = Sink()
    reply = reply_to(sink, stop=["cd"], max_tokens=2)
    assert [reply.take("a"), reply.take("c")] == [False, True]
    assert (sink.text, reply.end) == ("ac", "length")
    reply = reply_to(Sink(), stop=[], max_tokens=2, cut=False)
    assert [reply.take("a"), reply.take("b"), reply.take("c")] == [False] * 3
