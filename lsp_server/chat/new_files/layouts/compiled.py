"""Java, C#, Go, Rust, C and C++: where their build tools look for tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lsp_server.chat.new_files.layouts.examples import ASSERT, PLAIN_JAVA
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

_JAVA_BUILDS = ("pom.xml", "build.gradle", "build.gradle.kts")
_NATIVE_BUILDS = ("CMakeLists.txt", "meson.build", "Makefile", "BUILD", "BUILD.bazel", "xmake.lua")
_HEADERS = (".h", ".hpp", ".hh", ".hxx")

_JAVA_SIGNS = (
    ("testng", r"org\.testng|<artifactId>testng\b"),
    ("junit5", r"org\.junit\.jupiter|useJUnitPlatform|junit-jupiter"),
    ("junit4", r"\borg\.junit\.Test\b|junit:junit:4|<artifactId>junit<"),
)
_CSHARP_SIGNS = (("xunit", r"\bxunit\b|using Xunit"), ("nunit", r"NUnit"), ("mstest", r"MSTest|UnitTesting"))
_NATIVE_SIGNS = (
    ("googletest", r"gtest/gtest\.h|\bGTest\b|googletest"),
    ("catch2", r"catch2?/catch|catch2|Catch2"),
    ("doctest", r"doctest"),
)


def java(source: Source) -> Place:
    """Return where the tests of a Java file belong: `src/test` for `src/main`, in the same package."""
    project = source.project(*_JAVA_BUILDS, "build.xml")
    stem = source.stem
    own = source.path.parent
    names = {f"{stem}Test.java", f"{stem}Tests.java", f"Test{stem}.java"}
    package = re.search(r"^\s*package\s+([\w.]+)\s*;", source.text, re.MULTILINE)
    line = f"package {package[1]};" if package else ""
    existing = [path for path in files(project, names.__contains__) if _says(path, line)]
    path = nearest(existing, source)
    if path is None:
        path = _java_folder(source, project, own, package[1] if package else "") / f"{stem}Test.java"
    others = files(project, lambda name: name.endswith(("Test.java", "Tests.java")))
    builds = [text_of(folder / name) for folder in source.above() for name in _JAVA_BUILDS]
    framework = _sign(_JAVA_SIGNS, [text_of(path), *_texts(others), *builds])
    if not framework:
        framework = "junit5" if any(builds) else PLAIN_JAVA
    return Place(path, framework, line)


def _java_folder(source: Source, project: Path, own: Path, package: str) -> Path:
    parts = own.parts
    for index in range(len(parts) - 2, -1, -1):
        if parts[index : index + 2] == ("src", "main"):
            below = parts[index + 3 :] if parts[index + 2 : index + 3] == ("java",) else parts[index + 2 :]
            return Path(*parts[:index], "src", "test", "java", *below)
    for tests in test_folders(source, project):
        return tests.joinpath(*package.split(".")) if package else tests
    return own


def csharp(source: Source) -> Place:
    """Return where the tests of a C# file belong: in the project for tests, if there is one."""
    project = source.project("*.sln", "*.slnx", ".git")
    name = f"{source.stem}Tests.cs"
    names = {name, f"{source.stem}Test.cs"}
    path = nearest(files(project, names.__contains__), source)
    builds = files(project, lambda file: file.endswith(".csproj"))
    tests = [build for build in builds if re.search(r"tests?$", build.stem, re.IGNORECASE)]
    if path is None:
        own = nearest((build for build in builds if build.parent in source.path.parents), source)
        below = source.path.parent.relative_to(own.parent).parts if own else ()
        path = (mirrored(tests[0].parent, below) if tests else source.path.parent) / name
    space = re.search(r"^\s*namespace\s+([\w.]+)", source.text, re.MULTILINE)
    framework = _sign(_CSHARP_SIGNS, [text_of(path), *_texts(tests)]) or "xunit"
    return Place(path, framework, f"using {space[1]};" if space else "")


