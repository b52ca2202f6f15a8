from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.engine.vocabulary import VocabOnly, Vocabulary
from lsp_server.errors import ModelError
from tests.support.tiny_gguf import USER_DEFINED, write_bpe, write_spm, write_tiny_mistral

TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["def f(", "\n", "    ", "\t", "x", " = ", "é", "e\u0301", "😀", "\r\n", "\0", "</s>", "▁"]
    )
).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vocabularies")


@pytest.fixture(scope="module")
def qwen(model_path: Path) -> Iterator[Vocabulary]:
    with VocabOnly(model_path) as file:
        yield file.vocabulary


@pytest.fixture(scope="module")
def mistral(folder: Path) -> Iterator[Vocabulary]:
    with VocabOnly(write_tiny_mistral(folder / "mistral.gguf", vocab_only=True)) as file:
        yield file.vocabulary


def text_of(vocabulary: Vocabulary, tokens: list[int]) -> bytes:
    return b"".join(vocabulary.piece(token) for token in tokens)


@settings(deadline=None)
@given(text=TEXTS)
def test_bpe_tokens_spell_the_text(qwen: Vocabulary, text: str) -> None:
    assert text_of(qwen, qwen.tokenize(text)) == text.encode()


@settings(deadline=None)
@given(text=TEXTS)
def test_sentencepiece_tokens_spell_the_text_behind_a_space(mistral: Vocabulary, text: str) -> None:
    # SentencePiece writes spaces as U+2581 and cannot tell the two apart.
    expected = text.replace("▁", " ").encode()
    assert text_of(mistral, mistral.tokenize(text)) == (b" " + expected if text else b"")
    assert text_of(mistral, mistral.tokenize(text, after="☺")) == expected


def test_pieces_longer_than_any_buffer_are_whole(qwen: Vocabulary) -> None:
    indent = qwen.tokenize(" " * 80)
    assert text_of(qwen, indent) == b" " * 80
    longest = max(range(qwen.size), key=lambda token: len(qwen.pieces[token]))
    assert len(qwen.pieces[longest]) == 128
    assert qwen.piece(longest) == qwen.pieces[longest]


def test_all_pieces_are_the_single_ones(mistral: Vocabulary) -> None:
    assert mistral.pieces == [mistral.piece(token) for token in range(mistral.size)]


@pytest.mark.parametrize("token", [-1, 32768])
def test_a_token_outside_the_vocabulary_is_refused(mistral: Vocabulary, token: int) -> None:
    with pytest.raises(IndexError):
        mistral.piece(token)


@pytest.mark.parametrize(
    "marker",
    [
        "<|fim_prefix|>",
        "<|fim_middle|>",
        "<|endoftext|>",
        "<|im_end|>",
        "<|file_sep|>",
        "</s>",
        "[SUFFIX]",
        "<s>",
    ],
)
def test_control_tokens_in_a_text_stay_text(qwen: Vocabulary, mistral: Vocabulary, marker: str) -> None:
    text = f"x = '{marker}'"
    for vocabulary in (qwen, mistral):
        tokens = vocabulary.tokenize(text, after="☺" if vocabulary is mistral else "")
        assert text_of(vocabulary, tokens) == text.encode()
        assert not vocabulary.ends.intersection(tokens)
        assert vocabulary.find(marker) not in tokens


def test_sentencepiece_merges_do_not_make_a_control_token(folder: Path) -> None:
    # llama.cpp merges `</` and `s>` by text alone, and finds the control token of that text.
    with VocabOnly(write_spm(folder / "merges.gguf", ["</s>"], words=["</", "s>"])) as file:
        tokens = file.vocabulary.tokenize("a</s></s>b")
        assert 2 not in tokens
        assert text_of(file.vocabulary, tokens) == b" a</s></s>b"


def test_one_control_token_may_hide_another(folder: Path) -> None:
    path = write_bpe(folder / "nested.gguf", ["<[a]>", "[a]"], kind=USER_DEFINED)
    with VocabOnly(path) as file:
        vocabulary = file.vocabulary
        markers = {token for text in ("<[a]>", "[a]") if (token := vocabulary.find(text)) is not None}
        tokens = vocabulary.tokenize("<[a]>", never=markers)
        assert text_of(vocabulary, tokens) == b"<[a]>"
        assert not markers.intersection(tokens)


