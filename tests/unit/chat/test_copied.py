"""A reply that only says a part of the prompt again, and shipped prompts without an answer to copy."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.chat.replies.copied import LEAST_WORDS, is_copied

PROMPT = """This is the diff of a commit:

```diff
+def cached(path: str) -> Tree:
+    return trees[path]
```

Write its message: a first line such as "Add a cache for parsed files". At most 60 characters.
"""


@pytest.mark.parametrize(
    "said",
    [
        "Add a cache for parsed files",
        "Add a cache for parsed files.",
        "add a cache for parsed files\n",
        '"Add a cache for parsed files"',
        "`Add a cache\nfor parsed files`",
        "**Add a cache for parsed files**",
        "This is the diff of a commit",
        "def cached(path: str) -> Tree",
        "return trees[path]",
        PROMPT,
        PROMPT.upper(),
        "Write its message: a first line",
        "At most 60 characters.",
        "- def cached(path: str) -> Tree:\n- return trees[path]",
        "def cached(path: str) -> Tree:\n\nAt most 60 characters.\n",
    ],
)
def test_a_part_of_the_prompt_is_copied(said: str) -> None:
    assert is_copied(said, [PROMPT])


@pytest.mark.parametrize(
    "said",
    [
        "Add a cache for trees",
        "Add a cache for parsed files and use it",
        "Keep parsed files in a cache",
        "cached",
        "parsed files",
        "",
        "…",
        "def cached(path: bytes) -> Tree",
        "return trees(path)",
        "files parsed for cache a Add",
        "Cache parsed files\n\nreturn trees[path]",
    ],
)
def test_other_words_are_not(said: str) -> None:
    assert not is_copied(said, [PROMPT])


WORD = st.from_regex(r"[a-z]{1,6}", fullmatch=True)


WORDS = st.lists(WORD, max_size=5)


@given(st.lists(WORD, min_size=LEAST_WORDS, max_size=9), WORDS, WORDS)
def test_any_part_of_any_text_is(words: list[str], before: list[str], after: list[str]) -> None:
    assert is_copied(" ".join(words), ["something else", " ".join([*before, *words, *after])])
    assert not is_copied(" ".join([*words, "unheard_of"]), [" ".join([*before, *words, *after])])


@pytest.mark.parametrize("file", load([]).files, ids=lambda file: str(file.id))
def test_no_shipped_prompt_quotes_what_could_be_an_answer(file: PromptFile) -> None:
    """Small models take a quoted example for the answer; a single name, such as `int`, is none."""
    for text in (file.body, file.system):
        for quoted in re.findall(r'"([^"\n]+)"|“([^”\n]+)”|`([^`\n]+)`', text):
            assert len("".join(quoted).split()) < LEAST_WORDS
