"""A conversation as token ids, by the chat template of the model file.

Owns rendering and the line between template and messages: the template's control tokens go in as ids, what
people wrote never becomes one. Must not know how the prompt is evaluated.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lsp_server.engine import tool_calls
from lsp_server.engine.fim import Prompt
from lsp_server.engine.masking import Mask, Said, to_json
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.engine.wire import Message, Tool
from lsp_server.errors import BackendRejected

log = logging.getLogger(__name__)

LONGEST_MARKER = 48
"""Characters of the longest control token looked for in a template; real ones have up to about 30."""

CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""For a model without a template whose vocabulary has these tokens."""

PLAIN = (
    "{% for message in messages %}### {{ message.role | capitalize }}\n{{ message.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### Assistant\n{% endif %}"
)
"""For a model that was never taught to chat."""

ANSWERED = "The last message must be the user's, or the assistant's with prefix set."


class ChatTemplate:
    """The way one model wants to be talked to."""

    def __init__(self, model: LoadedModel, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        source = model.chat_template
        if source is None:
            source = CHATML if vocabulary.find("<|im_start|>") is not None else PLAIN
            log.info("%s has no chat template", model.name)
        self._stop = ("\n### User",) if source is PLAIN else ()
        environment = _environment()
        try:
            self._template = environment.from_string(source)
            self._knows_tools = "tools" in find_undeclared_variables(environment.parse(source))
        except jinja2.TemplateError as error:
            raise BackendRejected(f"The model's chat template cannot be used: {error}.", 422) from error
        self._split: dict[str, list[str | int]] = {}
        self._markers: set[int] = set()

    def encode(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Prompt:
        """Return the prompt for the assistant's next turn, or for the rest of it if it has begun."""
        last = messages[-1]
        if last.role == "assistant" and not last.prefix:
            raise BackendRejected(ANSWERED, 422)
        with_tools = bool(tools) or any(message.role == "tool" or message.calls for message in messages)
        if with_tools and not self._knows_tools:
            raise BackendRejected("The model's chat template knows no tools.", 422)
        tokens = self._tokens(self._parts(messages, tools, last.prefix, strict=with_tools))
        bos = self._vocabulary.bos
        if self._vocabulary.add_bos and bos is not None and tokens[:1] != [bos]:
            tokens.insert(0, bos)
        named = tool_calls.named(self._vocabulary) if tools else {}
        return Prompt(tuple(tokens), b"", self._vocabulary.ends, self._stop, "chat", named)

    def _parts(
        self, messages: Sequence[Message], tools: Sequence[Tool], continued: bool, *, strict: bool
    ) -> list[str | int | Said]:
        """Return template text, token ids and what was said, in order."""
        try:
            return self._rendered(messages, tools, continued)
        except jinja2.TemplateError as error:
            if strict:
                raise _refused(error) from error
            # Many templates know no system role or want the roles to alternate.
            try:
                return self._rendered(_alternating(messages), tools, continued)
            except jinja2.TemplateError as second:
                raise _refused(second) from second

    def _rendered(
        self, messages: Sequence[Message], tools: Sequence[Tool], continued: bool
    ) -> list[str | int | Said]:
        # What is searched for control tokens has something unguessable in place of what people wrote.
        mask = Mask()
        turns = [_turn(message, mask) for message in messages]
        if continued:
            turns[-1]["content"] = mask.over(messages[-1].text, blanks=True)
        text = self._template.render(
            messages=turns,
            tools=[mask.over_descriptions(tool.plain()) for tool in tools] or None,
            add_generation_prompt=not continued,
            bos_token=mask.name("bos"),
            eos_token=mask.name("eos"),
        )
        special = {"bos": self._vocabulary.bos, "eos": self._vocabulary.eos}
        parts: list[str | int | Said] = []
        for part in mask.split(text):
            if not isinstance(part, tuple):
                parts.append(part)
            elif (token := special[part[0]]) is not None:
                parts.append(token)
        heard = any(isinstance(part, Said) for part in parts)
        if not heard and any(message.text.strip() for message in messages):
            raise jinja2.TemplateError("it leaves out all messages")
        if continued:  # the template ends the turn that is to be continued
            while not isinstance(parts[-1], Said):
                parts.pop()
        return parts

    def _tokens(self, parts: list[str | int | Said]) -> list[int]:
        tokens: list[int] = []
        pieces: list[str | int] = []
        for part in parts:
            pieces += [part] if isinstance(part, int | Said) else self._split_template(part)
        # Text between two control tokens is tokenised in one go, whoever wrote it, as the model has seen it.
        for is_text, group in groupby(pieces, key=lambda piece: isinstance(piece, str)):
            if is_text:
                tokens += self._vocabulary.tokenize("".join(map(str, group)), never=self._markers)
            else:
                tokens += [piece for piece in group if isinstance(piece, int)]
        return tokens

    def _split_template(self, text: str) -> list[str | int]:
        if text not in self._split:
            if len(self._split) > 1000:  # a template that writes the time never repeats itself
                self._split.clear()
            self._split[text] = self._find_markers(text)
        return self._split[text]

    def _find_markers(self, text: str) -> list[str | int]:
        pieces: list[str | int] = []
        plain_from = at = 0
        while at < len(text):
            marker, token = self._marker_at(text, at)
            if token is None:
                at += 1
                continue
            pieces += [text[plain_from:at], token]
            self._markers.add(token)
            plain_from = at = at + len(marker)
        return [piece for piece in [*pieces, text[plain_from:]] if piece != ""]

    def _marker_at(self, text: str, at: int) -> tuple[str, int | None]:
        for end in range(min(at + LONGEST_MARKER, len(text)), at, -1):
            token = self._vocabulary.find(text[at:end])
            if token is not None and not text[at:end].isspace():
                return text[at:end], token
        return "", None


def _turn(message: Message, mask: Mask) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": mask.over(message.text)}
    if message.calls:
        turn["tool_calls"] = [
            {
                "id": call.plain_id,
                "type": "function",
                "function": {
                    "name": mask.over(call.function.name),
                    "arguments": mask.over_all(call.function.parsed),
                },
            }
            for call in message.calls
        ]
    if message.role == "tool":
        turn["tool_call_id"] = message.answers
        if message.name:
            turn["name"] = mask.over(message.name)
    return turn


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """Return the turns with the system's put before the user's, and neighbours of one role joined."""
    turns: list[Message] = []
    for is_users, group in groupby(messages, key=lambda message: message.role in ("system", "user")):
        said = list(group)
        text = "\n\n".join(message.text for message in said)
        turns.append(Message("user" if is_users else "assistant", text, said[-1].prefix))
    return turns


def _refused(error: Exception) -> BackendRejected:
    return BackendRejected(f"The model's chat template refuses this conversation: {error}.", 422)


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` marks the assistant's text for training; here it only has to be read over."""

    tags = {"generation"}  # noqa: RUF012 - as the base class has it

    def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> ImmutableSandboxedEnvironment:
    # As in transformers, which defined the format:
    # https://github.com/huggingface/transformers/blob/main/src/transformers/utils/chat_template_utils.py
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = time.strftime
    return environment


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
