"""A code action on a file, from the command line: explains, or prints or writes what it would change."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lsp_server import config_files
from lsp_server.backends.protocol import Backend, ChatRequest
from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Diagnostic, Target, site
from lsp_server.chat.editing.proposal import NoEdit, Proposal
from lsp_server.chat.prompting.context import Context, gather
from lsp_server.chat.prompting.prompt import chat_request
from lsp_server.chat.rewrite import InParts, Retrying, planned, rewrite
from lsp_server.chat.workspace.workspace_text import place as place_in
from lsp_server.chat.workspace.workspace_text import shown
from lsp_server.cli import _patch, _places
from lsp_server.cli._answering import print_answer
from lsp_server.cli._dry_run import show
from lsp_server.cli._places import STDIN_URI
from lsp_server.cli._stream import say, write_json, write_text
from lsp_server.cli._terminal import chatting, errors
from lsp_server.documents import syntax
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.errors import ConfigurationError, UserFacingError
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from lsp_server.cli.ask import Options


NOTHING = ""
"""A place without text; nobody waits for standard input."""
COMMIT = "git-commit"


@dataclass(frozen=True)
class Job:
    """One action, and what it works on."""

    file: PromptFile
    target: Target
    context: Context
    answers: Mapping[str, str]
    root: Path

    @property
    def is_message(self) -> bool:
        """Tell whether the result is the message of a commit, and not a change of a file."""
        return self.target.snapshot.uri == STDIN_URI and self.target.snapshot.language_id == COMMIT

    def request(self, settings: Settings) -> ChatRequest:
        """Return what the model is asked first."""
        return chat_request(self.file, self.target, self.context, settings.chat, self.answers)


def run_action(settings: Settings, action: str, words: tuple[str, ...], options: Options) -> None:
    """Run the action of this id on the one place in `words`, or on standard input."""
    if len(words) > 1:
        raise ConfigurationError("--action takes one FILE[:FIRST-LAST], and no question")
    file = _prompt_file(settings, action)
    place = words[0] if words else _places.STDIN
    if not words and (sys.stdin is None or sys.stdin.isatty()):
        if not _is_of_commits(file):
            raise ConfigurationError(f"name the file: lsp_server ask --action {action} FILE[:LINE]")
        place = NOTHING
    if options.write and _places.lines(place)[0] == _places.STDIN:
        raise ConfigurationError("--write needs a file: standard input cannot be changed")
    job = _job(settings, file, place, options)
    if options.dry_run:
        first, *others = planned(job.file, job.target, settings.chat)
        if others:
            say(f"this is part 1 of {1 + len(others)}")
        show(settings, replace(job, target=first).request(settings), tools=(), as_json=options.as_json)
    elif job.file.output == "markdown":
        if options.write:
            raise ConfigurationError(f"the action {job.file.id} changes nothing, so --write makes no sense")
        asyncio.run(print_answer(settings, job.request(settings), as_json=options.as_json))
    else:
        _finish(asyncio.run(_propose(settings, job)), job, options)


def _is_of_commits(file: PromptFile) -> bool:
    """Tell whether an action works on what is staged, so that it needs no text to work on."""
    return "commit" in file.when


def _prompt_file(settings: Settings, action: str) -> PromptFile:
    catalogue = load(config_files.prompt_folders(settings, Path.cwd()))
    file = catalogue.get(action)
    if file is None:
        for problem in catalogue.problems:
            say(problem)
        raise ConfigurationError(f"there is no action {action}: see lsp_server prompts list")
    return file


def _job(settings: Settings, file: PromptFile, place: str, options: Options) -> Job:
    path, first, last = _places.lines(place)
    if path in (_places.STDIN, NOTHING) and _is_of_commits(file):
        text = "" if path == NOTHING else _places.snapshot(path, "").text
        snapshot = Snapshot(STDIN_URI, COMMIT, 0, text)
    else:
        snapshot = _places.snapshot(path, options.language)
    start, end = 0, len(snapshot.text)
    if first is not None and last is not None:
        start, end = _places.line_range(snapshot, first, last)
        if first == last:  # not what stands in the line, but where it stands
            line = snapshot.text[start:end]
            start = end = start + len(line) - len(line.lstrip())
    tree = syntax.parse(snapshot.text, detect(snapshot.language_id, snapshot.uri))
    problems = tuple(Diagnostic(start, end, "error", text) for text in options.problems)
    target = site(snapshot, tree, start, end, problems).target(file.scope)
    if target is None:
        where = "in standard input" if place == _places.STDIN else f"at {place}"
        raise UserFacingError(
            f"There is nothing {where} that the action {file.id} could work on: name other lines."
        )
    root = Path.cwd()
    if path not in (_places.STDIN, NOTHING) and not Path(path).resolve().is_relative_to(root.resolve()):
        root = Path(path).resolve().parent
    context = gather(target, file.context, settings.chat.context_tokens, root)
    return Job(file, target, context, _answers(file, options.answer), root)


def _answers(file: PromptFile, given: str) -> dict[str, str]:
    question = file.question
    if question is None:
        if given:
            raise ConfigurationError(f"the action {file.id} asks nothing, so --answer makes no sense")
        return {}
    if not given:
        choices = f" ({', '.join(question.choices)})" if question.choices else ""
        raise ConfigurationError(f"the action {file.id} asks: {question.text}{choices}; say so with --answer")
    return {question.variable: given}


async def _propose(settings: Settings, job: Job) -> Proposal | NoEdit:
    async with chatting(settings) as connected:
        with errors.status(f"{shown(job.file.title)} …"):
            async with aclosing(_outcomes(connected.chat, settings, job)) as outcomes:
                async for outcome in outcomes:
                    return outcome
    raise AssertionError("a rewrite ends with an outcome")


async def _outcomes(
    backend: Backend, settings: Settings, job: Job
) -> AsyncGenerator[Proposal | NoEdit, None]:
    withheld: tuple[str, ...] = ()
    steps = rewrite(backend, job.file, job.target, job.context, settings.chat, job.answers)
    async with aclosing(steps):
        async for step in steps:
            if isinstance(step, (Proposal, NoEdit)):
                yield step
            elif isinstance(step, Retrying):
                say(f"asking again: {step.reason}")
            elif isinstance(step, InParts):
                say(f"part {step.number} of {step.total}")
            elif step.withheld != withheld:
                withheld = step.withheld
                for phrase in withheld:
                    say(f"withheld: {phrase}")


def _finish(outcome: Proposal | NoEdit, job: Job, options: Options) -> None:
    if isinstance(outcome, NoEdit):
        if not options.as_json:
            said = f" It said:\n{outcome.text.strip()}" if outcome.text.strip() else ""
            raise UserFacingError(f"Nothing is to be changed: {outcome.reason}.{said}")
        write_json({"patch": "", "reason": outcome.reason, "text": outcome.text})
        return
    if job.is_message and not options.as_json:
        if outcome.warning:
            say(f"look at this before you use it: {outcome.warning}")
        write_text("".join(edit.text for edit in outcome.edits).strip() + "\n")
        return
    change = _change(outcome, job)
    patch = _patch.patch(change, job.root)
    if options.write:
        if outcome.warning and not options.force:
            raise UserFacingError(
                f"Nothing was written, because {outcome.warning}: look at it without --write, or add --force."
            )
        _patch.write(change)
    if options.as_json:
        found = {"patch": patch, "path": str(change.path), "warning": outcome.warning}
        write_json({**found, "written": options.write})
    elif options.write:
        added, removed = change.counts
        say(f"wrote {change.path} (+{added} -{removed})")
    else:
        write_text(patch)
        if outcome.warning:
            say(f"look at this before you apply it: {outcome.warning}")


def _change(proposal: Proposal, job: Job) -> _patch.Change:
    change = _patch.change_of(proposal)
    if proposal.base is not None and proposal.uri == STDIN_URI:
        return replace(change, path=job.root / "stdin")
    place_in(job.root, str(change.path))  # raises for what is outside
    return change
