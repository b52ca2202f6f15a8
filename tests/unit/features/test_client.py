"""What is shown in messages."""

from __future__ import annotations

import pytest

from lsp_server.features.client import plain


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("[Fix](command:workbench.action.terminal.new?x)", "[Fix] (command:workbench.action.terminal.new?x)"),
        ("a [b](https://e.example) c", "a [b] (https://e.example) c"),
        ("attach [a.py:1-9](a.py)", "attach [a.py:1-9](a.py)"),
    ],
)
def test_a_message_has_no_links_that_do_something(message: str, shown: str) -> None:
    assert plain(message) == shown
