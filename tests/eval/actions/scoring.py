"""Whether what an action did is usable: each check by its name. Runs the language's tools, asks no model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.editing.promises import broken_promise
from lsp_server.documents.languages import detect
from tests.eval.actions import commit, reading
from tests.eval.actions.case import MESSAGE, Case
from tests.eval.actions.toolchains import TOOLCHAINS, Finding, Run

FACTS_NEEDED = 2
PROSE_CHARACTERS = range(30, 2001)
"""Less says nothing, more nobody reads beside the code."""

LONGEST_SUBJECT = 72
"""Characters of a first line that git's own tools show whole."""

_ASSERTION = re.compile(r"\bassert|\bexpect\b|\bshould|\bCHECK\b|\bREQUIRE\b|\bEXPECT_", re.IGNORECASE)

_IMPORT = re.compile(r"^\s*(?:import|from|use|#include)\b.*", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What an action did to a workspace."""

    files: Mapping[Path, str] = field(default_factory=dict)
    """The whole text of each file that it changed or made."""
    markdown: str = ""
    problem: str = ""
    """Why there is nothing, or why the server warns of it."""
    doubtful: bool = False
    """The editor was told to ask before it applies the edit."""


@dataclass
class Score:
    """The checks of one case, in order."""

    checks: dict[str, bool] = field(default_factory=dict)
    edit: dict[str, bool] = field(default_factory=dict)
    """What is asked of every edit: its promises kept, nothing lost; or that it was not made silently."""
    notes: list[str] = field(default_factory=list)
    """What a failed check printed."""

    @property
    def usable(self) -> bool:
        """Tell whether every check holds."""
        return all(self.checks.values())

    def ran(self, check: str, run: Run) -> None:
        """Take the result of a program."""
        self.checks[check] = run.passed
        if not run.passed:
            self.notes.append(f"{check}: {run.output[-2000:]}")


@dataclass(frozen=True)
class Attempt:
    """A case, the workspace it was tried in and what came of it."""

    case: Case
    folder: Path
    """Holds the changed files already."""
    outcome: Outcome
    before: tuple[Finding, ...] = ()
    """What the tool found before."""

    @property
    def file(self) -> Path:
        """Return the case's file."""
        return self.folder / TOOLCHAINS[self.case.language].place(self.case.file)

    @property
    def text(self) -> str:
        """Return what the case's file is now."""
        return self.outcome.files.get(self.file, self.case.text)

    @property
    def tests(self) -> tuple[Path, str]:
        """Return the file that was added to or made, and its text."""
        return next(iter(self.outcome.files.items()))


def score(attempt: Attempt) -> Score:
    """Return which checks hold."""
    result = Score()
    if attempt.case.action in _WORDS:
        _WORDS[attempt.case.action](attempt, result)
        return result
    result.checks["applied"] = bool(attempt.outcome.files) and not attempt.outcome.problem
    if not attempt.outcome.files:
        result.notes.append(f"applied: {attempt.outcome.problem}")
        return result
    if attempt.case.is_commit:
        _message(attempt, result)
        return result
    _unharmed(attempt, result)
    result.checks["parses"] = _parses(attempt)
    tools = TOOLCHAINS[attempt.case.language]
    result.ran("tests pass", tools.self_test(attempt.file, attempt.folder))
    _OWN[attempt.case.action](attempt, result)
    return result


def _explanation(attempt: Attempt, result: Score) -> None:
    said = reading.prose(attempt.outcome.markdown).strip()
    result.checks["applied"] = bool(said) and not attempt.outcome.problem
    result.checks["length"] = len(said) in PROSE_CHARACTERS
    found = [fact for fact in attempt.case.facts if re.search(fact, said, re.IGNORECASE)]
    result.checks["facts"] = len(found) >= min(FACTS_NEEDED, len(attempt.case.facts))
    result.notes.append(f"facts: {', '.join(found)}; {attempt.outcome.problem}")


def _conversion(attempt: Attempt, result: Score) -> None:
    """Look at the first block: is it of the language that was asked for, with what the case wants in it?"""
    blocks = re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", attempt.outcome.markdown, re.MULTILINE | re.DOTALL)
    result.checks["applied"] = bool(blocks)
    tag, code = blocks[0] if blocks else ("", "")
    wanted = attempt.case.answer.lower()
    result.checks["language"] = tag.lower() == wanted
    result.checks["parses"] = bool(code) and not reading.flaws(wanted, code)
    result.checks["present"] = re.search(attempt.case.present, code) is not None


def _message(attempt: Attempt, result: Score) -> None:
    [(path, text)] = attempt.outcome.files.items()
    first = commit.subject(text)
    result.checks["length"] = 0 < len(first) <= LONGEST_SUBJECT
    result.checks["facts"] = any(re.search(fact, text, re.IGNORECASE) for fact in attempt.case.facts)
    prompt = _prompt(attempt.case)
    code = [line.strip() for line in attempt.case.good.splitlines()]
    result.checks["own words"] = first not in prompt.body and first not in code
    kept = text.endswith(MESSAGE.lstrip("\n"))
    result.edit.update({"promises kept": kept, "nothing lost": kept})
    result.notes.append(f"{path.name}: {first}")


def _unharmed(attempt: Attempt, result: Score) -> None:
    """Ask of an edit what it must leave alone; what the editor asks about first is not silent."""
    case, silent = attempt.case, not attempt.outcome.doubtful
    broken = broken_promise(_prompt(case).keeps, case.text, attempt.text, detect(case.language, ""))
    result.edit["promises kept"] = not (silent and broken)
    found = reading.definition(case.language, case.text, case.name)
    lines = case.text.splitlines()
    own = set(lines[found[0] : found[0] + len(found[1].splitlines())]) if found is not None else set()
    if case.bug is not None:
        own |= set(case.bug_lines)
    there = set(map(str.strip, attempt.text.splitlines()))
    missing = [
        line for line in lines
        if line not in own and line.strip() not in there and reading.tokens(case.language, line)
    ]  # fmt: skip
    result.edit["nothing lost"] = not (silent and missing)
    result.notes += [f"promise: {broken}"] * bool(broken) + [f"lost: {line}" for line in missing]


def _prompt(case: Case) -> PromptFile:
    prompt = load([]).get(case.prompt)
    assert prompt is not None, case.prompt
    return prompt


def _changed(attempt: Attempt, result: Score) -> None:
    before, after = (
        reading.tokens(attempt.case.language, text) for text in (attempt.case.text, attempt.text)
    )
    result.checks["changed"] = before != after
    _no_new_findings(attempt, result)


def _translated(attempt: Attempt, result: Score) -> None:
    case = attempt.case
    before, after = (reading.tokens(case.language, text) for text in (case.text, attempt.text))
    result.checks["code unchanged"] = before == after
    known = set(case.text.splitlines())
    new = "\n".join(line for line in attempt.text.splitlines() if line not in known)
    there = re.search(case.present, new, re.IGNORECASE) is not None
    result.checks["translated"] = there and not re.search(case.gone, attempt.text)


def _generated(attempt: Attempt, result: Score) -> None:
    result.checks["there"] = (
        reading.definition(attempt.case.language, attempt.text, attempt.case.name) is not None
    )


def _parses(attempt: Attempt) -> bool:
    language = attempt.case.language
    own = reading.flaws(language, attempt.text) <= reading.flaws(language, attempt.case.text)
    others = [text for path, text in attempt.outcome.files.items() if path != attempt.file]
    return own and not any(reading.flaws(language, text) for text in others)


def _documentation(attempt: Attempt, result: Score) -> None:
    case = attempt.case
    comment = reading.documentation(case.language, attempt.text, case.name)
    result.checks["attached"] = bool(comment)
    result.checks["parameters"] = all(re.search(rf"\b{name}\b", comment) for name in case.parameters)
    before, after = (reading.tokens(case.language, text) for text in (case.text, attempt.text))
    result.checks["code unchanged"] = before == after


def _types(attempt: Attempt, result: Score) -> None:
    case = attempt.case
    if case.parameters:
        result.checks["annotated"] = reading.annotated(
            case.language, attempt.text, case.name, case.parameters
        )
    else:
        found = reading.definition(case.language, attempt.text, case.name)
        text = found[1] if found is not None else ""
        there = bool(re.search(case.present, text))
        result.checks["annotated"] = there and not (case.gone and re.search(case.gone, text))
    _no_new_findings(attempt, result)


def _fixed(attempt: Attempt, result: Score) -> None:
    after = TOOLCHAINS[attempt.case.language].findings(attempt.file, attempt.folder)
    result.checks["diagnostic gone"] = attempt.before[0].same not in {finding.same for finding in after}
    _no_new_findings(attempt, result)


def _no_new_findings(attempt: Attempt, result: Score) -> None:
    after = TOOLCHAINS[attempt.case.language].findings(attempt.file, attempt.folder)
    new = {finding.same for finding in after} - {finding.same for finding in attempt.before}
    result.checks["compiles"] = not new
    if new:
        result.notes.append(f"compiles: {'; '.join(sorted(new))}")


def _new_tests(attempt: Attempt, result: Score) -> None:
    path, text = attempt.tests
    if path == attempt.file:  # tests that go into the file itself
        known = set(attempt.case.text.splitlines())
        text = "\n".join(line for line in text.splitlines() if line not in known)
    # Neither a comment that says what should be asserted nor an import of what asserts is an assertion.
    code = " ".join(reading.tokens(attempt.case.language, _IMPORT.sub("", text)))
    result.checks["asserts"] = bool(_ASSERTION.search(code))
    result.checks["names it"] = re.search(rf"\b{attempt.case.name}\b", text) is not None
    tools = TOOLCHAINS[attempt.case.language]
    result.ran("new tests pass", tools.new_tests(path, attempt.file, attempt.folder))


_OWN: Mapping[str, Callable[[Attempt, Score], None]] = {
    "document": _documentation, "add_types": _types, "fix": _fixed, "write_tests": _new_tests,
    "refactor": _changed, "simplify": _changed, "optimise": _changed, "translate_comments": _translated,
    "generate": _generated,
}  # fmt: skip
_WORDS: Mapping[str, Callable[[Attempt, Score], None]] = {
    "explain": _explanation, "review": _explanation, "convert": _conversion,
}  # fmt: skip
CHECKED = ("add_types", "fix", "refactor", "simplify", "optimise")
"""Actions whose result is compared with what the language's tool found before."""
