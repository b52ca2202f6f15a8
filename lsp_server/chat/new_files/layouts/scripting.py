"""Ruby, PHP and the languages without a custom of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lsp_server.chat.new_files.layouts.project import (
    Place,
    Source,
    files,
    mirrored,
    nearest,
    relative,
    test_folders,
    text_of,
)


def ruby(source: Source) -> Place:
    """Return where the tests of a Ruby file belong: `spec` for RSpec, else `test`."""
    project = source.project("Gemfile", "Rakefile", "*.gemspec")
    stem = source.stem
    said = "".join(text_of(path) for path in (project / "Gemfile", *project.glob("*.gemspec")))
    rspec = (project / ".rspec").exists() or (project / "spec").is_dir() or "rspec" in said
    home, name = ("spec", f"{stem}_spec.rb") if rspec else ("test", f"{stem}_test.rb")
    names = {name} if rspec else {name, f"test_{stem}.rb"}
    folders = test_folders(source, project, (home,))
    path = nearest((found for folder in folders for found in files(folder, names.__contains__)), source)
    if path is None:
        tests = folders[0] if folders else project / home
        built = folders or project != source.path.parent
        below = _without(source.path.parent.relative_to(tests.parent).parts, "lib", "app")
        path = tests.joinpath(*below) / name if built else source.path.with_name(name)
    address = relative(source.path, path.parent).removeprefix("./").removesuffix(".rb")
    return Place(path, "rspec" if rspec else "minitest", f'require_relative "{address}"')


def php(source: Source) -> Place:
    """Return where the tests of a PHP file belong: `tests`, mirroring `src`."""
    project = source.project("composer.json", "phpunit.xml", "phpunit.xml.dist")
    name = f"{source.stem}Test.php"
    composer = text_of(project / "composer.json")
    folders = test_folders(source, project, ("tests", "test"))
    path = nearest((found for folder in folders for found in files(folder, {name}.__contains__)), source)
    if path is None:
        below = _without(source.path.parent.relative_to(project).parts, "src", "app", "lib")
        if folders:
            unit = folders[0] / "Unit"
            path = mirrored(unit if unit.is_dir() else folders[0], below) / name
        else:
            path = (project / "tests" if composer else source.path.parent) / name
    return Place(
        path, "pest" if "pestphp/pest" in composer else "phpunit", _php_import(source, path, composer)
    )


def _php_import(source: Source, path: Path, composer: str) -> str:
    space = re.search(r"^\s*namespace\s+([\w\\]+)\s*;", source.text, re.MULTILINE)
    if space and _autoloads(composer):
        kind = (
            ""
            if re.search(rf"\b(class|interface|trait|enum)\s+{re.escape(source.name)}\b", source.text)
            else "function "
        )
        return f"use {kind}{space[1]}\\{source.name};" if source.name else ""
    address = relative(source.path, path.parent).removeprefix("./")
    return f"require_once __DIR__ . '/{address}';"


def _autoloads(composer: str) -> bool:
    try:
        found = json.loads(composer)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "autoload" in found


def plain(source: Source) -> Place:
    """Return a test file in the folder of tests, if there is one, else beside the source."""
    project = source.project()
    name = f"test_{source.path.name}"
    folders = test_folders(source, project)
    found = nearest((path for folder in folders for path in files(folder, {name}.__contains__)), source)
    return Place(found or (folders[0] if folders else source.path.parent) / name, "")


def _without(parts: tuple[str, ...], *roots: str) -> tuple[str, ...]:
    return parts[1:] if parts and parts[0] in roots else parts