def test_user_defined_markers_stay_text_on_request(folder: Path) -> None:
    path = write_bpe(folder / "user.gguf", ["<[fim-prefix]>", "<table>"], kind=USER_DEFINED)
    with VocabOnly(path) as file:
        vocabulary, text = file.vocabulary, "<table><[fim-prefix]><[fim-prefix]>"
        marker, table = vocabulary.find("<[fim-prefix]>"), vocabulary.find("<table>")
        assert marker is not None
        assert vocabulary.tokenize(text) == [table, marker, marker]
        tokens = vocabulary.tokenize(text, never={marker})
        assert tokens[0] == table
        assert marker not in tokens
        assert text_of(vocabulary, tokens) == text.encode()


def test_lone_surrogates_are_replaced_and_pairs_joined(qwen: Vocabulary) -> None:
    assert text_of(qwen, qwen.tokenize("a\ud800b")) == "a\ufffdb".encode()
    assert text_of(qwen, qwen.tokenize("\ud83d\ude00")) == "😀".encode()


@pytest.mark.parametrize("pre", ["deepseek-coder", "seed-coder", "tekken"])
@pytest.mark.parametrize("character", ["a", " ", "\n", "."])
def test_a_long_run_of_one_character_does_not_end_the_process(folder: Path, pre: str, character: str) -> None:
    # Given whole to std::regex, 200,000 letters overflow the stack with these pre-tokenisers.
    with VocabOnly(write_bpe(folder / f"{pre}.gguf", ["</s>"], pre=pre)) as file:
        text = "</s> " + character * 200_000
        assert text_of(file.vocabulary, file.vocabulary.tokenize(text)) == text.encode()


def test_markers_are_found_by_their_exact_text(qwen: Vocabulary, mistral: Vocabulary) -> None:
    assert [qwen.find(text) for text in ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")] == [
        151659,
        151660,
        151661,
    ]
    assert (mistral.find("[PREFIX]"), mistral.find("[MIDDLE]"), mistral.find("[SUFFIX]")) == (11, 12, 13)
    assert qwen.find("fim_prefix") is None
    assert qwen.find("def") is None, "an ordinary token is no marker"


def test_start_and_end_tokens(qwen: Vocabulary, mistral: Vocabulary) -> None:
    assert (mistral.bos, mistral.add_bos, qwen.add_bos) == (1, True, False)
    assert mistral.is_end(2)
    assert qwen.is_end(151643)
    assert not qwen.is_end(0)


@settings(deadline=None)
@given(data=st.data())
def test_tokens_are_found_by_their_bytes(qwen: Vocabulary, mistral: Vocabulary, data: st.DataObject) -> None:
    vocabulary = data.draw(st.sampled_from([qwen, mistral]))
    token = data.draw(st.integers(0, vocabulary.size - 1))
    wanted = vocabulary.pieces[token][: data.draw(st.integers(1, 8))] + data.draw(st.binary(max_size=1))
    if not wanted:
        return
    pieces = list(enumerate(vocabulary.pieces))
    assert set(vocabulary.starting_with(wanted).tolist()) == {i for i, p in pieces if p.startswith(wanted)}
    assert set(vocabulary.beginnings_of(wanted).tolist()) == {
        i for i, p in pieces if p and p != wanted and wanted.startswith(p)
    }


def test_bytes_at_the_end_of_the_order_are_found(mistral: Vocabulary) -> None:
    assert [mistral.pieces[token] for token in mistral.starting_with(b"\xff")] == [b"\xff"]


def test_byte_tokens_are_told_apart(mistral: Vocabulary) -> None:
    spaces = [token for token in mistral.starting_with(b" ").tolist() if mistral.pieces[token] == b" "]
    assert sorted(mistral.is_byte(np.array(spaces)).tolist()) == [False, True]


def test_what_is_not_a_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("not a model")
    with pytest.raises(ModelError, match=r"model\.gguf"):
        VocabOnly(path)
