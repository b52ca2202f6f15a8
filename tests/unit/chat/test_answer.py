"""Answers in words: what is kept of what a model says."""

from __future__ import annotations

import pytest

from lsp_server.backends.protocol import ChatMessage, ChatRequest
from lsp_server.chat.replies.answer import answer, unwrapped
from tests.support.scripted_backend import ScriptedBackend


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("It adds numbers.", "It adds numbers."),
        ("\n\nIt adds.\n", "It adds.\n"),
        ("```markdown\n# Title\n\nText.\n```", "# Title\n\nText.\n"),
        (
            "```markdown\n# Title\n```python\nx = 1\n```\nEnd.\n```\n",
            "# Title\n```python\nx = 1\n```\nEnd.\n",
        ),
        ("```markdown\n# Title\n```python\nx = 1\n```", "# Title\n```python\nx = 1\n```"),
        ("```python\nx = 1\n```\nIt sets x.", "```python\nx = 1\n```\nIt sets x."),
        ("```markdown\n# Tit", "# Tit"),
    ],
)
def test_a_fence_around_all_of_an_answer_is_taken_off(said: str, expected: str) -> None:
    assert unwrapped(said) == expected


CODE = "```python\ndef area(w, h):\n    return w * h\n```"
QUESTION = f"Explain this code:\n\n{CODE}\n\nSay first what it is for."


@pytest.mark.parametrize(
    ("said", "copied"),
    [
        ("It multiplies `w` by `h`.", False),
        (CODE, True),
        ("Explain this code", True),
        ("```markdown\nSay first what it is for.\n```", True),
        ("Area.", False),
    ],
)
async def test_an_answer_that_is_a_part_of_the_question_is_marked(said: str, copied: bool) -> None:
    backend = ScriptedBackend([said[:7], said[7:]])
    request = ChatRequest((ChatMessage("user", QUESTION),), max_tokens=100)
    answers = [item async for item in answer(backend, request)]
    assert answers[-1].text == unwrapped(said)
    assert [item.copied for item in answers if item.copied] == [True] * copied
