"""Results as a table for people, as JSON, and against the JSON of another run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tests.eval.actions.case import ACTIONS, LANGUAGES

EDIT = ("promises kept", "nothing lost")
_NO_CODE = frozenset({"explain", "review", "convert", "commit_message"})


@dataclass(frozen=True)
class Result:
    """One case, tried once."""

    id: str
    language: str
    action: str
    usable: bool
    checks: Mapping[str, bool]
    seconds: float
    missing: str = ""
    """The tool that is not installed: the case could not be scored and does not count."""
    edit: Mapping[str, bool] = field(default_factory=dict)
    """Of an edit: whether it kept its promises, and whether nothing was lost."""
    notes: Sequence[str] = field(default_factory=tuple)
    reply: str = ""
    """What was written: the explanation, or the changed files."""

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def table(results: Sequence[Result]) -> str:
    """Return usable/total for each action and language, and over all languages what applies and parses."""
    scored = [result for result in results if not result.missing]
    languages = [name for name in LANGUAGES if any(it.language == name for it in results)]
    head = [
        "action",
        *languages,
        "usable",
        "edit needed",
        "promises kept",
        "nothing lost",
        "applied",
        "parses",
        "median s",
    ]
    rows = [head, *(_row(name, languages, [it for it in scored if it.action == name]) for name in ACTIONS)]
    rows.append(_row("all", languages, scored))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*map(str.rstrip, lines), *_missing(results)])


def _row(action: str, languages: Sequence[str], results: Sequence[Result]) -> list[str]:
    def share(of: Sequence[Result], holds: Callable[[Result], bool]) -> str:
        return f"{sum(map(holds, of))}/{len(of)}" if of else "-"

    in_each = [[it for it in results if it.language == name] for name in languages]
    parsed = [it for it in results if "parses" in it.checks or not it.checks.get("applied", True)]
    seconds = f"{statistics.median(it.seconds for it in results):.1f}" if results else "-"
    return [
        action,
        *(share(group, lambda it: it.usable) for group in in_each),
        share(results, lambda it: it.usable),
        share(results, lambda it: not it.usable),
        *(share([it for it in results if name in it.edit], _holds(name)) for name in EDIT),
        share(results, lambda it: it.checks.get("applied", False)),
        share([it for it in parsed if it.action not in _NO_CODE], lambda it: it.checks.get("parses", False)),
        seconds,
    ]


def _holds(name: str) -> Callable[[Result], bool]:
    return lambda result: result.edit[name]


def _missing(results: Sequence[Result]) -> list[str]:
    tools = sorted({f"{it.language}: no {it.missing}" for it in results if it.missing})
    return [f"not scored, {line}" for line in tools]


def differences(old: Sequence[Mapping[str, object]], new: Sequence[Result]) -> str:
    """Return which cases became usable or stopped being it, and which of their checks changed."""
    before = {row["id"]: row for row in old}
    lines = []
    for result in new:
        row = before.get(result.id)
        if row is None or row["usable"] == result.usable:
            continue
        failed = [name for name, holds in result.checks.items() if not holds]
        lines.append(f"{'+' if result.usable else '-'} {result.id} {', '.join(failed)}".rstrip())
    both = [result for result in new if result.id in before]
    was = sum(before[result.id]["usable"] is True for result in both)
    now = sum(result.usable for result in both)
    return "\n".join([*lines, f"usable: {was} before, {now} now, of {len(both)} cases in both"])
