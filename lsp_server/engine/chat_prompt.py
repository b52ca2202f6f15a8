"""A conversation as token ids, by the chat template of the model file.

Owns rendering and the line between template and messages: the template's control tokens go in as ids, what
people wrote never becomes one. Must not know how the prompt is evaluated.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Sequence
from itertools import groupby
from typing import NoReturn

import jinja2
import llama_cpp
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lsp_server.engine.fim import Prompt
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.engine.wire import Message
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

Turn = tuple[str, str]
"""Role and text."""


class ChatTemplate:
    """The way one model wants to be talked to."""

    def __init__(self, model: LoadedModel, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        source = model.chat_template
        if source is None:
            source = CHATML if vocabulary.find("<|im_start|>") is not None else PLAIN
            log.info("%s has no chat template", model.name)
        self._stop = ("\n### User",) if source is PLAIN else ()
        eos = int(llama_cpp.llama_vocab_eos(model.vocab))
        self._eos = eos if eos >= 0 else None
        try:
            self._template = _environment().from_string(source)
        except jinja2.TemplateError as error:
            raise BackendRejected(f"The model's chat template cannot be used: {error}.", 422) from error
        self._split: dict[str, list[str | int]] = {}
        self._markers: set[int] = set()

    def encode(self, messages: Sequence[Message]) -> Prompt:
        """Return the prompt for the assistant's next turn, or for the rest of it if it has begun."""
        last = messages[-1]
        if last.role == "assistant" and not last.prefix:
            raise BackendRejected(
                "The last message must be the user's, or the assistant's with prefix set.", 422
            )
        tokens = self._tokens(
            self._parts([(message.role, message.text) for message in messages], last.prefix)
        )
        bos = self._vocabulary.bos
        if self._vocabulary.add_bos and bos is not None and tokens[:1] != [bos]:
            tokens.insert(0, bos)
        return Prompt(tuple(tokens), b"", self._vocabulary.ends, self._stop, "chat")

    def _parts(self, turns: list[Turn], continued: bool) -> list[str | int | _Said]:
        """Return template text, token ids and what was said, in order."""
        try:
            return self._rendered(turns, continued)
        except jinja2.TemplateError:
            # Many templates know no system role or want the roles to alternate.
            try:
                return self._rendered(_alternating(turns), continued)
            except jinja2.TemplateError as error:
                raise BackendRejected(
                    f"The model's chat template refuses this conversation: {error}.", 422
                ) from error

    def _rendered(self, turns: list[Turn], continued: bool) -> list[str | int | _Said]:
        # What is searched for control tokens has something unguessable in place of what people wrote.
        nonce = f"q{secrets.token_hex(12)}q"
        text = self._template.render(
            messages=[{"role": role, "content": f"{nonce}{at}z"} for at, (role, _) in enumerate(turns)],
            add_generation_prompt=not continued,
            bos_token=f"{nonce}bosz",
            eos_token=f"{nonce}eosz",
        )
        parts: list[str | int | _Said] = []
        special = {"bos": self._vocabulary.bos, "eos": self._eos}
        for number, piece in enumerate(re.split(f"{nonce}(\\d+|bos|eos)z", text)):
            if number % 2 == 0:
                parts.append(piece)
            elif piece not in special:
                parts.append(_Said(turns[int(piece)][1]))
            elif (token := special[piece]) is not None:
                parts.append(token)
        if not any(isinstance(part, _Said) for part in parts):
            raise jinja2.TemplateError("it leaves out all messages")
        if continued:  # the template ends the turn that is to be continued
            while not isinstance(parts[-1], _Said):
                parts.pop()
        return parts

    def _tokens(self, parts: list[str | int | _Said]) -> list[int]:
        tokens: list[int] = []
        pieces: list[str | int] = []
        for part in parts:
            pieces += [part] if isinstance(part, int | _Said) else self._split_template(part)
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


class _Said(str):
    """What somebody wrote, as opposed to text of the template."""

    __slots__ = ()


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns with the system's put before the user's, and neighbours of one role joined."""
    as_user = [("user" if role == "system" else role, text) for role, text in turns]
    return [
        (role, "\n\n".join(text for _, text in group))
        for role, group in groupby(as_user, key=lambda turn: turn[0])
    ]


def _environment() -> ImmutableSandboxedEnvironment:
    # As in transformers, which defined the format:
    # https://github.com/huggingface/transformers/blob/main/src/transformers/utils/chat_template_utils.py
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = time.strftime
    return environment


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
