"""What is said of the language in files that say little, and what is not offered there."""

from __future__ import annotations

import pytest

from lsp_server.completion.beginning import heading, is_foreign, says_nothing
from lsp_server.completion.completer import Completer
from lsp_server.completion.result import Completion, NoCompletion, Reason
from lsp_server.completion.statement import Candidates
from lsp_server.documents.languages import LANGUAGES, Language, detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.settings import CompletionSettings
from tests.support.scripted_backend import ScriptedBackend

UNTITLED = "untitled:Untitled-1"
SECRET_PATH = "file:///home/jane/secret-project"


def begun(language_id: str, text: str, uri: str = UNTITLED) -> Snapshot:
    return Snapshot(uri, language_id, 1, text)


def comment(language: Language, text: str) -> str:
    if language.line_comment is not None:
        return f"{language.line_comment} {text}\n"
    assert language.block_comment is not None
    return f"{language.block_comment[0]} {text} {language.block_comment[1]}\n"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_an_empty_file_is_headed_by_a_comment_of_its_language(language: Language) -> None:
    line = heading(begun(language.ids[0], ""))
    name = line.removesuffix("\n").strip(" /*#<>!-")
    assert line == comment(language, name)
    assert detect("", f"file:///{name}") is language


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_comments_say_no_language_however_many_and_code_does(language: Language) -> None:
    line = heading(begun(language.ids[0], ""))
    licence = comment(language, "Licensed to whoever reads this line of text.") * 20
    assert heading(begun(language.ids[0], licence)) == line
    assert heading(begun(language.ids[0], licence + "\n" + "word = 1; " * 40)) == ""


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
def test_the_heading_is_the_same_wherever_the_file_is(language: Language) -> None:
    named = begun(language.ids[0], "", f"{SECRET_PATH}/customer{language.suffixes[0]}")
    assert heading(named) == heading(begun(language.ids[0], ""))


@pytest.mark.parametrize(
    ("language_id", "uri", "line"),
    [
        ("kotlin", f"{SECRET_PATH}/Customer.kt", "// main.kt\n"),
        ("plaintext", f"{SECRET_PATH}/Customer.swift", "// main.swift\n"),
        ("haskell", UNTITLED, "// haskell\n"),
        ("plaintext", f"{SECRET_PATH}/customer.sql", "-- query.sql\n"),
        ("makefile", UNTITLED, "# Makefile\n"),
        ("", f"{SECRET_PATH}/Dockerfile", "# Dockerfile\n"),
        ("plaintext", UNTITLED, ""),
        ("plaintext", f"{SECRET_PATH}/notes.txt", ""),
        ("", f"{SECRET_PATH}/notes", ""),
        ("a b\nc", UNTITLED, ""),
        ("plaintext", f"{SECRET_PATH}/a.{'x' * 40}", ""),
    ],
)
def test_other_languages_are_named_as_well_as_is_known(language_id: str, uri: str, line: str) -> None:
    assert heading(begun(language_id, "", uri)) == line
    assert says_nothing(begun(language_id, " \n", uri)) == (not line)


@pytest.mark.parametrize(
    ("language_id", "text"),
    [
        ("python", "#!/usr/bin/env python3\n"),
        ("shellscript", "#!/bin/sh\n"),
        ("php", "<?php\n"),
        ("html", "<!doctype html>\n"),
        ("html", "\n<!DOCTYPE html>\n"),
        ("xml", '<?xml version="1.0"?>\n'),
        ("python", "x = 1\n" * 800),
    ],
)
def test_a_first_line_that_tells_the_language_stays_the_first(language_id: str, text: str) -> None:
    assert heading(begun(language_id, text)) == ""


