from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.raw_fim import PREFIX_ONLY, Opening, hold_back, render
from lsp_server.errors import ConfigurationError
from lsp_server.families import MAX_STOP, FimTemplate, chosen, load_families, named

FAMILIES = [family for family in load_families() if family.fim]
CODE = st.text(st.sampled_from("ab_1 .()\t\n=é🦊"), max_size=40)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "qwen2.5-coder"),
        ("qwen2.5-coder:1.5b-base", "qwen2.5-coder"),
        ("qwen/qwen-2.5-coder-32b-instruct", "qwen2.5-coder"),
        ("Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf", "qwen3-coder"),
        ("/models/codestral-22b-v0.1.Q4_K_M.gguf", "codestral"),
        (r"C:\models\Codestral 22B v0.1.gguf", "codestral"),
        ("mistralai/Mamba-Codestral-7B-v0.1", "codestral"),
        ("codestral:latest", "codestral"),
        ("deepseek-ai/DeepSeek-Coder-V2-Lite-Base", "deepseek-coder"),
        ("deepseek-coder:6.7b-base", "deepseek-coder"),
        ("deepseek-coder-v2:16b", "deepseek-coder"),
        ("codegemma:2b-code", "codegemma"),
        ("google/codegemma-7b", "codegemma"),
        ("codellama:7b-code", "codellama"),
        ("codellama/CodeLlama-13b-Instruct-hf", "codellama"),
        ("bigcode/starcoder2-3b", "starcoder2"),
        ("bigcode/starcoderbase-1b", "starcoder"),
        ("bigcode/santacoder", "starcoder"),
        ("ibm-granite/granite-3b-code-base", "granite"),
        ("granite3.3:8b", "granite"),
        ("JetBrains/Mellum-4b-base", "mellum"),
        ("ByteDance-Seed/Seed-Coder-8B-Base", "seed-coder"),
    ],
)
def test_names_as_servers_report_them(name: str, family: str) -> None:
    found = named(name)
    assert found is not None and found.id == family


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gpt-4o",
        "Qwen/Qwen2.5-7B-Instruct",
        "codestral-latest",
        "mistralai/codestral-2508",
        "codestral-embed",
        "mistral-small",
        "deepseek-ai/DeepSeek-Coder-V2-Instruct",
        "deepseek-chat",
        "codegemma:7b",
        "google/codegemma-7b-it",
        "codellama:34b",
        "codellama/CodeLlama-7b-Python-hf",
        "starcoder2:15b-instruct",
        "granite-3.1-8b-instruct",
        "seed-coder-8b-instruct",
        "notcodestral",
        "qwen2.5-coder/some-other-model",
    ],
)
def test_names_that_promise_no_fill_in_the_middle(name: str) -> None:
    assert named(name) is None


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("qwen2.5-coder", "<|fim_prefix|><|fim_suffix|>S<|fim_middle|>"),
        ("codestral-22b", "[SUFFIX]S[PREFIX]"),
        ("santacoder", "<fim-prefix><fim-suffix>S<fim-middle>"),
        ("granite3.3:8b", "<|fim_prefix|><|fim_suffix|>S<|fim_middle|>"),
        ("granite-code:3b", "<fim_prefix><fim_suffix>S<fim_middle>"),
        ("codellama:7b", "<PRE>  <SUF>S <MID>"),
        ("deepseek-coder:6.7b", "<｜fim▁begin｜><｜fim▁hole｜>S<｜fim▁end｜>"),
    ],
)
def test_a_prompt_is_spelled_as_the_model_spells_it(model: str, text: str) -> None:
    family = named(model)
    assert family is not None
    assert render(family, "", "S").text == text


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
def test_the_parts_of_every_prompt(family: FimTemplate) -> None:
    prompt = render(family, "a = f(", ")\n", ("\n\n",))
    assert prompt.held == "("
    assert prompt.text.count("a = f") == 1 and "a = f(" not in prompt.text
    assert ")\n" in prompt.text
    assert len(prompt.stop) <= MAX_STOP and "\n\n" in prompt.stop
    assert not any(stop in "a = f()\n" for stop in prompt.stop)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
def test_control_tokens_in_the_text_end_the_window(family: FimTemplate) -> None:
    for control in family.all_controls:
        prompt = render(family, f"one{control}two{control}three = ", f"four{control}five", hold=False)
        assert prompt.text == render(family, "three = ", "four", hold=False).text


@pytest.mark.parametrize(
    ("prefix", "held"),
    [
        ("return val", " val"),
        ("f(ab", "ab"),
        ("f(", "("),
        ("x = ", " "),
        ("def f():\n    ", "    "),
        ("def f():\n", "\n"),
        ("a\r\n", "\r\n"),
        ("x ==", " =="),
        ("", ""),
        ("b" * 100, "b" * 32),
        ("é", "é"),
        ("a\u2028", ""),
    ],
)
def test_what_is_held_back(prefix: str, held: str) -> None:
    kept, end = hold_back(prefix)
    assert (kept + end, end) == (prefix, held)


def test_nothing_is_held_back_that_would_end_the_answer() -> None:
    assert hold_back("a\n", ("\n",)) == ("a\n", "")
    assert render(PREFIX_ONLY, "a\n", "", ("\n",)).held == ""


@given(CODE, st.sampled_from(FAMILIES))
def test_prompt_and_held_text_make_up_the_prefix(prefix: str, family: FimTemplate) -> None:
    held, plain = render(family, prefix, "S"), render(family, prefix, "S", hold=False)
    if plain.text.endswith(prefix):
        assert held.text + held.held == plain.text
    assert prefix.endswith(held.held)
    assert len(plain.text) - len(held.text) == len(held.held)


@given(CODE, CODE, st.lists(st.integers(0, 80), max_size=6))
def test_an_answer_loses_what_was_held_back_however_it_comes(held: str, rest: str, cuts: list[int]) -> None:
    answer = held + rest
    places = sorted({0, len(answer), *(cut for cut in cuts if cut < len(answer))})
    opening = Opening(held)
    pieces = [opening.take(answer[a:b]) for a, b in pairwise(places)]
    assert "".join(piece or "" for piece in pieces) == rest
    assert None not in pieces
    assert not opening.open or not answer


def test_an_answer_that_begins_otherwise_is_none() -> None:
    opening = Opening(" val")
    assert opening.take(" ") == ""
    assert opening.take("uv") is None


def test_a_family_chosen_by_hand() -> None:
    assert render(chosen("codellama", "my-model"), "", "S").text == "<PRE>  <SUF>S <MID>"
    assert render(chosen("granite", "granite3.3"), "", "S").text.startswith("<|fim_prefix|>")
    with pytest.raises(ConfigurationError, match="codestrall"):
        chosen("codestrall", "m")
