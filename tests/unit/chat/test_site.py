"""What an action works on: the selection, or what stands around the cursor."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsp_server.chat.actions.prompt_file import Scope
from lsp_server.chat.actions.site import Target, site
from lsp_server.documents.languages import detect
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse
from tests.unit.chat.drawn_site import drawn_site, problem

SCOPES: tuple[Scope, ...] = ("selection", "definition", "signature", "statement", "comment", "file")

PYTHON = """\
import os

LIMIT = 3  # emoji 🦊

# Adds.
@cached
def add(first,
        second):  # both
    # inside
    return first + second


class Shape:
    sides = 4

    @property
    async def area(self):
        def inner(): return "👋"

        return inner()
"""
TYPESCRIPT = """\
import { a } from "a";

/** Doubles. 🦊 */
export const twice = (x: number): number => {
  const y = x * 2;
  return y;
};

@Component()
export class Box {
  width = 1;

  @Input()
  private grow(by: number): void {
    this.width += by;
  }
}
"""
RUST = """\
/// A place.
#[derive(Debug)]
pub struct Point { x: i32 }

impl Point {
    /// Moves. 🦊
    #[inline]
    pub fn moved(&self, by: i32) -> Point {
        Point { x: self.x + by }
    }
}
"""
GO = """\
package main

// Add adds. 🦊
// Twice.
func (p *Point) Add(by int) error {
	p.x += by
	return nil
}
"""
JAVA = """\
class Circle {
    double radius;

    /** Diameter. 🦊 */
    @Override
    public double diameter(int a) {
        return radius * 2;
    }
}
"""
C = """\
/* Larger. 🦊 */
static int maximum(int first, int second)
{
    if (first > second) {
        return first;
    }
    return second;
}  // end
"""
RUBY = """\
class Cat
  # Says. 🦊
  def say(word)
    puts word
  end
end
"""
JAVASCRIPT = """\
const mark = "🦊";

module.exports.run = function (task) {
  return task();
};