def go(source: Source) -> Place:
    """Return where the tests of a Go file belong: beside it, in its package."""
    stem = source.stem.removesuffix("_test")
    package = re.search(r"^\s*package\s+(\w+)", source.text, re.MULTILINE)
    return Place(
        source.path.with_name(f"{stem}_test.go"), "testing", f"package {package[1]}" if package else ""
    )


def rust(source: Source) -> Place:
    """Return where the tests of a Rust file belong: in its own module `tests`, which sees what is private."""
    return Place(source.path, "#[test]", "use super::*;")


def native(source: Source) -> Place:
    """Return where the tests of a file of C or C++ belong."""
    project = source.project(*_NATIVE_BUILDS)
    own, stem = source.path.parent, source.stem
    suffix = ".c" if source.path.suffix == ".c" or source.language == "c" else ".cpp"
    if source.path.suffix in (".cc", ".cxx"):
        suffix = source.path.suffix
    stems = {f"test_{stem}", f"{stem}_test", f"{stem}_tests", f"{stem}Test", f"{stem}-test"}
    sources = (".c", ".cpp", ".cc", ".cxx")
    folders = test_folders(source, project)
    found = [own / f"{name}{end}" for name in stems for end in sources if (own / f"{name}{end}").exists()]
    for folder in folders:
        found += files(folder, lambda name: Path(name).stem in stems and Path(name).suffix in sources)
    path = nearest(filter(source.inside, found), source)
    tests = [other for folder in folders for other in files(folder, lambda name: name.endswith(sources))]
    if path is None:
        theirs = [other.stem for other in tests if other.stem.endswith("_test")]
        name = f"{stem}_test{suffix}" if theirs else f"test_{stem}{suffix}"
        path = _native_folder(source, project, folders) / name
    builds = [text_of(folder / name) for folder in source.above() for name in _NATIVE_BUILDS]
    framework = "" if suffix == ".c" else _sign(_NATIVE_SIGNS, [text_of(path), *_texts(tests), *builds])
    return Place(path, framework or ASSERT, _include(source, path, any(builds)))


def _native_folder(source: Source, project: Path, folders: Sequence[Path]) -> Path:
    if folders:
        return mirrored(folders[0], source.path.parent.relative_to(folders[0].parent).parts)
    built = any((project / name).exists() for name in _NATIVE_BUILDS)
    return project / "tests" if built else source.path.parent


def _include(source: Source, path: Path, built: bool) -> str:
    """Return the include that makes the code known to a test.

    Its header if a build links the rest; else the file itself, which alone gets at what is static. What
    `main` it has must not be the program's.
    """
    own = source.path
    header = own if own.suffix in _HEADERS else None
    if header is None and built:
        beside = [own.with_suffix(suffix) for suffix in _HEADERS if own.with_suffix(suffix).exists()]
        wanted = {f"{own.stem}{suffix}" for suffix in _HEADERS}
        includes = [folder / "include" for folder in source.above() if (folder / "include").is_dir()]
        below = [found for folder in includes[:1] for found in files(folder, wanted.__contains__)]
        header = next(iter([*beside, *below]), None)
    target = relative(header or own, path.parent).removeprefix("./")
    line = f'#include "{target}"'
    if header is None and re.search(r"^\s*(int|auto|void)\s+main\s*\(", source.text, re.MULTILINE):
        return f"#define main {own.stem.replace('-', '_').replace('.', '_')}_main\n{line}\n#undef main"
    return line


def _texts(paths: Iterable[Path]) -> list[str]:
    return [text_of(path) for path in list(paths)[:MOST_SAMPLES]]


def _says(path: Path, line: str) -> bool:
    return not line or line.rstrip(";") in text_of(path)


def _sign(signs: Sequence[tuple[str, str]], texts: Sequence[str]) -> str:
    """Return the first framework that the first text with any sign has a sign of."""
    for text in texts:
        for framework, sign in signs:
            if re.search(sign, text):
                return framework
    return ""
