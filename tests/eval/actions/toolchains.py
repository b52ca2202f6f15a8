"""The compilers and interpreters of six languages: what they find wrong, and whether code and tests run.

A workspace is a folder of its own for each case; whatever runs has a time limit. One that is not
installed is reported as missing, which is not the model's fault.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60
"""For one program; a busy machine compiles slowly."""

JUNIT = Path(__file__).parent / "junit"
"""As much of JUnit 5 as tests of small functions use."""

NODE_MODULES = "EVAL_NODE_MODULES"
"""Variable: a `node_modules` folder with `typescript` and `@types/node`."""


@dataclass(frozen=True)
class Finding:
    """What a tool says is wrong; lines and columns (code points) from 0."""

    line: int
    column: int
    end_column: int
    message: str
    source: str
    code: str = ""
    severity: str = "error"

    @property
    def same(self) -> str:
        """Return what two findings of the same thing have in common."""
        return f"{self.code} {self.message}"


@dataclass(frozen=True)
class Run:
    """How a program ended."""

    passed: bool
    output: str


def run(arguments: Sequence[str | Path], folder: Path) -> Run:
    """Run a program in a folder."""
    environment = {**os.environ, "NO_COLOR": "1", "CARGO_TERM_COLOR": "never", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [str(part) for part in arguments], cwd=folder, env=environment, timeout=SECONDS,
            check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Run(False, f"still running after {SECONDS} s")
    return Run(done.returncode == 0, done.stdout.decode("utf-8", "replace"))


class Toolchain:
    """The tools of one language."""

    programs: tuple[str, ...] = ()
    project: tuple[tuple[str, str], ...] = ()
    """Files that make a folder a project: path, text."""

    def missing(self) -> str | None:
        """Return what is not installed."""
        return next((name for name in self.programs if shutil.which(name) is None), None)

    def place(self, file: str) -> str:
        """Return where a file of this name belongs in a project."""
        return file

    def prepare(self, folder: Path) -> None:
        """Make a folder a project."""
        for path, text in self.project:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")

    def findings(self, file: Path, folder: Path) -> list[Finding]:
        """Return what is wrong with a file."""
        raise NotImplementedError

    def self_test(self, file: Path, folder: Path) -> Run:
        """Run the tests that a file has at its end."""
        raise NotImplementedError

    def new_tests(self, tests: Path, file: Path, folder: Path) -> Run:
        """Run the tests of another file, or of the file itself."""
        raise NotImplementedError


class Python(Toolchain):
    """Ruff (pyflakes rules), pytest."""

    programs = (sys.executable,)
    project = (("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["."]\n'),)

    def findings(self, file: Path, folder: Path) -> list[Finding]:
        """Return syntax errors and what pyflakes knows."""
        options = ("--isolated", "--no-cache", "--select", "F", "--output-format", "json")
        rows = json.loads(run([sys.executable, "-m", "ruff", "check", *options, file], folder).output)
        found = []
        for row in rows:
            start, end = row["location"], row["end_location"]
            column = start["column"] - 1
            last = end["column"] - 1 if end["row"] == start["row"] else column
            found.append(Finding(start["row"] - 1, column, last, row["message"], "Ruff", row["code"] or ""))
        return found

    def self_test(self, file: Path, folder: Path) -> Run:
        """Run the file."""
        return run([sys.executable, file], folder)

    def new_tests(self, tests: Path, file: Path, folder: Path) -> Run:
        """Run pytest; no tests at all is a failure."""
        return run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests], folder)


class TypeScript(Toolchain):
    """The TypeScript compiler, for JavaScript too; node."""

    programs = ("node",)
    project = (("package.json", '{"name": "shop", "type": "module", "scripts": {"test": "node --test"}}\n'),)
    compiling: tuple[str, ...] = ("--strict",)

    def missing(self) -> str | None:
        """Return what is not installed."""
        if os.environ.get(NODE_MODULES) and not self._compiler().is_file():
            return f"typescript in {NODE_MODULES}"
        return super().missing() or (None if os.environ.get(NODE_MODULES) else f"${NODE_MODULES}")

    def prepare(self, folder: Path) -> None:
        """Make a folder a project."""
        super().prepare(folder)
        (folder / "node_modules").symlink_to(self._compiler().parents[2])

    def findings(self, file: Path, folder: Path) -> list[Finding]:
        """Return what the compiler finds."""
        lines = self._compile(["--noEmit", *self.compiling, file], folder).output.splitlines()
        pattern = re.compile(r"^(.+?)\((\d+),(\d+)\): (\w+) (TS\d+): (.*)")
        source = file.read_text(encoding="utf-8").split("\n")
        found = []
        for match in filter(None, map(pattern.match, lines)):
            line, column = int(match[2]) - 1, int(match[3]) - 1
            found.append(Finding(line, column, _word_end(source, line, column), match[6], "ts", match[5][2:]))
        return found

    def self_test(self, file: Path, folder: Path) -> Run:
        """Compile to CommonJS, where an import needs no file name ending, and run that."""
        return self._run_compiled(file, folder, ["node"])

    def new_tests(self, tests: Path, file: Path, folder: Path) -> Run:
        """Run them with node's test runner."""
        return self._run_compiled(tests, folder, ["node", "--test"])

    def _run_compiled(self, file: Path, folder: Path, command: list[str]) -> Run:
        out = folder / "compiled"
        done = self._compile(["--outDir", out, "--rootDir", folder, *self.compiling, file], folder)
        compiled = (out / file.relative_to(folder)).with_suffix(".js")
        if not compiled.is_file():
            return Run(False, done.output)
        (out / "package.json").write_text('{"type": "commonjs"}')
        return run([*command, compiled], folder)

    def _compile(self, arguments: Sequence[str | Path], folder: Path) -> Run:
        options = (
            "--pretty false --target es2022 --module commonjs --moduleResolution node10 --esModuleInterop "
            "--skipLibCheck --types node --rewriteRelativeImportExtensions"
        )
        return run(["node", self._compiler(), *options.split(), *arguments], folder)

    @staticmethod
    def _compiler() -> Path:
        return Path(os.environ.get(NODE_MODULES, "")).absolute() / "typescript" / "bin" / "tsc"


