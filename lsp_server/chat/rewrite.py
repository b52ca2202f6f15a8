"""One action that changes code, from the question to a proposal, as a stream of steps.

Owns when the model is asked a second time, and for how much of the code at a time. Applies nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from lsp_server.backends.protocol import Backend, ChatMessage, ChatRequest
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.proposal import NoEdit, Proposal
from lsp_server.chat.outcome import joined, proposal
from lsp_server.chat.parts import by_parts, nothing_to_change, parts
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.prompting.prompt import chat_request, no_answer
from lsp_server.chat.prompting.wording import estimated_tokens
from lsp_server.chat.replies.reply import Reply, ReplyParser
from lsp_server.errors import BackendError, ReplyTooLong, UserFacingError
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


@dataclass(frozen=True)
class InParts:
    """The code is too long for one reply, so it is done in parts; this one comes next."""

    number: int
    total: int
    """As far as is known: a part may turn out to be too long, too."""


Step = Partial | Retrying | InParts | Proposal | NoEdit

CUT = "the reply was cut off: raise chat.max_tokens"
AGAIN = (
    "That does not work in the file: {reason}. "
    "Reply with the corrected code only, complete, in one fenced code block."
)
_WHOLE_SHARE = 2 / 3
"""Of the longest reply, for code that is not known to fit: comments may become longer."""


async def rewrite(
    backend: Backend,
    file: PromptFile,
    target: Target,
    context: Context,
    settings: ChatSettings,
    answers: Mapping[str, str] | None = None,
) -> AsyncGenerator[Step, None]:
    """Ask the model and yield how it goes; the last step is a `Proposal` or `NoEdit`.

    A result that breaks what was whole, breaks the action's promise, or does not fit, is sent back once, with
    the reason; if the second is no better it is proposed with a warning, and so is what was cut off. Code
    that is too long for one reply is done in parts, where the action allows that. Errors are those of the
    backend, and `UserFacingError` for code that is too long.
    """
    if await asyncio.to_thread(nothing_to_change, file, target):
        yield NoEdit("there is no comment in it")
        return
    waiting = deque(await asyncio.to_thread(planned, file, target, settings))
    done = list[tuple[Target, Proposal | NoEdit]]()
    while waiting:
        part = waiting.popleft()
        if done or waiting:
            yield InParts(len(done) + 1, len(done) + 1 + len(waiting))
        outcome: Proposal | NoEdit = NoEdit("the model said nothing")
        too_long = None
        try:
            # The reply to a part is that part, and not the definition that it lies in.
            asked = file if part == target else replace(file, scope="file")
            async with aclosing(_attempts(backend, asked, part, context, settings, answers)) as steps:
                async for step in steps:
                    if isinstance(step, Proposal | NoEdit):
                        outcome = step
                    else:
                        yield step
        except ReplyTooLong as error:
            too_long = error
        if by_parts(file) and (too_long or outcome.cut):
            half = estimated_tokens(part.text) // 2
            smaller = await asyncio.to_thread(parts, file, part, half)
            if len(smaller) > 1 or smaller[0] != part:
                waiting.extendleft(reversed(smaller))
                continue
        if too_long is not None:
            raise UserFacingError(_too_long(file, part, too_long)) from too_long
        done.append((part, outcome))
    yield done[0][1] if len(done) == 1 else await asyncio.to_thread(joined, file, target, done)


def planned(file: PromptFile, target: Target, settings: ChatSettings) -> tuple[Target, ...]:
    """Return the parts that a target is first taken in: all of it, where one reply can hold that."""
    if not by_parts(file):
        return (target,)
    most = int((file.max_tokens or settings.max_tokens) * _WHOLE_SHARE)
    return parts(file, target, min(most, settings.context_tokens))


async def _attempts(
    backend: Backend,
    file: PromptFile,
    target: Target,
    context: Context,
    settings: ChatSettings,
    answers: Mapping[str, str] | None,
) -> AsyncGenerator[Step, None]:
    """Ask once, and a second time if the first reply was no good."""
    request = await asyncio.to_thread(chat_request, file, target, context, settings, answers)
    copies = no_answer(file, request)
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
        outcome = await asyncio.to_thread(proposal, file, target, context, parser.reply, copies)
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
        return replace(outcome, reason=f"{outcome.reason} ({CUT})", cut=True)
    return replace(outcome, warning=f"{outcome.warning} ({CUT})" if outcome.warning else CUT, cut=True)


def _too_long(file: PromptFile, target: Target, error: ReplyTooLong) -> str:
    """Return the engine's sentence with the names of the settings."""
    limit = f"max_tokens of {file.origin or file.id}" if file.max_tokens else "chat.max_tokens"
    said = str(error).replace("raise max_tokens", f"raise {limit}")
    said = said.replace("raise context_tokens", "raise local.context_tokens")
    return f"The {target.kind} is too long to be written again in one reply. {said}"


def _again(request: ChatRequest, said: str, reason: str) -> ChatRequest:
    messages = (
        *request.messages,
        ChatMessage("assistant", said),
        ChatMessage("user", AGAIN.format(reason=reason)),
    )
    return replace(request, messages=messages)
