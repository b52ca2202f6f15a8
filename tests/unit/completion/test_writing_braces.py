"""What is inserted in Go, Rust and PHP, from a drawn buffer and what a model writes there."""

from __future__ import annotations

import pytest

from tests.support.completing import Case, check

GO: list[Case] = [
    ("func add(a, b int) int {█\n", "\n\treturn a + b\n}\n\nfunc x() {}\n", "\n\treturn a + b\n}"),
    ("func add(a, b int) int {\n\t█\n}\n", "return a + b\n}\n\nfunc x() {}\n", "return a + b"),
    (
        "func f() error {\n\tx, err := g()\n\t█\n}\n",
        "if err != nil {\n\t\treturn err\n\t}\n\treturn nil\n}\n",
        "if err != nil {\n\t\treturn err\n\t}\n\treturn nil",
    ),
    (
        "func f() error {\n\tx, err := g()\n\tif err != nil {█\n\treturn nil\n}\n",
        "\n\t\treturn err\n\t}\n\treturn nil\n}\n",
        "\n\t\treturn err\n\t}",
    ),
    (
        "func f() error {\n\tx, err := g()\n\tif err != nil {\n\t\t█\n\t}\n\treturn nil\n}\n",
        "return err\n\t}\n\treturn nil\n}\n",
        "return err",
    ),
    ('import (\n\t"fmt"\n\t█\n)\n', '"os"\n)\n', '"os"'),
    ("type A struct {\n\tName string\n\t█\n}\n", "Age int\n}\n", "Age int"),
    ("fmt.Println(█)\n", '"x", 1)\n\treturn\n', '"x", 1'),
    ("for █ {\n\tx()\n}\n", "i := 0; i < 10; i++ {\n\tx()\n}\n", "i := 0; i < 10; i++"),
    ("switch x {\ncase 1:\n\t█\ncase 2:\n\ty()\n}\n", "x()\ncase 2:\n\ty()\n}\n", "x()"),
    ("go func() {█}()\n", "\n\tdefer wg.Done()\n\twork()\n}()\n", "\n\tdefer wg.Done()\n\twork()\n"),
    (
        "func TestX(t *testing.T) {\n\tcases := []struct{ a int }{\n\t\t█\n\t}\n}\n",
        "{1},\n\t\t{2},\n\t}\n",
        "{1},\n\t\t{2},",
    ),
    (
        "package a\n\n█\n\nvar z int\n",
        "type A struct {\n\tX int\n\tY int\n\tZ int\n}\n\nvar q int\nvar r int\nvar s int\n",
        "type A struct {\n\tX int\n\tY int\n\tZ int\n}",
    ),
    (
        "package a\n\n█\n\nvar z int\n",
        (
            "// F does.\nfunc F() {\n\tif x {\n\t\ty()\n\t} else {\n\t\tz()\n\t}\n}\n\nvar q int\n"
            "var r int\nvar s int\n"
        ),
        "// F does.\nfunc F() {\n\tif x {\n\t\ty()\n\t} else {\n\t\tz()\n\t}\n}",
    ),
]

RUST: list[Case] = [
    ("fn add(a: i32, b: i32) -> i32 {█\n}\n", "\n    a + b\n}\n\nfn x() {}\n", "\n    a + b"),
    ("fn add(a: i32, b: i32) -> i32 {\n    █\n}\n", "a + b\n}\n\nfn x() {}\n", "a + b"),
    (
        "fn f(x: Option<i32>) -> i32 {\n    match x {\n        █\n    }\n}\n",
        "Some(v) => v,\n        None => 0,\n    }\n}\n",
        "Some(v) => v,\n        None => 0,",
    ),
    ("let v: Vec<i32> = x.iter().map(|a| █).collect();\n", "a * 2).collect();\n", "a * 2"),
    ("#[derive(█)]\nstruct A;\n", "Debug, Clone)]\nstruct A;\n", "Debug, Clone"),
    (
        "impl A {\n    pub fn new() -> Self {\n        █\n    }\n}\n",
        "Self { x: 1 }\n    }\n}\n",
        "Self { x: 1 }",
    ),
    ("impl A {\n    pub fn new() -> Self {\n        Self { █ }\n    }\n}\n", "x: 1 }\n    }\n}\n", "x: 1"),
    ("let s = format!(█);\n", '"{}", x);\n', '"{}", x'),
    ("if let Some(x) = y {\n    a();\n} █\n", "else {\n    b();\n}\nc();\n", "else {\n    b();\n}"),
    ("fn f<'a>(x: &'a str) -> &'a str {\n    █\n}\n", "x.trim()\n}\n", "x.trim()"),
    ("let s: &'static str = █;\n", '"a";\nlet t = 1;\n', '"a"'),
    ("let c = foo('a', █);\n", "'b');\n", "'b'"),
    (
        "struct Z;\n█\nstruct Y;\n",
        (
            "#[derive(Debug)]\nstruct A {\n    a: i32,\n    b: i32,\n    c: i32,\n}\n\nfn q() {}\n"
            "fn r() {}\nfn s() {}\nfn t() {}\n"
        ),
        "#[derive(Debug)]\nstruct A {\n    a: i32,\n    b: i32,\n    c: i32,\n}",
    ),
    (
        "struct Z;\n█\nstruct Y;\n",
        (
            "/// A thing.\n#[derive(Debug)]\nstruct A {\n    a: i32,\n    b: i32,\n    c: i32,\n}\n\n"
            "fn q() {}\nfn r() {}\nfn s() {}\nfn t() {}\n"
        ),
        "/// A thing.\n#[derive(Debug)]\nstruct A {\n    a: i32,\n    b: i32,\n    c: i32,\n}",
    ),
    (
        "let x = █\n",
        "match y {\n    A => 1,\n    B => 2,\n};\nlet z = 1;\n",
        "match y {\n    A => 1,\n    B => 2,\n};",
    ),
    ("impl<'a> Foo<'a> █\n", "{\n    fn x(&'a self) {}\n}\n\nfn y() {}\n", "{\n    fn x(&'a self) {}\n}"),
]

PHP: list[Case] = [
    (
        "<?php\nfunction add($a, $b) {\n    █\n}\n",
        "return $a + $b;\n}\n\nfunction x() {}\n",
        "return $a + $b;",
    ),
    (
        "<?php\nfunction add($a, $b) {█\n",
        "\n    return $a + $b;\n}\n\nfunction x() {}\n",
        "\n    return $a + $b;\n}",
    ),
    ("<?php\n$x = array(█);\n", "1, 2, 3);\n", "1, 2, 3"),
    ("<?php\nforeach (█) {\n}\n", "$a as $b) {\n", "$a as $b"),
    (
        "<?php\n$x = 1;\n█\n$z = 1;\n",
        "try {\n    a();\n    b();\n} catch (E $e) {\n    c();\n}\n$q=1;\n$r=1;\n$s=1;\n$t=1;\n",
        "try {\n    a();\n    b();\n} catch (E $e) {\n    c();\n}",
    ),
]


CASES = [*(("go", case) for case in GO), *(("rust", case) for case in RUST), *(("php", case) for case in PHP)]


@pytest.mark.parametrize(("language_id", "case"), CASES)
def test_writing(language_id: str, case: Case) -> None:
    check(language_id, case)
