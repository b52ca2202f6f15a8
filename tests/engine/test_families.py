from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lsp_server.engine.fim import encode
from lsp_server.engine.vocabulary import VocabOnly
from lsp_server.errors import ConfigurationError
from lsp_server.families import MAX_STOP, FimTemplate, detect, load_families
from lsp_server.resources import prompts_folder
from tests.support.tiny_gguf import V2, write_bpe, write_spm, write_tiny_mistral

FAMILIES = load_families()
BY_ID = {family.id: family for family in FAMILIES}
WITH_TOKENS = [family for family in FAMILIES if family.fim]
SENTENCEPIECE = {"codestral", "codegemma", "codellama"}

PROMPTS = {
    "codegemma": "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
    "codellama": "▁<PRE>▁<SUF>{suffix}▁<MID>{prefix}",
    "codestral": "[SUFFIX]{suffix}[PREFIX]{prefix}",
    "deepseek-coder": "<｜fim▁begin｜>{prefix}<｜fim▁hole｜>{suffix}<｜fim▁end｜>",
    "granite": "<fim_prefix><fim_suffix>{suffix}<fim_middle>{prefix}",
    "mellum": "<fim_suffix>{suffix}<fim_prefix>{prefix}<fim_middle>",
    "mistral-tekken": "[SUFFIX]{suffix}[PREFIX]{prefix}",
    "qwen2.5-coder": "<|fim_prefix|><|fim_suffix|>{suffix}<|fim_middle|>{prefix}",
    "qwen3-coder": "<|fim_prefix|><|fim_suffix|>{suffix}<|fim_middle|>{prefix}",
    "seed-coder": "<[fim-suffix]>{suffix}<[fim-prefix]>{prefix}<[fim-middle]>",
    "starcoder": "<fim_prefix><fim_suffix>{suffix}<fim_middle>{prefix}",
    "starcoder2": "<fim_prefix><fim_suffix>{suffix}<fim_middle>{prefix}",
}

VALID = """
id = "mine"
title = "Mine"
sources = []
order = { line_end = "spm", mid_line = "psm" }
[detect]
tokens = ["<p>", "<s>"]
[layout]
spm = ["<s>", "{suffix}", "<p>", "{prefix}"]
psm = ["<p>", "{prefix}", "<s>", "{suffix}"]
"""