function stop() {}
"""
CSHARP = """\
namespace N
{
    class A
    {
        /// <summary>Sum 🦊</summary>
        [Pure]
        public int Sum(int a)
        {
            return a;
        }
    }
}
"""
SAMPLES = {
    "python": PYTHON,
    "typescript": TYPESCRIPT,
    "rust": RUST,
    "go": GO,
    "java": JAVA,
    "c": C,
    "ruby": RUBY,
    "javascript": JAVASCRIPT,
    "csharp": CSHARP,
    "lua": "-- Doc 🦊\nfunction M.f(a)\n  return a\nend\n",
    "php": "<?php\n/** Doc 🦊 */\n#[A]\nfunction f($a) {\n  return $a;\n}\n",
    "shellscript": "#!/bin/sh\n# Doc 🦊\nf() {\n  echo $1\n}\n",
    "json": '{"a": [1, "🦊"]}\n',
    "markdown": "# A 🦊\n\ntext `x`\n\n```python\nx = 1\n```\n",
    "plaintext": "just text 🦊\n\nmore\n",
}

AREA = '@property\n    async def area(self):\n        def inner(): return "👋"\n\n        return inner()'
ADD = "@cached\ndef add(first,\n        second):  # both\n    # inside\n    return first + second"
MOVED = "#[inline]\n    pub fn moved(&self, by: i32) -> Point {\n        Point { x: self.x + by }\n    }"
GROW = "@Input()\n  private grow(by: number): void {\n    this.width += by;\n  }"


def part(sample: str, first: str, last: str) -> str:
    """Return a part of a sample, from one piece of text to the end of another."""
    start = sample.index(first)
    return sample[start : sample.index(last, start) + len(last)]


# Language, what stands at the cursor (after `█`), kind and name, text of the definition.
DEFINITIONS = [
    ("python", "█import os", "statement ", "import os"),
    ("python", "LIMIT = 3█", "statement ", "LIMIT = 3"),
    ("python", "# Add█s.", "function add", ADD),
    ("python", "@cac█hed", "function add", ADD),
    ("python", "█def add(", "function add", ADD),
    ("python", "sec█ond):", "function add", ADD),
    ("python", "    # insi█de", "function add", ADD),
    ("python", "return first + second█", "function add", ADD),
    ("python", "█class Shape", "class Shape", PYTHON[PYTHON.index("class Shape") :].rstrip()),
    ("python", "sides = 4█", "class Shape", PYTHON[PYTHON.index("class Shape") :].rstrip()),
    ("python", "█    @property", "function area", AREA),
    ("python", "█        def inner", "function inner", 'def inner(): return "👋"'),
    ("python", "return inner()█", "function area", AREA),
    ("typescript", "Doub█les.", "function twice", part(TYPESCRIPT, "export const", "};")),
    ("typescript", "};█", "function twice", part(TYPESCRIPT, "export const", "};")),
    ("typescript", "@Comp█onent", "class Box", TYPESCRIPT[TYPESCRIPT.index("@Component") :].rstrip()),
    ("typescript", "@Inp█ut()", "method grow", GROW),
    ("typescript", "  █private grow", "method grow", GROW),
    ("rust", "A pl█ace", "struct Point", "#[derive(Debug)]\npub struct Point { x: i32 }"),
    ("rust", "#[der█ive", "struct Point", "#[derive(Debug)]\npub struct Point { x: i32 }"),
    ("rust", "/// Mov█es", "function moved", MOVED),
    ("rust", "#[inl█ine]", "function moved", MOVED),
    ("rust", "impl█ Point", "impl Point", RUST[RUST.index("impl") :].rstrip()),
    ("go", "// Tw█ice", "method Add", GO[GO.index("func") :].rstrip()),
    ("go", "// Ad█d adds", "method Add", GO[GO.index("func") :].rstrip()),
    ("go", "ret█urn nil", "method Add", GO[GO.index("func") :].rstrip()),
    ("java", "█    @Override", "method diameter", part(JAVA, "@Over", "2;\n    }")),
    ("java", "dou█ble radius", "class Circle", JAVA.rstrip()),
    ("c", "/* Lar█ger", "function maximum", part(C, "static", "\n}")),
    ("c", "}  // end█", "function maximum", part(C, "static", "\n}")),
    ("c", "retu█rn first", "function maximum", part(C, "static", "\n}")),
    ("ruby", "# Sa█ys", "method say", "def say(word)\n    puts word\n  end"),
    ("ruby", "█  def say", "method say", "def say(word)\n    puts word\n  end"),
    ("javascript", "█module.exp", "function module.exports.run", part(JAVASCRIPT, "module", "};")),
    ("javascript", "function stop() {}█", "function stop", "function stop() {}"),
    ("csharp", "[Pu█re]", "method Sum", part(CSHARP, "[Pure]", "a;\n        }")),
    ("lua", "-- D█oc", "function M.f", "function M.f(a)\n  return a\nend"),
    ("php", "#[█A]", "function f", "#[A]\nfunction f($a) {\n  return $a;\n}"),
    ("shellscript", "echo█ $1", "function f", "f() {\n  echo $1\n}"),
]  # fmt: skip


def _drawn(language_id: str, marked: str) -> str:
    plain = marked.replace("█", "")
    assert SAMPLES[language_id].count(plain) >= 1
    return SAMPLES[language_id].replace(plain, marked, 1)


def _shown(target: Target | None) -> str:
    return f"{target.kind} {target.name}" if target is not None else "nothing"


@pytest.mark.parametrize(("language_id", "marked", "what", "text"), DEFINITIONS)
def test_an_empty_selection_is_expanded_to_the_definition(
    language_id: str, marked: str, what: str, text: str
) -> None:
    target = drawn_site(language_id, _drawn(language_id, marked)).target("definition")
    assert _shown(target) == what
    assert target is not None
    assert target.text == text


def test_line_ends_and_indentation_do_not_matter() -> None:
    drawn = _drawn("python", "█    @property").replace("\n", "\r\n")
    target = drawn_site("python", drawn).target("definition")
    assert target is not None
    assert target.text == AREA.replace("\n", "\r\n")


SIGNATURES = [
    ("python", "    # insi█de", "def add(first,\n        second):"),
    ("python", "return inner()█", "async def area(self):"),
    ("typescript", "ret█urn y", "export const twice = (x: number): number =>"),
    ("typescript", "@Inp█ut()", "private grow(by: number): void"),
    ("typescript", "wid█th = 1", "export class Box"),
    ("rust", "#[inl█ine]", "pub fn moved(&self, by: i32) -> Point"),
    ("go", "p.x█ +=", "func (p *Point) Add(by int) error"),
    ("java", "@Over█ride", "public double diameter(int a)"),
    ("c", "retu█rn first", "static int maximum(int first, int second)"),
    ("csharp", "return█ a", "public int Sum(int a)"),
    ("ruby", "puts█ word", "def say(word)"),
    ("php", "ret█urn $a", "function f($a)"),
    ("lua", "ret█urn a", "function M.f(a)"),
    ("javascript", "task█()", "module.exports.run = function (task)"),
]


@pytest.mark.parametrize(("language_id", "marked", "text"), SIGNATURES)
def test_a_signature_has_modifiers_and_no_decorators(language_id: str, marked: str, text: str) -> None:
    target = drawn_site(language_id, _drawn(language_id, marked)).target("signature")
    assert target is not None
    assert target.text == text


def test_a_signature_is_that_of_the_definition_selected() -> None:
    whole = drawn_site("python", PYTHON.replace("@cached", "█@cached").replace("second\n", "second\n█"))
    header = drawn_site("python", PYTHON.replace("@cached\n", "@cached\n█").replace(":  #", ":█  #"))
    part = drawn_site(
        "python", PYTHON.replace("    # inside", "█    # inside").replace("+ second", "+ second█")
    )
    for place in (whole, header):
        target = place.target("signature")
        assert target is not None
        assert (target.name, target.text) == ("add", "def add(first,\n        second):")
    assert part.target("signature") is None


STATEMENTS = [
    ("python", "LIMIT█ = 3", "statement", "LIMIT = 3"),
    ("python", "return first█ + second", "statement", "return first + second"),
    ("typescript", "const y█ = x * 2;", "statement", "const y = x * 2;"),
    ("c", "if (fir█st > second)", "statement", "if (first > second) {\n        return first;\n    }"),
    ("c", "return█ first", "statement", "return first;"),
    ("go", "p.x█ += by", "statement", "p.x += by"),
    ("ruby", "puts█ word", "statement", "puts word"),
    ("plaintext", "just█ text", "statement", "just text 🦊"),
    ("markdown", "te█xt `x`", "statement", "text `x`"),
    ("python", "█class Shape", "class", PYTHON[PYTHON.index("class Shape") :].rstrip()),
    ("python", "# Add█s", "comment", "# Adds."),
]


@pytest.mark.parametrize(("language_id", "marked", "kind", "text"), STATEMENTS)
def test_statements(language_id: str, marked: str, kind: str, text: str) -> None:
    target = drawn_site(language_id, _drawn(language_id, marked)).target("statement")
    assert target is not None
    assert (target.kind, target.text) == (kind, text)


COMMENTS = [
    ("python", "# a🦊\n#█ b\nx = 1\n", "# a🦊\n# b"),
    ("python", "# a\n# b\n█\nx = 1\n", "# a\n# b"),
    ("python", "# a\n# b█", "# a\n# b"),
    ("python", "# a\n\n# b█\n", "# b"),
    ("python", "x = 1  # a█\n# b\n", "# a"),
    ("python", "def f():\n    # a\n    █\n", "# a"),
    ("python", "x█ = 1  # a\n", None),
    ("python", "x = '# a█'\n", None),
    ("javascript", "/* a\n * b█ */\nx();\n", "/* a\n * b */"),
    ("go", "// a\r\n// b█\r\nfunc f() {}\r\n", "// a\r\n// b"),
    ("rust", "/// a\n/// b█\nfn f() {}\n", "/// a\n/// b"),
    ("ruby", "# a\n█# b\n", "# a\n# b"),
    ("lua", "-- a█\nx = 1\n", "-- a"),
    ("scss", "a {\n  // b█\n}\n", "// b"),
    ("html", "<!-- a█ -->\n", "<!-- a -->"),
    ("plaintext", "# a█\n", None),
]


@pytest.mark.parametrize(("language_id", "drawn", "text"), COMMENTS)
def test_comments(language_id: str, drawn: str, text: str | None) -> None:
    target = drawn_site(language_id, drawn).target("comment")
    assert (target and target.text) == text
    assert target is None or target.kind == "comment"


SELECTIONS = [
    # Trimmed, and grown to whole lines.
    ("█\n\nx = 1\ny = 2\n\n█z = 3\n", "selection ", "x = 1\ny = 2"),
    ("def f():\n    x =█ 1\n    y █= 2\n", "selection ", "x = 1\n    y = 2"),
    ("def f():\n    █x = 1█\n    y = 2\n", "selection ", "x = 1"),
    ("def f():\n█    x = 1\n█    y = 2\n", "selection ", "x = 1"),
    ("def f():\n    x = 1█  \n    y = 2  \n█\n", "selection ", "y = 2  "),
    # A part of a line.
    ("x = █f(1) + 2█  # c\n", "selection ", "f(1) + 2"),
    ("x =█ f(1) █+ 2\n", "selection ", "f(1)"),
    # Exactly a definition.
    ("█def f():\n    pass\n█\nx = 1\n", "function f", "def f():\n    pass"),
    ("█@a\ndef f():\n    pass█\nx = 1\n", "function f", "@a\ndef f():\n    pass"),
    ("@a\n█def f():\n    pass█\nx = 1\n", "function f", "def f():\n    pass"),
    ("class A:\n█    def f(self):\n        pass\n█", "function f", "def f(self):\n        pass"),
    ("█class A:\n    def f(self):\n        pass█\n", "class A", "class A:\n    def f(self):\n        pass"),
    (
        "█def f():\n    pass\n\ndef g():\n    pass\n█",
        "selection ",
        "def f():\n    pass\n\ndef g():\n    pass",
    ),
    ("█# a\n# b\n█x = 1\n", "comment ", "# a\n# b"),
    ("# █返回两个数的和█\n", "comment ", "返回两个数的和"),
]


@pytest.mark.parametrize(("drawn", "what", "text"), SELECTIONS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_selections(drawn: str, what: str, text: str, line_end: str) -> None:
    place = drawn_site("python", drawn.replace("\n", line_end))
    assert place.selected
    for scope in ("selection", "definition", "statement"):
        target = place.target(scope)
        assert target is not None
        assert (_shown(target), target.text) == (what, text.replace("\n", line_end))


@pytest.mark.parametrize(
    "drawn", ["x = █f█(1)\n", "█x█ = 1\n", "x█ █= 1\n", "a.█bcd █+ 1\n", "# █返█回两个数\n", "█\n█x = 1\n"]
)
def test_a_word_or_less_is_a_place(drawn: str) -> None:
    place = drawn_site("python", drawn)
    assert not place.selected
    assert place.target("selection") is None
    assert _shown(place.target("statement")) in ("statement ", "comment ", "nothing")


def test_the_range_of_a_diagnostic_is_a_place() -> None:
    drawn = "def f():\n    return █g(1, 2)█\n"
    place = drawn_site("python", drawn, problem(drawn, "g(1, 2)"))
    assert not place.selected
    assert _shown(place.target("definition")) == "function f"


BROKEN = [
    (
        "python",
        "def f(a):\n    x = (1\n    if a█\n\ndef g():\n    return 2\n",
        "function f",
        "def f(a):\n    x = (1\n    if a",
    ),
    (
        "javascript",
        "function a() {\n  if (x) {\n    b█ar();\n\n}\n\nfunction b() {\n  return 1;\n}\n",
        "function a",
        "function a() {\n  if (x) {\n    bar();\n\n}",
    ),
    (
        "java",
        "class A {\n  void f() {\n    g(█;\n  }\n\n  void h() {\n  }\n}\n",
        "method f",
        "void f() {\n    g(;\n  }",
    ),
    ("go", "func f() {\n\tx := (█\n}\n\nfunc g() {\n}\n", "function f", "func f() {\n\tx := (\n}"),
]


@pytest.mark.parametrize(("language_id", "drawn", "what", "text"), BROKEN)
def test_broken_code(language_id: str, drawn: str, what: str, text: str) -> None:
    target = drawn_site(language_id, drawn).target("definition")
    assert _shown(target) == what
    assert target is not None
    assert target.text == text


METHODS = "class A:\n    def f(self):\n        x\n\n    def g(self):\n        y\n"
WITHOUT_TREE = [
    ("python", METHODS.replace("x", "x█"), "function f", "def f(self):\n        x"),
    ("python", METHODS.replace("def f", "de█f f"), "function f", "def f(self):\n        x"),
    ("javascript", "function a() {\n  b█();\n}\n\nc();\n", "function a", "function a() {\n  b();\n}"),
    ("ruby", "def a\n  b█\nend\n\nc\n", "function a", "def a\n  b\nend"),
    ("plaintext", "some █text\nmore\n", "statement ", "some text"),
]


@pytest.mark.parametrize(("language_id", "drawn", "what", "text"), WITHOUT_TREE)
def test_without_a_tree_indentation_decides(language_id: str, drawn: str, what: str, text: str) -> None:
    target = drawn_site(language_id, drawn, with_tree=False).target("definition")
    assert _shown(target) == what
    assert target is not None
    assert target.text == text


def test_diagnostics_are_in_the_target() -> None:
    drawn = "def f():\n    return 1\n\n█x = f() + \\\n    g(\n        1)\n"
    place = drawn_site("python", drawn, problem(drawn, "g(\n        1)"), problem(drawn, "return 1"))
    target = place.target("statement")
    assert target is not None
    assert target.text == "x = f() + \\\n    g(\n        1)"
    assert [item.start for item in target.diagnostics] == [target.snapshot.text.index("g(\n")]


def test_a_target_grows_to_the_diagnostic_that_was_asked_about() -> None:
    drawn = "class A:\n    def f(self):\n        a = 1█\n        return a\n\n    b = 2\n"
    text = drawn.replace("█", "")
    wide = problem(drawn, text[text.index("a = 1") :].rstrip())
    target = drawn_site("python", drawn, wide).target("definition")
    assert _shown(target) == "class A"
    assert target is not None
    assert target.start <= wide.start < wide.end <= target.end
    free = "x = 1█\ny = 2\n"
    grown = drawn_site("python", free, problem(free, "1\ny = 2")).target("definition")
    assert grown is not None
    assert (grown.kind, grown.text) == ("statement", "x = 1\ny = 2")


def test_a_target_does_not_grow_to_what_is_wrong_with_all_of_a_file() -> None:
    drawn = "def f():\n    return█ 1\n" + "x = 1\n" * 200
    target = drawn_site("python", drawn, problem(drawn, drawn.replace("█", ""))).target("definition")
    assert _shown(target) == "function f"
    assert target is not None
    assert len(target.diagnostics) == 1


def test_a_blank_place_has_only_its_file() -> None:
    place = drawn_site("python", "x = 1\n\n█\n\ny = 2\n")
    assert [scope for scope in SCOPES if place.target(scope) is not None] == ["file"]
    assert all(drawn_site("python", "█\n\n").target(scope) is None for scope in SCOPES)


VERBOSE = "\n\n# Please enter\n# --- >8 ---\ndiff --git a/x b/x\n"


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        ("█\n# Please enter the commit message.\n# On branch main\n", ""),
        (f"Add a cache█\n\nfor trees{VERBOSE}", "Add a cache\n\nfor trees"),
        ("█diff --git a/x b/x\n", ""),
        ("█", ""),
    ],
)
def test_the_file_of_a_commit_is_its_message(drawn: str, message: str) -> None:
    for language_id, uri in (("gitcommit", "file:///w/a"), ("", "file:///w/.git/COMMIT_EDITMSG")):
        target = drawn_site(language_id, drawn, uri=uri).target("file")
        assert target is not None
        assert (target.start, target.text) == (0, message)


@st.composite
def places(draw: st.DrawFn) -> tuple[str, str, int, int, bool]:
    language_id = draw(st.sampled_from(sorted(SAMPLES)))
    text = SAMPLES[language_id].replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    if draw(st.booleans()):  # broken: a piece is missing, or stands there twice
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        text = text[:start] + text[end:] if draw(st.booleans()) else text[:end] + text[start:]
    start, end = draw(st.tuples(*[st.integers(-1, len(text) + 1)] * 2))
    return language_id, text, start, end, draw(st.booleans())


@given(places())
@example(("python", "", 0, 0, True))
@example(("python", "\ud83d = 1\n", 1, 3, True))
def test_any_selection_gives_targets_inside_of_the_document(place: tuple[str, str, int, int, bool]) -> None:
    language_id, text, start, end, with_tree = place
    snapshot = Snapshot(uri="file:///a", language_id=language_id, version=1, text=text)
    tree = parse(text, detect(language_id, "file:///a")) if with_tree else None
    here = site(snapshot, tree, start, end, (problem(text, text[2:5]),))
    for scope in SCOPES:
        target = here.target(scope)
        if target is None:
            continue
        assert 0 <= target.start < target.end <= len(text)
        assert scope == "file" or target.text[0] not in " \t\r\n"
        assert target.definition is None or tree is not None
