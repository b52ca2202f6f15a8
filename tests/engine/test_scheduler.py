"""Jobs on a real model: who goes first, what is reused, and how each job ends."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp_server.engine.fim import Prompt, encode
from lsp_server.engine.job import Cancelled, Done, Event, Failed, Job, Priority, PromptSource, Sampling, Text
from lsp_server.engine.model import BATCH_TOKENS, LoadedModel
from lsp_server.engine.scheduler import Loading, Ready, Scheduler, Unavailable
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.errors import BackendRejected
from lsp_server.families import detect

WAIT_S = 120
CODE = "def fibonacci(n):\n    if n < 2:\n        return n\n    return"
LONG = "".join(f"def function_{n}(value):\n    return value * {n} + {n + 1}\n\n\n" for n in range(36))
"""Five batches."""


class Client:
    """A job and the events it got."""

    def __init__(
        self,
        scheduler: Scheduler,
        prompt: Prompt | PromptSource,
        *,
        priority: Priority = Priority.COMPLETION,
        document: str | None = None,
        on_text: Callable[[], None] = lambda: None,
        **sampling: object,
    ) -> None:
        self.scheduler = scheduler
        self.texts: list[str] = []
        self.ends: queue.Queue[Event] = queue.Queue()
        self._on_text = on_text
        options = Sampling(**{"max_tokens": 12, **sampling})  # type: ignore[arg-type]
        self.job = Job(prompt, options, priority, self._receive, document)
        scheduler.submit(self.job)

    def _receive(self, event: Event) -> None:
        if isinstance(event, Text):
            self.texts.append(event.text)
            self._on_text()
        else:
            self.ends.put(event)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def end(self) -> Event:
        """Wait for the end, and check that it is the only one."""
        event = self.ends.get(timeout=WAIT_S)
        assert self.ends.empty()
        return event

    def done(self) -> Done:
        event = self.end()
        assert isinstance(event, Done), event
        return event


def plain(text: str, pending: bytes = b"") -> PromptSource:
    """Continue `text`."""
    return lambda _, vocabulary: Prompt(tuple(vocabulary.tokenize(text)), pending, frozenset(), (), "plain")


def fim(prefix: str, suffix: str) -> PromptSource:
    """Fill in the middle, as the engine does for an editor."""
    return lambda model, vocabulary: encode(detect(vocabulary, [model.name]), vocabulary, prefix, suffix)


@pytest.fixture(scope="module")
def shared(model_path: Path) -> Iterator[Scheduler]:
    """Serve tests that do not care what is in the cache."""
    yield from _scheduler(model_path)


@pytest.fixture
def scheduler(model_path: Path) -> Iterator[Scheduler]:
    """Serve a test that begins with an empty cache."""
    yield from _scheduler(model_path)


def _scheduler(path: Path, *, context_tokens: int = 2048) -> Iterator[Scheduler]:
    def load(progress: Callable[[float], None]) -> LoadedModel:
        return LoadedModel.load(path, context_tokens=context_tokens, slots=2, progress=progress)

    scheduler = Scheduler(load)
    yield scheduler
    scheduler.close()
    assert isinstance(scheduler.state, Unavailable)


def test_the_same_text_whatever_happened_before(scheduler: Scheduler) -> None:
    def ask(on_text: Callable[[], None] = lambda: None) -> Client:
        return Client(scheduler, plain(CODE), document="a", max_tokens=24, on_text=on_text)

    cold = ask()
    assert cold.done().stats.cached_tokens == 0
    assert "fibonacci(n - 1)" in cold.text or "fibonacci(n-1)" in cold.text

    warm = ask()
    stats = warm.done().stats
    assert stats.cached_tokens == stats.prompt_tokens
    assert warm.text == cold.text

    # Pre-empted at its first text by another prompt of the same document, which takes the slot.
    others: list[Client] = []

    def others_come() -> None:
        if not others:
            others.append(Client(scheduler, plain("# " + LONG[:400]), document="a"))

    preempted = ask(on_text=others_come)
    stats = preempted.done().stats
    others[0].done()
    assert stats.evaluated_tokens > stats.prompt_tokens, "it was pushed out and evaluated again"
    assert preempted.text == cold.text

    interrupted = Client(scheduler, plain(CODE + "\n" + LONG), document="a")
    _wait_until(lambda: scheduler.evaluated_tokens > 0)
    scheduler.cancel(interrupted.job)
    assert isinstance(interrupted.end(), Cancelled)
    after = ask()
    after.done()
    assert after.text == cold.text


def test_cancelling_stops_a_prefill_within_one_batch(scheduler: Scheduler) -> None:
    _wait_until(lambda: not isinstance(scheduler.state, Loading))
    before = scheduler.evaluated_tokens
    client = Client(scheduler, plain(LONG))
    _wait_until(lambda: scheduler.evaluated_tokens > before)
    at_cancel = scheduler.evaluated_tokens
    assert scheduler.cancel(client.job)
    event = client.end()
    assert isinstance(event, Cancelled)
    assert event.stats.prompt_tokens > 2 * BATCH_TOKENS
    assert event.stats.completion_tokens == 0
    assert scheduler.evaluated_tokens - at_cancel <= BATCH_TOKENS
    assert scheduler.evaluated_tokens - before == event.stats.evaluated_tokens < event.stats.prompt_tokens
    # What had been evaluated is not lost.
    kept = event.stats.evaluated_tokens

    def beginning(_: LoadedModel, vocabulary: Vocabulary) -> Prompt:
        return Prompt(tuple(vocabulary.tokenize(LONG)[: kept + 1]), b"", frozenset(), (), "plain")

    stats = Client(scheduler, beginning, max_tokens=0).done().stats
    assert (stats.cached_tokens, stats.evaluated_tokens) == (kept, 1)


def test_prompts_that_are_given_up_at_each_key_get_evaluated_all_the_same(scheduler: Scheduler) -> None:
    """However slow the machine is: nothing of a prompt is lost that the next one begins with, too."""
    _wait_until(lambda: not isinstance(scheduler.state, Loading))
    for key in range(100):
        client = Client(scheduler, plain(LONG + f"value = {key}"), document="a", max_tokens=0)
        time.sleep(0.05)  # the next key
        scheduler.cancel(client.job)
        ended = client.end()
        assert isinstance(ended, Cancelled | Done)
        if ended.stats.cached_tokens > BATCH_TOKENS * 4:
            return
    raise AssertionError("no prompt got beyond the first batches")


def test_cancelling_stops_a_generation_at_the_next_token(shared: Scheduler) -> None:
    def stop() -> None:
        if len(client.texts) == 2:
            shared.cancel(client.job)

    client = Client(shared, plain("1, 2, 3, 4,"), priority=Priority.CHAT, max_tokens=400, on_text=stop)
    assert isinstance(client.end(), Cancelled)
    assert len(client.texts) == 2


def test_the_newest_completion_goes_first_and_chats_after_all_of_them(shared: Scheduler) -> None:
    order: list[str] = []
    clients: dict[str, Client] = {}

    def ask(name: str, priority: Priority = Priority.COMPLETION) -> None:
        def started() -> None:
            if name not in order:
                order.append(name)

        clients[name] = Client(
            shared, plain(f"# {name}\nimport"), priority=priority, max_tokens=6, on_text=started
        )

    def rush() -> None:
        # On the model's thread: all are in the queue before any can run.
        if "background" not in clients:
            ask("background", Priority.BACKGROUND)
            ask("chat 2", Priority.CHAT)
            ask("chat 3", Priority.CHAT)
            ask("completion 1")
            ask("completion 2")
            ask("completion 3")

    chat = Client(shared, plain("1, 2, 3,"), priority=Priority.CHAT, max_tokens=40, on_text=rush)
    ends_before = len(order)
    chat.done()
    assert ends_before == 0
    assert order[:3] == ["completion 3", "completion 2", "completion 1"], "before the chat went on"
    for client in clients.values():
        client.done()
    assert order[3:] == ["chat 2", "chat 3", "background"]


def test_a_newer_completion_interrupts_the_prefill_of_an_older_one(scheduler: Scheduler) -> None:
    _wait_until(lambda: not isinstance(scheduler.state, Loading))
    before = scheduler.evaluated_tokens
    older = Client(scheduler, plain(LONG), document="a")
    _wait_until(lambda: scheduler.evaluated_tokens > before)
    newer = Client(scheduler, plain(CODE), document="b")
    newer.done()
    assert older.ends.empty() and not older.texts
    stats = older.done().stats
    assert stats.evaluated_tokens == stats.prompt_tokens, "nothing was lost, nothing evaluated twice"
    assert stats.queue_ms > 0


def test_typing_evaluates_about_a_token_a_key(scheduler: Scheduler) -> None:
    above = LONG[:600] + "def area(width, height):\n"
    typed = "    result = width * height\n    print(f'{result}')"
    evaluated = []
    for key in range(len(typed) + 1):
        client = Client(
            scheduler, fim(above + typed[:key], "\n\n\nprint(area(2, 3))\n"), document="a", max_tokens=1
        )
        evaluated.append(client.done().stats.evaluated_tokens)
    assert evaluated[0] > 200
    assert sum(evaluated[1:]) / len(typed) <= 1
    assert max(evaluated[1:]) <= 2


def test_two_documents_have_two_slots_and_a_third_takes_the_older(scheduler: Scheduler) -> None:
    def cached(document: str) -> bool:
        prompt = plain(f"# {document}\n{LONG[:300]}")
        return Client(scheduler, prompt, document=document, max_tokens=1).done().stats.cached_tokens > 20

    assert [cached(document) for document in "abab"] == [False, False, True, True]
    assert [cached(document) for document in "cbca"] == [False, True, True, False]


def test_healing_gives_only_what_is_new(shared: Scheduler) -> None:
    whole = Client(shared, plain("import os\nimport sys\n\nprint(os.", b"path"), max_tokens=6)
    part = Client(shared, plain("import os\nimport sys\n\nprint(os.", b"pa"), max_tokens=6)
    whole.done(), part.done()
    assert part.text.startswith("th")
    assert part.text.removeprefix("th").startswith(whole.text[:6])


def test_characters_come_out_whole(shared: Scheduler) -> None:
    client = Client(shared, plain("🎉🦜🎉🦜🎉🦜🎉🦜🎉🦜🎉"), max_tokens=13)
    stats = client.done().stats
    assert "🦜🎉" in client.text
    assert "\ufffd" not in client.text
    assert stats.completion_tokens > len(client.text), "characters of several tokens"


def test_a_stop_string_ends_the_text_and_is_left_out(shared: Scheduler) -> None:
    client = Client(shared, plain("1, 2, 3, 4,"), max_tokens=40, stop=("7, 8",))
    assert client.done().finish_reason == "stop"
    assert client.text == " 5, 6, "


def test_the_prompt_brings_its_own_stops(shared: Scheduler) -> None:
    def prompt(_: LoadedModel, vocabulary: Vocabulary) -> Prompt:
        (seven,) = vocabulary.tokenize("7")
        return Prompt(tuple(vocabulary.tokenize("1, 2, 3, 4,")), b"", frozenset({seven}), ("9",), "plain")

    client = Client(shared, prompt, max_tokens=40)
    assert client.done().finish_reason == "stop"
    assert client.text == " 5, 6, "


def test_the_model_may_not_stop_before_min_tokens(shared: Scheduler) -> None:
    def prompt(_: LoadedModel, vocabulary: Vocabulary) -> Prompt:
        (four,) = vocabulary.tokenize("4")
        return Prompt(tuple(vocabulary.tokenize("1, 2, 3, ")), b"", frozenset({four}), (), "plain")

    at_once = Client(shared, prompt)
    assert at_once.done().stats.completion_tokens == 0 and not at_once.text
    later = Client(shared, prompt, min_tokens=3)
    assert later.done().stats.completion_tokens >= 3
    assert "4" not in later.text[:1]


def test_max_tokens(shared: Scheduler) -> None:
    client = Client(shared, plain("1, 2, 3,"), max_tokens=5)
    done = client.done()
    assert (done.finish_reason, done.stats.completion_tokens) == ("length", 5)
    assert client.text == " 4, 5"


def test_no_tokens_asked_for_fills_the_cache(scheduler: Scheduler) -> None:
    ahead = Client(scheduler, plain(LONG[:300]), priority=Priority.BACKGROUND, document="a", max_tokens=0)
    done = ahead.done()
    assert done.finish_reason == "length" and not ahead.text
    stats = Client(scheduler, plain(LONG[:300]), document="a").done().stats
    assert (stats.cached_tokens, stats.evaluated_tokens) == (stats.prompt_tokens, 0)


def test_sampling_is_repeatable_with_a_seed(shared: Scheduler) -> None:
    def ask(seed: int) -> str:
        client = Client(shared, plain("Once upon a time"), temperature=1.5, seed=seed, document="a")
        client.done()
        return client.text

    assert ask(1) == ask(1) != ask(2)


def test_a_prompt_longer_than_a_slot_is_refused(shared: Scheduler) -> None:
    event = Client(shared, plain(LONG * 4)).end()
    assert isinstance(event, Failed) and event.refused
    assert "room for 2047" in event.message
    empty = Client(shared, plain("")).end()
    assert isinstance(empty, Failed) and empty.refused


def test_a_full_slot_ends_the_text(model_path: Path) -> None:
    def prompt(model: LoadedModel, vocabulary: Vocabulary) -> Prompt:
        tokens = vocabulary.tokenize(LONG)[: model.slot_tokens - 4]
        return Prompt(tuple(tokens), b"", frozenset(), (), "plain")

    for scheduler in _scheduler(model_path, context_tokens=256):
        done = Client(scheduler, prompt, max_tokens=100).done()
        assert done.finish_reason == "length"
        assert done.stats.completion_tokens == 5, "four find room, one more is chosen and not evaluated"


def test_a_failing_job_harms_no_other(shared: Scheduler) -> None:
    def broken(_: LoadedModel, __: Vocabulary) -> Prompt:
        raise ZeroDivisionError

    def refused(_: LoadedModel, __: Vocabulary) -> Prompt:
        raise BackendRejected("No.", 422)

    def outside(model: LoadedModel, _: Vocabulary) -> Prompt:
        return Prompt((model.vocabulary_size + 7,), b"", frozenset(), (), "plain")

    def deaf() -> None:
        raise ZeroDivisionError

    assert Client(shared, refused).end() == Failed("No.", refused=True)
    for client in (
        Client(shared, broken),
        Client(shared, outside),
        Client(shared, plain("1, 2, 3,"), on_text=deaf),
    ):
        event = client.end()
        assert isinstance(event, Failed) and "log" in event.message
    alive = Client(shared, plain("1, 2, 3,"), max_tokens=5)
    alive.done()
    assert alive.text == " 4, 5"


def test_jobs_wait_while_the_model_loads_and_can_be_cancelled(scheduler: Scheduler) -> None:
    served = Client(scheduler, plain("1, 2, 3,"), max_tokens=5)
    unwanted = Client(scheduler, plain("never"))
    assert isinstance(scheduler.state, Loading)
    assert scheduler.idle_since is None
    assert scheduler.cancel(unwanted.job)
    assert isinstance(unwanted.end(), Cancelled)
    assert not scheduler.cancel(unwanted.job)
    assert served.done().stats.queue_ms > 0
    assert isinstance(scheduler.state, Ready)
    assert not scheduler.cancel(served.job)


def test_idle_is_when_nothing_is_left_to_do(shared: Scheduler) -> None:
    Client(shared, plain("1,"), max_tokens=1).done()
    since = shared.idle_since
    assert since is not None and since <= time.monotonic()
    seen: list[float | None] = []
    Client(shared, plain("2,"), max_tokens=1, on_text=lambda: seen.append(shared.idle_since)).done()
    assert seen == [None]
    assert shared.idle_since is not None and shared.idle_since > since


def test_a_job_is_submitted_once(shared: Scheduler) -> None:
    client = Client(shared, plain("1, 2,"), priority=Priority.CHAT, max_tokens=200)
    with pytest.raises(ValueError, match="already"):
        shared.submit(client.job)
    shared.cancel(client.job)
    assert isinstance(client.end(), Cancelled)


@pytest.mark.parametrize("kind", ["truncated", "random", "directory", "missing"])
def test_without_a_model_every_job_fails_with_the_reason(tmp_path: Path, model_path: Path, kind: str) -> None:
    path = tmp_path / "model.gguf"
    if kind == "truncated":
        with model_path.open("rb") as file:
            path.write_bytes(file.read(20_000_000))
    elif kind == "random":
        path.write_bytes(bytes(range(256)) * 400)
    elif kind == "directory":
        path.mkdir()
    scheduler = Scheduler(
        lambda progress: LoadedModel.load(path, context_tokens=256, slots=1, progress=progress)
    )
    first = Client(scheduler, plain("1, 2,"))
    event = first.end()
    assert isinstance(event, Failed) and "model.gguf" in event.message
    assert scheduler.state == Unavailable(event.message)
    assert Client(scheduler, plain("1, 2,")).end() == event
    assert scheduler.idle_since is not None
    scheduler.close()


def test_closing_ends_every_job(model_path: Path) -> None:
    for scheduler in _scheduler(model_path):
        waiting = Client(scheduler, plain("1, 2,"), priority=Priority.BACKGROUND)
        running = Client(scheduler, plain("1, 2,"), max_tokens=1000, on_text=lambda: None)
        _wait_until(lambda running=running: bool(running.texts))  # type: ignore[misc]
        scheduler.close()
        assert isinstance(running.end(), Failed)
        assert isinstance(waiting.end(), Failed)
        assert isinstance(Client(scheduler, plain("late")).end(), Failed)


def test_closing_stops_the_loading(model_path: Path) -> None:
    for scheduler in _scheduler(model_path):
        waiting = Client(scheduler, plain("1, 2,"))
        scheduler.close()
        assert isinstance(waiting.end(), Failed)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_completion_goes_before_a_long_chat_which_goes_on_unchanged(scheduler: Scheduler) -> None:
    """The chat keeps its slot and what is evaluated in it; the completion gets the other one."""

    def explain(on_text: Callable[[], None] = lambda: None) -> Client:
        return Client(
            scheduler,
            plain(f"{LONG[:600]}# Explained:"),
            priority=Priority.CHAT,
            max_tokens=40,
            on_text=on_text,
        )

    undisturbed = explain()
    undisturbed.done()
    order: list[str] = []
    completions: list[Client] = []

    def somebody_types() -> None:
        order.append("chat")
        if order.count("chat") in (5, 20):
            prompt = fim(CODE, f"\n\n# {len(completions)}")
            completions.append(
                Client(scheduler, prompt, document="a", on_text=lambda: order.append("completion"))
            )

    disturbed = explain(somebody_types)
    stats = disturbed.done().stats
    for completion in completions:
        assert completion.done().finish_reason and completion.text
    assert disturbed.text == undisturbed.text
    assert stats.evaluated_tokens == len(completions), "more than the token that each had interrupted"
    # From the piece at which somebody typed to the completion's last one, the chat says nothing.
    chats = [number for number, who in enumerate(order) if who == "chat"]
    for at in (5, 20):
        pause = order[chats[at - 1] + 1 : chats[at]]
        assert pause and set(pause) == {"completion"}
    assert order.count("completion") == sum(len(completion.texts) for completion in completions)


def test_a_completion_does_not_wait_for_a_chats_prompt(scheduler: Scheduler) -> None:
    ends: list[str] = []
    chat = Client(
        scheduler, plain(LONG), priority=Priority.CHAT, max_tokens=2, on_text=lambda: ends.append("chat")
    )
    _wait_until(lambda: scheduler.evaluated_tokens > 0)
    completion = Client(scheduler, fim(CODE, ""), document="a", on_text=lambda: ends.append("completion"))
    completion.done()
    stats = chat.done().stats
    assert ends[0] == "completion"
    assert stats.evaluated_tokens < stats.prompt_tokens + BATCH_TOKENS, "a batch at most is evaluated twice"
