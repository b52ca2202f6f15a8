"""JavaScript and TypeScript: vitest, jest, mocha or Node's own runner; ESM or CommonJS."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from lsp_server.chat.new_files.layouts.project import (
    MOST_SAMPLES,
    Place,
    Source,
    files,
    mirrored,
    nearest,
    relative,
    test_folders,
    text_of,
)

_TEST = re.compile(r"(?P<stem>.+)[._-](?P<word>test|spec)\.(?P<suffix>[cm]?[jt]sx?)")
_FOLDERS = ("__tests__", "test", "tests", "spec")
_RUNNERS = ("vitest", "jest", "mocha", "jasmine", "ava")
_TYPESCRIPT = frozenset({".ts", ".tsx", ".mts", ".cts"})
_EXPORT = re.compile(r"^\s*(export|import)\b(?!\s*\()", re.MULTILINE)
_REQUIRE = re.compile(r"\bmodule\.exports\b|^\s*exports\.\w|\brequire\s*\(", re.MULTILINE)


def place(source: Source) -> Place:
    """Return where the tests of a file of JavaScript or TypeScript belong."""
    project = source.project("package.json", "deno.json")
    package = _package(project)
    samples = files(project, lambda name: _TEST.fullmatch(name) is not None)
    framework = _framework(package, samples)
    path = _existing(source, samples) or _new(source, project, framework, samples)
    return Place(path, framework, _import_line(source, path, package, framework))


def is_test(path: Path) -> bool:
    """Tell whether a file is one of tests by its name."""
    return _TEST.fullmatch(path.name) is not None or path.parent.name == "__tests__"


def _package(project: Path) -> dict[str, object]:
    try:
        found = json.loads(text_of(project / "package.json"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _framework(package: dict[str, object], samples: list[Path]) -> str:
    scripts = package.get("scripts")
    command = str(scripts.get("test", "")) if isinstance(scripts, dict) else ""
    for runner in _RUNNERS:
        if re.search(rf"\b{runner}\b", command):
            return runner
    if re.search(r"\bnode\b.*--test\b", command):
        return "node:test"
    known: set[str] = set()
    for key in ("devDependencies", "dependencies"):
        table = package.get(key)
        known |= set(table) if isinstance(table, dict) else set()
    for runner in _RUNNERS:
        if runner in known or (runner == "jest" and "ts-jest" in known):
            return runner
    texts = [text_of(path) for path in samples[:MOST_SAMPLES]]
    for name in ("node:test", *_RUNNERS, "@jest/globals"):
        if any(re.search(rf"[\"']{name}[\"']", text) for text in texts):
            return "jest" if name == "@jest/globals" else name
    return "node:test"


def _existing(source: Source, samples: list[Path]) -> Path | None:
    if is_test(source.path):
        return source.path

    def tests_it(path: Path) -> bool:
        named = _TEST.fullmatch(path.name)
        if named is None or named["stem"] != source.stem or not source.inside(path):
            return False
        imports = re.findall(r"(?:from|require\(|import\()\s*[\"'](\.[^\"']*)[\"']", text_of(path))
        # Without an import of a file it may be of this one; with some, one of them must be.
        return not imports or any(_leads_to(path.parent / name, source.path) for name in imports)

    return nearest(filter(tests_it, samples), source)


def _leads_to(imported: Path, path: Path) -> bool:
    try:
        found = imported.resolve()
    except (OSError, RuntimeError):
        return False
    target = path.resolve()
    return found in (target, target.with_suffix("")) or found.with_suffix("") == target.with_suffix("")


def _new(source: Source, project: Path, framework: str, samples: list[Path]) -> Path:
    own = source.path.parent
    words = Counter(match["word"] for path in samples if (match := _TEST.fullmatch(path.name)))
    word = words.most_common(1)[0][0] if words else "spec" if framework == "jasmine" else "test"
    name = f"{source.stem}.{word}{source.path.suffix}"
    folder = _folder(source, project, framework, samples)
    if (folder / name).exists():  # the tests of another file of this name
        name = f"{own.name}-{name}"
    return folder / name


def _folder(source: Source, project: Path, framework: str, samples: list[Path]) -> Path:
    """Return the folder that goes by the project's other tests, else by the runner's custom."""
    own = source.path.parent
    homes = Counter(_home(path) for path in samples)
    custom = homes.most_common(1)[0][0] if homes else ""
    if custom == "__tests__":
        return own / "__tests__"
    if not custom and framework in ("mocha", "jasmine"):
        custom = "spec" if framework == "jasmine" else "test"
    folders = test_folders(source, project, _FOLDERS[1:])
    if folders and (custom or not samples):
        tests = folders[0]
        return mirrored(tests, own.relative_to(tests.parent).parts)
    return project / custom if custom and project in own.parents else own


def _home(path: Path) -> str:
    """Return which folder of tests a test file is in; empty for one beside its source."""
    return next((part for part in reversed(path.parent.parts) if part in _FOLDERS), "")


def _import_line(source: Source, path: Path, package: dict[str, object], framework: str) -> str:
    if path == source.path:
        return ""
    suffix = source.path.suffix
    typed = suffix in _TYPESCRIPT
    address = relative(source.path, path.parent)
    if typed and framework != "node:test":  # Node wants the real name, what goes through a compiler none
        address = address.removesuffix(suffix)
    name = source.name
    if typed or suffix == ".mjs" or (suffix != ".cjs" and _is_module(source.text, package)):
        is_default = name and re.search(
            rf"^\s*export\s+default\s+(?:(?:async\s+)?(?:function\*?|class)\s+)?{re.escape(name)}\b",
            source.text,
            re.MULTILINE,
        )
        what = f"{name} from" if is_default else f"{{ {name} }} from" if name else "* as subject from"
        return f'import {what} "{address}";'
    whole = not name or re.search(rf"\bmodule\.exports\s*=\s*{re.escape(name)}\b", source.text)
    return f'const {(name or "subject") if whole else f"{{ {name} }}"} = require("{address}");'


def _is_module(text: str, package: dict[str, object]) -> bool:
    if _EXPORT.search(text):
        return True
    return package.get("type") == "module" and not _REQUIRE.search(text)
