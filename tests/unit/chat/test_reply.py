"""The code in replies: recorded ones of real models, and shapes that models are known to write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.replies.reply import Reply, ReplyParser

RECORDED: list[dict[str, Any]] = [
    json.loads(line)
    for path in sorted((Path(__file__).parent / "replies").glob("*.jsonl"))
    for line in path.read_text("utf-8").rstrip("\n").split("\n")
]

WRITTEN: dict[str, tuple[str, str, str]] = {
    "chatter around": ("python", "Sure! Here it is:\n\n```python\nx = 1\n```\nHope this helps!", "x = 1\n"),
    "longer fence": ("python", '````python\ns = """\n```\n"""\n````\n', 's = """\n```\n"""\n'),
    "tildes": ("python", "~~~python\nx = 1\n```\ny = 2\n~~~\n", "x = 1\n```\ny = 2\n"),
    "unclosed": ("python", "```python\nx = 1\ny = 2", "x = 1\ny = 2\n"),
    "unclosed, in the closing fence": ("python", "```python\nx = 1\n``", "x = 1\n"),
    "in a list": ("python", "1. So:\n\n   ```python\n   if x:\n       y()\n   ```\n", "if x:\n    y()\n"),
    "behind a list marker": ("python", "- ```python\n  x = 1\n  ```\n", "x = 1\n"),
    "behind a colon": ("python", "The code: ```python\nx = 1\n```", "x = 1\n"),
    "indented by a tab": ("go", "\t```go\n\tx := 1\n\t```\n", "x := 1\n"),
    "closing fence with an end token": ("python", "```python\nx = 1\n```<|im_end|>", "x = 1\n"),
    "end token in the open block": ("python", "```python\nx = 1\n<|im_end|>", "x = 1\n"),
    "an invented turn": (
        "python",
        "```python\nx = 1\n```<|im_end|>\n<|im_start|>user\n```python\ny = 2\n```\n",
        "x = 1\n",
    ),
    "end token in code": ("python", '```python\nx = "<|im_end|>"\ny = 1\n```', 'x = "<|im_end|>"\ny = 1\n'),
    "thinking": ("python", "<think>\n```python\nx = 0\n```\n</think>\n\n```python\nx = 1\n```", "x = 1\n"),
    "thinking on one line": ("python", "<think>hm</think>```python\nx = 1\n```", "x = 1\n"),
    "thinking that the template opened": (
        "python",
        "Let me see.\n```python\nx = 0\n```\n</think>\n```python\nx = 1\n```",
        "x = 1\n",
    ),
    "only thinking": ("python", "<think>\n```python\nx = 1\n```\n", ""),
    "windows": ("python", "Here:\r\n```python\r\nx = 1\r\ny = 2\r\n```\r\n", "x = 1\ny = 2\n"),
    "blank lines inside": ("python", "```python\n\n\n  x = 1\n\n\n```", "  x = 1\n"),
    "fences in a docstring, with a language": (
        "python",
        'A:\n```python\ndef f():\n    """Do.\n\n    ```python\n    f()\n    ```\n    """\n```\nB',
        'def f():\n    """Do.\n\n    ```python\n    f()\n    ```\n    """\n',
    ),
    "bare fences in a docstring": (
        "python",
        '```python\ndef f():\n    """Do.\n\n    ```\n    f()\n    ```\n    """\n    return 1\n```\nText.',
        'def f():\n    """Do.\n\n    ```\n    f()\n    ```\n    """\n    return 1\n',
    ),
    "bare fences at the margin of a string": (
        "python",
        '```python\nT = """\n```\npip\n```\n"""\nx = 1\n```\n\nThen:\n\n```bash\nls\n```',
        'T = """\n```\npip\n```\n"""\nx = 1\n',
    ),
    "a docstring that never ends": (
        "python",
        '```python\ndef f():\n    """Do.\n    return 1\n```\n\nThis does nothing.\n',
        'def f():\n    """Do.\n    return 1\n',
    ),
    "quotes in a comment and in strings": (
        "python",
        '```python\n# don\'t """ do\nx = \'"""\'\n```\nAnd a """ here.\n```python\ny = 1\n```',
        '# don\'t """ do\nx = \'"""\'\n',
    ),
    "a string that never ends": (
        "markdown",
        "```markdown\n" + 100_000 * '"\\' + "\n```",
        100_000 * '"\\' + "\n",
    ),
    "a template of JavaScript": (
        "javascript",
        "```js\nconst s = `\n\\`\\`\\`js\n\\`\\`\\`\n`;\n```",
        "const s = `\n\\`\\`\\`js\n\\`\\`\\`\n`;\n",
    ),
    "fences in comments": (
        "rust",
        "```rust\n/// ```\n/// f();\n/// ```\nfn f() {}\n```",
        "/// ```\n/// f();\n/// ```\nfn f() {}\n",
    ),
    "here-document": (
        "bash",
        "```bash\ncat <<'EOF' > a.md\n```\nls\n```\nEOF\necho done\n```\nThat is it.",
        "cat <<'EOF' > a.md\n```\nls\n```\nEOF\necho done\n",
    ),
    "Markdown with code": (
        "markdown",
        "Here:\n\n```markdown\n# A\n\n```bash\nls\n```\n\nText:\n```\nraw\n```\n\nEnd.\n```\n\nBye.",
        "# A\n\n```bash\nls\n```\n\nText:\n```\nraw\n```\n\nEnd.\n",
    ),
    "Markdown whose fence comes after a blank line": (
        "markdown",
        "```markdown\n# A\n\nText.\n\n```\n\nThat is the file.",
        "# A\n\nText.\n",
    ),
    "Markdown without a block around it": (
        "markdown",
        "# A\n\n```bash\nls\n```\n\nText.\n",
        "# A\n\n```bash\nls\n```\n\nText.\n",
    ),
    "the first block is not closed": (
        "python",
        "```python\nx = 1\n\n```python\ny = 2\n```",
        "x = 1\n",
    ),
    "prose behind the closing fence": ("python", "```python\nx = 1\n``` That was it.\n\nBye.", "x = 1\n"),
    "how to run it first": ("python", "```bash\npip install x\n```\n```python\nx = 1\n```", "x = 1\n"),
    "how to run it after": ("python", "```\nx = 1\n```\n```\n$ python x.py\n```", "x = 1\n"),
    "only how to run it": ("python", "Run:\n```bash\npip install x\n```\n", ""),
    "another language": ("python", "```javascript\nlet x = {};\n```", ""),
    "this language by a wrong name": ("python", "```ruby\nx = 1\n```", "x = 1\n"),
    "a related language": ("tsx", "```js\nlet x = 1;\n```", "let x = 1;\n"),
    "a long info string": ("python", '```python title="a.py" {1,2}\nx = 1\n```', "x = 1\n"),
    "a file as info": ("typescript", "```src/a.ts:10-20\nlet x = 1;\n```", "let x = 1;\n"),
    "Pandoc's info": ("rust", "```{.rust .numberLines}\nlet x = 1;\n```", "let x = 1;\n"),
    "C++ and C#": ("csharp", "```c++\nint x;\n```\n```c#\nint y;\n```", "int y;\n"),
    "an empty block": ("python", "```python\n```\n```python\nx = 1\n```", "x = 1\n"),
    "the opening fence is missing": (
        "python",
        "def f(x):\n    return x\n```\n\nThis function returns what it gets.",
        "def f(x):\n    return x\n",
    ),
    "no fence": ("python", "def f(x):\n    return x\n", "def f(x):\n    return x\n"),
    "no fence, chatter": (
        "javascript",
        "Here is the code:\n\nfunction f(x) {\n  return x;\n}\n\nThis function returns its argument.\n",
        "function f(x) {\n  return x;\n}\n",
    ),
    "no fence, Markdown after it": (
        "java",
        "int f(int x) {\n    return x;\n}\n\n### Explanation\n\n- **f** returns `x`.\n",
        "int f(int x) {\n    return x;\n}\n",
    ),
    "a line in backquotes": ("python", "`x = 1`", "x = 1\n"),
    "three backquotes around a line": ("python", "```x = f(1)```", "x = f(1)\n"),
    "a docstring alone": ("python", '"""Return x.\n\nIt is given."""', '"""Return x.\n\nIt is given."""\n'),
    "prose": ("python", "I cannot do that. The code is missing.", ""),
    "prose that parses as Ruby": ("ruby", "this works fine", ""),
    "prose that parses as a shell": ("bash", "The script copies all files to the backup folder", ""),
    "a commit message": ("plain text", "Fix the typo\n\nIt was wrong.\n", "Fix the typo\n\nIt was wrong.\n"),
    "a commit message in quotes": ("plain text", '"Fix it"\n', "Fix it\n"),
    "a commit message in a block": ("plain text", "```text\nFix it\n```", "Fix it\n"),
    "nothing": ("python", "", ""),
    "blanks": ("python", " \n\n ", ""),
    "a fence alone": ("python", "```", ""),
}


