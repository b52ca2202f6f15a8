"""One model of an Ollama server: what it can do, and that it is loaded before it is asked.

Ollama loads a model with the first request for it and unloads it later, or when another one needs the memory.
A request must not wait for that under the deadline of a keystroke, so loading is a request of its own here.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lsp_server import families
from lsp_server.backends.http import HttpClient
from lsp_server.errors import BackendUnavailable
from lsp_server.families import FimTemplate

KEEP_ALIVE = "30m"
"""How long Ollama keeps a model after a request; its own 5 minutes are over while somebody reads code."""
CHECK_S = 10.0
"""For each question about a model; Ollama answers these in milliseconds, unless its disk is asleep."""
RECHECK_S = 30.0
"""After so long without an answer a model may have made room for another one: look before asking it."""
BYTES_PER_TOKEN = 3
"""A careful guess for source code, as in the budget of the context."""
OLD_CONTEXT = 2048
"""What servers give that do not say how much they give (before 0.11)."""
SPARE_TOKENS = 64
"""For what the model's template puts around a prompt."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Card:
    """What `POST /api/show` says of a model."""

    name: str
    insert: bool
    """Its template takes a suffix."""
    thinks: bool
    completes: bool
    """It writes text at all; some make embeddings only."""
    remote_host: str
    """Not empty for a model that this server passes on to another one."""
    longest_context: int | None
    template: FimTemplate | None
    """The family that its name tells."""


def full_name(name: str) -> str:
    """Return a model's name with its tag, as the server lists it."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def read_models(listed: object) -> list[dict[str, Any]]:
    """Return the entries of an answer to `/api/tags` or `/api/ps`."""
    models = _object(listed).get("models")
    return [entry for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []


def read_card(name: str, answer: object) -> Card:
    """Make sense of an answer to `/api/show`; servers before 0.6.4 do not list capabilities."""
    shown = _object(answer)
    capabilities = shown.get("capabilities")
    if not isinstance(capabilities, list):
        capabilities = ["completion", *(["insert"] if ".Suffix" in str(shown.get("template", "")) else [])]
    facts = shown.get("model_info") or {}
    lengths = [value for key, value in facts.items() if key.endswith(".context_length")]
    return Card(
        name,
        insert="insert" in capabilities,
        thinks="thinking" in capabilities,
        completes="completion" in capabilities,
        remote_host=str(shown.get("remote_host") or ""),
        longest_context=lengths[0] if lengths and isinstance(lengths[0], int) else None,
        template=families.named(name),
    )


def _object(answer: object) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise BackendUnavailable("What answers is not Ollama: check the base URL.")
    return answer


class ServedModel:
    """A model, and whether it is in the server's memory."""

    def __init__(self, client: HttpClient, card: Card, tell: Tell) -> None:
        self.card = card
        self.num_ctx: int | None = None
        """Context to ask for, in tokens: what it is loaded with, for any other value would load it anew."""
        self._client = client
        self._tell = tell
        self._seen_at: float | None = None
        self._loading: asyncio.Task[None] | None = None

    def answered(self) -> None:
        """Take note that it has just answered."""
        self._seen_at = time.monotonic()

    def failed(self) -> None:
        """Take note that it did not answer: it may be loading."""
        self._seen_at = None

    async def make_ready(self, prompt_bytes: int, max_tokens: int) -> None:
        """Have it loaded, with room for such a prompt and its answer: Ollama cuts what is too long."""
        if self._has_room(prompt_bytes, max_tokens) and self._is_fresh():
            return
        if self._loading is None:
            self._loading = asyncio.create_task(
                self._load(prompt_bytes, max_tokens), name=f"load {self.card.name}"
            )
            self._loading.add_done_callback(self._loaded)
        # Whoever waits may be cancelled by the next keystroke; loading goes on for that one.
        await asyncio.shield(self._loading)

    async def aclose(self) -> None:
        """Stop waiting for it to load."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait({self._loading})

    def _is_fresh(self) -> bool:
        return self._seen_at is not None and time.monotonic() - self._seen_at < RECHECK_S

    def _has_room(self, prompt_bytes: int, max_tokens: int) -> bool:
        return self._needed(prompt_bytes, max_tokens) <= (self.num_ctx or OLD_CONTEXT)

    def _needed(self, prompt_bytes: int, max_tokens: int) -> int:
        needed = prompt_bytes // BYTES_PER_TOKEN + 1 + max_tokens + SPARE_TOKENS
        return min(needed, self.card.longest_context or needed)

    def _loaded(self, loading: asyncio.Task[None]) -> None:
        self._loading = None
        if not loading.cancelled():
            loading.exception()  # whoever waited has it; nobody may have

    async def _load(self, prompt_bytes: int, max_tokens: int) -> None:
        loaded = await self._context()
        if loaded is None:
            self.num_ctx = None
            await self._fetch()
            loaded = await self._context() or 0
        self.num_ctx = max(self.num_ctx or 0, loaded) or None
        if not self._has_room(prompt_bytes, max_tokens):
            # A power of two, so that prompts that grow do not load it again and again.
            self.num_ctx = 1 << (self._needed(prompt_bytes, max_tokens) - 1).bit_length()
            if self.card.longest_context is not None:
                self.num_ctx = min(self.num_ctx, self.card.longest_context)
        if self.num_ctx not in (None, loaded):
            await self._fetch()  # which does nothing where it is loaded so already
        self.answered()

    async def _context(self) -> int | None:
        """Return the context it is loaded with, 0 where that is not told; None if it is not loaded."""
        for entry in read_models(await self._client.get_json("/api/ps", CHECK_S)):
            if full_name(self.card.name) in (entry.get("name"), entry.get("model")):
                context = entry.get("context_length")
                return context if isinstance(context, int) else 0
        return None

    async def _fetch(self) -> None:
        """Load it, however long that takes."""
        self._tell(f"Ollama loads {self.card.name} …")
        body: dict[str, Any] = {"model": self.card.name, "stream": False, "keep_alive": KEEP_ALIVE}
        if self.num_ctx is not None:
            body["options"] = {"num_ctx": self.num_ctx}
        await self._client.post_json("/api/generate", body, math.inf)