WHOLE = {
    "python": "import os\n\n\ndef home(name: str) :\n    if name:\n        return os.sep\n    return ''\n",
    "javascript": "import fs from 'fs';\n\nfunction read(path) {\n  return fs.readFileSync(path);\n}\n",
    "typescript": "interface Item {\n  name: string;\n}\n\nconst items: Item[] = [\n  { name: 'a' },\n];\n",
    "tsx": "export function App(): JSX.Element {\n  return (\n    <div>\n      text\n    </div>\n  );\n}\n",
    "go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("a")\n}\n',
    "rust": 'use std::fs;\n\nfn main() {\n    let a = fs::read("a");\n    drop(a);\n}\n',
    "java": "import java.util.List;\n\nclass A {\n    int a() {\n        return 1;\n    }\n}\n",
    "c": '#include <stdio.h>\n\nint main(void) {\n    puts("a");\n    return 0;\n}\n',
    "cpp": "#include <vector>\n\nclass A {\npublic:\n    std::vector<int> all;\n};\n",
    "csharp": "using System;\n\nclass A {\n    void B() {\n        Console.Write(1);\n    }\n}\n",
    "ruby": "require 'set'\n\nclass A\n  def b(c)\n    c.each do |d|\n      puts d\n    end\n  end\nend\n",
    "php": "<?php\n\nfunction a($b) {\n    if ($b) {\n        return 1;\n    }\n    return 2;\n}\n",
    "bash": 'set -e\n\nfor f in *.txt; do\n  if [ -f "$f" ]; then\n    cat "$f"\n  fi\ndone\n',
    "lua": "local a = {}\n\nfunction a.b(c)\n  if c then\n    return 1\n  end\nend\n\nreturn a\n",
    "html": "<!DOCTYPE html>\n<html>\n<body>\n<p>\ntext\n</p>\n</body>\n</html>\n",
    "css": "body {\n  margin: 0;\n}\n\n.card > a {\n  color: red;\n}\n",
    "json": '{\n  "a": [\n    1,\n    2\n  ],\n  "b": {\n    "c": null\n  }\n}\n',
    "yaml": "a:\n  - b\n  - c: 1\n    d: 2\ne: text\n",
    "toml": "[a]\nb = 1\n\n[a.c]\nd = [\n  1,\n  2,\n]\n",
    "markdown": "# A\n\nText.\n\n- b\n- c\n",
}


def test_there_is_whole_code_of_each_language_with_a_grammar() -> None:
    assert set(WHOLE) == {language.name for language in LANGUAGES if language.module}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one.module], ids=lambda one: one.name)
def test_code_of_the_language_is_never_foreign(language: Language) -> None:
    """Whichever lines of a good file are there, and however many more of them come."""
    lines = WHOLE[language.name].splitlines(keepends=True)
    for start in range(len(lines)):
        before = "".join(lines[:start])
        judge = Candidates(language, before, "")
        for end in range(start + 1, len(lines) + 1):
            text = "".join(lines[start:end]).rstrip()
            assert not is_foreign(judge, before, text), (before, text)


FOREIGN = [
    ("python", "", "import { Component } from '@angular/core';"),
    ("python", "import ", "{ Component } from '@angular/core';"),
    ("rust", "", "import { Component } from '@angular/core';"),
    ("go", "", "import React from 'react';\n\nexport default function App() {\n  return null;\n}"),
    ("java", "// A stack\n", "class Stack:\n    def __init__(self):\n        self.items = []"),
    ("c", "// Reverses a string\n", "def reverse(s):\n    return s[::-1]"),
    (
        "ruby",
        "# Count words\n",
        "def count(path):\n    with open(path) as file:\n        return len(file.read())",
    ),
    ("lua", "-- Split a string\n", "split_string :: String -> [String]\nsplit_string s = words s"),
    (
        "css",
        "/* A card */\n",
        "const card = document.querySelector('.card');\ncard.addEventListener('x', () => {});",
    ),
    ("json", "", "const fs = require('fs');"),
    ("toml", "# Settings\n", "settings = {\n    'style': 'google',\n    'language': 'python',\n}"),
    ("csharp", "", "def main():\n    print('hello')"),
    ("typescript", "// A queue\n", "class MyQueue {\npublic:\n    /** Begin. */\n    MyQueue() {\n    }\n}"),
]


@pytest.mark.parametrize(("language_id", "before", "written"), FOREIGN)
async def test_another_language_is_not_offered(language_id: str, before: str, written: str) -> None:
    completer = Completer(ScriptedBackend([written]), CompletionSettings(debounce_ms=0))
    result = await completer.complete(begun(language_id, before), len(before))
    assert isinstance(result, NoCompletion)
    assert result.reason is Reason.OTHER_LANGUAGE


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
async def test_the_model_sees_the_heading_and_nobody_gets_it(language: Language) -> None:
    line = heading(begun(language.ids[0], ""))
    backend = ScriptedBackend([f"{line}{line}"], ["word"])
    completer = Completer(backend, CompletionSettings(debounce_ms=0))
    nothing = await completer.complete(begun(language.ids[0], "\n"), 1)
    assert isinstance(nothing, NoCompletion)
    [request] = backend.requests
    assert request.prefix == f"{line}\n"


async def test_an_empty_file_of_no_known_language_is_left_alone() -> None:
    backend = ScriptedBackend(["import os"], ["ello"])
    completer = Completer(backend, CompletionSettings(debounce_ms=0))
    result = await completer.complete(begun("plaintext", "\n"), 0, invoked=True)
    assert isinstance(result, NoCompletion)
    assert result.reason is Reason.EMPTY_FILE
    assert backend.requests == []
    assert isinstance(await completer.complete(begun("plaintext", "H"), 1), Completion)
