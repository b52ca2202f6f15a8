"""Replies that lose code, made by the hundred, for every action that edits: none of them is written silently.

What is written is what `lsp_server ask --write` would write: a proposal without a warning, from a reply that
was not cut. What is lost is judged by the lines of the sample alone, each of which says something of its own.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.actions.site import Target, site
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.editing.proposal import NoEdit, Proposal
from lsp_server.chat.outcome import proposal
from lsp_server.chat.prompting.context import Context, gather
from lsp_server.chat.replies.reply import ReplyParser
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse

REPLIES = 300  # for each action
ACTIONS = [file for file in load([]).files if file.output != "markdown"]

SAMPLES = {
    "python": (
        "import os\n\nLIMIT = 10\n\n\ndef helper(value):\n    return value + LIMIT\n\n\n",
        "def target(first, second=2):\n"
        "    # say what it is for\n"
        "    total = helper(first)\n"
        "    for item in os.listdir(second):\n"
        "        total += measure(item)  # with care\n"
        "        notify(item, total)\n"
        "    if total > LIMIT:\n"
        "        raise ValueError(first)\n"
        "    store(total)\n"
        "    return total\n",
        "\n\ndef last(value):\n    return target(value)\n",
    ),
    "javascript": (
        "const LIMIT = 10;\n\nfunction helper(value) {\n  return value + LIMIT;\n}\n\n",
        "function target(first, second = 2) {\n"
        "  // say what it is for\n"
        "  let total = helper(first);\n"
        "  for (const item of second) {\n"
        "    total += measure(item); // with care\n"
        "    notify(item, total);\n"
        "  }\n"
        "  if (total > LIMIT) {\n"
        "    throw new Error(first);\n"
        "  }\n"
        "  store(total);\n"
        "  return total;\n"
        "}\n",
        "\nfunction last(value) {\n  return target(value);\n}\n",
    ),
    "java": (
        "class Box {\n  int limit = 10;\n\n  int helper(int value) {\n    return value + limit;\n  }\n\n",
        "  int target(int first, List<Integer> second) {\n"
        "    // say what it is for\n"
        "    int total = helper(first);\n"
        "    for (int item : second) {\n"
        "      total += measure(item); // with care\n"
        "      notify(item, total);\n"
        "    }\n"
        "    if (total > limit) {\n"
        "      throw new IllegalStateException();\n"
        "    }\n"
        "    store(total);\n"
        "    return total;\n"
        "  }\n",
        "\n  int last(int value) {\n    return target(value, null);\n  }\n}\n",
    ),
}
MARKS = ("helper(", "measure(", "notify(", "LIMIT", "limit", "store(", "return total", "raise", "throw")
"""What each line of a target does, and no other line of it."""

Mutation = Callable[[list[str], random.Random], list[str]]


def cut_anywhere(lines: list[str], chance: random.Random) -> list[str]:
    text = "".join(lines)
    return [text[: chance.randrange(10, len(text) - 12)]]


def cut_at_a_line(lines: list[str], chance: random.Random) -> list[str]:
    return lines[: chance.randrange(2, len(lines) - 1)]


def cut_and_closed(lines: list[str], chance: random.Random) -> list[str]:
    stop = chance.randrange(2, len(lines) - 1)
    return [*lines[:stop], lines[-1]] if "}" in lines[-1] else lines[:stop]


def statements_forgotten(lines: list[str], chance: random.Random) -> list[str]:
    simple = [at for at, line in enumerate(lines) if line.strip().endswith((";", ")", "total")) and at]
    gone = set(chance.sample(simple, chance.randrange(1, 3)))
    return [line for at, line in enumerate(lines) if at not in gone]


def rest_left_out(lines: list[str], chance: random.Random) -> list[str]:
    first = chance.randrange(1, len(lines) - 3)
    last = chance.randrange(first + 2, len(lines))
    mark = "#" if "def " in lines[0] else "//"
    said = chance.choice(["... existing code ...", "rest of the function unchanged", "...", "same as before"])
    return [*lines[:first], f"    {mark} {said}\n", *lines[last:]]


def body_for_a_stub(lines: list[str], chance: random.Random) -> list[str]:
    stub = chance.choice(["pass", "...", "raise NotImplementedError"]) if "def " in lines[0] else "// TODO"
    return [lines[0], f"    {stub}\n", *([lines[-1]] if "}" in lines[-1] else [])]


def renamed(lines: list[str], chance: random.Random) -> list[str]:
    new = chance.choice(["goal", "targets", "compute_total", "Target"])
    return [line.replace("target", new) for line in lines]


def parameter_dropped(lines: list[str], chance: random.Random) -> list[str]:
    inner = re.sub(
        r"\(.*?\)", chance.choice(["(first)", "()", "(second)", "(first, other)"]), lines[0], count=1
    )
    return [inner, *lines[1:]]


def another_function(lines: list[str], chance: random.Random) -> list[str]:
    return ["def helper(value):\n", f"    return value + {chance.randrange(100)}\n"]


def nothing_but_words(lines: list[str], chance: random.Random) -> list[str]:
    return [
        chance.choice(["I cannot do that.", "The code is fine as it is.", "", "return", lines[2].strip()])
    ]


MUTATIONS: list[Mutation] = [
    cut_anywhere, cut_at_a_line, cut_and_closed, statements_forgotten, rest_left_out, body_for_a_stub,
    renamed, parameter_dropped, another_function, nothing_but_words,
]  # fmt: skip


def target_of(language_id: str, scope_file: PromptFile) -> Target | None:
    before, code, after = SAMPLES[language_id]
    text = before + code + after
    snapshot = Snapshot("file:///project/src/sample", language_id, 1, text)
    tree = parse(text, detect(language_id, ""))
    start = len(before) + len(code) - len(code.lstrip())
    return site(snapshot, tree, start, start).target(scope_file.scope)


def bad_replies(seed: str, code: str) -> Iterator[tuple[str, str]]:
    """Yield what was done to the code, and the reply with that."""
    chance = random.Random(seed)
    for number in range(REPLIES // len(SAMPLES)):
        mutation = MUTATIONS[number % len(MUTATIONS)]
        lines = [line.replace("say what", "tell what") for line in code.splitlines(keepends=True)]
        text = "".join(mutation(lines, chance))
        closed = chance.random() < 0.7
        lead = chance.choice(["", "Here is the code:\n\n", "Sure!\n\n"])
        yield mutation.__name__, f"{lead}```\n{text}" + ("\n```\n" if closed else "")


def lost(before: str, after: str) -> list[str]:
    was, now = (Counter({mark: text.count(mark) for mark in MARKS}) for text in (before, after))
    return [mark for mark in MARKS if now[mark] < was[mark]]


@pytest.mark.parametrize("file", ACTIONS, ids=lambda file: file.id)
def test_no_reply_that_loses_code_is_written_silently(file: PromptFile, tmp_path: Path) -> None:
    tried = 0
    for language_id, (before, code, after) in SAMPLES.items():
        target = target_of(language_id, file)
        if target is None:  # such as a comment to generate from
            target = _whole_comment(language_id)
        context = _context(file, target, tmp_path)
        for kind, said in bad_replies(f"{file.id} {language_id}", code):
            parser = ReplyParser()
            parser.feed(said)
            outcome = proposal(file, target, context, parser.reply)
            tried += 1
            if isinstance(outcome, NoEdit) or outcome.warning:
                continue
            text = applied(_base(outcome), outcome.edits)
            if not outcome.creates:
                assert lost(before + code + after, text) == [], f"{kind}:\n{said}\n---\n{text}"
                head = re.sub(r"\b(?:int|List<Integer>) |: \w+", "", text)
                assert "target(first, second" in head or file.id == "fix", f"{kind}:\n{said}"
    assert tried == REPLIES


@pytest.mark.parametrize(
    ("file", "language_id"),
    [
        pytest.param(file, language_id, id=f"{file.id}-{language_id}")
        for file in ACTIONS
        for language_id in SAMPLES
        if file.output == "replace" and (not file.languages or language_id in file.languages)
    ],
)
def test_a_good_reply_is_written(file: PromptFile, language_id: str) -> None:
    """What the action is for, and nothing lost: so the rule above is not kept by writing nothing."""
    target = target_of(language_id, file)
    assert target is not None
    code = SAMPLES[language_id][1]
    if file.keeps == ("untyped_code",):
        typed = {
            "(first, second=2)": "(first: int, second: int = 2) -> int",
            "let total": "let total: number",
        }
        code = code.replace("    int total", "    long total")
        for old, new in typed.items():
            code = code.replace(old, new)
    else:
        code = code.replace("say what it is for", "tell what it is for")
    parser = ReplyParser()
    parser.feed(f"```\n{code}```\n")
    outcome = proposal(file, target, Context(), parser.reply)
    assert isinstance(outcome, Proposal)
    assert outcome.warning == ""


def _whole_comment(language_id: str) -> Target:
    text = "".join(SAMPLES[language_id])
    snapshot = Snapshot("file:///project/src/sample", language_id, 1, text)
    at = text.index("say what")
    found = site(snapshot, parse(text, detect(language_id, "")), at, at).target("comment")
    assert found is not None
    return found


def _context(file: PromptFile, target: Target, folder: Path) -> Context:
    return gather(target, file.context, 1000, folder) if file.output == "new_file" else Context()


def _base(outcome: Proposal) -> str:
    return outcome.base.text if outcome.base is not None else outcome.disk_text
