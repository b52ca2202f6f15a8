from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mistral_common.protocol.fim.request import FIMRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from lsp_server import families
from lsp_server.engine.fim import HELD_TOKENS, Prompt, encode
from lsp_server.engine.vocabulary import VocabOnly, Vocabulary
from lsp_server.families import detect, load_families
from tests.support.tiny_gguf import TEKKEN, UNUSED, V3, write_bpe, write_tiny_mistral

FAMILIES = {family.id: family for family in load_families()}
Encode = Callable[..., Prompt]

AWKWARD = [
    *("", " ", "    ", "\t", "\n", "\r\n", "a", "foo", "def f(", "return x", "#", "/", "'''", "0x1F"),
    *("[SUFFIX]", "[PREFIX]", "[INST]", "</s>", "<s>", "<unk>", "<0x0A>", "<|fim_middle|>"),
    *(
        "é",
        "e\u0301",
        "😀",
        "👩‍👩‍👧",
        "中文",
        "ﬁ",
        "ก",
        "☺",
        "▁",
        "\0",
        "\x0c",
        "\xa0",
        "\u3000",
        "\u200b",
        "\u2028",
        "\ufeff",
    ),
]
TEXTS = st.lists(st.sampled_from(AWKWARD), max_size=12).map("".join) | st.text(max_size=40)

