"""New tests into test files: imports, names that are taken, classes that are there, line endings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.new_files.new_file import NewFile, with_tests
from lsp_server.documents.languages import LANGUAGES
from lsp_server.documents.syntax import parse


def new(path: str, framework: str, import_line: str, name: str) -> NewFile:
    return NewFile(Path(path), exists=False, framework=framework, import_line=import_line, name=name)


PYTEST = new("tests/test_mod.py", "pytest", "from pkg.mod import parse", "parse")
UNITTEST = new("tests/test_mod.py", "unittest", "from pkg.mod import parse", "parse")
NODE = new("test/add.test.js", "node:test", 'import { add } from "../src/add.js";', "add")
NODE_CJS = new("test/add.test.js", "node:test", 'const { add } = require("../src/add.js");', "add")
VITEST = new("src/add.test.ts", "vitest", 'import { add } from "./add";', "add")
JUNIT = new("CalcTest.java", "junit5", "package com.example;", "Calc")
RUST = new("src/lib.rs", "#[test]", "use super::*;", "add")
CPP = new("tests/test_clamp.cpp", "assert and a main function", '#include "../clamp.cpp"', "clamp")
GO = new("add_test.go", "testing", "package sums", "Add")
PHP = new("tests/FooTest.php", "phpunit", "use App\\Foo;", "Foo")
CS = new("FooTests.cs", "xunit", "using App;", "Foo")
RUBY = new("spec/foo_spec.rb", "rspec", 'require_relative "../lib/foo"', "Foo")


def test_a_new_file_of_python_imports_the_right_thing_and_repeats_no_code() -> None:
    code = """import pytest
from your_module import parse, ParseError

def parse(text):
    return int(text)

def test_parse():
    assert parse("1") == 1

def test_wrong():
    with pytest.raises(ParseError):
        parse("x")

if __name__ == "__main__":
    pytest.main()
"""
    assert (
        with_tests("", code, "python", PYTEST)
        == """import pytest
from pkg.mod import ParseError, parse


def test_parse():
    assert parse("1") == 1

def test_wrong():
    with pytest.raises(ParseError):
        parse("x")
"""
    )


def test_what_is_missing_is_imported() -> None:
    code = "def test_wrong():\n    with pytest.raises(ValueError):\n        parse('x')\n"
    text = with_tests("", code, "python", PYTEST)
    assert text.startswith("import pytest\nfrom pkg.mod import parse\n\n\ndef test_wrong")


def test_new_tests_come_after_the_old_ones_and_before_what_runs_them() -> None:
    existing = '''"""Tests of mod."""

import unittest

from pkg.mod import other


class TestMod(unittest.TestCase):
    def setUp(self):
        self.x = 1

    def test_parse(self):
        self.assertEqual(other(), 1)


if __name__ == "__main__":
    unittest.main()
'''
    code = '''import unittest
from mod import parse

class TestMod(unittest.TestCase):
    """Tests."""
    def setUp(self):
        self.x = 2

    def test_parse(self):
        self.assertEqual(parse("1"), 1)

    def test_empty(self):
        self.assertIsNone(parse(""))

class TestMore(unittest.TestCase):
    def test_more(self):
        parse("1")

if __name__ == "__main__":
    unittest.main()
'''
    assert (
        with_tests(existing, code, "python", UNITTEST)
        == '''"""Tests of mod."""

import unittest

from pkg.mod import other, parse


class TestMod(unittest.TestCase):
    def setUp(self):
        self.x = 1

    def test_parse(self):
        self.assertEqual(other(), 1)

    def test_parse_2(self):
        self.assertEqual(parse("1"), 1)

    def test_empty(self):
        self.assertIsNone(parse(""))


class TestMore(unittest.TestCase):
    def test_more(self):
        parse("1")


if __name__ == "__main__":
    unittest.main()
'''
    )


def test_a_new_file_of_unittest_keeps_what_runs_it() -> None:
    code = 'class T(unittest.TestCase):\n    pass\n\nif __name__ == "__main__":\n    unittest.main()\n'
    text = with_tests("", code, "python", UNITTEST)
    assert text.startswith("import unittest\nfrom pkg.mod import parse\n")
    assert text.endswith('if __name__ == "__main__":\n    unittest.main()\n')


@pytest.mark.parametrize("target", [NODE, NODE_CJS])
def test_node_and_both_kinds_of_modules(target: NewFile) -> None:
    code = """const { test } = require('node:test');
import assert from 'assert';
import { add } from './add';

test("adds", () => {
  assert.equal(add(1, 2), 3);
});
"""
    esm = """import { test } from "node:test";
import assert from "node:assert/strict";
import { add } from "../src/add.js";
"""
    cjs = """const { test } = require("node:test");
const assert = require("node:assert/strict");
const { add } = require("../src/add.js");
"""
    text = with_tests("", code, "javascript", target)
    assert text.partition("\n\n")[0] + "\n" == (esm if target is NODE else cjs)
    assert text.endswith('test("adds", () => {\n  assert.equal(add(1, 2), 3);\n});\n')


def test_no_name_is_bound_twice() -> None:
    existing = """import { describe, expect, it } from "vitest";
