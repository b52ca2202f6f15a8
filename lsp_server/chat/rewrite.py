"""One action that changes code, from the question to a proposal, as a stream of steps.

Owns when the model is asked a second time. Applies nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from lsp_server.backends.protocol import Backend, ChatMessage, ChatRequest
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.proposal import NoEdit, Proposal
from lsp_server.chat.outcome import proposal
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.prompting.prompt import chat_request
from lsp_server.chat.replies.reply import Reply, ReplyParser
from lsp_server.errors import BackendError
from lsp_server.settings import ChatSettings


@dataclass(frozen=True)
class Partial:
    """The reply so far."""

    reply: Reply
    withheld: tuple[str, ...] = ()
    """What the privacy rules kept from the model."""


@dataclass(frozen=True)
class Retrying:
    """The result was no good and the model is asked again, with the reason."""

    reason: str


Step = Partial | Retrying | Proposal | NoEdit

CUT = "the reply was cut off: raise chat.max_tokens"
AGAIN = (
    "That does not work in the file: {reason}. "
    "Reply with the corrected code only, complete, in one fenced code block."
)


async def rewrite(
    backend: Backend,
    file: PromptFile,
    target: Target,
    context: Context,
    settings: ChatSettings,
    answers: Mapping[str, str] | None = None,
) -> AsyncGenerator[Step, None]:
    """Ask the model and yield how it goes; the last step is a `Proposal` or `NoEdit`.

    A result that breaks what was whole, or does not fit, is sent back once, with the reason; if the second is
    no better it is proposed with a warning. Errors are those of the backend, and `UserFacingError` for code
    that is too long.
    """
    request = await asyncio.to_thread(chat_request, file, target, context, settings, answers)
    first: Proposal | NoEdit | None = None
    while True:
        parser, cut = ReplyParser(), False
        try:
            async with aclosing(backend.chat(request)) as chunks:
                async for chunk in chunks:
                    parser.feed(chunk.text)
                    cut = cut or chunk.finish_reason == "length"
                    yield Partial(parser.reply, chunk.origin.withheld if chunk.origin else ())
        except BackendError:
            if first is None:
                raise
            yield first  # such as a conversation that has become too long
            return
        outcome = await asyncio.to_thread(proposal, file, target, context, parser.reply)
        if cut:
            outcome = _marked_as_cut(outcome)
        wrong = outcome.warning if isinstance(outcome, Proposal) else outcome.remedy
        if not wrong or cut or first is not None:
            yield first if isinstance(first, Proposal) and isinstance(outcome, NoEdit) else outcome
            return
        first = outcome
        yield Retrying(wrong)
        request = _again(request, parser.reply.text, wrong)


def _marked_as_cut(outcome: Proposal | NoEdit) -> Proposal | NoEdit:
    if isinstance(outcome, NoEdit):
        return replace(outcome, reason=f"{outcome.reason} ({CUT})")
    return replace(outcome, warning=f"{outcome.warning} ({CUT})") if outcome.warning else outcome


def _again(request: ChatRequest, said: str, reason: str) -> ChatRequest:
    messages = (
        *request.messages,
        ChatMessage("assistant", said),
        ChatMessage("user", AGAIN.format(reason=reason)),
    )
    return replace(request, messages=messages)
