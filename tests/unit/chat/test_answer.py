"""Answers in words: what is kept of what a model says."""

from __future__ import annotations

import pytest

from lsp_server.chat.replies.answer import unwrapped


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