import { sub } from "./add";

describe("sub", () => {});
"""
    code = """import { describe, it, expect, vi } from 'vitest';
import { add, sub } from './add';

describe("add", () => { it("adds", () => { expect(add(1, 2)).toBe(3); }); });
"""
    assert (
        with_tests(existing, code, "typescript", VITEST)
        == """import { describe, expect, it } from "vitest";
import { sub, add } from "./add";
import { vi } from 'vitest';

describe("sub", () => {});

describe("add", () => { it("adds", () => { expect(add(1, 2)).toBe(3); }); });
"""
    )


def test_java_has_one_class_of_the_files_name() -> None:
    code = """public class CalculatorTests {
    @Test
    void adds() { assertEquals(3, new Calc().add(1, 2)); }
}
"""
    first = with_tests("", code, "java", JUNIT)
    assert (
        first
        == """package com.example;

import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;

public class CalcTest {
    @Test
    void adds() { assertEquals(3, new Calc().add(1, 2)); }
}
"""
    )
    more = """package com.wrong;
import java.util.List;
import com.wrong.Calc;
public class Calc { int add(int a, int b) { return a + b; } }
public class OtherTest {
    @Test
    void adds() { assertEquals(4, new Calc().add(2, 2)); }
    @Test
    void testSubtracts() { assertEquals(List.of(), new Calc().sub(2, 2)); }
    @Test
    void testAdds() { assertEquals(5, new Calc().add(2, 3)); }
}
"""
    second = with_tests(first, more, "java", JUNIT)
    assert second.count("class ") == 1 and second.count("package ") == 1
    assert "import java.util.List;" in second and "com.wrong" not in second
    assert second.endswith("new Calc().add(2, 3)); }\n}\n")
    third = with_tests(second, more.replace("2, 3", "9, 9"), "java", JUNIT)
    assert "void testAdds2() { assertEquals(5, new Calc().add(9, 9)); }" in third


def test_rust_has_its_tests_in_a_module_of_the_source() -> None:
    source = "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"
    code = """use my_crate::add;
use std::collections::HashMap;

pub fn add(a: i32, b: i32) -> i32 { a + b }

#[test]
fn test_add() {
    assert_eq!(add(1, 2), 3);
}

fn main() {}
"""
    first = with_tests(source, code, "rust", RUST)
    assert (
        first
        == """pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn test_add() {
        assert_eq!(add(1, 2), 3);
    }
}
"""
    )
    more = """#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_add() {
        assert_eq!(add(2, 2), 4);
    }
}
"""
    assert with_tests(first, more, "rust", RUST) == first.removesuffix("}\n") + (
        "\n    #[test]\n    fn test_add_2() {\n        assert_eq!(add(2, 2), 4);\n    }\n}\n"
    )


def test_one_main_runs_all_tests_of_c() -> None:
    code = """#include <iostream>
#include "clamp.h"
int clamp(int x) { return x; }
void test_low() { assert(clamp(1) == 1); }
"""
    first = with_tests("", code, "cpp", CPP)
    assert (
        first
        == """#include <cassert>
#include <iostream>
#include "../clamp.cpp"

void test_low() { assert(clamp(1) == 1); }

int main(void) {
    test_low();
    return 0;
}
"""
    )
    more = """#include <cassert>
void test_low() { assert(clamp(2) == 2); }
void test_high() { assert(clamp(9) == 5); }
int main() {
    test_low();
    test_high();
    std::cout << "ok";
    return 0;
}
"""
    second = with_tests(first, more, "cpp", CPP)
    assert second.endswith("""void test_low_2() { assert(clamp(2) == 2); }
void test_high() { assert(clamp(9) == 5); }

int main(void) {
    test_low();
    test_low_2();
    test_high();
    std::cout << "ok";
    return 0;
}
""")
    assert second.count("#include <cassert>") == 1


def test_go_has_one_package_and_no_import_twice() -> None:
    existing = 'package sums\n\nimport (\n\t"testing"\n)\n\nfunc TestAdd(t *testing.T) {}\n'
    code = """package main

import (
	"errors"
	"testing"
)

func TestAdd(t *testing.T) { t.Fatal(errors.New("x")) }
"""
    text = with_tests(existing, code, "go", GO)
    assert text.startswith('package sums\n\nimport (\n\t"testing"\n)\nimport "errors"\n')
    assert text.endswith('func TestAdd2(t *testing.T) { t.Fatal(errors.New("x")) }\n')
    fresh = with_tests("", code, "go", GO)
    assert fresh.startswith("package sums\n\n") and fresh.count("package") == 1


def test_php_begins_once() -> None:
    code = """<?php
use PHPUnit\\Framework\\TestCase;
class SomeTest extends TestCase { public function testA() { $this->assertTrue(true); } }
"""
    first = with_tests("", code, "php", PHP)
    assert (
        first
        == """<?php
use PHPUnit\\Framework\\TestCase;
use App\\Foo;

