"""All actions: those that ship, the user's, the workspace's. Owns which file wins. Must not judge trust."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lsp_server import prompt_files
from lsp_server.chat.actions.prompt_file import Output, PromptFile, PromptFileError, parse
from lsp_server.resources import prompts_folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Catalogue:
    """The actions of one set of folders, in menu order."""

    files: tuple[PromptFile, ...]
    problems: tuple[str, ...] = ()
    """One sentence for each file that cannot be used; the others work."""

    def get(self, action_id: str) -> PromptFile | None:
        """Return the action of this id."""
        return next((file for file in self.files if file.id == action_id), None)


def load(folders: Sequence[Path]) -> Catalogue:
    """Return the shipped actions and those of `folders`; a later file of the same id takes the place."""
    problems: list[str] = []
    found: dict[str, PromptFile] = {}
    for folder in (shipped_folder(), *folders):
        here: dict[str, PromptFile] = {}
        for file in _parsed(prompt_files.names(folder), problems):
            if file.id in here:
                problems.append(f"{file.origin}: {here[file.id].origin} has the id {file.id} already.")
            else:
                here[file.id] = file
        for file in here.values():
            before = found.get(file.id)
            # Assigning to a key that is there keeps its place.
            found[file.id] = replace(file, order=file.order or (before.order if before else 0))
    files = sorted(found.values(), key=lambda file: file.order or sys.maxsize)
    return Catalogue(tuple(files), tuple(problems))


def check(paths: Iterable[Path]) -> Catalogue:
    """Return what these files are, each by itself, with what is wrong with them."""
    problems: list[str] = []
    return Catalogue(tuple(_parsed(paths, problems)), tuple(problems))


def _parsed(paths: Iterable[Path], problems: list[str]) -> Iterator[PromptFile]:
    for path in paths:
        try:
            yield _read(path)
        except PromptFileError as error:  # noqa: PERF203
            problems.append(str(error))


def _read(path: Path) -> PromptFile:
    try:
        text = prompt_files.content(path).decode("utf-8")
    except OSError as error:
        raise PromptFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise PromptFileError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
    return parse(text, str(path))


def shipped_folder() -> Path:
    """Return the folder of the actions that ship."""
    return prompts_folder() / "chat"


@cache
def system_message(output: Output) -> str:
    """Return what the model is told first, where an action says nothing else."""
    table = tomllib.loads((shipped_folder() / "system.toml").read_text(encoding="utf-8"))
    return str(table[output]).strip()