def parsed(pieces: list[str]) -> Reply:
    parser = ReplyParser()
    for piece in pieces:
        parser.feed(piece)
    return parser.reply


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("name", WRITTEN)
def test_written_replies(name: str) -> None:
    language, reply, code = WRITTEN[name]
    assert parsed([reply]).code(language) == code


@pytest.mark.parametrize("index", range(len(RECORDED)))
def test_recorded_replies(index: int) -> None:
    recorded = RECORDED[index]
    assert parsed([recorded["reply"]]).code(recorded["language"]) == recorded["code"]


def test_there_are_replies_of_every_shape() -> None:
    assert len(RECORDED) >= 60
    replies = [parsed([recorded["reply"]]) for recorded in RECORDED]
    assert len({recorded["model"] for recorded in RECORDED}) >= 2
    assert sum(not reply.blocks for reply in replies) >= 10
    assert sum(len(reply.blocks) > 1 for reply in replies) >= 5
    assert sum(any(not block.closed for block in reply.blocks) for reply in replies) >= 10
    assert sum(recorded["code"] == "" for recorded in RECORDED) >= 5


ALL = [reply for _, reply, _ in WRITTEN.values()] + [recorded["reply"] for recorded in RECORDED]


@pytest.mark.parametrize("text", ALL, ids=range(len(ALL)))
def test_the_pieces_make_no_difference(text: str) -> None:
    whole = parsed([text])
    for size in (*range(1, 18), 23, 64, 255):
        assert parsed(cut(text, size)) == whole


