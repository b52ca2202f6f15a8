"""The project around a source file, looked at within bounds. Must not know any language's customs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

READ_BYTES = 1 << 18
"""Of one file, such as a build file: what decides something stands in it early."""
MOST_ENTRIES = 20_000
"""Looked at in one search: some 50 ms of listing folders."""
DEEPEST = 8
"""Folders below the one where a search starts."""
MOST_SAMPLES = 12
"""Existing test files read to see what a project's tests are written with."""

_NOT_OURS = frozenset(
    {
        *("node_modules", "bower_components", "venv", "env", "site-packages", "vendor", "third_party"),
        *("__pycache__", "target", "build", "dist", "out", "bin", "obj", "coverage"),
    }
)
_MARKERS = (".git", ".hg", ".codestral-lsp.toml")
TEST_FOLDERS = ("tests", "test")


@dataclass(frozen=True)
class Source:
    """The file whose code is to be tested."""

    path: Path
    text: str
    name: str
    """The definition at the top of the file that is tested or that holds what is; empty if there is none."""
    home: Path
    """Nothing outside of this folder is looked at or written."""
    language: str

    @property
    def stem(self) -> str:
        """Return the file's name without its last suffix."""
        return self.path.stem

    def above(self) -> Iterator[Path]:
        """Yield the folders around the file, from its own up to `home`."""
        for folder in self.path.parents:
            yield folder
            if folder == self.home:
                return

    def project(self, *markers: str) -> Path:
        """Return the nearest folder around the file that has one of `markers`; `home` if there is none.

        A marker with a `*` is a pattern.
        """
        for folder in self.above():
            for marker in markers:
                if any(folder.glob(marker)) if "*" in marker else (folder / marker).exists():
                    return folder
        marked = (folder for folder in self.above() if any((folder / name).exists() for name in _MARKERS))
        return next(marked, self.home)

    def inside(self, path: Path) -> bool:
        """Tell whether a path stays in `home`, links followed."""
        try:
            return path.resolve().is_relative_to(self.home.resolve())
        except (OSError, RuntimeError):
            return False


@dataclass(frozen=True)
class Place:
    """Where tests go and how they are written."""

    path: Path
    framework: str
    import_line: str = ""


def text_of(path: Path) -> str:
    """Return the beginning of a text file; empty if it cannot be read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def files(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Return the files below a folder whose name is `wanted`, in the order of their paths.

    Folders that hold other people's code, or what a build has made, are passed over; so are links.
    """
    found: list[Path] = []
    seen = 0
    depth = len(folder.parts)
    for parent, folders, names in os.walk(folder):
        seen += len(folders) + len(names)
        below = len(Path(parent).parts) - depth
        folders[:] = sorted(
            name
            for name in folders
            if below < DEEPEST and not name.startswith(".") and name.lower() not in _NOT_OURS
        )
        found += [Path(parent, name) for name in names if wanted(name)]
        if seen > MOST_ENTRIES:
            break
    return sorted(found)


def test_folders(source: Source, project: Path, names: Iterable[str] = TEST_FOLDERS) -> list[Path]:
    """Return the folders of tests beside the file or above it, up to the project's, nearest first."""
    found = []
    for folder in source.above():
        inside = (folder / name for name in names)
        found += [path for path in inside if path.is_dir() and source.inside(path)]
        if folder == project:
            break
    return found


def mirrored(tests: Path, parts: tuple[str, ...]) -> Path:
    """Return the folder of `tests` that stands for a folder of the source, as deep as it is there already.

    `parts` lead from the project to the source's folder. Any of them may be missing at the start: of
    `src/pkg/sub` the tests may be in `pkg/sub`, in `sub`, or below `unit`.
    """
    roots = [tests / "unit", tests] if (tests / "unit").is_dir() else [tests]
    for root in roots:
        for start in range(len(parts)):
            if (root / Path(*parts[start:])).is_dir():
                return root / Path(*parts[start:])
    return roots[0]


def nearest(candidates: Iterable[Path], source: Source) -> Path | None:
    """Return the candidate whose folders have most names in common with the source's, from the end."""
    own = source.path.parent.parts

    def likeness(path: Path) -> tuple[int, int, str]:
        theirs = path.parent.parts
        shared = len(set(own) & set(theirs))
        pairs = zip(reversed(own), reversed(theirs), strict=False)
        same_end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return (-same_end, -shared, str(path))

    return min(candidates, key=likeness, default=None)


def mentions(texts: Iterable[str], pattern: str) -> bool:
    """Tell whether one of the texts has a match of a regular expression."""
    compiled = re.compile(pattern)
    return any(compiled.search(text) for text in texts)


def relative(path: Path, start: Path) -> str:
    """Return a relative path as imports write it: with `/`, and `./` before what starts with a name."""
    found = Path(os.path.relpath(path, start)).as_posix()
    return found if found.startswith(".") else f"./{found}"
