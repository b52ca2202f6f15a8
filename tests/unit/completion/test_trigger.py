"""Whether to complete at a place, and how much."""

from __future__ import annotations

import pytest

from lsp_server.completion import trigger
from lsp_server.completion.result import Reason
from lsp_server.documents.snapshot import Snapshot
from lsp_server.settings import CompletionSettings
from tests.support.completing import context_of
from tests.support.drawn import cursor

SCOPES = [
    ("python", "x = █\n", "line"),
    ("python", "█\n", "block"),
    ("python", "def f():\n    █\n", "block"),
    ("python", "def f():█\n", "block"),
    ("python", "def f():█\n    return 1\n", "line"),
    ("python", "def f(█):\n    return 1\n", "line"),
    ("python", "d = {█}\n", "line"),
    ("python", "x = a[1:█]\n", "line"),
    ("python", "# if x:█\n", "line"),
    ("python", "# █\n", "line"),
    ("python", 'def f():\n    """█\n', "line"),
    ("python", 'def f():\n    """Doc.\n\n    █\n    """\n', "line"),
    ("python", 's = "█"\n', "line"),
    ("python", "class A:\n    █\n", "block"),
    ("python", "match x:\n    case 1:█\n", "block"),
    ("javascript", "const f = () => {█\n", "block"),
    ("javascript", "const f = () => {█}\n", "line"),
    ("javascript", "const f = () => {\n  █\n}\n", "block"),
    ("javascript", "// if (x) {█\n", "line"),
    ("javascript", "const s = `\n█\n`;\n", "line"),
    ("javascript", "/*\n █\n */\n", "line"),
    ("javascript", "const o = {\n  a: █\n}\n", "line"),
    ("typescript", "interface A {█\n", "block"),
    ("typescript", "function f(a: █)\n", "line"),
    ("go", "func f() {█\n", "block"),
    ("go", "\tx := █\n", "line"),
    ("go", "// f does █\nfunc f() {}\n", "line"),
    ("rust", "impl A {█\n", "block"),
    ("rust", "/// █\nfn f() {}\n", "line"),
    ("rust", "let x = █;\n", "line"),
    ("java", "class A {\n    █\n}\n", "block"),
    ("java", "/**\n * █\n */\nclass A {}\n", "line"),
    ("c", "int main(void)\n{█\n", "block"),
    ("c", "#include █\n", "line"),
    ("cpp", "std::vector<█> v;\n", "line"),
    ("csharp", "class A\n{\n    █\n}\n", "block"),
    ("ruby", "def f█\n", "block"),
    ("ruby", "x.each do |y|█\n", "block"),
    ("ruby", "x = █\n", "line"),
    ("php", "<?php\nfunction f() {█\n", "block"),
    ("shellscript", "if true; then█\n", "block"),
    ("shellscript", "echo █\n", "line"),
    ("shellscript", "# █\n", "line"),
    ("lua", "local function f()█\n", "block"),
    ("lua", "local x = █\n", "line"),
    ("html", "<ul>\n  █\n</ul>\n", "block"),
    ("html", "<p>█</p>\n", "line"),
    ("html", "<!-- █ -->\n", "line"),
    ("css", "a {█\n", "block"),
    ("css", "a {\n  color: █\n}\n", "line"),
    ("json", '{\n  "a": █\n}\n', "line"),
    ("yaml", "a:█\n", "block"),
    ("yaml", "a: █\n", "line"),
    ("toml", "a = █\n", "line"),
    ("markdown", "Some █\n", "line"),
    ("plaintext", "Some █\n", "line"),
    ("plaintext", "█", "block"),
]


@pytest.mark.parametrize(("language_id", "drawn", "scope"), SCOPES)
def test_scope(language_id: str, drawn: str, scope: str) -> None:
    assert context_of(language_id, drawn).cursor.scope == scope


@pytest.mark.parametrize(("multiline", "scope"), [("never", "line"), ("always", "block")])
@pytest.mark.parametrize("drawn", ["x = █\n", "def f():\n    █\n", "# █\n"])
def test_scope_is_the_users_choice(drawn: str, multiline: str, scope: str) -> None:
    assert context_of("python", drawn, CompletionSettings(multiline=multiline)).cursor.scope == scope


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        ("pr█int\n", Reason.MID_WORD),
        ("a_█b\n", Reason.MID_WORD),
        ("é█é\n", Reason.MID_WORD),
        ("print█\n", None),
        ("█print\n", None),
        ("print█()\n", None),
        ("x.█y\n", None),
        ("█", None),
    ],
)
def test_inside_a_word(drawn: str, reason: Reason | None) -> None:
    text, offset = cursor(drawn)
    snapshot = Snapshot("file:///a.py", "python", 1, text)
    assert trigger.refusal(CompletionSettings(), snapshot, offset, invoked=False) is reason
    assert trigger.refusal(CompletionSettings(), snapshot, offset, invoked=True) is None
