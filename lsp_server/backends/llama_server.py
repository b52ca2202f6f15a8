"""What llama.cpp's server can do beyond OpenAI's API: prompts as token ids, grammars, `/infill`.

Owns the requests for it. Must not know when they are chosen.

Its own endpoints: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from lsp_server.backends.http import HttpClient
from lsp_server.backends.openai_wire import named
from lsp_server.backends.raw_fim import hold_back
from lsp_server.errors import BackendRejected
from lsp_server.families import PREFIX, SUFFIX, FimTemplate, detect, load_families

REMEMBERED = 64
"""Texts whose tokens are kept: the suffix stays the same while one types, in each of some documents."""


@dataclass(frozen=True)
class Known:
    """Control tokens of a vocabulary, as `families.detect` asks for them."""

    ids: dict[str, int]

    def find(self, text: str) -> int | None:
        """Return the control token written exactly so."""
        return self.ids.get(text)


@dataclass(frozen=True)
class TokenPrompt:
    """A fill-in-the-middle prompt; text in it is never taken for control tokens."""

    tokens: list[int]
    held: str
    """The end of the prefix, left out of `tokens`: the answer begins with it."""
    grammar: str | None
    """Makes the answer begin with it."""


class LlamaServer:
    """The vocabulary of a model behind llama.cpp's server."""

    def __init__(self, http: HttpClient, model: str, deadline_s: float) -> None:
        self._http = http
        self._model = model
        self._deadline_s = deadline_s
        self._tokens: OrderedDict[str, list[int]] = OrderedDict()
        self._begin: list[int] | None = None
        self._known = Known({})

    async def family(self, names: tuple[str, ...], override: str = "") -> FimTemplate | None:
        """Return the family whose control tokens the model has, None if it has no family's."""
        families = load_families()
        spellings = dict.fromkeys(text for family in families for text in family.all_controls)
        texts = list(spellings)
        # Two requests for all of them; line breaks are no part of a control token.
        joined = "\n".join(texts)
        special = await self._pieces(joined, parse_special=True)
        ordinary = {token for token, _ in await self._pieces(joined, parse_special=False)}
        ids = {piece: token for token, piece in special if token not in ordinary and piece in spellings}
        self._known = Known(ids)
        found = detect(self._known, names, override or None)
        return found if found.fim or override else None

    async def prompt(
        self, template: FimTemplate, prefix: str, suffix: str, stop: tuple[str, ...], deadline_s: float
    ) -> TokenPrompt:
        """Return the prompt for the text between `prefix` and `suffix`; each question has `deadline_s`."""
        kept, held = hold_back(prefix, stop) if template.healing else (prefix, "")
        before = await self._tokenize(kept, deadline_s, parse_special=False)
        after = await self._suffix(suffix, template.suffix_after, deadline_s)
        if self._begin is None:
            asked = template.bos != "never"
            self._begin = await self._tokenize("", deadline_s, add_special=True) if asked else []
        tokens = list(self._begin)
        for part in template.layout_before(suffix):
            if part == PREFIX:
                tokens += before
            elif part == SUFFIX:
                tokens += after
            else:
                token = template.token(part, self._known)
                assert token is not None, "detected by its tokens"
                tokens.append(token)
        return TokenPrompt(tokens, held, beginning(held) if held else None)

    async def _suffix(self, suffix: str, after: str, deadline_s: float) -> list[int]:
        text = after + suffix
        if text not in self._tokens:
            head = len(await self._tokenize(after, deadline_s, parse_special=False)) if after else 0
            self._tokens[text] = (await self._tokenize(text, deadline_s, parse_special=False))[head:]
        self._tokens.move_to_end(text)
        while len(self._tokens) > REMEMBERED:
            self._tokens.popitem(last=False)
        return self._tokens[text]

    async def _pieces(self, content: str, *, parse_special: bool) -> list[tuple[int, str]]:
        how = {"parse_special": parse_special, "with_pieces": True}
        entries = await self._tokenize(content, self._deadline_s, **how)
        # Half a character's piece is a list of bytes, and older servers give no pieces.
        known = (entry for entry in entries if isinstance(entry, dict))
        return [(entry["id"], entry["piece"]) for entry in known if isinstance(entry.get("piece"), str)]

    async def _tokenize(self, content: str, deadline_s: float, **how: bool) -> list[Any]:
        body = {**named(self._model), "content": content, **how}
        answer = await self._http.post_json("/tokenize", body, deadline_s)
        tokens = answer.get("tokens") if isinstance(answer, dict) else None
        if not isinstance(tokens, list):
            raise BackendRejected(f"{self._http.who} does not answer /tokenize as llama.cpp does.", 200)
        return tokens


def beginning(text: str) -> str:
    """Return a grammar for texts that begin with `text`."""
    written = "".join(map(_escaped, text))
    return f'root ::= "{written}" [^\\x00]*'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return f"\\x{ord(character):02X}" if ord(character) < 32 or ord(character) == 127 else character


def is_llama_cpp(props: object) -> bool:
    """Say whether this is what llama.cpp's server answers at `/props`."""
    return isinstance(props, dict) and "default_generation_settings" in props
