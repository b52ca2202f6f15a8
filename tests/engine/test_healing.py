from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import llama_cpp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lsp_server.engine.fim import encode
from lsp_server.engine.healing import Healing
from lsp_server.engine.vocabulary import VocabOnly, Vocabulary
from lsp_server.families import detect
from tests.support.tiny_gguf import write_bpe, write_tiny_mistral


@pytest.fixture(scope="module")
def mistral(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vocabulary]:
    path = tmp_path_factory.mktemp("healing") / "mistral.gguf"
    with VocabOnly(write_tiny_mistral(path, vocab_only=True)) as file:
        yield file.vocabulary


@pytest.fixture(scope="module")
def qwen(model_path: Path) -> Iterator[Vocabulary]:
    with VocabOnly(model_path) as file:
        yield file.vocabulary


@pytest.fixture(scope="module")
def llama(model_path: Path) -> Iterator[llama_cpp.Llama]:
    model = llama_cpp.Llama(str(model_path), n_ctx=256, n_batch=256, verbose=False)
    yield model
    model.close()


def test_nothing_pending_leaves_the_model_free(qwen: Vocabulary) -> None:
    healing = Healing(qwen, b"")
    assert healing.done
    assert healing.candidates() is None
    assert healing.accept(qwen.tokenize("x")[0]) == b"x"


def test_candidates_go_on_with_the_pending_bytes_or_begin_them(qwen: Vocabulary) -> None:
    candidates = Healing(qwen, b".val").candidates()
    assert candidates is not None
    pieces = {qwen.piece(token) for token in candidates.tolist()}
    assert {b".", b".v", b".val", b".value", b".values"} <= pieces
    assert all(piece.startswith(b".val") or b".val".startswith(piece) for piece in pieces)
    assert not {token for token in candidates.tolist() if qwen.is_end(token)}


def test_new_text_is_what_goes_beyond_the_pending_bytes(qwen: Vocabulary) -> None:
    healing = Healing(qwen, b"    ")
    [indent, word] = qwen.tokenize("    return")
    assert qwen.piece(indent) == b"   "
    assert healing.accept(indent) == b""
    assert (healing.remaining, healing.done) == (b" ", False)
    assert healing.accept(word) == b"return"
    assert healing.done


@pytest.mark.parametrize("wrong", ["x", ";", "ba"])
def test_a_token_that_spells_something_else_is_refused(qwen: Vocabulary, wrong: str) -> None:
    with pytest.raises(ValueError, match="pending"):
        Healing(qwen, b"bo").accept(qwen.tokenize(wrong)[0])


def test_a_control_token_does_not_spell(qwen: Vocabulary) -> None:
    with pytest.raises(ValueError, match="pending"):
        Healing(qwen, b"b").accept(151660)


@settings(deadline=None, max_examples=200)
@given(text=st.text(min_size=1, max_size=20), random=st.randoms(use_true_random=False))
@example(text=" " * 128, random=Random(1))
@example(text="👩‍👩‍👧", random=Random(2))
def test_any_way_through_the_candidates_spells_the_pending_bytes(
    qwen: Vocabulary, mistral: Vocabulary, text: str, random: Random
) -> None:
    for vocabulary in (qwen, mistral):
        pending = encode(detect(vocabulary, ["codestral"]), vocabulary, text, "").pending
        assert pending
        healing, spelled, new = Healing(vocabulary, pending), b"", b""
        while (candidates := healing.candidates()) is not None:
            token = random.choice(candidates.tolist())
            spelled += vocabulary.piece(token)
            new += healing.accept(token)
        assert spelled == pending + new


def test_byte_tokens_are_offered_only_where_nothing_else_will_do(mistral: Vocabulary) -> None:
    def kinds(pending: bytes) -> set[bool]:
        candidates = Healing(mistral, pending).candidates()
        assert candidates is not None
        return set(mistral.is_byte(candidates).tolist())

    assert kinds(b"foo(") == {False}
    assert kinds("é".encode()) == {False}
    assert kinds("🧿".encode()) == {True}


def test_a_start_that_cannot_be_finished_is_no_candidate(tmp_path: Path) -> None:
    # Dropping bytes from the vocabulary leaves `a` a dead end for `a\xff`.
    with VocabOnly(write_bpe(tmp_path / "bytes.gguf", [], without=b"\xff")) as file:
        with pytest.raises(ValueError, match="cannot spell"):
            Healing(file.vocabulary, b"a\xff")
        assert Healing(file.vocabulary, b"a\xfe").candidates() is not None


@pytest.mark.parametrize(
    ("prefix", "suffix", "expected"),
    [
        ("import os\nhome = os.environ.get('HO", "')\n", "ME"),
        ("def area(width, height):\n    return wid", "\n", "th * height"),
        ("def f():\n    ", "\n", "return"),
        ("class A:\n    def __init__(self, value):\n        self.val", "\n", "ue = value"),
        ("def foo(bar):\n    return bar\n\nbar = 3\nx = foo(ba", ")\n", "r"),
        ("names = ['ann', 'bob']\nfor name in names:\n    print(", ")\n", "name"),
    ],
)
def test_the_real_model_finishes_the_word_it_is_in(
    llama: llama_cpp.Llama, prefix: str, suffix: str, expected: str
) -> None:
    healed, pending, spelled = complete(llama, prefix, suffix, heal=True)
    assert spelled.startswith(pending)
    assert healed.startswith(expected)
    # The same model, prompt and weights without healing: a token sequence it has never seen.
    plain, _, _ = complete(llama, prefix, suffix, heal=False)
    assert not plain.startswith(expected)


def complete(llama: llama_cpp.Llama, prefix: str, suffix: str, *, heal: bool) -> tuple[str, bytes, bytes]:
    """Decode greedily; return the new text, the pending bytes and all bytes the model wrote."""
    vocabulary = Vocabulary(llama_cpp.llama_model_get_vocab(llama.model))
    prompt = encode(detect(vocabulary, []), vocabulary, prefix, suffix, heal=heal)
    healing, new, written = Healing(vocabulary, prompt.pending), b"", b""
    llama.reset()  # type: ignore[no-untyped-call]
    llama.eval(prompt.tokens)
    for _ in range(6):
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llama.ctx, -1), (vocabulary.size,))
        candidates = healing.candidates()
        best = logits.argmax() if candidates is None else candidates[logits[candidates].argmax()]
        token = int(best)
        if token in prompt.end_tokens:
            break
        written += vocabulary.piece(token)
        new += healing.accept(token)
        llama.eval([token])
    return new.decode("utf-8", "ignore"), prompt.pending, written
