"""What a test file has to import to be run with its framework: models forget it. One table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """An import that goes with the use of a name."""

    uses: str
    """Regular expression for the use."""
    line: str


def _es(names: str, module: str) -> list[Need]:
    """Return the needs of a module of JavaScript; `test` is one only where it is called."""
    return [
        Need(rf"(?<![\w.$]){name}\s*(\(|\.\w+\s*\()", f'import {{ {name} }} from "{module}";')
        for name in names.split()
    ]


_ASSERT = Need(r"(?<![\w.$])assert\s*(\(|\.)", 'import assert from "node:assert/strict";')

_PYTHON = [
    Need(r"\bpytest\.", "import pytest"),
    Need(r"\bunittest\.", "import unittest"),
]
_JAVASCRIPT = {
    "node:test": [*_es("test describe it before after beforeEach afterEach", "node:test"), _ASSERT],
    "vitest": _es("describe test it expect vi beforeEach afterEach beforeAll afterAll", "vitest"),
    "mocha": [_ASSERT, Need(r"(?<![\w.$])expect\s*\(", 'import { expect } from "chai";')],
    "ava": [Need(r"(?<![\w.$])test\s*(\(|\.\w+\s*\()", 'import test from "ava";')],
}
_JAVA = {
    "junit5": [
        Need(r"@Test\b", "import org.junit.jupiter.api.Test;"),
        Need(r"\bassert[A-Z]\w*\s*\(", "import static org.junit.jupiter.api.Assertions.*;"),
    ],
    "junit4": [
        Need(r"@Test\b", "import org.junit.Test;"),
        Need(r"\bassert[A-Z]\w*\s*\(", "import static org.junit.Assert.*;"),
    ],
    "testng": [
        Need(r"@Test\b", "import org.testng.annotations.Test;"),
        Need(r"\bassert[A-Z]\w*\s*\(", "import static org.testng.Assert.*;"),
    ],
}
_OTHERS = {
    "xunit": [Need(r"\[(Fact|Theory)\b", "using Xunit;")],
    "nunit": [Need(r"\[(Test|TestCase|TestFixture)\b", "using NUnit.Framework;")],
    "mstest": [Need(r"\[Test(Method|Class)\b", "using Microsoft.VisualStudio.TestTools.UnitTesting;")],
    "googletest": [Need(r"\b(TEST|TEST_F|TEST_P)\s*\(", "#include <gtest/gtest.h>")],
    "catch2": [Need(r"\bTEST_CASE\s*\(", "#include <catch2/catch_test_macros.hpp>")],
    "doctest": [Need(r"\bTEST_CASE\s*\(", "#include <doctest/doctest.h>")],
    "testing": [Need(r"\btesting\.", 'import "testing"')],
    "phpunit": [Need(r"\bextends\s+TestCase\b", "use PHPUnit\\Framework\\TestCase;")],
    "minitest": [Need(r"\bMinitest\b", 'require "minitest/autorun"')],
}


def needed(code: str, language: str, framework: str, esm: bool) -> list[str]:
    """Return the imports that the code needs, whether it has them or not."""
    needs: Sequence[Need] = _OTHERS.get(framework, ())
    if language == "python":
        needs = _PYTHON
    elif language in ("javascript", "typescript", "tsx"):
        needs = _JAVASCRIPT.get(framework, ())
    elif language == "java":
        needs = _JAVA.get(framework, ())
    elif language == "c" or (language == "cpp" and not needs):
        header = "<assert.h>" if language == "c" else "<cassert>"
        needs = [Need(r"(?<![\w.])assert\s*\(", f"#include {header}")]
    lines = [need.line for need in needs if re.search(need.uses, code)]
    return lines if esm else [_required(line) for line in lines]


def _required(line: str) -> str:
    """Return an import of JavaScript the way CommonJS writes it."""
    match = re.fullmatch(r"import (.*) from (\".*\");", line)
    return f"const {match[1]} = require({match[2]});" if match else line
