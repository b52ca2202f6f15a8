"""Which language a document is in."""

from __future__ import annotations

import logging

import pytest

from lsp_server.documents.languages import LANGUAGES, PLAIN, Language, detect, grammar
from lsp_server.documents.node_types import NODE_TYPES, node_types


@pytest.mark.parametrize(
    ("language_id", "uri", "name"),
    [
        ("python", "file:///a.txt", "python"),
        ("typescriptreact", "file:///a", "tsx"),
        ("shellscript", "untitled:Untitled-1", "bash"),
        ("plaintext", "file:///src/main.rs", "rust"),
        ("unheard-of", "file:///C%3A/x/Main.JAVA", "java"),
        ("", "file:///x/a%20b.h", "c"),
        ("", "file:///x/Rakefile", "ruby"),
        ("", "file:///x/a.py?version=2", "python"),
        ("less", "file:///a.less", "scss"),
        ("jsonc", "file:///settings.json", "json"),
        ("", "file:///x/notes", "plain text"),
    ],
)
def test_the_editor_knows_best_and_the_name_comes_next(language_id: str, uri: str, name: str) -> None:
    assert detect(language_id, uri).name == name


def test_no_id_and_no_suffix_is_claimed_twice() -> None:
    ids = [language_id for language in LANGUAGES for language_id in language.ids]
    suffixes = [suffix for language in LANGUAGES for suffix in language.suffixes]
    assert len(ids) == len(set(ids))
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one.module], ids=lambda one: one.name)
def test_every_grammar_loads_and_has_the_nodes_that_the_table_names(language: Language) -> None:
    loaded = grammar(language)
    assert loaded is not None
    kinds = {loaded.node_kind_for_id(index) for index in range(loaded.node_kind_count)}
    types = node_types(language.name)
    assert {*types.definitions, *types.blocks, *types.imports, *types.wrappers} <= kinds


def test_the_table_of_node_types_has_no_unknown_language() -> None:
    assert set(NODE_TYPES) == {language.name for language in LANGUAGES if language.module}


def test_a_missing_grammar_is_logged_once_and_means_no_tree(caplog: pytest.LogCaptureFixture) -> None:
    missing = Language("klingon", module="tree_sitter_klingon")
    with caplog.at_level(logging.WARNING):
        assert grammar(missing) is None
        assert grammar(missing) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_plain_text_has_no_grammar() -> None:
    assert grammar(PLAIN) is None
