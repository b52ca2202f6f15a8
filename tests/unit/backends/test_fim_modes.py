from __future__ import annotations

import pytest

from lsp_server.backends.fim_modes import api_roots
from lsp_server.backends.llama_server import beginning, is_llama_cpp


@pytest.mark.parametrize(
    ("base_url", "likelier"),
    [
        ("http://127.0.0.1:8080", "/v1"),
        ("http://127.0.0.1:8080/", "/v1"),
        ("https://gateway.example.org/openai/v1", "/v1"),
        ("https://gateway.example.org/openai/v1/", "/v1"),
        ("https://api.deepseek.com/beta", ""),
        ("https://example.org/api/paas/v4", ""),
    ],
)
def test_where_the_api_begins(base_url: str, likelier: str) -> None:
    assert api_roots(base_url)[0] == likelier
    assert set(api_roots(base_url)) == {"", "/v1"}


def test_a_grammar_spells_any_text() -> None:
    assert beginning('"\\\n\té') == r'root ::= "\"\\\x0A\x09é" [^\x00]*'


def test_marks_of_llama_cpp() -> None:
    assert is_llama_cpp({"default_generation_settings": {}, "total_slots": 1})
    assert not any(map(is_llama_cpp, ({}, {"detail": "Not Found"}, [], None)))
