"""Which actions are offered where, and what they are called there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.actions import catalogue, prompt_file
from lsp_server.chat.actions.offer import CONDITIONS, offers, titled
from lsp_server.chat.actions.prompt_file import PromptFile, Scope
from lsp_server.chat.actions.site import Site, site
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse
from tests.unit.chat.drawn_site import drawn_site, problem
from tests.unit.chat.test_site import SAMPLES

SHIPPED = catalogue.load([]).files


def action(
    when: tuple[str, ...] = (),
    languages: tuple[str, ...] = (),
    scope: Scope = "definition",
    title: str = "Do {kind} {name}",
) -> PromptFile:
    return PromptFile(
        id="do",
        title=title,
        kind="refactor.rewrite.codestral",
        output="replace",
        body="$selection",
        when=when,
        languages=languages,
        scope=scope,
    )


def is_offered(condition: str, place: Site) -> bool:
    return bool(offers([action((condition,))], place))


def test_every_condition_that_a_file_may_name_is_known() -> None:
    assert set(CONDITIONS) == prompt_file.CONDITIONS


PYTHON = '''\
import os


def bare(a):█
    return a


class Shape:
    """A shape."""

    sides = 4

    def area(self, scale: int) -> int:
        """Say how large it is."""
        return scale  # all of it
'''


def at(marked: str, text: str = PYTHON) -> str:
    plain = marked.replace("█", "")
    bare = text.replace("█", "")
    assert bare.count(plain) == 1
    return bare.replace(plain, marked)


# A condition, a language, where it holds and where it does not.
PLACES = [
    ("selection", "python", at("█return a\n\n\n█class"), at("def █bare")),
    ("code", "python", at("def █bare"), "█# only a comment\n"),
    ("code", "haskell", "f █x = x\n", ""),
    ("function", "python", at("retu█rn a\n"), at("sides█ = 4")),
    ("class", "python", at("sides█ = 4"), at("retu█rn a\n")),
    ("class", "go", "type A struct {\n\ta█ int\n}\n", "func f() {\n\ta█()\n}\n"),
    ("definition", "python", at("def █bare"), at("import█ os")),
    ("comment", "python", at("return scale█"), at("def █bare")),
    ("comment", "python", at("sides█ = 4"), 'def f():\n    x = "# a", """b"""█\n'),
    ("comment", "javascript", "function f() {\n  // a\n  b█();\n}\n", 'function f() {\n  b█("// a");\n}\n'),
    ("comment", "scss", "a {\n  // b█\n}\n", "a {\n  b█: c;\n}\n"),
    ("undocumented", "python", at("def █bare"), at("return scale█")),
    ("undocumented", "javascript", "// a\nfunction █f() {}\n", "/** a */\nfunction █f() {}\n"),
    ("undocumented", "typescript", "export class A {█}\n", "/** a */\nexport class A {█}\n"),
    ("undocumented", "go", "// a\n\nfunc f() {█}\n", "// a\nfunc f() {█}\n"),
    ("undocumented", "rust", "// a\nfn f() {█}\n", "/// a\n#[b]\nfn f() {█}\n"),
    ("undocumented", "java", "class A {\n  int f() {█}\n}\n", "class A {\n  /** a */\n  int f() {█}\n}\n"),
    ("undocumented", "c", "int a;\nint f() {█}\n", "/* a */\nint f() {█}\n"),
    ("undocumented", "csharp", "class A {\n  int F() {█}\n}\n", "class A {\n  /// a\n  int F() {█}\n}\n"),
    ("undocumented", "ruby", "def f\n  a█\nend\n", "# a\ndef f\n  a█\nend\n"),
    ("undocumented", "php", "<?php\nfunction f() {█}\n", "<?php\n/** a */\nfunction f() {█}\n"),
    ("untyped", "python", at("def █bare"), at("return scale█")),
    ("untyped", "python", "def f(a: int):█ pass\n", "def f(a: int = 1, *b: int) -> None:█ pass\n"),
    ("untyped", "python", "def f(*a) -> int:█ pass\n", "class A:\n  def f(self, *, a: int) -> int:█ pass\n"),
    ("untyped", "python", "def f(a=1) -> int:█ pass\n", "class A:█\n  def f(self, a): pass\n"),
    ("untyped", "typescript", "function f(a): void {█}\n", "function f(a: A, b?: B): void {█}\n"),
    ("untyped", "typescript", "function f() {█}\n", "class A {\n  constructor(a: A) {█}\n}\n"),
    ("untyped", "typescript", "const f = x => █x;\n", "const f = (x: A): A => █x;\n"),
    ("untyped", "tsx", "const f = (a): A => <b>█</b>;\n", "class A {\n  set a(b: A) {█}\n}\n"),
    ("untyped", "php", "<?php\nfunction f($a): int {█}\n", "<?php\nfunction f(int $a): int {█}\n"),
    ("untyped", "javascript", "", "function f(a) {█}\n"),
]


@pytest.mark.parametrize(("condition", "language_id", "holds", "does_not"), PLACES)
def test_conditions(condition: str, language_id: str, holds: str, does_not: str) -> None:
    language_id = {"tsx": "typescriptreact"}.get(language_id, language_id)
    if holds:
        assert is_offered(condition, drawn_site(language_id, holds))
    if does_not:
        assert not is_offered(condition, drawn_site(language_id, does_not))


def test_diagnostics_are_a_condition() -> None:
    drawn = at("retu█rn a\n")
    assert is_offered("diagnostics", drawn_site("python", drawn, problem(drawn, "a\n\n")))
    assert not is_offered("diagnostics", drawn_site("python", drawn, problem(drawn, "import os")))


@pytest.mark.parametrize(
    ("uri", "is_test"),
    [
        ("file:///w/src/parse.py", False),
        ("file:///w/contest.py", False),
        ("file:///w/src/latest.ts", False),
        ("file:///w/tests/parse.py", True),
        ("file:///w/src/test_parse.py", True),
        ("file:///w/parse_test.go", True),
        ("file:///w/src/parse.test.ts", True),
        ("file:///w/src/test/java/A.java", True),
        ("file:///w/AppTests.cs", True),
        ("file:///w/spec/parse_spec.rb", True),
    ],
)
def test_tests_are_told_from_code_by_where_they_lie(uri: str, is_test: bool) -> None:
    place = drawn_site("python", "def f():\n    retu█rn 1\n", uri=uri)
    assert is_offered("not_test", place) is not is_test


def test_files_commits_and_diffs() -> None:
    saved, unsaved = drawn_site("python", "x█ = 1"), drawn_site("python", "x█ = 1", uri="untitled:Untitled-1")
    assert is_offered("file", saved)
    assert not is_offered("file", unsaved)
    whole = action(("commit",), scope="file"), action(("diff",), scope="file")
    commit = drawn_site("", "█\n# Please enter", uri="file:///w/.git/COMMIT_EDITMSG")
    diff = drawn_site("diff", "█--- a\n+++ b\n")
    assert [len(offers([file], commit)) for file in whole] == [1, 1]
    assert [len(offers([file], diff)) for file in whole] == [0, 1]
    assert [len(offers([file], saved)) for file in whole] == [0, 0]


def test_languages_are_a_filter() -> None:
    place = drawn_site("typescriptreact", "function f() {█}\n")
    assert offers([action(languages=("python", "tsx"))], place)
    assert not offers([action(languages=("python", "typescript"))], place)


TITLES = [
    ("python", at("def █bare"), "Do function bare"),
    ("python", at("█return a\n\n\nclass Shape█"), "Do selection"),
    ("python", at("import█ os"), "Do statement"),
    ("rust", "impl A for B {█}\n", "Do impl B"),
    ("cpp", "int █A::f() {}\n", "Do function A::f"),
    ("python", f"def {'very_' * 10}long():█ pass\n", f"Do function {'very_' * 7}very…"),
]


@pytest.mark.parametrize(("language_id", "drawn", "title"), TITLES)
def test_titles_say_what_an_action_works_on(language_id: str, drawn: str, title: str) -> None:
    assert [offer.title for offer in offers([action()], drawn_site(language_id, drawn))] == [title]


def test_a_title_is_not_filled_twice() -> None:
    target = drawn_site("python", at("def █bare")).target("definition")
    assert target is not None
    assert titled("Do {name} ({kind})", replace(target, name="{kind}")) == "Do {kind} (function)"


@pytest.mark.parametrize("language_id", ["python", "plaintext", "markdown", ""])
@pytest.mark.parametrize("drawn", ["█", "█\n\n", "  █"])
def test_an_empty_document_offers_nothing(language_id: str, drawn: str) -> None:
    assert offers(SHIPPED, drawn_site(language_id, drawn)) == []


def test_the_shipped_actions_at_a_function() -> None:
    drawn = at("retu█rn a\n")
    uri = "file:///w/src/shapes.py"
    found = offers(SHIPPED, drawn_site("python", drawn, problem(drawn, "a\n\n"), uri=uri))
    ids = [offer.file.id for offer in found]
    assert [item for item in (file.id for file in SHIPPED) if item in ids] == ids
    assert set(ids) >= {"explain", "fix", "refactor", "document", "add_types", "write_tests", "review"}
    assert not {"generate", "commit_message"} & set(ids)


@given(st.sampled_from(sorted(SAMPLES)), st.booleans(), st.data())
def test_offers_anywhere_work_on_something(language_id: str, with_tree: bool, data: st.DataObject) -> None:
    text = SAMPLES[language_id]
    start, end = data.draw(st.tuples(*[st.integers(0, len(text))] * 2))
    snapshot = Snapshot(uri="file:///a", language_id=language_id, version=1, text=text)
    tree = parse(text, detect(language_id, "file:///a")) if with_tree else None
    place = site(snapshot, tree, start, end, (problem(text, text[3:6]),))
    files = [action((name,), scope=scope) for name in CONDITIONS for scope in ("definition", "file")]
    for offer in offers([*files, *SHIPPED], place):
        assert offer.target.text.strip()
        assert offer.title.strip()
