"""One case: a file, a place in it, an action, and what must hold afterwards. Knows no tool and no server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = Path(__file__).parent / "cases"
LANGUAGES = ("python", "javascript", "typescript", "java", "rust", "cpp")
ACTIONS = (
    "explain", "document", "add_types", "fix", "write_tests", "refactor", "simplify", "optimise",
    "translate_comments", "generate", "convert", "review", "commit_message",
)  # fmt: skip
"""As the last word of an action's kind. `add_types` is four actions, each for languages of its own."""

_TYPES = {
    "python": "add_types", "typescript": "add_types", "javascript": "add_jsdoc_types",
    "java": "add_declared_types", "cpp": "add_declared_types", "rust": "add_explicit_types",
}  # fmt: skip

MESSAGE = "\n# Please enter the commit message for your changes.\n"
"""What git puts into the file of a commit message."""


@dataclass(frozen=True)
class Case:
    """As a table `[[case]]` of a `cases.toml` has it."""

    language: str
    action: str
    file: str
    name: str
    """The definition it is about."""
    at: str = ""
    """The cursor stands behind this text, which is in the file once."""
    select: tuple[str, str] | None = None
    """Instead: selected from the start of the first text to the end of the second one."""
    bug: tuple[str, str] | None = None
    """A text of the file, and what stands there instead when the case begins, such as a bug."""
    parameters: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    """Regular expressions; an explanation mentions at least two of them."""
    present: str = ""
    """What the definition, or the answer, contains afterwards, a regular expression."""
    gone: str = ""
    answer: str = ""
    """To the action's question."""

    @property
    def id(self) -> str:
        """Return a name that is stable and can be typed."""
        return f"{self.language}-{self.action}-{Path(self.file).stem}-{self.name}"

    @property
    def prompt(self) -> str:
        """Return the id of the action's prompt file."""
        return _TYPES[self.language] if self.action == "add_types" else self.action

    @property
    def is_commit(self) -> bool:
        """Tell whether the case is a commit of the good file in place of the one with the bug."""
        return self.action == "commit_message"

    @property
    def good(self) -> str:
        """Return the file without the bug."""
        return (CASES / self.language / self.file).read_text(encoding="utf-8")

    @property
    def text(self) -> str:
        """Return the file as the case begins."""
        if self.bug is None:
            return self.good
        _once(self.good, self.bug[0], self.id)
        return self.good.replace(*self.bug)

    @property
    def bug_lines(self) -> list[str]:
        """Return the lines that hold the bug, whole."""
        broken = self.bug[1] if self.bug is not None else ""
        start = self.text.index(broken)
        first = self.text.rfind("\n", 0, start) + 1
        return self.text[first : start + len(broken)].split("\n")

    @property
    def range(self) -> tuple[int, int]:
        """Return the selection in `text`; for a case with a bug the place of the diagnostic is better."""
        if self.select is not None:
            first, last = (_once(self.text, part, self.id) for part in self.select)
            return first, last + len(self.select[1])
        mark = self.at or (self.bug[1] if self.bug else "")
        end = _once(self.text, mark, self.id) + len(mark)
        return end, end


def cases() -> Iterator[Case]:
    """Yield all cases, language by language."""
    for language in LANGUAGES:
        table = tomllib.loads((CASES / language / "cases.toml").read_text(encoding="utf-8"))
        for row in table["case"]:
            yield Case(language=language, **{name: _frozen(value) for name, value in row.items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, list) else value


def _once(text: str, part: str, where: str) -> int:
    assert part and text.count(part) == 1, f"{where}: {part!r} must be in the file once"
    return text.index(part)
