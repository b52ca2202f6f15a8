"""An answer in words, printed while it comes; all else is said on standard error."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsp_server.backends.protocol import Backend, ChatRequest, Chunk, Origin
from lsp_server.chat.replies.answer import only_asks_again, unwrapped
from lsp_server.chat.workspace.tool_loop import ToolUse, converse
from lsp_server.cli._stream import Stream, say, write_json
from lsp_server.cli._terminal import chatting
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from lsp_server.backends.router import Connected
    from lsp_server.chat.workspace.tools import Toolbox


@dataclass(frozen=True)
class Answered:
    """What has come so far."""

    text: str = ""
    """Markdown; what the model said before it looked something up is a paragraph of its own."""
    used: tuple[ToolUse, ...] = ()
    """What the model has looked up."""
    cut: bool = False
    origin: Origin | None = None


async def print_answer(
    settings: Settings,
    request: ChatRequest,
    *,
    as_json: bool,
    toolbox: Callable[[Connected], Toolbox | None] = lambda _: None,
) -> None:
    """Ask and print the answer. Errors are the backend's; what has come until then stays printed."""
    now, stream = Answered(), None if as_json else Stream()
    async with chatting(settings) as connected:
        try:
            async with aclosing(_answers(connected.chat, request, toolbox(connected))) as steps:
                async for step in steps:
                    for use in step.used[len(now.used) :]:
                        say(use.sentence)
                    now = step
                    if stream is not None:
                        stream.show(now.text)
        finally:
            if stream is not None:
                stream.end(now.text)
    for phrase in now.origin.withheld if now.origin else ():
        say(f"withheld: {phrase}")
    if now.cut:
        say(f"the answer was cut off at {request.max_tokens} tokens, see chat.max_tokens")
    copied = only_asks_again(now.text, request)
    if copied:
        say("the answer only repeats a part of what was asked: ask in other words, or choose a larger model")
    if as_json:
        write_json({**_as_json(now), "copied": copied})


async def _answers(
    backend: Backend, request: ChatRequest, toolbox: Toolbox | None
) -> AsyncGenerator[Answered, None]:
    stream = backend.chat(request) if toolbox is None else converse(backend, request, toolbox)
    now = Answered()
    before = said = ""
    async with aclosing(stream) as items:
        async for item in items:
            if isinstance(item, ToolUse):
                before = f"{now.text.rstrip()}\n\n" if now.text.strip() else ""
                said = ""
                now = replace(now, text=before, used=(*now.used, item))
            else:
                said += item.text
                now = _grown(now, item, before + unwrapped(said))
            yield now


def _grown(now: Answered, chunk: Chunk, text: str) -> Answered:
    cut = chunk.finish_reason == "length"
    return replace(now, text=text, cut=cut, origin=chunk.origin or now.origin)


def _as_json(now: Answered) -> dict[str, object]:
    origin = now.origin
    return {
        "text": now.text,
        "backend": origin.backend if origin else None,
        "destination": origin.destination if origin else None,
        "withheld": list(origin.withheld) if origin else [],
        "looked_up": [use.sentence for use in now.used],
        "cut": now.cut,
    }
