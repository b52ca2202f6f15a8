"""What one reply comes to: a proposal, or why there is none. Asks no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.check import damage, new_syntax_error
from lsp_server.chat.editing.edits import Edit, applied, line_edits
from lsp_server.chat.editing.promises import broken_promise, with_comments_of
from lsp_server.chat.editing.proposal import NoEdit, Proposal
from lsp_server.chat.new_files.assertions import asserts
from lsp_server.chat.new_files.new_file import with_tests
from lsp_server.chat.placing.doubts import doubt
from lsp_server.chat.placing.placement import placed
from lsp_server.chat.prompting import commit_message
from lsp_server.chat.prompting.context import Context
from lsp_server.chat.replies.copied import is_copied
from lsp_server.chat.replies.reply import Reply
from lsp_server.chat.workspace.workspace_text import content
from lsp_server.documents.languages import detect
from lsp_server.documents.lines import line_text
from lsp_server.errors import UserFacingError

UNCHANGED = "the model would change nothing"
COPIED = "the model only repeated a part of what it was told"
INCOMPLETE = "the reply is not the whole of the code that was asked about"
NO_ASSERTION = "the tests assert nothing"
_TESTS = re.compile(r"test|assert|expect|check|should", re.IGNORECASE)
"""Small models show the code that is tested before they show its test."""


def proposal(
    file: PromptFile, target: Target, context: Context, reply: Reply, prompt: Sequence[str] = ()
) -> Proposal | NoEdit:
    """Return what a reply proposes; parses, so call it on a thread.

    A reply that is a part of a text of `prompt` is no answer.
    """
    code = reply.code(target.language.name, target.text if file.output == "replace" else "")
    if file.output == "new_file":
        code = next(filter(_TESTS.search, reply.candidates(target.language.name)), code)
    if file.documentation and not code.strip():
        code = reply.text  # a sentence is documentation as well
    if not code.strip():
        return NoEdit("the model gave no code", reply.text, "there is no code block in the reply")
    if commit_message.is_one(target.snapshot):
        code = commit_message.tidy(code)
    if is_copied(code, prompt):
        return NoEdit(COPIED, reply.text, "it only repeats a part of what I wrote")
    if file.output == "new_file":
        return _new_file(file, target, context, code)
    edits = placed(file, target, code)
    if not edits and code.split() == target.text.split():
        return NoEdit(UNCHANGED, reply.text, _still_wrong(file, target))
    if not edits:
        return NoEdit("the model's code is not a whole that fits here", reply.text, INCOMPLETE)
    return _checked(file, target, edits)


def _checked(file: PromptFile, target: Target, edits: tuple[Edit, ...]) -> Proposal:
    """Return a proposal of edits, mended where they break the action's promise, else with a warning."""
    before, language = target.snapshot.text, target.language
    after = applied(before, edits)
    broken = broken_promise(file.keeps, before, after, language)
    if broken and "code" in file.keeps:
        mended = with_comments_of(before, after, language)
        if mended is not None:
            after, edits, broken = mended, line_edits(before, mended), None
    if broken:  # what is said of code that does not parse is often not so
        broken = new_syntax_error(before, after, language) or broken
    spared = _diagnosed_lines(file, target)
    replaces = file.output == "replace"
    broken = broken or damage(before, after, language, replaces=replaces, spared=spared)
    broken = broken or (doubt(target, edits) if replaces else None)
    region = target.start, target.end
    return Proposal(target.snapshot.uri, target.snapshot, edits, region=region, warning=broken or "")


def joined(
    file: PromptFile, target: Target, done: Sequence[tuple[Target, Proposal | NoEdit]]
) -> Proposal | NoEdit:
    """Return what the parts of a target come to, in order; parses, so call it on a thread.

    A part that came to nothing stays as it is, and the warning says so, unless nothing had to be changed.
    """
    edits = tuple(
        dict.fromkeys(edit for _, made in done if isinstance(made, Proposal) for edit in made.edits)
    )
    failed = [(part, made) for part, made in done if isinstance(made, NoEdit) and made.reason != UNCHANGED]
    if not edits:
        return failed[0][1] if failed else NoEdit(UNCHANGED)
    checked = _checked(file, target, tuple(sorted(edits, key=lambda edit: (edit.start, edit.end))))
    lines = target.snapshot.lines
    notes = [made.warning for _, made in done if isinstance(made, Proposal) and made.warning]
    for part, made in failed:
        first, last = lines.line_of(part.start) + 1, lines.line_of(part.end) + 1
        notes.append(f"lines {first} to {last} stay as they are: {made.reason}")
    warning = "; ".join(dict.fromkeys(filter(None, [checked.warning, *notes])))
    return replace(checked, warning=warning, cut=any(made.cut for _, made in done))


def _diagnosed_lines(file: PromptFile, target: Target) -> frozenset[int]:
    if "diagnostics" not in file.context:
        return frozenset()
    lines = target.snapshot.lines
    spans = ((lines.line_of(item.start), lines.line_of(item.end)) for item in target.diagnostics)
    return frozenset(line for first, last in spans for line in range(first, last + 1))


def _still_wrong(file: PromptFile, target: Target) -> str:
    """Return what is left to be done where nothing was changed; nothing may be right if nothing is wrong."""
    if "diagnostics" not in file.context or not target.diagnostics:
        return ""
    first = min(target.diagnostics, key=lambda item: item.start)
    lines, text = target.snapshot.lines, target.snapshot.text
    line = line_text(text, lines, lines.line_of(min(first.start, len(text)))).strip()
    return f"it is the same code again, and `{line}` is still wrong: {' '.join(first.message.split())}"


def _new_file(file: PromptFile, target: Target, context: Context, code: str) -> Proposal | NoEdit:
    new = context.new_file
    if new is None:
        return NoEdit("there is no place for a new file", code)
    snapshot = target.snapshot
    existing = snapshot.text if new.is_source else _read(new.path) if new.exists else ""
    language = detect("", new.path.as_uri())
    text = with_tests(existing, code, language.name, new)
    if text == existing:
        return NoEdit(UNCHANGED, code)
    warning = broken_promise(file.keeps, existing, text, language) or damage(existing, text, language) or ""
    warning = warning or ("" if asserts(code, language) else NO_ASSERTION)
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
