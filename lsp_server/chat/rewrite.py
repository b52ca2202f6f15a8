"""One action that changes code, from the question to a proposal, as a stream of steps.

Owns when the model is asked a second time. Applies nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from lsp_server.backends.protocol import Backend, ChatMessage, ChatRequest
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.check import damage
from lsp_server.chat.editing.edits import Edit, applied, line_edits
from lsp_server.chat.editing.proposal import Proposal
from lsp_server.chat.new_files.new_file import with_tests
from lsp_server.chat.placing.placement import placed
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.prompting.prompt import chat_request
from lsp_server.chat.replies.reply import Reply, ReplyParser
from lsp_server.chat.workspace.workspace_text import content
from lsp_server.documents.languages import Language, detect
from lsp_server.documents.lines import line_text
from lsp_server.documents.node_types import COMMENTS
from lsp_server.documents.outline import imports
from lsp_server.documents.syntax import parse
from lsp_server.errors import BackendError, UserFacingError
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
class NoEdit:
    """There is nothing to apply, and why."""

    reason: str
    text: str = ""
    """What the model said instead."""
    remedy: str = ""
    """What is wrong with the reply, where another attempt may mend that."""


Step = Partial | Retrying | Proposal | NoEdit

CUT = "the reply was cut off: raise chat.max_tokens"
INCOMPLETE = "the reply is not the whole of the code that was asked about"
_TESTS = re.compile(r"test|assert|expect|check|should", re.IGNORECASE)
"""Small models show the code that is tested before they show its test."""
_ASSERTS = re.compile(
    r"assert|expect|check|should|require|verify|equal|throw|raise|fail|error|panic|\bis\b", re.I
)
_NO_ASSERTION = "the tests assert nothing"
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


def proposal(file: PromptFile, target: Target, context: Context, reply: Reply) -> Proposal | NoEdit:
    """Return what a reply proposes; parses, so call it on a thread."""
    code = reply.code(target.language.name, target.text if file.output == "replace" else "")
    if file.output == "new_file":
        code = next(filter(_TESTS.search, reply.candidates(target.language.name)), code)
    if file.documentation and not code.strip():
        code = reply.text  # a sentence is documentation as well
    if not code.strip():
        return NoEdit("the model gave no code", reply.text, "there is no code block in the reply")
    if file.output == "new_file":
        return _new_file(target, context, code)
    snapshot = target.snapshot
    edits = placed(file, target, code)
    if not edits and code.split() == target.text.split():
        return NoEdit("the model would change nothing", reply.text, _still_wrong(file, target))
    if not edits:
        return NoEdit("the model's code is not a whole that fits here", reply.text, INCOMPLETE)
    warning = damage(snapshot.text, applied(snapshot.text, edits), target.language) or ""
    return Proposal(snapshot.uri, snapshot, edits, region=(target.start, target.end), warning=warning)


def _still_wrong(file: PromptFile, target: Target) -> str:
    """Return what is left to be done where nothing was changed; nothing may be right if nothing is wrong."""
    if "diagnostics" not in file.context or not target.diagnostics:
        return ""
    first = min(target.diagnostics, key=lambda item: item.start)
    lines, text = target.snapshot.lines, target.snapshot.text
    line = line_text(text, lines, lines.line_of(min(first.start, len(text)))).strip()
    return f"it is the same code again, and `{line}` is still wrong: {' '.join(first.message.split())}"


def _asserts(code: str, language: Language) -> bool:
    """Tell whether tests assert anything: a comment that says what they should does not, nor an import."""
    tree = parse(code, language)
    if tree is None:
        return True
    imported = {tree.byte(start) for start, _ in imports(tree)}
    stack, left = [tree.root], ""
    while stack:
        node = stack.pop()
        if node.type in COMMENTS or (node.start_byte in imported and node != tree.root):
            continue
        stack += node.children
        left += "" if node.child_count else f"{tree.text_of(node)} "
    return _ASSERTS.search(left) is not None


def _new_file(target: Target, context: Context, code: str) -> Proposal | NoEdit:
    new = context.new_file
    if new is None:
        return NoEdit("there is no place for a new file", code)
    snapshot = target.snapshot
    existing = snapshot.text if new.is_source else _read(new.path) if new.exists else ""
    language = detect("", new.path.as_uri())
    text = with_tests(existing, code, language.name, new)
    if text == existing:
        return NoEdit("the model would change nothing", code)
    warning = damage(existing, text, language) or ("" if _asserts(code, language) else _NO_ASSERTION)
    if new.is_source:
        region = (target.start, target.end)
        return Proposal(snapshot.uri, snapshot, line_edits(existing, text), region=region, warning=warning)
    edits = (Edit(0, len(existing), text),)
    return Proposal(
        new.path.as_uri(), None, edits, creates=not new.exists, disk_text=existing, warning=warning
    )


def _read(path: Path) -> str:
    try:
        return content(path.resolve(), path.name).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserFacingError(f"{path} cannot be read as UTF-8 text: {error}.") from error
