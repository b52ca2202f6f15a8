"""Finding out how a server of OpenAI's kind fills in the middle.

Owns what a server is, by its marks, and which way of asking it takes. Must not know how replies are read.

- llama.cpp's server: `raw`, as token ids, if its vocabulary has a family's control tokens; else `/infill`.
- vLLM and llama-cpp-python's server: `raw` by the model's name; `suffix` is refused by the one and broken in
  the other, which puts token 0 in place of each control token.
- Any other: `suffix`, if a tiny request shows that it is read; else `raw` by the model's name; else `native`,
  Mistral's own, which a gateway may pass on.
- Where nothing else is left: the text before the cursor is continued, or on other servers the model asked in
  a chat, which is worse (see `chat_fim`) but works where text is wrapped into a chat anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from lsp_server import families
from lsp_server.backends.http import HttpClient
from lsp_server.backends.llama_server import LlamaServer, is_llama_cpp
from lsp_server.backends.openai_wire import named
from lsp_server.backends.raw_fim import PREFIX_ONLY
from lsp_server.errors import BackendError, BackendLoading, BackendRejected, BackendUnavailable, RateLimited
from lsp_server.families import PREFIX, SUFFIX, FimTemplate
from lsp_server.settings import BackendSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

Mode = Literal["native", "suffix", "infill", "raw", "chat"]

SUFFIX_WORDS = 100
"""Words of the suffix in a trial: if it is read, it takes at least as many tokens."""
MARKERS_REPEATED = 8
"""Times that control tokens stand in a trial. Each is one token, or several where it is taken for text."""
NO_FAMILY = "as no fill-in-the-middle of the model is known"
CHAT_WRAPPING = 12
"""Tokens that a server may add to a trial for the beginning of a text; a chat template adds more."""


class Server(Enum):
    """Whose software answers."""

    LLAMA_CPP = "llama.cpp's server"
    LLAMA_CPP_PYTHON = "llama-cpp-python's server"
    VLLM = "vLLM"
    OTHER = "an OpenAI-compatible server"


OWNERS = {"llamacpp": Server.LLAMA_CPP, "me": Server.LLAMA_CPP_PYTHON, "vllm": Server.VLLM}
"""What servers say of their models in `owned_by` of `/v1/models`."""


class _Model(msgspec.Struct):
    id: str = ""
    owned_by: str | None = None
    root: str | None = None
    """Of vLLM: what the model is called where it came from."""


class _Models(msgspec.Struct):
    data: list[_Model] = msgspec.field(default_factory=list)


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class _Answer(msgspec.Struct):
    usage: _Usage | None = None
    choices: list[Any] | None = None


@dataclass(frozen=True)
class Served:
    """What a server says of itself."""

    server: Server
    model: str
    """To be sent with each request."""
    names: tuple[str, ...]
    """What else the model is called."""
    root: str
    """What stands between the base URL and `/completions`."""
    other_root: str | None = None
    """Where the API may be instead; the server lists its models nowhere."""
    listed: tuple[str, ...] = ()
    """The models that the server says it has."""


@dataclass(frozen=True)
class Found:
    """How to ask for fill-in-the-middle."""

    mode: Mode
    why: str
    served: Served
    family: FimTemplate | None = None
    vocabulary: LlamaServer | None = None
    """Set if prompts are sent as token ids."""

    def __str__(self) -> str:
        family = f", family {self.family.id}" if self.family is not None else ""
        return f"{self.mode}{family}, {self.why}"


Way = Callable[[Served], Awaitable["Found | str"]]
"""Tries a way of asking; a text says why it cannot be taken."""


class FimModes:
    """Asks a server what it can do."""

    def __init__(self, http: HttpClient, name: str, config: BackendSettings, deadline_s: float) -> None:
        self._http = http
        self._name = name
        self._config = config
        self._deadline_s = deadline_s

    async def find(self) -> Found:
        """Find out how to ask; a way that the settings name is tried alone. Raises BackendError."""
        served = await self.served()
        wanted = self._config.fim
        if wanted == "auto":
            found = await self._best(served)
        elif wanted == "suffix":
            found = await self._demanded(self._suffix, served)
        elif wanted == "infill":
            found = await self._demanded(self._infill, served)
        elif wanted == "raw":
            found = await self._demanded(self._raw, served)
        else:
            found = Found("native" if wanted == "native" else "chat", "as the settings say", served)
        log.info("%s: %s does fill-in-the-middle by %s", self._name, served.server.value, found)
        return found

    async def served(self) -> Served:
        """Find out what the server is, what the model is called and where the API begins."""
        root, other = api_roots(self._config.base_url)
        answer = await self._models(root, elsewhere=root == "")
        if answer is None:
            answer = await self._models(other)
            root, other = (root, other) if answer is None else (other, root)
        models = _converted(answer, _Models, _Models()).data
        server = next((OWNERS[m.owned_by] for m in models if m.owned_by in OWNERS), Server.OTHER)
        if server is Server.OTHER and await self._has_props():
            server = Server.LLAMA_CPP
        listed = [model.id for model in models if model.id]
        model = self._config.model or (listed[0] if listed else "")
        if not model and server is Server.OTHER:
            raise BackendRejected(
                f"{self._http.who} lists no models: check the base URL, or set backends.{self._name}.model.",
                404,
            )
        same = [m.root for m in models if m.root and m.id == model]
        other_root = other if answer is None else None
        return Served(server, model, (model, *same), root, other_root, tuple(listed))

    async def _has_props(self) -> bool:
        try:
            return is_llama_cpp(await self._http.get_json("/props", self._deadline_s))
        except BackendLoading:
            raise
        except BackendError:  # such as a page in HTML, from a server that is none of llama.cpp's
            return False

    async def _models(self, root: str, *, elsewhere: bool = False) -> object:
        """Return the list of models, None if there is none; `elsewhere`: there may be a website instead."""
        try:
            return await self._unless_refused(self._http.get_json(f"{root}/models", self._deadline_s))
        except (BackendLoading, RateLimited):
            raise
        except BackendUnavailable:
            if not elsewhere:
                raise
            return None

    async def _best(self, served: Served) -> Found:
        ways: tuple[Way, ...] = (self._raw,)
        if served.server is Server.LLAMA_CPP:
            ways = (self._raw, self._infill)
        elif served.server is Server.OTHER and not self._config.family:
            ways = (self._suffix, self._raw, self._native)
        for way in ways:
            found = await way(served)
            if isinstance(found, Found):
                return found
        if served.server is Server.OTHER:
            return Found("chat", "as it knows no other way", served)
        return Found("raw", NO_FAMILY, served, PREFIX_ONLY, self._vocabulary(served))

    async def _demanded(self, way: Way, served: Served) -> Found:
        found = await way(served)
        if isinstance(found, str):
            raise BackendRejected(
                f"{self._http.who} cannot be asked by `{self._config.fim}`, {found}: "
                f"set backends.{self._name}.fim to auto, or to another way.",
                501,
            )
        return found

    async def _raw(self, served: Served) -> Found | str:
        override = self._config.family
        if served.server is Server.LLAMA_CPP:
            vocabulary = self._vocabulary(served)
            assert vocabulary is not None
            family = await self._unless_refused(vocabulary.family(served.names, override))
            if family is not None:
                return Found("raw", "by its vocabulary", served, family, vocabulary)
        by_name = families.chosen(override, served.model) if override else self._named(served)
        if by_name is None:
            return f"as no family is known for the model {served.model}"
        why = "as the settings say" if override else "by its model's name"
        if by_name.fim and not await self._parses(served, by_name):
            return f"as it takes no control tokens of the family {by_name.id}"
        return Found("raw", why, served, by_name)

    def _vocabulary(self, served: Served) -> LlamaServer | None:
        if served.server is not Server.LLAMA_CPP:
            return None
        return LlamaServer(self._http, served.model, self._deadline_s)

    def _named(self, served: Served) -> FimTemplate | None:
        found = (families.named(name) for name in served.names)
        return next((family for family in found if family is not None), None)

    async def _parses(self, served: Served, family: FimTemplate) -> bool:
        """Say whether the server continues text and takes control tokens in it for what they are."""
        markers = "".join(part for part in family.markers if part not in (PREFIX, SUFFIX))
        answer = await self._trial(served, {"prompt": markers * MARKERS_REPEATED})
        if answer is None:
            return False
        tokens = _prompt_tokens(answer)
        known = len(family.markers) * MARKERS_REPEATED
        return tokens is None or tokens <= known + CHAT_WRAPPING

    async def _suffix(self, served: Served) -> Found | str:
        suffix = "\n" + "end " * SUFFIX_WORDS
        answer = await self._trial(served, {"prompt": "begin", "suffix": suffix})
        if answer is None:
            return "as it refuses a suffix"
        if served.server is Server.LLAMA_CPP_PYTHON:
            return "as it puts a suffix in without the model's control tokens"
        tokens = _prompt_tokens(answer)
        if tokens is None and self._config.fim == "auto" and self._named(served) is not None:
            return "as it does not say what it has read"
        if tokens is None or tokens >= SUFFIX_WORDS:
            return Found("suffix", "which it takes", served)
        return "as it does not read a suffix"

    async def _infill(self, served: Served) -> Found | str:
        body = {**named(served.model), "input_prefix": "a", "input_suffix": "b", "n_predict": 1}
        answer = await self._unless_refused(self._http.post_json("/infill", body, self._deadline_s))
        taken = isinstance(answer, dict) and "content" in answer
        return Found("infill", "which it has", served) if taken else "as it has no /infill for this model"

    async def _native(self, served: Served) -> Found | str:
        body = {**named(served.model), "prompt": "a", "suffix": "b", "max_tokens": 1, "temperature": 0.0}
        path = f"{served.root}/fim/completions"
        try:
            answer = await self._unless_refused(self._http.post_json(path, body, self._deadline_s))
        except (BackendLoading, RateLimited, BackendRejected):
            raise
        except BackendError:  # such as a page in HTML
            answer = None
        taken = _converted(answer, _Answer, _Answer()).choices
        return (
            Found("native", "as Mistral's API has it", served) if taken else "as it has no /fim/completions"
        )

    async def _trial(self, served: Served, fields: dict[str, str]) -> _Answer | None:
        """Return the answer to a tiny completion, None if it is refused."""
        body = {**named(served.model), **fields, "max_tokens": 1, "temperature": 0.0}
        answer = await self._unless_refused(
            self._http.post_json(f"{served.root}/completions", body, self._deadline_s)
        )
        read = _converted(answer, _Answer, _Answer())
        return read if read.choices else None

    async def _unless_refused(self, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except BackendRejected as error:
            if error.status in (401, 402, 403):
                raise
            log.debug("%s: %s", self._name, error)
            return None


def api_roots(base_url: str) -> tuple[str, str]:
    """Return where the API may begin below the endpoint's base URL, which has no `/v1`: the likelier first.

    The base URL is what clients of this API are given: mostly with `/v1`, which a bare host lacks, and a path
    such as DeepSeek's `/beta` has not.
    """
    path = urlsplit(base_url).path.rstrip("/")
    return ("", "/v1") if path and not path.endswith("/v1") else ("/v1", "")


def _converted(answer: object, type_: type[T], default: T) -> T:
    try:
        return msgspec.convert(answer, type_)
    except msgspec.ValidationError:
        return default


def _prompt_tokens(answer: _Answer) -> int | None:
    return answer.usage.prompt_tokens if answer.usage is not None else None
