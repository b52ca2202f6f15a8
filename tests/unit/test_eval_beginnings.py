"""The evaluation of short files: every language has cases, and the judge knows one language from another."""

from __future__ import annotations

import pytest

from lsp_server.documents.languages import LANGUAGES, detect
from tests.eval.beginnings.cases import Beginning, beginnings
from tests.eval.beginnings.judge import verdict

CASES = list(beginnings())
IDS = list(dict.fromkeys(case.language_id for case in CASES))
SCRIPTS = ("javascript", "typescript", "typescriptreact")


def test_every_language_has_cases() -> None:
    judged = {detect(language_id, "").name for language_id in IDS}
    assert judged == {language.name for language in LANGUAGES}
    assert all(sum(case.language_id == language_id for case in CASES) >= 5 for language_id in IDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.id))
def test_a_file_and_its_text_are_of_the_language(case: Beginning) -> None:
    language = detect(case.language_id, "")
    assert detect("plaintext", case.uri) is (language if case.uri.startswith("file:") else detect("", ""))
    assert verdict(case.language_id, case.text, "  \n") == "nothing"


@pytest.mark.parametrize("language_id", IDS)
@pytest.mark.parametrize(
    ("written", "right_in"),
    [
        ("import { Component } from '@angular/core';", SCRIPTS),
        ("import React from 'react';\n\nconst a = 1;", SCRIPTS),
        ("#include <iostream>\nusing namespace std;", ("c", "cpp")),
        ("#include <iostream>", ("c", "cpp")),
        ("def count(words):\n    return len(words)", ("python",)),
        ('package main\n\nimport "fmt"', ("go",)),
        ("use std::fs;", ("rust", "php")),
        ("SELECT * FROM users;", ("sql",)),
        ("<?php\necho 1;", ("php",)),
        ("1, 2, 3, 4, 5, 6, 7, 8", ()),
    ],
)
def test_the_judge_knows_one_language_from_another(
    language_id: str, written: str, right_in: tuple[str, ...]
) -> None:
    if language_id in right_in and language_id not in ("c", "php"):  # which only have the first line of it
        assert verdict(language_id, "", written) == "right"
    elif language_id not in right_in:
        assert verdict(language_id, "", written) == "wrong"