class JavaScript(TypeScript):
    """Checked by the TypeScript compiler, run by node as it is."""

    compiling = ("--allowJs", "--checkJs", "--noImplicitAny", "false")

    def self_test(self, file: Path, folder: Path) -> Run:
        """Run the file."""
        return run(["node", file], folder)

    def new_tests(self, tests: Path, file: Path, folder: Path) -> Run:
        """Run them with node's test runner."""
        return run(["node", "--test", tests], folder)


class Java(Toolchain):
    """The JDK, with a runner of our own for tests."""

    programs = ("javac", "java")
    project = (
        (
            "pom.xml",
            "<project><artifactId>shop</artifactId><dependencies><dependency>"
            "<groupId>org.junit.jupiter</groupId><artifactId>junit-jupiter</artifactId>"
            "<scope>test</scope></dependency></dependencies></project>\n",
        ),
    )

    def place(self, file: str) -> str:
        """Return Maven's folder."""
        return f"src/main/java/{file}"

    def findings(self, file: Path, folder: Path) -> list[Finding]:
        """Return errors of the compiler."""
        lines = run(["javac", "-d", folder / "classes", file], folder).output.splitlines()
        found = []
        for index, line in enumerate(lines):
            if match := re.match(r".+?\.java:(\d+): error: (.*)", line):
                caret = next((later for later in lines[index + 1 :] if later.strip() == "^"), "^")
                at, column = int(match[1]) - 1, caret.index("^")
                source = file.read_text(encoding="utf-8").split("\n")
                found.append(Finding(at, column, _word_end(source, at, column), match[2], "Java"))
        return found

    def self_test(self, file: Path, folder: Path) -> Run:
        """Compile the file and run its main method."""
        compiled = run(["javac", "-d", folder / "classes", file], folder)
        return run(["java", "-cp", folder / "classes", file.stem], folder) if compiled.passed else compiled

    def new_tests(self, tests: Path, file: Path, folder: Path) -> Run:
        """Compile all of it with our part of JUnit and run every method with @Test."""
        sources = [file, tests, *JUNIT.rglob("*.java")]
        compiled = run(["javac", "-d", folder / "classes", *sources], folder)
        if not compiled.passed:
            return compiled
        package = re.search(r"^\s*package\s+([\w.]+)\s*;", tests.read_text(encoding="utf-8"), re.MULTILINE)
        name = f"{package[1]}.{tests.stem}" if package else tests.stem
        return run(["java", "-ea", "-cp", folder / "classes", "RunTests", name], folder)