@given(st.sampled_from(ALL), st.lists(st.integers(1, 90), max_size=60))
def test_random_pieces_make_no_difference(text: str, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    assert parsed([*pieces, text[at:]]) == parsed([text])


@given(st.sampled_from(ALL), st.integers(0, 2000))
def test_looking_at_a_reply_does_not_change_it(text: str, at: int) -> None:
    """What is shown while it streams is what a reply of that length is."""
    parser = ReplyParser()
    parser.feed(text[:at])
    assert parser.reply == parsed([text[:at]])
    parser.feed(text[at:])
    assert parser.reply == parsed([text])


FENCES = ("```", "~~~", "````", "    ```", "```py", "```md", '"""', "<think>", "</think>", "<|im_end|>", "`")
BETWEEN = ("\n", "\n", "\r\n", "\r", "x = 1", " ", ":", "- ", "<<EOF", "EOF")
odd = st.lists(st.sampled_from(FENCES + BETWEEN), max_size=30).map("".join)


@given(odd, st.integers(1, 7), st.sampled_from(["python", "markdown", "bash", "plain text", "rust"]))
def test_any_text_is_a_reply(text: str, size: int, language: str) -> None:
    reply = parsed(cut(text, size))
    assert reply == parsed([text])
    for block in reply.blocks:
        assert 0 <= block.start <= block.end <= len(reply.text)
        assert block.code == "" or block.code.endswith("\n")
        assert reply.text[block.start :].startswith(("```", "~~~"))
    code = reply.code(language)
    assert code == "" or (code.strip() and code.endswith("\n"))
    assert "\r" not in code


def test_a_block_says_where_it_stands() -> None:
    reply = parsed(["A:\n```python a.py\nx = 1\n```\nB\n~~~\ny"])
    first, second = reply.blocks
    assert (first.info, first.code, first.closed) == ("python a.py", "x = 1\n", True)
    assert reply.text[first.start : first.end] == "```python a.py\nx = 1\n```"
    assert (second.info, second.closed, reply.text[second.start : second.end]) == ("", False, "~~~\ny")


def test_what_was_thought_is_not_said() -> None:
    assert parsed(["<think>\nsecret\n</think>\nIt is 4.</s>"]).text == "It is 4."


TWO = """\
Before:
```python
def f():
    return 1
```
Helper:
```python
def g():
    pass
```
After:
```python
def f():
    return 2
```
"""


def test_of_several_blocks_the_one_that_changes_the_original() -> None:
    assert parsed([TWO]).code("python") == "def f():\n    return 1\n"
    assert parsed([TWO]).code("python", "def f():\n    return 1") == "def f():\n    return 2\n"
    assert parsed([TWO]).code("python", "x = 1") == "def f():\n    return 1\n"
    assert len(parsed([TWO]).candidates("python")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "```python\n" + "x = 1\n" * 50_000,
        "```python\n" + "x = [" + "1, " * 100_000,
        '```python\n"""\n' + "```\n" * 50_000,
        '```python\n"""\n```\n"""\n' * 10_000,
        "```md\n\n" + "```\n\n" * 50_000,
        "```\n" * 50_000,
        "a: " * 100_000 + "```\n",
        "- " * 100_000,
        " " * 200_000 + "```\n",
        "<|im_end|>" * 20_000,
        "A sentence, and some more of it " * 10_000,
    ],
    ids=range(11),
)
def test_long_replies_in_small_pieces(text: str) -> None:
    """The time limit of a test is the assertion: reading all of it again for each piece takes hours."""
    parser = ReplyParser()
    for piece in cut(text, 4):
        parser.feed(piece)
    parser.reply.code("python")
    assert parser.reply == parsed([text])
