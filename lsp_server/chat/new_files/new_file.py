"""Where a new file belongs: the test file of a source file, by its project's layout. Reads the disk only."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lsp_server.chat.actions.site import Target
from lsp_server.chat.new_files import merging
from lsp_server.chat.new_files.layouts import compiled, javascript, python, scripting
from lsp_server.chat.new_files.layouts.examples import example
from lsp_server.chat.new_files.layouts.project import Place, Source
from lsp_server.chat.new_files.sample_call import sample_call
from lsp_server.documents.outline import definitions
from lsp_server.documents.syntax import parse
from lsp_server.uris import file_path


@dataclass(frozen=True)
class NewFile:
    """A file to be written, or to be gone on with."""

    path: Path
    exists: bool
    framework: str
    """What the tests are written with: `pytest`, `unittest`, `vitest`, `node:test`, `junit5`, …"""
    import_line: str
    """How a test there gets at what is tested; empty where nothing is imported."""
    name: str = ""
    """The definition at the top of the file that is tested, or that holds what is; empty if there is none."""
    is_source: bool = False
    """The tests belong into the very file that they test."""
    example: str = ""
    """What a test looks like there, with its imports."""


_PLACES: Mapping[str, Callable[[Source], Place]] = {
    "python": python.place,
    "javascript": javascript.place,
    "typescript": javascript.place,
    "tsx": javascript.place,
    "java": compiled.java,
    "csharp": compiled.csharp,
    "go": compiled.go,
    "rust": compiled.rust,
    "c": compiled.native,
    "cpp": compiled.native,
    "ruby": scripting.ruby,
    "php": scripting.php,
    "bash": scripting.plain,
    "lua": scripting.plain,
}
"""By language; what is missing is data or text, and has no tests."""


def test_file(target: Target, root: Path | None) -> NewFile | None:
    """Return where the tests of the target's file belong; None for a document that is not a file.

    Never outside of `root`, if there is one, else never outside of the file's folder. Call it on a thread.
    """
    path = file_path(target.snapshot.uri)
    place_of = _PLACES.get(target.language.name)
    if path is None or place_of is None:
        return None
    home = root if root is not None else path.parent
    if home not in path.parents and path.is_relative_to(home.resolve()):
        home = home.resolve()
    if home not in path.parents:
        return None
    source = Source(path, target.snapshot.text, _name(target), home, target.language.name)
    place = place_of(source)
    if not source.inside(place.path):
        return None
    exists, is_source = place.path.exists(), place.path == path
    new = NewFile(place.path, exists, place.framework, place.import_line, source.name, is_source)
    form = example(place.framework, sample_call(target, source.name), place.path.stem)
    if form and not is_source:
        form = with_tests("", form, source.language, new)
    return replace(new, example=form)


test_file.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test where it is imported


def with_tests(existing: str, code: str, language: str, new: NewFile | None = None) -> str:
    """Return the text of a test file with new tests added; `existing` is empty for a new one.

    What `new` imports is imported. A new test whose name is taken gets another one: what is there already
    stays as it is.
    """
    return merging.merged(
        existing,
        code,
        language,
        name=new.name if new else "",
        import_line=new.import_line if new else "",
        framework=new.framework if new else "",
        stem=new.path.stem if new else "",
    )


def _name(target: Target) -> str:
    """Return the name at the top level of the file under which the target can be reached."""
    tree = target.tree or parse(target.snapshot.text, target.language)
    if tree is not None:
        for found in definitions(tree):
            if found.parent_index is None and found.range[0] <= target.start < found.range[1]:
                if found.kind in ("module", "namespace"):
                    break
                return found.name
    return target.name if re.fullmatch(r"\w+", target.name) else ""
