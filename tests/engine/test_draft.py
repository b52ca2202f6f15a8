"""Guesses at what an answer repeats, alone and with a real model, whose answer they must not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.engine.chat_prompt import ChatTemplate
from lsp_server.engine.decoder import AbortFlag
from lsp_server.engine.draft import FIRST_TOKENS, MOST_TOKENS, Draft
from lsp_server.engine.fim import Prompt
from lsp_server.engine.job import Event, Job, Priority, Sampling, Text
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.runner import Runner
from lsp_server.engine.ticket import Ticket
from lsp_server.engine.wire import Message

CODE = """\
def total_price(orders, discount):
    total = 0
    for order in orders:
        if order.cancelled:
            continue
        price = order.price * order.count
        total = total + price
    if total > 100:
        total = total - discount
    return total
"""
TASK = "Add type annotations and a docstring. Reply with the new code only, in one fenced code block."


def said(draft: Draft, *tokens: int) -> Draft:
    for token in tokens:
        draft.accept(token)
    return draft


def test_nothing_is_guessed_before_the_answer_repeats_anything() -> None:
    draft = Draft(range(10, 30))
    assert draft.guess(99) == ()
    assert said(draft, 1, 2, 15).guess(99) == ()


def test_the_beginning_and_any_two_neighbours_are_recognised() -> None:
    assert said(Draft(range(10, 30)), 1, 10).guess(99) == tuple(range(11, 11 + FIRST_TOKENS))
    assert said(Draft(range(10, 30)), 1, 20, 21).guess(3) == (22, 23, 24)
    assert said(Draft(range(10, 30)), 20, 21).guess(0) == ()


def test_more_is_dared_while_all_is_right_and_less_after_a_miss() -> None:
    draft = said(Draft(range(100)), 0)
    sizes = []
    for _ in range(4):
        guess = draft.guess(99)
        sizes.append(len(guess))
        said(draft, *guess)
    assert sizes == [FIRST_TOKENS, 2 * FIRST_TOKENS, MOST_TOKENS, MOST_TOKENS]
    at = draft.guess(99)[0]
    said(draft, 777)
    assert draft.guess(99) == ()
    said(draft, at + 1, at + 2)
    assert len(draft.guess(99)) == FIRST_TOKENS


def test_of_equal_places_the_one_ahead_is_meant() -> None:
    text = [1, 2, 50, 9, 9, 1, 2, 60, 9, 9, 1, 2, 70]
    draft = said(Draft(text), 1, 2, 50, 777, 1, 2)
    assert draft.guess(1) == (60,)
    assert said(draft, 60, 777, 1, 2).guess(1) == (70,)
    assert said(draft, 70, 777, 1, 2).guess(1) == (70,)


def test_the_end_of_the_text_and_no_text() -> None:
    assert said(Draft([1, 2, 3]), 1, 2, 3).guess(9) == ()
    assert said(Draft([1, 2, 3]), 1, 2, 3, 4).guess(9) == ()
    assert said(Draft([]), 1, 2).guess(9) == ()
    assert said(Draft([1]), 1).guess(9) == ()


@pytest.fixture(scope="module")
def abort() -> AbortFlag:
    return AbortFlag()


@pytest.fixture(scope="module")
def runner(model_path: Path, abort: AbortFlag) -> Iterator[Runner]:
    model = LoadedModel.load(model_path, context_tokens=512, slots=1)
    yield Runner(model, abort)
    model.close()


@pytest.fixture(scope="module")
def question(runner: Runner) -> Prompt:
    message = Message("user", f"{TASK}\n\n```python\n{CODE}```")
    return ChatTemplate(runner.model, runner.vocabulary).encode([message])


@pytest.fixture(scope="module")
def predicted(runner: Runner, question: Prompt) -> Prompt:
    return replace(question, prediction=tuple(runner.vocabulary.tokenize(CODE, after="\n")))


class Answer:
    """A job's answer; `interrupt` is called with the number of each piece of text."""

    def __init__(
        self,
        runner: Runner,
        abort: AbortFlag,
        prompt: Prompt,
        *,
        interrupt: Callable[[int], bool] = lambda _: False,
        **sampling: Any,  # noqa: ANN401 - as Sampling has them
    ) -> None:
        self.texts: list[str] = []
        self.interruptions = 0
        self._abort, self._interrupt = abort, interrupt
        options = Sampling(**{"max_tokens": 140, **sampling})
        ticket = Ticket(Job(prompt, options, Priority.CHAT, self._receive), 0)
        before = runner.decoder.evaluated_tokens
        while not runner.run(ticket):
            self.interruptions += 1
            abort.clear()
        runner.release(ticket)
        assert ticket.generation is not None
        self.evaluated_tokens = runner.decoder.evaluated_tokens - before
        self.cached_tokens = ticket.cached_tokens
        self.tokens = tuple(ticket.generation.tokens)
        self.reason = ticket.generation.finish_reason

    def _receive(self, event: Event) -> None:
        assert isinstance(event, Text)
        self.texts.append(event.text)
        if self._interrupt(len(self.texts)):
            self._abort.set()


