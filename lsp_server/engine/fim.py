"""A fill-in-the-middle request as token ids.

Owns the way from buffer text to a prompt: control tokens go in as ids, text never becomes one.
Must not know how the prompt is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.engine.families import PREFIX, SUFFIX, FimTemplate
from lsp_server.engine.vocabulary import Vocabulary


@dataclass(frozen=True)
class Prompt:
    """What the model is given, and how its answer ends."""

    tokens: tuple[int, ...]
    pending: bytes
    """Bytes of the prefix left out of `tokens`; the model must begin with them (see `healing`)."""
    end_tokens: frozenset[int]
    """Every token that ends the answer, the vocabulary's own included."""
    stop: tuple[str, ...]
    """Text that ends the answer."""
    template: str
    """Id of the family."""


def encode(
    template: FimTemplate, vocabulary: Vocabulary, prefix: str, suffix: str, *, heal: bool = True
) -> Prompt:
    """Return the prompt for the text between `prefix` and `suffix`.

    With `heal`, if the family allows it, the last token of the prefix is left to the model: a prompt
    that ends inside a word or after a bracket ends with a token that training text never has there.
    """
    ids = {marker: template.token(marker, vocabulary) for marker in (*template.markers, *template.end_tokens)}
    controls = frozenset(token for token in ids.values() if token is not None)
    before = vocabulary.tokenize(prefix, never=controls)
    pending = b""
    if heal and template.healing:
        before, pending = _hold_back(before, vocabulary)
    tokens = [vocabulary.bos] if _wants_bos(template, vocabulary) and vocabulary.bos is not None else []
    for part in template.layout_before(suffix):
        if part == PREFIX:
            tokens += before
        elif part == SUFFIX:
            tokens += vocabulary.tokenize(suffix, after=template.suffix_after, never=controls)
        elif (marker := ids[part]) is not None:
            tokens.append(marker)
        else:
            raise ValueError(f"the vocabulary has no token {part}, which the family {template.id} needs")
    return Prompt(tuple(tokens), pending, vocabulary.ends | controls, template.stop, template.id)


def _wants_bos(template: FimTemplate, vocabulary: Vocabulary) -> bool:
    return template.bos == "always" or (template.bos == "auto" and vocabulary.add_bos)


def _hold_back(tokens: list[int], vocabulary: Vocabulary) -> tuple[list[int], bytes]:
    """Split off the bytes of the last token; of more if that one starts inside a character."""
    pending = b""
    for count in range(len(tokens) - 1, -1, -1):
        piece = vocabulary.piece(tokens[count])
        if not piece:  # an unknown token: what it stood for cannot be spelled again
            break
        pending = piece + pending
        if pending[0] & 0xC0 != 0x80:  # not a UTF-8 continuation byte
            return tokens[:count], pending
    return tokens, b""
