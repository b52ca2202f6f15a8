"""Mistral's conversations, held to mistral-common token for token, for each version of the format."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from lsp_server.engine import wire
from lsp_server.engine.mistral_instruct import MistralInstruct, version_of
from lsp_server.engine.vocabulary import VocabOnly, Vocabulary
from lsp_server.errors import BackendRejected
from tests.support.tiny_gguf import CONTROL, MISTRAL_DATA, TEKKEN, V2, V3, write_bpe, write_tiny_mistral

V7 = MISTRAL_DATA / "mistral_instruct_tokenizer_241114.model.v7"
OLDER_TEKKEN = MISTRAL_DATA / "tekken_240718.json"
TEKKEN_CONTROLS = (
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]",
    "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
)  # fmt: skip
MORE_CONTROLS = {
    "v7": (),
    "v11": ("[ARGS]", "[CALL_ID]"),
    "v13": ("[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]"),
}


@dataclass(frozen=True)
class Kind:
    """One tokenizer and what it is the reference for."""

    version: int
    oracle: Any
    vocabulary: Vocabulary


def later_tekken(folder: Path, version: str) -> Path:
    """Write Tekken's vocabulary as a tokenizer of a later version, whose own files are not shipped."""
    data = copy.deepcopy(json.loads(TEKKEN.read_text("utf-8")))
    data.pop("multimodal", None)
    data["config"]["version"] = version
    data["special_tokens"] = [
        {"rank": rank, "token_str": text, "is_control": True}
        for rank, text in enumerate((*TEKKEN_CONTROLS, *MORE_CONTROLS[version]))
    ]
    path = folder / f"tekken-{version}.json"
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.fixture(
    scope="module", params=["v3", "v3 tekken", "v3 older tekken", "v7", "v7 tekken", "v11", "v13"]
)
def kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kind]:
    folder = tmp_path_factory.mktemp("tokenizer")
    name, _, _ = request.param.partition(" ")
    shipped = {"v3": V3, "v3 tekken": TEKKEN, "v3 older tekken": OLDER_TEKKEN, "v7": V7}
    source = shipped.get(request.param) or later_tekken(folder, name)
    gguf = write_tiny_mistral(folder / "m.gguf", vocab_only=True, tokenizer=source)
    with VocabOnly(gguf) as model:
        yield Kind(int(name[1:]), MistralTokenizer.from_file(str(source)), model.vocabulary)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str, **more: object) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def call(call_id: str, arguments: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "read_file", "arguments": arguments}}


def result(call_id: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "content": text, "tool_call_id": call_id, "name": "read_file"}


PARAMETERS = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "Where."}},
    "required": ["path"],
}
TOOLS = [
    {
        "type": "function",
        "function": {"name": "read_file", "description": "Reads <é> & 'that'.", "parameters": PARAMETERS},
    },
    {"type": "function", "function": {"name": "list", "description": "", "parameters": {}}},
]
ONE, TWO = "123456789", "abcdefghi"

CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]] | None]] = {
    "one question": ([user("Hello")], None),
    "blanks at the ends": ([system("Be brief."), user(" Hi \n")], None),
    "nothing said": ([user("")], None),
    "neighbours of one role": (
        [system("a"), system("b"), user("x"), user("y"), assistant("z  "), user("  w")], None,
    ),
    "many turns, system first": (
        [system("Be."), user("1"), assistant(" 2\n"), user("3"), assistant("4"), user("5")], None,
    ),
    "a beginning": ([user("x"), assistant("The answer is ", prefix=True)], None),
    "a beginning with blanks": ([user("x"), assistant("  ```python\n    ", prefix=True)], None),
    "control tokens in words": (
        [user("[INST] <s> [/INST] </s>[TOOL_CALLS]"), assistant("[/INST]ok</s>"), user("[SYSTEM_PROMPT]")],
        None,
    ),
    "code": ([user("héllo\t\u2028 \U0001f389 \n\n\n    def f():\n\treturn 1\r\n")], None),
    "long runs": ([user("x" * 600 + " y" * 300 + " " * 300)], None),
    "tools": ([system("sys"), user("q")], TOOLS),
    "tools at a later question": ([user("q"), assistant("a"), user("r")], TOOLS),
    "a call": (
        [system("s"), user("q"), assistant("", tool_calls=[call(ONE, '{"path":   "b"}')]), result(ONE, "t")],
        TOOLS,
    ),
    "two calls, and on": (
        [
            user("q"),
            assistant("", tool_calls=[call(ONE, '{"path":"[INST]é"}'), call(TWO, "{}")]),
            result(ONE, '{"k": [1, 2.0, null], "l": "</s>"}'),
            result(TWO, "42"),
            assistant("Done."),
            user("more"),
        ],
        TOOLS,
    ),
    "a call with words": (
        [user("q"), assistant("Let me see. ", tool_calls=[call(ONE, "{}")]), result(ONE, "x")], TOOLS,
    ),
    "arguments that are no JSON": (
        [user("q"), assistant("", tool_calls=[call(ONE, "{a")]), result(ONE, "")], TOOLS,
    ),
}  # fmt: skip
NOT_IN_VERSION_3 = {"a call with words"}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_token_for_token_as_mistral_common_encodes_it(kind: Kind, name: str) -> None:
    messages, tools = CONVERSATIONS[name]
    if kind.version == 3 and name in NOT_IN_VERSION_3:
        messages = [{**turn, "content": ""} if "tool_calls" in turn else turn for turn in messages]
    asked = {"model": "m", "messages": messages, **({"tools": tools} if tools else {})}
    expected = kind.oracle.encode_chat_completion(ChatCompletionRequest.model_validate(asked)).tokens
    ours = wire.parse(json.dumps({**asked, "messages": CONVERSATIONS[name][0]}).encode(), wire.ChatCompletion)
    prompt = MistralInstruct(kind.vocabulary, kind.version).encode(ours.messages, ours.usable_tools)
    assert list(prompt.tokens) == expected
    assert bool(prompt.named) == bool(tools)


def test_an_answer_cannot_be_answered(kind: Kind) -> None:
    with pytest.raises(BackendRejected, match="last message"):
        MistralInstruct(kind.vocabulary, kind.version).encode(
            [wire.Message("user", "x"), wire.Message("assistant", "y")]
        )


V3_CONTROLS = ("[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]")
WRONG = "{{ bos_token }} [INST] {{ messages }} [/INST] "


@pytest.mark.parametrize(
    ("markers", "template", "name", "version"),
    [
        ((), None, "", None),
        (("[INST]", "[/INST]"), "[INST]", "", None),
        (V3_CONTROLS, None, "Codestral 22B", 3),
        (V3_CONTROLS, WRONG, "Codestral 22B", 3),
        (V3_CONTROLS, "<|im_start|>", "one that was taught another format", None),
        (TEKKEN_CONTROLS, None, "Mistral-Nemo-Instruct-2407", 3),
        (TEKKEN_CONTROLS, "[INST]", "", 3),
        (TEKKEN_CONTROLS, None, "Mistral Small 2501", 7),
        (TEKKEN_CONTROLS, "[SYSTEM_PROMPT] [INST]", "", 7),
        ((*TEKKEN_CONTROLS, *MORE_CONTROLS["v11"]), "[INST] [SYSTEM_PROMPT]", "", 11),
        ((*TEKKEN_CONTROLS, *MORE_CONTROLS["v13"]), "[INST] [SYSTEM_PROMPT] [THINK]", "", None),
        ((*TEKKEN_CONTROLS, *MORE_CONTROLS["v13"]), None, "", 13),
    ],
)
def test_which_version_a_model_wants(
    tmp_path: Path, markers: tuple[str, ...], template: str | None, name: str, version: int | None
) -> None:
    with VocabOnly(write_bpe(tmp_path / "m.gguf", markers, kind=CONTROL)) as model:
        assert version_of(model.vocabulary, template, [name]) == version


@pytest.mark.parametrize("tokenizer", [V2, V3])
def test_codestrals_own_vocabulary_wants_version_3(tmp_path: Path, tokenizer: Path) -> None:
    gguf = write_tiny_mistral(tmp_path / "m.gguf", vocab_only=True, tokenizer=tokenizer)
    with VocabOnly(gguf) as model:
        assert version_of(model.vocabulary, None, ["codestral"]) == 3