@pytest.fixture(scope="module")
def plain(runner: Runner, abort: AbortFlag, question: Prompt) -> Answer:
    return Answer(runner, abort, question)


def test_the_answer_is_the_same_with_a_prediction(
    runner: Runner, abort: AbortFlag, plain: Answer, predicted: Prompt
) -> None:
    assert "order.cancelled" in "".join(plain.texts) and CODE not in "".join(plain.texts)
    answer = Answer(runner, abort, predicted)
    assert (answer.tokens, answer.texts, answer.reason) == (plain.tokens, plain.texts, plain.reason)
    assert answer.evaluated_tokens != plain.evaluated_tokens, "nothing was guessed"


def test_what_was_guessed_wrong_is_not_left_in_the_cache(
    runner: Runner, abort: AbortFlag, plain: Answer, predicted: Prompt
) -> None:
    Answer(runner, abort, predicted)
    more = runner.vocabulary.tokenize("\n\nThe function returns")
    followed = replace(predicted, tokens=(*plain.tokens, *more), prediction=())
    warm = Answer(runner, abort, followed, max_tokens=8)
    assert warm.cached_tokens is not None and warm.cached_tokens >= len(plain.tokens) - 1
    Answer(runner, abort, replace(followed, tokens=tuple(more)), max_tokens=1)  # takes the only slot
    cold = Answer(runner, abort, followed, max_tokens=8)
    assert cold.cached_tokens == 0
    assert warm.tokens == cold.tokens


def test_interrupted_anywhere_it_goes_on(
    runner: Runner, abort: AbortFlag, plain: Answer, predicted: Prompt
) -> None:
    answer = Answer(runner, abort, predicted, interrupt=lambda number: number % 9 == 0)
    assert answer.interruptions > 3
    assert (answer.tokens, answer.texts) == (plain.tokens, plain.texts)


@pytest.mark.parametrize("sampling", [{"max_tokens": 17}, {"stop": ("order.price",)}, {"min_tokens": 30}])
def test_limits_and_stops_hold_inside_of_guesses(
    runner: Runner, abort: AbortFlag, question: Prompt, predicted: Prompt, sampling: dict[str, Any]
) -> None:
    expected = Answer(runner, abort, question, **sampling)
    answer = Answer(runner, abort, predicted, **sampling)
    assert (answer.tokens, answer.texts, answer.reason) == (expected.tokens, expected.texts, expected.reason)


def test_a_wrong_prediction_changes_nothing(
    runner: Runner, abort: AbortFlag, plain: Answer, predicted: Prompt
) -> None:
    shuffled = replace(predicted, prediction=tuple(reversed(predicted.prediction)) + plain.tokens[-9:-5] * 3)
    assert Answer(runner, abort, shuffled).tokens == plain.tokens


def test_the_room_ends_where_it_ends(runner: Runner, abort: AbortFlag, predicted: Prompt) -> None:
    room = runner.model.slot_tokens
    filler = runner.vocabulary.tokenize("# filler\n" * room)[: room - 30 - len(predicted.tokens)]
    full = replace(predicted, tokens=(*filler, *predicted.tokens))
    expected = Answer(runner, abort, replace(full, prediction=()))
    answer = Answer(runner, abort, full)
    assert expected.reason == "length"
    assert (answer.tokens, answer.reason) == (expected.tokens, "length")
