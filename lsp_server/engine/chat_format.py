"""Chooses how the loaded model is talked to. Knows the formats there are, and nothing of how they work."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from lsp_server.engine import mistral_instruct
from lsp_server.engine.chat_prompt import ChatTemplate
from lsp_server.engine.fim import Prompt
from lsp_server.engine.mistral_instruct import MistralInstruct
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.vocabulary import Vocabulary
from lsp_server.engine.wire import Message, Tool

log = logging.getLogger(__name__)


class ChatFormat(Protocol):
    """A way to write conversations as tokens."""

    def encode(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Prompt:
        """Return the prompt for the assistant's next turn, or for the rest of it if it has begun."""
        ...


def chat_format(model: LoadedModel, vocabulary: Vocabulary) -> ChatFormat:
    """Return Mistral's own format for its models, whose files may get it wrong, else the file's template."""
    version = mistral_instruct.version_of(vocabulary, model.chat_template, [model.name, model.path.name])
    if version is None:
        return ChatTemplate(model, vocabulary)
    log.info("conversations are written in Mistral's format %s", version)
    return MistralInstruct(vocabulary, version)
