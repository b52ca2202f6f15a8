"""One action or question that is answered in words, as a stream. Applies nothing, shows nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from lsp_server.backends.protocol import Backend, ChatRequest
from lsp_server.chat.replies.copied import is_copied

_WRAPPERS = ("```markdown\n", "```md\n")


@dataclass(frozen=True)
class Answer:
    """What has come so far."""

    text: str
    """Markdown."""
    cut: bool = False
    """It ended because it was too long."""
    withheld: tuple[str, ...] = ()
    """What the privacy rules kept from the model."""
    copied: bool = False
    """It only says a part of the question again, which is known once it is whole."""


async def answer(backend: Backend, request: ChatRequest) -> AsyncGenerator[Answer, None]:
    """Ask the model and yield the answer as it grows; the last one is whole. Errors are the backend's."""
    said, cut = "", False
    withheld: tuple[str, ...] = ()
    async with aclosing(backend.chat(request)) as chunks:
        async for chunk in chunks:
            said += chunk.text
            cut = cut or chunk.finish_reason == "length"
            if chunk.origin is not None:
                withheld = chunk.origin.withheld
            yield Answer(unwrapped(said), cut, withheld)
    if only_asks_again(said, request):
        yield Answer(unwrapped(said), cut, withheld, copied=True)


def only_asks_again(said: str, request: ChatRequest) -> bool:
    """Tell whether an answer is a part of what was asked, and no answer to it."""
    return is_copied(unwrapped(said), (message.content for message in request.messages))


def unwrapped(said: str) -> str:
    """Return Markdown without a fence around all of it, which models put there when they hear "Markdown"."""
    text = said.lstrip()
    wrapper = next((start for start in _WRAPPERS if text.lower().startswith(start)), None)
    if wrapper is None:
        return text
    inner = text[len(wrapper) :]
    # The last fence closes the wrapper if fences pair up without it.
    fences = sum(line.startswith("```") for line in inner.splitlines())
    stripped = inner.rstrip()
    if fences % 2 and stripped.endswith("\n```"):
        return stripped.removesuffix("```")
    return inner
