"""Whatever a model writes leaves a chat's headings where they are, and is read back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lsp_server.chat.chats.conversation import Turn, parse
from lsp_server.chat.chats.nested_fences import flattened, nested
from tests.unit.chat.test_answer_writer import Document

COMMONMARK = MarkdownIt("commonmark").enable("table")

LINES = [
    *("```", "```python", "```markdown", "````", "````md", "~~~", "~~~ruby", "   ```", "    ```", "\t```"),
    *("- ", "- a", "- ```py", "1. ```", "> ```", "> ", "  ```", "  x", "    y", "", "", "text", "Look:"),
    *("## You", "## Model", "# Head", "\\## You", "> codestral-lsp: x", "===", "---", "+++", '"""', "'''"),
    *("<!--", "-->", "<div>", "</div>", "<script>", "a `b", "``", "[x]: y", "\u200b```", "\u200b\u200b~~~"),
    *("```mdx", "- ```markdown", "  ````", "Look:```py", "```py a`b", "```text", "cat <<EOF", "EOF", "```sh"),
]
TEXTS = st.lists(st.sampled_from(LINES), max_size=12).map("\n".join)


def written(said: str, size: int = 0) -> str:
    """Return the chat with this answer, said in pieces, and the next question."""
    document = Document()
    document.say(*([said[at : at + size] for at in range(0, len(said), size)] if size else [said]))
    document.end()
    return f"{document.text}next\n"


def headings(text: str) -> list[str]:
    """Return what stands in the headings of the second level, outside of everything else."""
    tokens = COMMONMARK.parse(text)
    places = [at for at, token in enumerate(tokens) if (token.type, token.tag) == ("heading_open", "h2")]
    return [tokens[at + 1].content for at in places if tokens[at].level == 0]


def blocks(text: str) -> list[str]:
    return [token.content for token in COMMONMARK.parse(text) if token.type == "fence"]


def answer(text: str) -> str:
    conversation = parse(text)
    assert conversation is not None
    assert [turn.role for turn in conversation.turns] == ["user", "assistant", "user"]
    return conversation.turns[1].text


README = "A file:\n\n```markdown\n# Tool\n\n```sh\npip install tool\n```\n\nThen run it.\n```\n\nDone."
DOCSTRING = (
    'So:\n\n```python\ndef f():\n    """Add.\n\n    ```python\n    f()\n    ```\n    """\n```\n\nDone.'
)

NESTED = {
    "a block in Markdown": (README, 1, "# Tool\n\n```sh\npip install tool\n```\n\nThen run it.\n"),
    "bare behind a colon": (
        "a\n```md\nRun:\n```\nx\n```\nEnd\n```\n\nDone.\n",
        1,
        "Run:\n```\nx\n```\nEnd\n",
    ),
    "two of them": (
        "a\n```markdown\n```py\nx\n```\n```js\ny\n```\n```\nb",
        1,
        "```py\nx\n```\n```js\ny\n```\n",
    ),
    "tildes": ("~~~md\n~~~py\nx\n~~~\nEnd\n~~~\nb", 1, "~~~py\nx\n~~~\nEnd\n"),
    "tildes in backticks": ("a\n```md\n~~~py\nx\n~~~\n```\nb", 1, "~~~py\nx\n~~~\n"),
    "a longer one": ("a\n```md\n````py\nx\n````\nEnd\n```\nb", 1, "````py\nx\n\u200b````\nEnd\n"),
    "longer outside": ("a\n````md\n```py\nx\n```\n````\nb", 1, "```py\nx\n```\n"),
    "headings within": ("a\n```md\n## You\n```py\nx\n```\n## Model\n```\nb", 1, None),
    "a docstring": (DOCSTRING, 1, None),
    "front matter": ("a\n```md\n+++\nid = 1\n+++\n```toml\nx = 1\n```\nEnd\n```\nb", 1, None),
    "in a list": ("- a\n\n  ```md\n  ```py\n  x\n  ```\n  End\n  ```\n\nb", 1, "```py\nx\n```\nEnd\n"),
    "behind a marker": ("1. ```md\n   ```py\n   x\n   ```\n   End\n   ```\n\nb", 1, "```py\nx\n```\nEnd\n"),
    "one after the other": ("```py\nx\n```\n\n```py\ny\n```", 2, "x\n"),
    "nothing nested": ("a\n\n```markdown\n# T\n```\n\nb", 1, "# T\n"),
}


@pytest.mark.parametrize(("said", "count", "first"), NESTED.values(), ids=NESTED)
def test_a_block_that_holds_fences_is_one_block(said: str, count: int, first: str | None) -> None:
    text = written(said)
    assert len(blocks(text)) == count
    assert first is None or blocks(text)[0] == first
    assert headings(text) == ["You", "Model", "You"]
    assert answer(text) == said.strip()
    for size in (1, 2, 3, 7):
        assert written(said, size) == text


@pytest.mark.parametrize(
    "said",
    [
        "```py\nx",
        "a\n```md\n```py\nx",
        "a\n```md\n```py\nx\n```",
        "- a\n  ```\n  x",
        "- a\n  ```",
        "1. ```py\n   x",
        "> ```\n> x",
        "~~~",
        "text\n````\n```\n",
        "<!-- a",
        "<div>\n```",
        "<script>\n",
        "a\n===\n```",
        "[x]: <\n```",
        "    ```\n",
    ],
)
def test_what_is_left_open_closes_before_the_next_question(said: str) -> None:
    assert headings(written(said)) == ["You", "Model", "You"]
    assert answer(written(said)).startswith(said.strip())


@settings(max_examples=600)
@given(TEXTS)
def test_no_answer_changes_the_headings_of_a_chat(said: str) -> None:
    if not said.strip():
        return
    text = written(said)
    found = headings(text)
    assert (found[:2], found[-1]) == (["You", "Model"], "You")
    assert (found.count("You"), found.count("Model")) == (2, 1)
    assert [turn.role for turn in _turns(text)] == ["user", "assistant", "user"]


@settings(max_examples=600)
@given(TEXTS)
def test_what_is_flattened_is_read_back(said: str) -> None:
    assert nested(flattened(said)) == said


@settings(max_examples=300)
@given(TEXTS, st.integers(1, 9))
def test_it_does_not_matter_how_an_answer_comes(said: str, size: int) -> None:
    if said.strip():
        assert written(said, size) == written(said)


@settings(max_examples=300)
@given(TEXTS)
def test_the_model_is_told_what_it_said(said: str) -> None:
    """But for the fence that closes what it left open."""
    said = f"So\n{said}".rstrip()
    back = answer(written(said))
    assert back == said or back.rpartition("\n")[0] == said


def test_a_chat_from_before_there_was_this_is_read_as_it_stands() -> None:
    text = f"{Document().text}\n```markdown\n# T\n```\n\n## You\n\nnext\n"
    assert answer(text) == "```markdown\n# T\n```"


def _turns(text: str) -> tuple[Turn, ...]:
    conversation = parse(text)
    assert conversation is not None
    return conversation.turns