class Rust(Toolchain):
    """The compiler alone: nothing here depends on anything."""

    programs = ("rustc",)
    project = (("Cargo.toml", '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n'),)

    def place(self, file: str) -> str:
        """Return Cargo's folder; the file is a module of a library."""
        return f"src/{file}"

    def prepare(self, folder: Path) -> None:
        """Make a folder a project."""
        super().prepare(folder)
        (folder / "src").mkdir()
        (folder / "src" / "lib.rs").write_text("pub mod grid;\npub mod words;\n", encoding="utf-8")

    def findings(self, file: Path, folder: Path) -> list[Finding]:
        """Return errors of the compiler."""
        options: list[str | Path] = [
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--out-dir",
            folder / "target",
        ]
        done = run(["rustc", "--edition", "2021", "--error-format=json", *options, file], folder)
        found = []
        for row in map(json.loads, filter(lambda line: line.startswith("{"), done.output.splitlines())):
            spans = [span for span in row.get("spans", ()) if span["is_primary"]]
            if row.get("level") == "error" and spans:
                span = spans[0]
                end = span["column_end"] if span["line_end"] == span["line_start"] else span["column_start"]
                found.append(
                    Finding(span["line_start"] - 1, span["column_start"] - 1, end - 1, row["message"],
                            "rustc", (row.get("code") or {}).get("code", ""))
                )  # fmt: skip
        return found

    def self_test(self, file: Path, folder: Path) -> Run:
        """Run the file's module `tests`."""
        return self._tests(file, folder)

    def new_tests(self, tests: Path, file: Path, folder: Path) -> Run:
        """Run the file's own tests, or those of a crate that uses it."""
        if tests == file:
            return self._tests(file, folder)
        others = [path for path in (folder / "src").glob("*.rs") if path.stem != "lib"]
        (folder / "src" / "lib.rs").write_text("".join(f"pub mod {path.stem};\n" for path in others))
        library = folder / "libshop.rlib"
        options: list[str | Path] = ["--crate-type", "lib", "--crate-name", "shop", "-o", library]
        compiled = run(["rustc", "--edition", "2021", *options, folder / "src" / "lib.rs"], folder)
        return self._tests(tests, folder, "--extern", f"shop={library}") if compiled.passed else compiled

    def _tests(self, file: Path, folder: Path, *options: str) -> Run:
        program = folder / "tests-of-it"
        compiled = run(["rustc", "--edition", "2021", "--test", *options, file, "-o", program], folder)
        return run([program], folder) if compiled.passed else compiled


class Cpp(Toolchain):
    """GCC; tests are a program of assertions."""

    programs = ("g++",)
    compiling = ("g++", "-std=c++17", "-I.", "-x", "c++")

    def findings(self, file: Path, folder: Path) -> list[Finding]:
        """Return errors of the compiler."""
        done = run([*self.compiling, "-fsyntax-only", "-fdiagnostics-format=json", file], folder)
        text = next((line for line in done.output.splitlines() if line.startswith("[")), "[]")
        found = []
        for row in json.loads(text):
            if row["kind"] in ("error", "fatal error") and row["locations"]:
                caret = row["locations"][0]["caret"]
                line, column = caret["line"] - 1, caret["display-column"] - 1
                end = row["locations"][0].get("finish", caret)["display-column"]
                found.append(Finding(line, column, end, row["message"], "gcc"))
        return found

    def self_test(self, file: Path, folder: Path) -> Run:
        """Compile the file with its tests and run them."""
        return self._program([file], folder, "-DSELF_TEST")

    def new_tests(self, tests: Path, file: Path, folder: Path) -> Run:
        """Compile the tests, which include the file, and run them."""
        return self._program([tests], folder, "-I", str(tests.parent))

    def _program(self, files: Sequence[Path], folder: Path, *options: str) -> Run:
        program = folder / "program"
        compiled = run([*self.compiling, *options, *files, "-o", program], folder)
        return run([program], folder) if compiled.passed else compiled


TOOLCHAINS: dict[str, Toolchain] = {
    "python": Python(), "javascript": JavaScript(), "typescript": TypeScript(),
    "java": Java(), "rust": Rust(), "cpp": Cpp(),
}  # fmt: skip


def _word_end(source: Sequence[str], line: int, column: int) -> int:
    """Return where the word at a place ends, for tools that say only where it starts."""
    text = source[line] if line < len(source) else ""
    word = re.compile(r"\w+").match(text, column)
    return word.end() if word else column + 1
