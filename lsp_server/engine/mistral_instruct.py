"""Conversations as Mistral's models have seen them in training: formats v3, v7, v11, v13 as token ids.

Not by the file's chat template, as for other models: many files have none, or one with a blank too many, and
SentencePiece makes other tokens of that. The reference is `encode_chat_completion` of mistral-common; what
people wrote goes through the tokenizer piece by piece, as there, and never becomes a control token.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from lsp_server.engine import tool_calls
from lsp_server.engine.chat_prompt import ANSWERED
from lsp_server.engine.fim import Prompt
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.engine.wire import Message, Tool, ToolCall
from lsp_server.errors import BackendRejected

INSTRUCTION = "[INST]"
SYSTEM = "[SYSTEM_PROMPT]"
BETWEEN = "\n\n"
"""Between neighbouring messages of one role, and after a system message that stands in the user's."""


def version_of(vocabulary: Vocabulary, template: str | None, names: Sequence[str]) -> int | None:
    """Return the version of Mistral's format that a model wants; None for a model that wants another format.

    Vocabularies have tokens that their models do not know: of Nemo's and Pixtral's alike 7 would be right.
    So a template decides where there is one, not by how it writes but by what it writes.
    """
    has_tokens = all(
        vocabulary.find(marker) is not None for marker in (INSTRUCTION, "[/INST]", "[TOOL_CALLS]")
    )
    if not has_tokens or (template is not None and INSTRUCTION not in template):
        return None  # or another format was taught on top
    if vocabulary.find(SYSTEM) is None or (template is not None and SYSTEM not in template):
        return 3
    if template is None and any(word in name.lower() for name in names for word in ("nemo", "pixtral-12b")):
        return 3
    if vocabulary.find(tool_calls.ARGS) is None:
        return 7
    if vocabulary.find("[THINK]") is None:
        return 11
    return 13 if template is None else None  # what these think, and how long, is in their templates


class MistralInstruct:
    """One version of the format, for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, version: int) -> None:
        self._vocabulary = vocabulary
        self._version = version

    def encode(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Prompt:
        """Return the prompt for the assistant's next turn, or for the rest of it if it has begun."""
        last = messages[-1]
        if last.role == "assistant" and not last.prefix:
            raise BackendRejected(ANSWERED, 422)
        turns = _joined(messages)
        system = BETWEEN.join(
            message.text for message in messages if message.role == "system" and message.text
        )
        if self._version < 7:
            turns = [turn for turn in turns if turn.role != "system"]
            if not turns or turns[0].role != "user":
                turns.insert(0, Message("user", ""))
        users = [at for at, turn in enumerate(turns) if turn.role == "user"]
        tools_at = (users[0] if self._version >= 13 else users[-1]) if users else None
        tokens = [] if self._vocabulary.bos is None else [self._vocabulary.bos]
        for at, turn in enumerate(turns):
            if tools and at == tools_at:
                tokens += self._tools(tools)
            if turn.role == "user":
                first = f"{system}{BETWEEN}" if system and self._version < 7 and at == users[-1] else ""
                tokens += self._between(INSTRUCTION, first + turn.text, "[/INST]")
            elif turn.role == "system":
                tokens += self._between(SYSTEM, turn.text, "[/SYSTEM_PROMPT]")
            elif turn.role == "tool":
                tokens += self._result(turn)
            else:
                tokens += self._answer(turn)
        named = tool_calls.named(self._vocabulary) if tools else {}
        return Prompt(tuple(tokens), b"", self._vocabulary.ends, (), f"mistral-v{self._version}", named)

    def _tools(self, tools: Sequence[Tool]) -> list[int]:
        return self._between(
            "[AVAILABLE_TOOLS]", _json([tool.plain() for tool in tools]), "[/AVAILABLE_TOOLS]"
        )

    def _answer(self, turn: Message) -> list[int]:
        calls = self._calls(turn.calls) if turn.calls else []
        # Up to version 7 a turn is words or calls.
        words = self._text(turn.text.rstrip(" ")) if self._version >= 7 or not calls else []
        if not words and not calls and not turn.prefix:
            return []
        return [*words, *calls, *([] if turn.prefix else self._end())]

    def _calls(self, calls: Sequence[ToolCall]) -> list[int]:
        if self._version < 11:
            written = [
                {"name": call.function.name, "arguments": call.function.parsed}
                | ({"id": call.plain_id} if call.plain_id else {})
                for call in calls
            ]
            return [self._control(tool_calls.MISTRAL), *self._text(_json(written))]
        tokens: list[int] = []
        for call in calls:
            tokens += [self._control(tool_calls.MISTRAL), *self._text(call.function.name)]
            if self._version == 11 and call.plain_id:
                tokens += [self._control(tool_calls.CALL_ID), *self._text(call.plain_id)]
            tokens += [self._control(tool_calls.ARGS), *self._text(_json(call.function.parsed))]
        return tokens

    def _result(self, turn: Message) -> list[int]:
        begin, end = "[TOOL_RESULTS]", "[/TOOL_RESULTS]"
        if self._version < 7:
            written = _json({"content": _parsed(turn.text), "call_id": turn.answers})
            return self._between(begin, written, end)
        if self._version >= 13:
            return self._between(begin, turn.text, end)
        call_id = [*self._text(turn.answers), self._control("[TOOL_CONTENT]")]
        return [self._control(begin), *call_id, *self._text(turn.text), self._control(end)]

    def _between(self, begin: str, text: str, end: str) -> list[int]:
        return [self._control(begin), *self._text(text), self._control(end)]

    def _text(self, text: str) -> list[int]:
        return self._vocabulary.tokenize(text)

    def _control(self, text: str) -> int:
        token = self._vocabulary.find(text)
        if token is None:
            raise BackendRejected(f"The model's vocabulary has no token {text}, which tools need.", 422)
        return token

    def _end(self) -> list[int]:
        return [] if self._vocabulary.eos is None else [self._vocabulary.eos]


def _joined(messages: Sequence[Message]) -> list[Message]:
    """Return the turns with neighbours of one role joined; system messages and results stay as they are."""
    turns: list[Message] = []
    for role, group in groupby(messages, key=lambda message: message.role):
        said = list(group)
        if role in ("system", "tool"):
            turns += said
            continue
        text = BETWEEN.join(message.text for message in said if message.text)
        calls = [call for message in said for call in message.calls]
        turns.append(Message(role, text, any(message.prefix for message in said), calls))
    return turns


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _parsed(text: str) -> object:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return text