# Beyond ASCII llama.cpp's pre-tokeniser for tekken splits some letters otherwise than Mistral's ("é/é").
ASCII = st.lists(st.sampled_from([text for text in AWKWARD if text.isascii()]), max_size=12).map(
    "".join
) | st.text(st.characters(max_codepoint=0x7F), max_size=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fim")


@pytest.fixture(scope="module")
def v3(folder: Path) -> Iterator[Vocabulary]:
    with VocabOnly(write_tiny_mistral(folder / "v3.gguf", vocab_only=True)) as file:
        assert detect(file.vocabulary, file.names).id == "codestral"
        yield file.vocabulary


@pytest.fixture(scope="module")
def tekken(folder: Path) -> Iterator[Vocabulary]:
    with VocabOnly(write_tiny_mistral(folder / "tekken.gguf", vocab_only=True, tokenizer=TEKKEN)) as file:
        assert detect(file.vocabulary, file.names).id == "mistral-tekken"
        yield file.vocabulary


@pytest.fixture(scope="module")
def qwen(model_path: Path) -> Iterator[Vocabulary]:
    with VocabOnly(model_path) as file:
        yield file.vocabulary


def oracle(path: Path) -> Callable[[str, str], tuple[int, ...]]:
    tokenizer = MistralTokenizer.from_file(str(path)).instruct_tokenizer
    return lambda prefix, suffix: tuple(tokenizer.encode_fim(FIMRequest(prompt=prefix, suffix=suffix)).tokens)


@pytest.fixture(scope="module")
def v3_oracle() -> Callable[[str, str], tuple[int, ...]]:
    return oracle(V3)


@pytest.fixture(scope="module")
def tekken_oracle() -> Callable[[str, str], tuple[int, ...]]:
    return oracle(TEKKEN)


def spelled(vocabulary: Vocabulary, prompt: Prompt) -> bytes:
    return b"".join(vocabulary.piece(token) for token in prompt.tokens)


def test_the_reference_vector(v3: Vocabulary) -> None:
    prompt = encode(FAMILIES["codestral"], v3, "def f(", "return a+b", heal=False)
    assert prompt.tokens == (1, 13, 1575, 1032, 29574, 29494, 11, 1569, 1053, 29500)


@settings(deadline=None, max_examples=1000)
@given(prefix=TEXTS, suffix=TEXTS)
@example(prefix="x = [SUFFIX]\n", suffix="</s>[PREFIX]")
@example(prefix="    if x:\r\n\t" * 2000, suffix="\n\n    return '😀'\r\n" * 2000)
@example(prefix="a" * 20_000, suffix=" " * 20_000)
def test_codestral_prompts_are_those_of_mistral_common(
    v3: Vocabulary, v3_oracle: Callable[[str, str], tuple[int, ...]], prefix: str, suffix: str
) -> None:
    prompt = encode(FAMILIES["codestral"], v3, prefix, suffix, heal=False)
    assert prompt.tokens == v3_oracle(prefix, suffix)
    assert prompt.pending == b""


@settings(deadline=None, max_examples=500)
@given(prefix=ASCII, suffix=ASCII)
@example(prefix="def f(", suffix="\n   \n")
def test_tekken_prompts_are_those_of_mistral_common(
    tekken: Vocabulary, tekken_oracle: Callable[[str, str], tuple[int, ...]], prefix: str, suffix: str
) -> None:
    prompt = encode(FAMILIES["mistral-tekken"], tekken, prefix, suffix, heal=False)
    assert prompt.tokens == tekken_oracle(prefix, suffix)


@settings(deadline=None, max_examples=300)
@given(prefix=TEXTS, suffix=TEXTS)
def test_healing_takes_whole_characters_from_the_end_of_the_prefix(
    v3: Vocabulary, qwen: Vocabulary, prefix: str, suffix: str
) -> None:
    for name, vocabulary in (("codestral", v3), ("qwen2.5-coder", qwen)):
        whole = encode(FAMILIES[name], vocabulary, prefix, suffix, heal=False)
        healed = encode(FAMILIES[name], vocabulary, prefix, suffix)
        kept = len(healed.tokens)
        assert healed.tokens == whole.tokens[:kept], "the prefix ends the prompt in both families"
        assert healed.pending == b"".join(vocabulary.piece(token) for token in whole.tokens[kept:])
        healed.pending.decode()
        assert bool(healed.pending) == bool(prefix)
        # Four tokens of a word, and as many bytes of a character may precede what is in them.
        assert len(whole.tokens) - kept <= HELD_TOKENS + 3


@pytest.mark.parametrize(
    ("prefix", "pending"),
    [
        ("", b""),
        ("x\n", b"\n"),  # a byte token, but a whole character
        ("x = foo(", b"("),
        ("x = '\U0001f9ff", "\U0001f9ff".encode()),  # four byte tokens
        ("x = foo(_ab_", b"(_ab_"),  # `(_`, `ab`, `_`: to the token that the word starts in
        ("x = foo ", b" "),
        ("a", b" a"),  # SentencePiece's own space belongs to the token
    ],
)
def test_what_is_held_back(v3: Vocabulary, prefix: str, pending: bytes) -> None:
    prompt = encode(FAMILIES["codestral"], v3, prefix, "")
    assert prompt.pending == pending
    assert prompt.tokens[:3] == (1, 13, 11)


def test_of_a_long_word_only_the_end_is_held_back(v3: Vocabulary) -> None:
    whole = encode(FAMILIES["codestral"], v3, "x" * 200, "", heal=False)
    healed = encode(FAMILIES["codestral"], v3, "x" * 200, "")
    assert healed.tokens == whole.tokens[:-HELD_TOKENS]


def test_a_token_without_text_is_not_held_back(folder: Path) -> None:
    path = write_bpe(folder / "unused.gguf", ["ab"], kind=UNUSED, merges=[("a", "b")])
    with VocabOnly(path) as file:
        prompt = encode(FAMILIES["prefix-only"], file.vocabulary, "xab", "")
        assert prompt.tokens == tuple(file.vocabulary.tokenize("xab"))
        assert prompt.pending == b""


def test_a_family_can_go_without_healing(qwen: Vocabulary) -> None:
    without = msgspec.structs.replace(FAMILIES["qwen2.5-coder"], healing=False)
    assert encode(without, qwen, "print(", "").pending == b""


def test_control_tokens_in_the_buffer_are_text(qwen: Vocabulary) -> None:
    text = "s = '<|fim_middle|><|endoftext|><|file_sep|></s>'\n"
    prompt = encode(FAMILIES["qwen2.5-coder"], qwen, text, text, heal=False)
    assert [token for token in prompt.tokens if token in prompt.end_tokens] == [151659, 151661, 151660]
    assert spelled(qwen, prompt) == (text + text).encode()


def test_every_end_is_known(qwen: Vocabulary, v3: Vocabulary) -> None:
    # The ends that the model's authors list, and what llama.cpp counts as an end.
    official = {151659, 151661, 151662, 151663, 151664, 151643, 151645}
    prompt = encode(FAMILIES["qwen2.5-coder"], qwen, "", "")
    assert prompt.end_tokens >= official | qwen.ends
    assert encode(FAMILIES["codestral"], v3, "", "").end_tokens == {2, 11, 13}


def test_start_tokens(qwen: Vocabulary, v3: Vocabulary) -> None:
    def first(bos: str, vocabulary: Vocabulary) -> int:
        family = msgspec.structs.replace(FAMILIES["prefix-only"], bos=bos)
        return encode(family, vocabulary, "a", "", heal=False).tokens[0]

    assert first("auto", v3) == first("always", v3) == v3.bos
    assert first("never", v3) != v3.bos
    assert first("auto", qwen) == first("never", qwen) != qwen.bos
    assert first("always", qwen) == qwen.bos


def test_prefix_only_leaves_the_suffix_out(qwen: Vocabulary) -> None:
    prompt = encode(FAMILIES["prefix-only"], qwen, "a = ", "b", heal=False)
    assert spelled(qwen, prompt) == b"a = "


def test_a_vocabulary_of_another_family_is_an_error(qwen: Vocabulary) -> None:
    with pytest.raises(ValueError, match=r"\[SUFFIX\].*codestral"):
        encode(FAMILIES["codestral"], qwen, "a", "b")


@pytest.mark.parametrize("family", ["qwen2.5-coder", "codestral"])
def test_typing_changes_only_the_end_of_the_prompt(qwen: Vocabulary, v3: Vocabulary, family: str) -> None:
    source = Path(families.__file__).read_text(encoding="utf-8")
    vocabulary = qwen if family == "qwen2.5-coder" else v3
    suffix, start = source[3000:4000], 600
    old = encode(FAMILIES[family], vocabulary, source[:start], suffix).tokens
    evaluated = []
    for end in range(start + 1, start + 1200):
        new = encode(FAMILIES[family], vocabulary, source[:end], suffix).tokens
        same = next(
            (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
        )
        evaluated.append(len(new) - same)
        old = new
    # About one token is finished every three keys; the last ones, which may change, are held back.
    assert max(evaluated) <= HELD_TOKENS + 1
    assert sum(evaluated) / len(evaluated) < 0.5


def test_a_long_word_keeps_its_start(qwen: Vocabulary) -> None:
    word = string.ascii_lowercase * 40
    before = encode(FAMILIES["qwen2.5-coder"], qwen, word, "").tokens
    after = encode(FAMILIES["qwen2.5-coder"], qwen, word + "x", "").tokens
    assert before[: len(before) - 3] == after[: len(before) - 3]
