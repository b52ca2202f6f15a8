"""Loading real weights and evaluating tokens in them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.engine.decoder import AbortFlag, DecodeError, Decoder, Evaluation, Outcome
from lsp_server.engine.model import BATCH_TOKENS, LoadedModel
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.errors import ModelError

CONTEXT = 768


@pytest.fixture(scope="module")
def model(smollm2_path: Path) -> Iterator[LoadedModel]:
    loaded = LoadedModel.load(smollm2_path, context_tokens=CONTEXT, slots=2)
    yield loaded
    loaded.close()


@pytest.fixture
def abort() -> AbortFlag:
    return AbortFlag()


@pytest.fixture
def decoder(model: LoadedModel, abort: AbortFlag) -> Decoder:
    decoder = Decoder(model, abort)
    for sequence in range(model.slots):
        decoder.keep(sequence, 0)
    return decoder


@pytest.fixture
def tokens(model: LoadedModel) -> list[int]:
    """Two batches and a half."""
    text = "".join(f"value_{number} = compute({number}, {number * 7})\n" for number in range(100))
    return Vocabulary(model.vocab).tokenize(text)[: BATCH_TOKENS * 2 + BATCH_TOKENS // 2]


def complete(decoder: Decoder, sequence: int, tokens: list[int], start: int = 0) -> int:
    """Evaluate everything; return the most likely next token."""
    assert decoder.evaluate(sequence, tokens, start) == Evaluation(len(tokens), Outcome.COMPLETE)
    return int(decoder.logits().argmax())


def test_what_is_known_of_a_model(model: LoadedModel) -> None:
    assert model.architecture == "llama"
    assert "smollm2" in model.name.lower()
    assert model.chat_template and "<|im_start|>" in model.chat_template
    assert model.slot_tokens == CONTEXT
    assert model.shortens
    assert model.vocabulary_size == Vocabulary(model.vocab).size
    assert 0.5 < model.size_bytes / model.path.stat().st_size < 1


def test_no_longer_context_than_the_model_was_trained_for(smollm2_path: Path) -> None:
    model = LoadedModel.load(smollm2_path, context_tokens=1_000_000, slots=1)
    assert model.slot_tokens == model.trained_tokens == 8192
    model.close()


def test_progress_is_told(smollm2_path: Path) -> None:
    told: list[float] = []
    LoadedModel.load(smollm2_path, context_tokens=256, slots=1, progress=told.append).close()
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(set(told)) > 10


def test_an_exception_in_progress_stops_the_loading(smollm2_path: Path) -> None:
    told: list[float] = []

    def progress(fraction: float) -> None:
        told.append(fraction)
        if fraction > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LoadedModel.load(smollm2_path, context_tokens=256, slots=1, progress=progress)
    assert told[-1] < 0.6


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(slice(0, 0), "failed to read magic", id="empty"),
        pytest.param(slice(0, 100), "failed to read key-value pairs", id="cut in the header"),
        pytest.param(slice(0, 50_000_000), "corrupted or incomplete", id="cut in the weights"),
        pytest.param(slice(0, -1), "corrupted or incomplete", id="one byte short"),
        pytest.param(b"<!DOCTYPE html>", "invalid magic characters", id="a web page"),
        pytest.param(b"GGUF" + random.Random(1).randbytes(9999), "version", id="random after the magic"),
        pytest.param(
            b"GGUF\3\0\0\0" + random.Random(2).randbytes(9999), "must be in", id="random after the version"
        ),
    ],
)
def test_a_file_that_is_no_model(
    tmp_path: Path, smollm2_path: Path, content: slice | bytes, reason: str
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content if isinstance(content, bytes) else smollm2_path.read_bytes()[content])
    with pytest.raises(
        ModelError, match=rf"broken\.gguf is not a usable model: .*{reason}.*; download it again"
    ):
        LoadedModel.load(path, context_tokens=256, slots=1)


def test_a_directory_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a directory, not a model"):
        LoadedModel.load(tmp_path, context_tokens=256, slots=1)
    with pytest.raises(ModelError, match="does not exist"):
        LoadedModel.load(tmp_path / "missing.gguf", context_tokens=256, slots=1)


def test_batches_do_not_change_the_answer(decoder: Decoder, tokens: list[int]) -> None:
    at_once = complete(decoder, 0, tokens)
    complete(decoder, 1, tokens[:300])
    complete(decoder, 1, tokens[300:-1], start=300)
    assert complete(decoder, 1, tokens[-1:], start=len(tokens) - 1) == at_once


def test_what_is_removed_is_gone(decoder: Decoder, tokens: list[int]) -> None:
    expected = complete(decoder, 0, tokens[:100])
    complete(decoder, 1, tokens[:50])
    complete(decoder, 1, list(reversed(tokens)), start=50)
    assert decoder.keep(1, 50) == 50
    assert complete(decoder, 1, tokens[50:100], start=50) == expected


def test_sequences_do_not_see_each_other(decoder: Decoder, tokens: list[int]) -> None:
    expected = complete(decoder, 0, tokens[:100])
    decoder.keep(0, 99)
    complete(decoder, 1, list(reversed(tokens)))
    assert complete(decoder, 0, tokens[99:100], start=99) == expected


def test_nothing_is_evaluated_once_the_flag_is_set(
    decoder: Decoder, abort: AbortFlag, tokens: list[int]
) -> None:
    abort.set()
    assert decoder.evaluate(0, tokens, 0) == Evaluation(0, Outcome.ABORTED)
    abort.clear()
    complete(decoder, 0, tokens)


def test_an_aborted_evaluation_keeps_whole_batches_and_can_go_on(
    decoder: Decoder, abort: AbortFlag, tokens: list[int]
) -> None:
    expected = complete(decoder, 1, tokens)
    before = decoder.evaluated_tokens

    def stop_after_one_batch() -> None:
        while decoder.evaluated_tokens == before:
            time.sleep(0.001)
        abort.set()

    stopper = threading.Thread(target=stop_after_one_batch)
    stopper.start()
    done, outcome = decoder.evaluate(0, tokens, 0)
    stopper.join()
    assert outcome is Outcome.ABORTED
    assert done in {BATCH_TOKENS, BATCH_TOKENS * 2}
    assert decoder.evaluated_tokens == before + done
    abort.clear()
    assert complete(decoder, 0, tokens[done:], start=done) == expected


def test_a_batch_is_aborted_inside(decoder: Decoder, abort: AbortFlag, tokens: list[int]) -> None:
    # A batch takes some hundred milliseconds; the flag comes up in its midst.
    threading.Timer(0.02, abort.set).start()
    assert decoder.evaluate(0, tokens[:BATCH_TOKENS], 0) == Evaluation(0, Outcome.ABORTED)
    abort.clear()
    complete(decoder, 0, tokens[:10])


def test_a_full_sequence(decoder: Decoder, tokens: list[int]) -> None:
    full = (tokens * CONTEXT)[:CONTEXT]
    complete(decoder, 0, full[:-1])
    expected = complete(decoder, 0, full[-1:], start=CONTEXT - 1)
    assert decoder.evaluate(0, [1], CONTEXT) == Evaluation(0, Outcome.NO_ROOM)
    decoder.keep(0, CONTEXT - 1)
    assert complete(decoder, 0, full[-1:], start=CONTEXT - 1) == expected


def test_a_batch_that_llama_cpp_refuses_does_no_lasting_harm(
    decoder: Decoder, model: LoadedModel, tokens: list[int]
) -> None:
    with pytest.raises(DecodeError, match="-1: invalid token"):
        decoder.evaluate(0, [model.vocabulary_size], 0)
    complete(decoder, 0, tokens[:10])


def test_warming_up_leaves_nothing_behind(decoder: Decoder, tokens: list[int]) -> None:
    expected = complete(decoder, 0, tokens[:100])
    decoder.warm_up()  # empties every sequence
    assert complete(decoder, 0, tokens[:100]) == expected
