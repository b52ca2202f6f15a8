"""Where tests belong, what they are written with and how they get at the code, in projects of many shapes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lsp_server.chat.actions.site import Target
from lsp_server.chat.new_files.new_file import NewFile, test_file
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse


def found(root: Path, path: str, name: str, *, workspace: Path | None) -> NewFile | None:
    """Ask for the tests of the definition `name` of a file, of which the whole line is the target."""
    file = root / path
    text = file.read_text(encoding="utf-8")
    language = detect("", file.as_uri())
    start = text.index(name)
    snapshot = Snapshot(file.as_uri(), language.name, 1, text)
    target = Target(snapshot, parse(text, language), language, start, start + len(name), "function", name)
    return test_file(target, workspace)


def lay_out(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@dataclass
class Case:
    """A project; the first file is the one to be tested."""

    files: dict[str, str]
    path: str
    framework: str
    import_line: str
    name: str = "parse"
    exists: bool = False
    folders: tuple[str, ...] = field(default=())


PY = "def parse(text):\n    return int(text)\n"
PYPROJECT = "[project]\nname = 'p'\n"
JS = "export function parse(text) {\n  return Number(text);\n}\n"
CJS = "function parse(text) {\n  return Number(text);\n}\nmodule.exports = { parse };\n"
JAVA = "package org.example.text;\n\npublic class Parser {\n    int parse(String text) { return 1; }\n}\n"
GRADLE5 = "dependencies { testImplementation 'org.junit.jupiter:junit-jupiter:5.10.0' }\n"
CPP = "int parse(const char *text) {\n    return text[0];\n}\n"
CS = "namespace Example.Text;\npublic class Parser {\n    public int parse() { return 1; }\n}\n"
PHP = "<?php\nnamespace App\\Text;\nclass Parser {\n    public function parse() { return 1; }\n}\n"

CASES = {
    "python, a script alone": Case({"tool.py": PY}, "test_tool.py", "pytest", "from tool import parse"),
    "python, a project without tests": Case(
        {"src/pkg/mod.py": PY, "src/pkg/__init__.py": "", "pyproject.toml": PYPROJECT},
        "tests/test_mod.py",
        "pytest",
        "from pkg.mod import parse",
    ),
    "python, src without __init__": Case(
        {"src/pkg/sub/mod.py": PY, "pyproject.toml": PYPROJECT},
        "tests/test_mod.py",
        "pytest",
        "from pkg.sub.mod import parse",
    ),
    "python, mirrored": Case(
        {"pkg/sub/mod.py": PY, "pkg/__init__.py": "", "pkg/sub/__init__.py": "", "setup.py": ""},
        "tests/sub/test_mod.py",
        "pytest",
        "from pkg.sub.mod import parse",
        folders=("tests/sub",),
    ),
    "python, unit tests in a folder of their own": Case(
        {"src/pkg/mod.py": PY, "src/pkg/__init__.py": "", "pyproject.toml": PYPROJECT},
        "tests/unit/test_mod.py",
        "pytest",
        "from pkg.mod import parse",
        folders=("tests/unit",),
    ),
    "python, beside as the others": Case(
        {"pkg/mod.py": PY, "pkg/__init__.py": "", "pkg/test_other.py": "import unittest\n"},
        "pkg/test_mod.py",
        "unittest",
        "from pkg.mod import parse",
    ),
    "python, the file that is there": Case(
        {
            "pkg/mod.py": PY,
            "pkg/__init__.py": "",
            "tests/deep/test_mod.py": "from pkg.mod import other\n\ndef test_a(): pass\n",
            "tests/test_others.py": "import unittest\n",
        },
        "tests/deep/test_mod.py",
        "pytest",
        "from pkg.mod import parse",
        exists=True,
    ),
    "python, tests of a namesake": Case(
        {
            "pkg/a/mod.py": PY,
            "pkg/__init__.py": "",
            "pkg/a/__init__.py": "",
            "pkg/b/__init__.py": "",
            "pkg/b/mod.py": PY,
            "tests/test_mod.py": "from pkg.b.mod import parse\n",
        },
        "tests/test_a_mod.py",
        "pytest",
        "from pkg.a.mod import parse",
    ),
    "python, unittest by the neighbours": Case(
        {"mod.py": PY, "tests/test_x.py": "from unittest import TestCase\n", "setup.py": ""},
        "tests/test_mod.py",
        "unittest",
        "from mod import parse",
    ),
    "python, a package itself": Case(
        {"pkg/__init__.py": PY, "pyproject.toml": PYPROJECT},
        "tests/test_pkg.py",
        "pytest",
        "from pkg import parse",
    ),
    "python, a method is had by its class": Case(
        {"mod.py": "class Parser:\n    def parse(self):\n        return 1\n"},
        "test_mod.py",
        "pytest",
        "from mod import Parser",
    ),
    "javascript, nothing known": Case(
        {"tool.js": CJS}, "tool.test.js", "node:test", 'const { parse } = require("./tool.js");'
    ),
    "javascript, a module": Case(
        {"src/tool.js": JS, "package.json": '{"type": "module"}'},
        "src/tool.test.js",
        "node:test",
        'import { parse } from "./tool.js";',
    ),
    "javascript, __tests__ and jest": Case(
        {
            "src/tool.js": CJS,
            "src/__tests__/other.test.js": "",
            "package.json": '{"devDependencies": {"jest": "29"}}',
        },
        "src/__tests__/tool.test.js",
        "jest",
        'const { parse } = require("../tool.js");',
    ),
    "javascript, mocha": Case(
        {"lib/tool.js": CJS, "package.json": '{"scripts": {"test": "mocha --recursive"}}'},
        "test/tool.test.js",
        "mocha",
        'const { parse } = require("../lib/tool.js");',
    ),
    "javascript, specs in a folder that mirrors": Case(
        {
            "src/text/tool.js": JS,
            "test/text/other.spec.js": "import test from 'ava';",
            "package.json": "{}",
        },
        "test/text/tool.spec.js",
        "ava",
        'import { parse } from "../../src/text/tool.js";',
    ),
    "javascript, the default export": Case(
        {"tool.mjs": "export default function parse() {}\n"},
        "tool.test.mjs",
        "node:test",
        'import parse from "./tool.mjs";',
    ),
    "javascript, all that is exported": Case(
        {"tool.cjs": "const parse = () => 1;\nmodule.exports = parse;\n"},
        "tool.test.cjs",
        "node:test",
        'const parse = require("./tool.cjs");',
    ),
    "typescript, vitest": Case(
        {"src/tool.ts": JS, "package.json": '{"devDependencies": {"vitest": "2"}}'},
        "src/tool.test.ts",
        "vitest",
        'import { parse } from "./tool";',
    ),
    "typescript, the file that is there": Case(
        {
            "src/tool.tsx": JS,
            "src/tool.spec.tsx": 'import { other } from "./tool";',
            "src/b/tool.spec.tsx": 'import { other } from "./tool";',
            "package.json": '{"devDependencies": {"jest": "29"}}',
        },
        "src/tool.spec.tsx",
        "jest",
        'import { parse } from "./tool";',
        exists=True,
    ),
    "typescript, Node's own runner": Case(
        {"tool.ts": JS, "package.json": '{"scripts": {"test": "node --test"}}'},
        "tool.test.ts",
        "node:test",
        'import { parse } from "./tool.ts";',
    ),
    "java, Maven": Case(
        {
            "src/main/java/org/example/text/Parser.java": JAVA,
            "pom.xml": "<dependency><groupId>junit</groupId><artifactId>junit</artifactId></dependency>",
        },
        "src/test/java/org/example/text/ParserTest.java",
        "junit4",
        "package org.example.text;",
        name="Parser",
    ),
    "java, Gradle, the file that is there": Case(
        {
            "app/src/main/java/org/example/text/Parser.java": JAVA,
            "app/build.gradle": GRADLE5,
            "app/src/test/java/org/example/text/ParserTests.java": "package org.example.text;\n",
            "app/src/test/java/org/example/other/ParserTest.java": "package org.example.other;\n",
        },
        "app/src/test/java/org/example/text/ParserTests.java",
        "junit5",
        "package org.example.text;",
        name="Parser",
        exists=True,
    ),
    "java, a file alone": Case(
        {"Parser.java": JAVA.partition("\n")[2]},
        "ParserTest.java",
        "plain Java with a main method that throws AssertionError",
        "",
        name="Parser",
    ),
    "rust": Case(
        {"src/lib.rs": "pub fn parse() {}\n"}, "src/lib.rs", "#[test]", "use super::*;", exists=True
    ),
    "go": Case(
        {"text/tool.go": "package text\n\nfunc parse() {}\n"}, "text/tool_test.go", "testing", "package text"
    ),
    "c++, alone": Case(
        {"tool.cpp": CPP}, "test_tool.cpp", "assert and a main function", '#include "tool.cpp"'
    ),
    "c, alone with a main": Case(
        {"my-tool.c": f"{CPP}\nint main(void) {{ return 0; }}\n"},
        "test_my-tool.c",
        "assert and a main function",
        '#define main my_tool_main\n#include "my-tool.c"\n#undef main',
    ),
    "c++, a build with GoogleTest": Case(
        {
            "src/tool.cpp": CPP,
            "include/lib/tool.hpp": "",
            "CMakeLists.txt": "find_package(GTest)",
            "tests/other_test.cpp": "#include <gtest/gtest.h>",
        },
        "tests/tool_test.cpp",
        "googletest",
        '#include "../include/lib/tool.hpp"',
    ),
    "c++, a header": Case(
        {"tool.hpp": CPP, "tests/x.cpp": "#include <catch2/catch_test_macros.hpp>"},
        "tests/test_tool.cpp",
        "catch2",
        '#include "../tool.hpp"',
    ),
    "c#": Case(
        {
            "src/Lib/Text/Parser.cs": CS,
            "src/Lib/Lib.csproj": "",
            "tests/Lib.Tests/Lib.Tests.csproj": '<PackageReference Include="NUnit" />',
            "Lib.sln": "",
        },
        "tests/Lib.Tests/ParserTests.cs",
        "nunit",
        "using Example.Text;",
        name="Parser",
    ),
    "ruby, RSpec": Case(
        {"lib/text/tool.rb": "def parse\nend\n", "Gemfile": "gem 'rspec'"},
        "spec/text/tool_spec.rb",
        "rspec",
        'require_relative "../../lib/text/tool"',
    ),
    "ruby, a file alone": Case(
        {"tool.rb": "def parse\nend\n"}, "tool_test.rb", "minitest", 'require_relative "tool"'
    ),
    "php, composer": Case(
        {
            "src/Text/Parser.php": PHP,
            "composer.json": '{"autoload": {"psr-4": {"App\\\\": "src/"}}}',
            "tests/Unit/OtherTest.php": "",
        },
        "tests/Unit/ParserTest.php",
        "phpunit",
        "use App\\Text\\Parser;",
        name="Parser",
    ),
    "php, a file alone": Case(
        {"tool.php": "<?php\nfunction parse() {}\n"},
        "toolTest.php",
        "phpunit",
        "require_once __DIR__ . '/tool.php';",
    ),
    "lua": Case({"tool.lua": "function parse() end\n", "tests/x.lua": ""}, "tests/test_tool.lua", "", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_the_place(tmp_path: Path, case: str) -> None:
    given = CASES[case]
    root = tmp_path / "project"
    lay_out(root, given.files)
    for folder in given.folders:
        (root / folder).mkdir(parents=True)
    new = found(root, next(iter(given.files)), given.name, workspace=root)
    assert new is not None
    assert new.path.relative_to(root).as_posix() == given.path
    assert (new.framework, new.import_line, new.exists) == (given.framework, given.import_line, given.exists)
    assert new.is_source is (given.path == next(iter(given.files)))


def test_without_a_workspace_tests_are_beside_the_file(tmp_path: Path) -> None:
    lay_out(tmp_path, {"src/tool.py": PY, "pyproject.toml": PYPROJECT, "tests/test_x.py": ""})
    new = found(tmp_path, "src/tool.py", "parse", workspace=None)
    assert new is not None and new.path == tmp_path / "src" / "test_tool.py"


def test_a_file_outside_of_the_workspace_has_no_tests(tmp_path: Path) -> None:
    lay_out(tmp_path, {"tool.py": PY, "root/x.py": ""})
    assert found(tmp_path, "tool.py", "parse", workspace=tmp_path / "root") is None


@pytest.mark.skipif(os.name != "posix", reason="links need no rights there")
def test_links_lead_no_test_out_of_the_workspace(tmp_path: Path) -> None:
    lay_out(
        tmp_path, {"root/tool.py": PY, "root/setup.py": "", "outside/test_tool.py": "from tool import x\n"}
    )
    (tmp_path / "root" / "tests").symlink_to(tmp_path / "outside")
    new = found(tmp_path / "root", "tool.py", "parse", workspace=tmp_path / "root")
    assert new is None or new.path.resolve().is_relative_to(tmp_path / "root")
    (tmp_path / "root" / "tests").unlink()
    (tmp_path / "root" / "test_tool.py").symlink_to(tmp_path / "outside" / "test_tool.py")
    assert found(tmp_path / "root", "tool.py", "parse", workspace=tmp_path / "root") is None


def test_what_is_no_file_or_no_code_has_no_tests(tmp_path: Path) -> None:
    lay_out(tmp_path, {"notes.md": "# parse\n"})
    assert found(tmp_path, "notes.md", "parse", workspace=None) is None
    language = detect("python", "")
    target = Target(Snapshot("untitled:1", "python", 1, PY), None, language, 0, 5, "function", "parse")
    assert test_file(target, None) is None


def test_the_text_of_the_editor_counts_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tool.py"
    language = detect("python", "")
    target = Target(Snapshot(path.as_uri(), "python", 1, PY), None, language, 4, 9, "function", "parse")
    assert test_file(target, tmp_path) == NewFile(
        tmp_path / "test_tool.py",
        exists=False,
        framework="pytest",
        import_line="from tool import parse",
        name="parse",
        example="""\
from tool import parse


def test_simplest_case():
    # here an assertion like: assert parse(<arguments>) == <expected>


def test_small_case():
    # here an assertion like: assert parse(<arguments>) == <expected>
""",
    )


def test_the_example_is_a_whole_test_of_the_framework(tmp_path: Path) -> None:
    for case in CASES.values():
        lay_out(tmp_path, case.files)
        path = next(iter(case.files))
        new = found(tmp_path, path, case.name, workspace=tmp_path)
        assert new is not None
        language = detect("", new.path.as_uri())
        tree = parse(new.example, language)
        # Its grammar takes a macro with a block for a mistake.
        macro = "TEST_CASE" in new.example
        assert tree is not None and tree.root.has_error is macro, new.example
        if new.framework:
            assert case.name in new.example and "<expected>" in new.example
            assert new.import_line in new.example
        for file in case.files:
            (tmp_path / file).unlink()