class FooTest extends TestCase { public function testA() { $this->assertTrue(true); } }
"""
    )
    second = with_tests(first, code.replace("testA", "testB"), "php", PHP)
    assert second.count("<?php") == second.count("class ") == second.count("use PHP") == 1
    assert second.index("testA") < second.index("testB")


def test_csharp_and_ruby() -> None:
    code = "public class Tests\n{\n    [Fact]\n    public void Works() { Assert.True(Foo.Ok()); }\n}\n"
    text = with_tests("", code, "csharp", CS)
    assert text.startswith("using Xunit;\nusing App;\n\npublic class FooTests\n{\n")
    ruby = "describe Foo do\n  it 'works' do\n    expect(1).to eq 1\n  end\nend\n"
    assert with_tests("", ruby, "ruby", RUBY) == f'require_relative "../lib/foo"\n\n{ruby}'


def test_a_language_without_a_grammar_gets_the_code_below() -> None:
    assert with_tests("a\n", "b\n\n", "no such language") == "a\n\nb\n"


def other(code: str) -> str:
    """Return the same tests by another name."""
    return re.sub(
        r"(test_?|['\"]|class )a",
        lambda match: f"{match[1]}{'B' if match[0][-1] == 'A' else 'b'}",
        code,
        flags=re.IGNORECASE,
    )


SAMPLES = {
    "python": ("def test_a():\n    assert 1\n", PYTEST),
    "javascript": ('test("a", () => {});\n', NODE),
    "typescript": ('it("a", () => {});\n', VITEST),
    "java": ("class A {\n    @Test\n    void testA() {}\n}\n", JUNIT),
    "rust": ("#[test]\nfn test_a() {}\n", RUST),
    "cpp": ("void test_a() { assert(1); }\n", CPP),
    "go": ("func TestA(t *testing.T) {}\n", GO),
    "php": ("class A {\n    public function testA() {}\n}\n", PHP),
    "ruby": ("describe 'a' do\nend\n", RUBY),
}


@pytest.mark.parametrize("language", SAMPLES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_same_tests_again_change_nothing(language: str, newline: str) -> None:
    code, target = SAMPLES[language]
    existing = with_tests("", code, language, target).replace("\n", newline)
    assert with_tests(existing, code, language, target) == existing


@pytest.mark.parametrize("language", SAMPLES)
def test_line_endings_are_those_of_the_file(language: str) -> None:
    code, target = SAMPLES[language]
    existing = with_tests("", code, language, target).replace("\n", "\r\n")
    text = with_tests(existing, other(code), language, target)
    assert text != existing and text.endswith("\n") and not text.endswith("\n\n")
    assert text.count("\n") == text.count("\r\n")


@pytest.mark.parametrize("language", SAMPLES)
@given(st.data())
def test_what_is_there_stays(language: str, data: st.DataObject) -> None:
    """Whatever a model writes, no line of the existing tests goes but imports that got longer."""
    code, target = SAMPLES[language]
    existing = with_tests("", code, language, target)
    pieces = st.sampled_from(
        [*code.split("\n"), "}", "{", "import x", "class A {", "def f(:", "end", "#", "'"]
    )
    garbage = "\n".join(data.draw(st.lists(pieces, max_size=8)))
    text = with_tests(existing, garbage, language, target)
    rest = iter(text.split("\n"))
    assert all(any(line == other for other in rest) for line in existing.rstrip("\n").split("\n")), text


def test_texts_with_syntax_that_was_whole_are_whole_after() -> None:
    for language, (code, target) in SAMPLES.items():
        known = next(item for item in LANGUAGES if item.name == language)
        text = with_tests(with_tests("", code, language, target), other(code), language, target)
        tree = parse(text, known)
        assert tree is not None and not tree.root.has_error, text


def test_the_result_runs(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("def parse(text):\n    return int(text)\n")
    target = new("test_mod.py", "unittest", "from mod import parse", "parse")
    code = "class T(unittest.TestCase):\n    def test_one(self):\n        self.assertEqual(parse('1'), 1)\n"
    first = with_tests("", code, "python", target)
    more = code.replace("'1'), 1", "'2'), 2")
    (tmp_path / "test_mod.py").write_text(with_tests(first, more, "python", target))
    command = [sys.executable, "-m", "unittest", "-v", "test_mod"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "Ran 2 tests" in done.stderr, done.stderr


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a compiler of C++")
def test_the_result_compiles(tmp_path: Path) -> None:
    (tmp_path / "clamp.cpp").write_text(
        "int clamp(int x) { return x > 5 ? 5 : x; }\nint main() { return 3; }\n"
    )
    line = '#define main clamp_main\n#include "clamp.cpp"\n#undef main'
    target = new("test_clamp.cpp", "assert and a main function", line, "clamp")
    text = with_tests("", "void test_low() { assert(clamp(1) == 1); }\n", "cpp", target)
    text = with_tests(text, "void test_high() { assert(clamp(9) == 5); }\n", "cpp", target)
    (tmp_path / "test_clamp.cpp").write_text(text)
    subprocess.run(["g++", "-o", "t", "test_clamp.cpp"], cwd=tmp_path, check=True, timeout=120)
    subprocess.run([tmp_path / "t"], check=True, timeout=120)
