"""Python: pytest or unittest, in `tests/` or beside the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lsp_server.chat.new_files.layouts.project import (
    MOST_SAMPLES,
    Place,
    Source,
    files,
    mentions,
    mirrored,
    nearest,
    test_folders,
    text_of,
)

_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini", "requirements.txt", "Pipfile")
_SAYS_PYTEST = (*_MARKERS, "requirements-dev.txt", "dev-requirements.txt", "noxfile.py", "uv.lock")
_SUFFIXES = (".py", ".pyi", ".pyw")


def place(source: Source) -> Place:
    """Return where the tests of a Python file belong."""
    project = source.project(*_MARKERS)
    path = _existing(source, project) or _new(source, project)
    return Place(path, _framework(source, project, path), _import_line(source, project, path))


def is_test(path: Path) -> bool:
    """Tell whether a file is one of tests by its name."""
    return path.suffix == ".py" and (path.stem.startswith("test_") or path.stem.endswith("_test"))


def _stem(source: Source) -> str:
    """Return what tests of the file are called after; a package is called after its folder."""
    return source.path.parent.name if source.stem == "__init__" else source.stem.lstrip("_") or source.stem


def _existing(source: Source, project: Path) -> Path | None:
    if is_test(source.path):
        return source.path
    stem = _stem(source)
    wanted = {f"test_{stem}.py", f"{stem}_test.py"}
    for folder in (source.path.parent, *test_folders(source, project)):
        beside = (path for name in sorted(wanted) if (path := folder / name).is_file())
        inside = beside if folder == source.path.parent else files(folder, wanted.__contains__)
        found = [path for path in inside if path.name in wanted and _tests_it(path, source, project)]
        if (best := nearest(found, source)) is not None:
            return best
    return None


def _tests_it(path: Path, source: Source, project: Path) -> bool:
    """Tell whether a test file of the right name is of this file and not of its namesake elsewhere."""
    text = text_of(path)
    module = _module(source, project)
    package, _, last = module.rpartition(".")
    forms = [re.escape(module), rf"from\s+{re.escape(package)}\s+import\b.*\b{re.escape(last)}\b"]
    forms.append(rf"from\s+\.\S*\s+import\b.*\b{re.escape(last)}\b|from\s+\.\S*\b{re.escape(last)}\s+import")
    if not package:
        forms.append(rf"import\b.*\b{re.escape(last)}\b")
    return not re.search(r"^\s*(from|import)\b", text, re.MULTILINE) or mentions(
        [text], "|".join(f"(?:{form})" for form in forms)
    )


def _new(source: Source, project: Path) -> Path:
    name = f"test_{_stem(source)}.py"
    own = source.path.parent
    folder = own
    if not any(is_test(path) for path in own.glob("*.py")):
        folders = test_folders(source, project)
        if folders:
            tests = folders[0]
            folder = mirrored(tests, own.relative_to(tests.parent).parts)
        elif any((project / marker).exists() for marker in _MARKERS):
            folder = project / "tests"
    if (folder / name).exists():  # the tests of another file of this name
        name = f"test_{own.name}_{_stem(source)}.py"
    return folder / name


def _framework(source: Source, project: Path, path: Path) -> str:
    """Return what the project's tests are written with: first what this file says, then its neighbours."""
    samples = [text_of(path)]
    samples += [text_of(other) for other in _neighbours(source, path)]
    for text in samples:
        if re.search(r"^\s*(import|from) pytest\b", text, re.MULTILINE):
            return "pytest"
        if re.search(r"^\s*(import unittest\b|from unittest import\b.*\bTestCase)", text, re.MULTILINE):
            return "unittest"
        if re.search(r"^def test_", text, re.MULTILINE):
            return "pytest"
    if any((folder / "conftest.py").exists() for folder in (*source.above(), path.parent)):
        return "pytest"
    said = [text_of(project / name) for name in _SAYS_PYTEST]
    if mentions(said, r"\bpytest\b") or not mentions(said, r"\bunittest\b"):
        return "pytest"
    return "unittest"


def _neighbours(source: Source, path: Path) -> list[Path]:
    folder = path.parent if path.parent.is_dir() else None
    if folder is None or not source.inside(folder):
        return []
    return [other for other in files(folder, lambda name: is_test(Path(name))) if other != path][
        :MOST_SAMPLES
    ]


def _import_line(source: Source, project: Path, path: Path) -> str:
    if path == source.path:
        return ""
    module = _module(source, project)
    if "." not in module and path.parent == source.path.parent and (path.parent / "__init__.py").exists():
        module = f".{module}"
    return f"from {module} import {source.name}" if source.name else f"import {module}"


def _module(source: Source, project: Path) -> str:
    """Return the name by which tests import the file."""
    own = source.path.parent
    top = own
    while (top / "__init__.py").exists() and top != source.home:
        top = top.parent
    if top == own:  # in no package: a script, or a namespace package below `src` or the project
        start = next(_roots(own, project), own)
        top = start if all(part.isidentifier() for part in own.relative_to(start).parts) else own
    parts = list(source.path.relative_to(top).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) or source.path.parent.name


def _roots(own: Path, project: Path) -> Iterator[Path]:
    """Yield the folders that may be on the path of imports, the likeliest first."""
    if own.is_relative_to(project / "src"):
        yield project / "src"
    if own.is_relative_to(project):
        yield project