class Tokens:
    """A vocabulary of nothing but markers."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)

    def find(self, text: str) -> int | None:
        return self.texts.index(text) if text in self.texts else None


def vocabulary_of(family: FimTemplate, path: Path) -> VocabOnly:
    name = family.detect.names[0] if family.detect.names else ""
    markers = [*family.detect.tokens, *family.markers, *family.end_tokens]
    write = write_spm if family.id in SENTENCEPIECE else write_bpe
    return VocabOnly(write(path, markers, name=name))


def named(family: FimTemplate) -> Sequence[str]:
    return [f"Tiny {part.title()} 1B" for part in family.detect.names[:1]] or ["model"]


def write(folder: Path, text: str, name: str = "mine") -> Path:
    (folder / f"{name}.toml").write_text(text)
    shipped = prompts_folder() / "fim" / "prefix-only.toml"
    (folder / "prefix-only.toml").write_text(shipped.read_text())
    return folder


@pytest.mark.parametrize("family", WITH_TOKENS, ids=lambda family: family.id)
def test_a_family_is_found_in_a_vocabulary_with_its_tokens(family: FimTemplate, tmp_path: Path) -> None:
    with vocabulary_of(family, tmp_path / "tiny.gguf") as file:
        assert detect(file.vocabulary, file.names).id == family.id


@pytest.mark.parametrize("family", WITH_TOKENS, ids=lambda family: family.id)
def test_a_family_is_not_found_where_one_token_is_missing(family: FimTemplate) -> None:
    for missing in family.markers:
        tokens = Tokens(*(text for text in (*family.detect.tokens, *family.end_tokens) if text != missing))
        assert not detect(tokens, named(family)).fim


@pytest.mark.parametrize("family", WITH_TOKENS, ids=lambda family: family.id)
def test_the_prompt_of_a_family(family: FimTemplate, tmp_path: Path) -> None:
    with vocabulary_of(family, tmp_path / "tiny.gguf") as file:
        vocabulary = file.vocabulary
        texts = {vocabulary.find(marker): marker for marker in family.markers}
        for suffix in (")\nx", "\nx"):
            prompt = encode(family, vocabulary, "f(", suffix, heal=False)
            body = prompt.tokens[1:] if prompt.tokens[0] == vocabulary.bos else prompt.tokens
            written = "".join(texts.get(token) or vocabulary.piece(token).decode() for token in body)
            # SentencePiece's own space is kept before the prefix and must not be before the suffix.
            prefix = " f(" if family.id in SENTENCEPIECE else "f("
            assert written == PROMPTS[family.id].format(prefix=prefix, suffix=suffix)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
def test_what_every_family_must_keep(family: FimTemplate) -> None:
    assert len(family.stop) <= MAX_STOP
    assert family.title
    assert all(source.startswith("https://") for source in family.sources)
    assert bool(family.sources) == family.fim
    assert set(family.markers) <= set(family.detect.tokens)
    known = {*family.detect.tokens, *family.end_tokens}
    assert set(family.other_spellings) <= known
    for part in (*family.files.other, *family.files.current):
        assert part in known or not part.startswith("<"), "a control token that is not an end"


def test_every_family_has_its_prompt_here() -> None:
    assert set(PROMPTS) == {family.id for family in WITH_TOKENS}
    assert [family.id for family in FAMILIES if not family.fim] == ["prefix-only"]


def test_no_two_families_are_alike_to_detection() -> None:
    signatures = {(frozenset(family.detect.tokens), family.detect.names) for family in FAMILIES}
    assert len(signatures) == len(FAMILIES)


@pytest.mark.parametrize(
    ("tokens", "names", "expected"),
    [
        ((), ["Codestral 22B"], "prefix-only"),
        (BY_ID["qwen2.5-coder"].detect.tokens, ["Codestral 22B"], "qwen2.5-coder"),
        (BY_ID["codestral"].detect.tokens, ["Mistral 7B Instruct v0.3"], "prefix-only"),
        (BY_ID["codestral"].detect.tokens, [], "prefix-only"),
        (BY_ID["codestral"].detect.tokens, ["", "codestral-22b-v0.1-q4_k_m"], "codestral"),
        (("[control_9]", "[control_11]"), ["Codestral-22B-v0.1-hf"], "codestral"),
        (("<fim-prefix>", "<fim-suffix>", "<fim-middle>"), ["santacoder"], "starcoder"),
        (BY_ID["starcoder"].detect.tokens, ["stable-code-3b"], "starcoder"),
        (BY_ID["starcoder"].detect.tokens, ["Mellum 4b Base"], "mellum"),
        (BY_ID["starcoder"].detect.tokens, ["granite-3b-code-base"], "granite"),
        (("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"), ["Granite 4.0 Micro"], "granite"),
        (("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"), ["something else"], "prefix-only"),
        (("<PRE>", "<SUF>", "<MID>"), ["codellama-7b"], "codellama"),
    ],
)
def test_tokens_come_before_names(tokens: tuple[str, ...], names: list[str], expected: str) -> None:
    assert detect(Tokens(*tokens), names).id == expected


def test_the_first_codestral_files_have_other_token_names(tmp_path: Path) -> None:
    path = write_tiny_mistral(tmp_path / "early.gguf", vocab_only=True, tokenizer=V2)
    with VocabOnly(path) as file:
        family = detect(file.vocabulary, file.names)
        assert family.id == "codestral"
        assert encode(family, file.vocabulary, "", "").tokens == (1, 13, 11)


def test_real_models(model_path: Path, smollm2_path: Path) -> None:
    for path, expected in ((model_path, "qwen2.5-coder"), (smollm2_path, "prefix-only")):
        with VocabOnly(path) as file:
            assert detect(file.vocabulary, file.names).id == expected
            assert detect(file.vocabulary, []).id == expected


def test_a_family_can_be_chosen_by_hand() -> None:
    tokens = Tokens("[PREFIX]", "[SUFFIX]")
    assert detect(tokens, ["my merge"], "codestral").id == "codestral"
    assert detect(tokens, ["codestral"], "prefix-only").id == "prefix-only"
    with pytest.raises(ConfigurationError, match=r"`codestrall`.*starcoder2"):
        detect(tokens, [], "codestrall")
    with pytest.raises(ConfigurationError, match=r"no token <｜fim▁begin｜>"):
        detect(tokens, [], "deepseek-coder")


def test_order_depends_on_what_follows_on_the_line(tmp_path: Path) -> None:
    mine = next(family for family in load_families(write(tmp_path, VALID)) if family.id == "mine")
    for suffix in ("", "\n", "\r\nx", "  \nx", "\t"):
        assert mine.layout_before(suffix) == mine.layout.spm
    for suffix in (")", "  x\n", "\u2028x"):
        assert mine.layout_before(suffix) == mine.layout.psm


def test_a_family_may_want_a_plain_prompt_if_nothing_follows(tmp_path: Path) -> None:
    plain = VALID.replace("[detect]", 'empty_suffix = "plain"\n[detect]', 1)
    mine = next(family for family in load_families(write(tmp_path, plain)) if family.id == "mine")
    assert mine.layout_before("") == ("{prefix}",)
    assert mine.layout_before("\n") == mine.layout.spm


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (VALID.replace("title", "tilte"), "tilte"),
        (VALID.replace("[layout]", "[layout"), r"mine\.toml"),
        (VALID.replace('"{prefix}"]', "]", 1), r"\{prefix\} exactly once"),
        (VALID.replace('"{suffix}", "<p>"', '"{suffix}", "{suffix}", "<p>"'), "more than once"),
        (VALID.replace('"{suffix}", "<p>"', '"{sufix}", "<p>"'), r"\{sufix\}"),
        (VALID.replace("psm = [", "# psm = ["), r"layout\.psm. is missing"),
        (VALID.replace("spm = [", "swapped = [").replace("psm = [", "spm = ["), "swapped"),
        (VALID.replace('["<s>", "{suffix}", "<p>", "{prefix}"]', '["{prefix}", "{suffix}"]'), "other order"),
        (VALID.replace('"psm" }', '"mps" }'), "mps"),
        (VALID.replace("[detect]", 'stop = ["1", "2", "3", "4", "5"]\n[detect]'), "at most 4"),
        (VALID.replace('id = "mine"', 'id = "yours"'), r"yours\.toml"),
        (VALID.replace('"Mine"', '"\udcff"'), r"mine\.toml"),
    ],
)
def test_a_broken_file_is_refused_in_one_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    write(tmp_path, VALID)
    (tmp_path / "mine.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=complaint) as error:
        load_families(tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_without_the_family_for_unknown_models_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(VALID)
    with pytest.raises(ConfigurationError, match="prefix-only"):
        load_families(tmp_path)
