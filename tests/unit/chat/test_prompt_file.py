"""Actions as files: what is in them, and what is told about files that are wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.chat.actions.prompt_file import PromptFile, PromptFileError, Question, parse

HEAD = """+++
id = "shout"
title = "Shout {kind} {name}"
kind = "refactor.rewrite.codestral.shout"
output = "replace"
"""
BODY = "+++\n\nWrite $selection in capitals.\n\n"
LEAST = PromptFile(
    id="shout",
    title="Shout {kind} {name}",
    kind="refactor.rewrite.codestral.shout",
    output="replace",
    body="Write $selection in capitals.",
    origin="p.md",
)


def test_the_least_that_is_an_action() -> None:
    assert parse(HEAD + BODY, "p.md") == LEAST


def test_everything_there_is() -> None:
    more = """
context = ["outline", "diagnostics"]
languages = ["python", "tsx"]
when = ["code", "function"]
scope = "signature"
documentation = true
max_tokens = 200
order = 7
system = "Speak $language."
question = { variable = "to", text = "To what?", choices = ["A", "B"] }
"""
    assert parse(f"{HEAD}{more}+++\nFrom $$5 to $to: $outline, $5", "p.md") == replace(
        LEAST,
        body="From $$5 to $to: $outline, $5",
        context=("outline", "diagnostics"),
        languages=("python", "tsx"),
        when=("code", "function"),
        scope="signature",
        documentation=True,
        max_tokens=200,
        order=7,
        system="Speak $language.",
        question=Question("to", "To what?", ("A", "B")),
    )


def test_a_question_may_be_a_table_of_its_own() -> None:
    table = '[question]\nvariable = "to"\ntext = "To what?"\n'
    assert parse(f"{HEAD}{table}+++\n$to", "p.md").question == Question("to", "To what?", ())


def test_byte_order_mark_and_line_endings_of_windows() -> None:
    text = "\ufeff" + (HEAD + BODY + "\n+++\nlast\n").replace("\n", "\r\n")
    assert parse(text, "p.md") == replace(LEAST, body=f"{LEAST.body}\n\n\n+++\nlast")


WRONG = {
    "nothing": ("", 1, "first line must be +++"),
    "no front matter": ("# Notes\n+++\n", 1, "first line must be +++"),
    "not closed": (HEAD, 1, "no second line +++"),
    "not TOML": (HEAD + "context = \n" + BODY, 6, "not valid TOML"),
    "ends too early": (HEAD + 'context = ["outline"\n\n' + BODY, 6, "not valid TOML: Unclosed array."),
    "key twice": (HEAD + 'id = "b"\n' + BODY, 6, "not valid TOML"),
    "unknown key": (HEAD + '\nlanguage = ["python"]\n' + BODY, 7, "(did you mean languages?)"),
    "unheard of key": (HEAD + "zzz = 1\n" + BODY, 6, "there are context, documentation"),
    "no id": (HEAD.replace('id = "shout"\n', "") + BODY, 1, 'the key "id" is missing'),
    "id": (HEAD.replace('"shout"', '"Shout it"') + BODY, 2, 'not "Shout it"'),
    "empty title": (HEAD.replace('"Shout {kind} {name}"', '" "') + BODY, 3, "title must not be empty"),
    "title is a number": (HEAD.replace('"Shout {kind} {name}"', "3") + BODY, 3, "a text in quotes, not 3"),
    "place in the title": (HEAD.replace("{name}", "{nme}") + BODY, 3, "no {nme} (did you mean name?)"),
    "kind": (HEAD.replace(".codestral.shout", "") + BODY, 4, 'not "refactor.rewrite"'),
    "run on save": (HEAD.replace("refactor.rewrite.", "source.fixAll.") + BODY, 4, "kind must be quickfix"),
    "output": (HEAD.replace('"replace"', '"append"') + BODY, 5, "replace, insert_above, insert_below"),
    "scope": (HEAD + 'scope = "line"\n' + BODY, 6, "selection, definition, signature"),
    "list": (HEAD + 'when = "code"\n' + BODY, 6, 'must be a list of texts, such as ["…"], not "code"'),
    "list of numbers": (HEAD + "when = [1]\n" + BODY, 6, "not [1]"),
    "condition": (HEAD + 'when = ["cod"]\n' + BODY, 6, '"cod" (did you mean code?)'),
    "piece": (HEAD + 'context = ["outlin"]\n' + BODY, 6, "(did you mean outline?)"),
    "language": (HEAD + 'languages = ["pyhton"]\n' + BODY, 6, "(did you mean python?)"),
    "flag": (HEAD + "documentation = 1\n" + BODY, 6, "true or false, not 1"),
    "number": (HEAD + "max_tokens = -1\n" + BODY, 6, "whole number from 0 on, not -1"),
    "truth for a number": (HEAD + "order = true\n" + BODY, 6, "not true"),
    "no body": (HEAD + "+++\n \n", 9, "no text for the model"),
    "variable": (
        HEAD + BODY + "\n\nand $selektion\n",
        12,
        "no variable $selektion (did you mean selection?)",
    ),
    "variable of the system": (HEAD + 'system = "$x"\n' + BODY, 6, "no variable $x"),
    "piece not asked for": (HEAD + "+++\n$outline", 1, '$outline is empty unless context has "outline"'),
    "new file without tests": (HEAD.replace("replace", "new_file") + BODY, 5, 'needs context = ["tests"]'),
    "shown documentation": (
        HEAD.replace("replace", "markdown") + "documentation = true\n" + BODY,
        6,
        'cannot be "markdown"',
    ),
    "question is a text": (HEAD + 'question = "To?"\n' + BODY, 6, "must be a table"),
    "question without text": (
        HEAD + 'question = { variable = "to" }\n+++\n$to',
        6,
        '"question.text" is missing',
    ),
    "question with more": (
        HEAD + '[question]\nvariable = "to"\ntext = "?"\nchoice = []\n+++\n$to',
        9,
        'no key "choice" of question (did you mean choices?)',
    ),
    "variable with a meaning": (
        HEAD + 'question = { variable = "file", text = "?" }\n' + BODY,
        6,
        "$file has a meaning already",
    ),
    "answer not used": (HEAD + 'question = { variable = "to", text = "?" }\n' + BODY, 6, "would be lost"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_line(case: str) -> None:
    text, line, said = WRONG[case]
    with pytest.raises(PromptFileError) as caught:
        parse(text, "dir/p.md")
    message = str(caught.value)
    assert message.startswith(f"dir/p.md, line {line}: ")
    assert said in message
    assert message.endswith(".") and "\n" not in message
