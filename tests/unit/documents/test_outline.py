"""What a file defines, and the text that stands for what a window leaves out."""

from __future__ import annotations

import pytest

from lsp_server.documents.languages import LANGUAGES
from lsp_server.documents.outline import definitions, imports, outline_text
from lsp_server.documents.stable_outline import StableOutlines
from lsp_server.documents.syntax import SyntaxTree, parse

LANGUAGE = {language.name: language for language in LANGUAGES}

# A file, with `WINDOW` where the window is, and its outline.
OUTLINES = {
    "python": (
        """\
import os
from a import (
    b,
)

LIMIT = 1

@dec(1)
class A(B):
    x = 1
    def f(self, a: int) -> str:
        return 1

    async def g(self):
        def inner():
            pass
        WINDOW

    def h(self): pass

def top(a,
        b):
    return 1
""",
        """\
import os
from a import (
    b,
)
def top(a,
        b): ...
@dec(1)
class A(B):
    def f(self, a: int) -> str: ...
    def h(self): pass
    async def g(self):
        def inner(): ...
""",
    ),
    "javascript": (
        """\
const x = require('x');
import y from 'y';
module.exports.f = function (a) {
  return 1;
};
export class A {
  static m = () => {
  };
  k() {
    WINDOW
  }
}
""",
        """\
const x = require('x');
import y from 'y';
module.exports.f = function (a) { ... }
export class A {
  static m = () => { ... }
  k() {
""",
    ),
    "typescript": (
        """\
import { c } from 'd';
export interface J {
  a: string;
}
const f = (x: number) => {
  return x;
};
export default class A extends B {
  m(a) {
    WINDOW
  }
  n(): void {
  }
}
""",
        """\
import { c } from 'd';
export interface J {
  a: string;
}
const f = (x: number) => { ... }
export default class A extends B {
  n(): void { ... }
  m(a) {
""",
    ),
    "go": (
        """\
package a

import (
\t"fmt"
)

type A struct {
\tX int
}
func (a *A) F(x int) (int, error) {
\treturn 1, nil
}
func w() {
\tWINDOW
}
""",
        """\
package a
import (
\t"fmt"
)
type A struct {
\tX int
}
func (a *A) F(x int) (int, error) { ... }
func w() {
""",
    ),
    "rust": (
        """\
use a::b;
pub struct S {
  a: i32,
}
impl A for S {
  fn f(&self) -> X {
    1
  }
  fn g<T>(t: T) where T: X {
    WINDOW
  }
}
mod tests {
  fn t() {
  }
}
""",
        """\
use a::b;
pub struct S {
  a: i32,
}
mod tests {
  fn t() { ... }
}
impl A for S {
  fn f(&self) -> X { ... }
  fn g<T>(t: T) where T: X {
""",
    ),
    "java": (
        """\
package a;
import b.C;
public class A {
  public A() {
    x = 1;
  }
  @Override
  public void f() throws E {
    WINDOW
  }
}
""",
        """\
package a;
import b.C;
public class A {
  public A() { ... }
  @Override
  public void f() throws E {
""",
    ),
    "c": (
        """\
#include <a.h>
struct P {
  int x;
};
static int *f(void) {
  return 0;
}
int g(int a) {
  WINDOW;
}
int proto(int a);
""",
        """\
#include <a.h>
struct P {
  int x;
}
static int *f(void) { ... }
int proto(int a);
int g(int a) {
""",
    ),
    "cpp": (
        """\
#include <a>
namespace n {
template <class T>
class A : public B {
  void f(int x);
  int g() {
    return 1;
  }
};
void A::f(int x) {
  WINDOW;
}
}
""",
        """\
#include <a>
namespace n {
template <class T>
class A : public B {
  void f(int x);
  int g() { ... }
}
void A::f(int x) {
""",
    ),
    "csharp": (
        """\
using X;
namespace N {
  class A {
    int P { get; set; }
    public A(int x) {
    }
    void F() {
      WINDOW;
    }
  }
}
""",
        """\
using X;
namespace N {
  class A {
    int P { get; set; }
    public A(int x) { ... }
    void F() {
""",
    ),
    "ruby": (
        """\
require 'x'
module M
  class A < B
    def f(x)
      1
    end
    def self.g(y)
      WINDOW
    end
    def empty(z)
    end
  end
end
""",
        """\
require 'x'
module M
  class A < B
    def f(x) ... end
    def empty(z) ... end
    def self.g(y)
""",
    ),
    "php": (
        """\
<?php
namespace A;
use B\\C;
class D {
  function f($x) {
    return 1;
  }
  function g() {
    WINDOW;
  }
}
""",
        """\
namespace A;
use B\\C;
class D {
  function f($x) { ... }
  function g() {
""",
    ),
    "lua": (
        """\
local a = require('a')
M.h = function(a)
  return a
end
function M.g()
  WINDOW()
end
""",
        """\
local a = require('a')
M.h = function(a) ... end
function M.g()
""",
    ),
    "bash": (
        """\
source a.sh
f() {
  g
}
h() {
  WINDOW
}
""",
        """\
source a.sh
f() { ... }
h() {
""",
    ),
}


def drawn(name: str) -> tuple[SyntaxTree, tuple[int, int], str]:
    text, outline = OUTLINES[name]
    tree = parse(text, LANGUAGE[name])
    assert tree is not None
    start = text.index("WINDOW")
    return tree, (start, start + len("WINDOW")), outline


def parsed(text: str) -> SyntaxTree:
    tree = parse(text, LANGUAGE["python"])
    assert tree is not None
    return tree


@pytest.mark.parametrize("name", OUTLINES)
def test_an_outline_reads_like_the_language(name: str) -> None:
    tree, window, outline = drawn(name)
    assert outline_text(tree, window, 5000) == outline


@pytest.mark.parametrize("name", OUTLINES)
def test_a_smaller_budget_leaves_out_lines_and_keeps_what_encloses_the_window(name: str) -> None:
    tree, window, whole = drawn(name)
    least = outline_text(tree, window, 0)
    assert least.splitlines()[-1] in whole.splitlines()[-2:]
    for budget in range(len(least), len(whole), 7):
        outline = outline_text(tree, window, budget)
        assert len(outline) <= budget
        assert set(least.splitlines()) <= set(outline.splitlines())
        # Without its members a container is drawn as closed.
        new = set(outline.splitlines()) - set(whole.splitlines())
        assert all(line.endswith((" ... }", "}")) for line in new)


def test_a_file_inside_the_window_has_no_outline() -> None:
    tree, _, _ = drawn("python")
    assert outline_text(tree, (0, len(tree.text)), 5000) == ""


def test_definitions_know_their_parents_and_ranges() -> None:
    tree, window, _ = drawn("python")
    found = definitions(tree, around=window[0])
    names = [
        (item.kind, item.name, found[item.parent_index].name if item.parent_index is not None else None)
        for item in found
    ]
    assert names == [
        ("class", "A", None),
        ("function", "f", "A"),
        ("function", "g", "A"),
        ("function", "inner", "g"),
        ("function", "h", "A"),
        ("function", "top", None),
    ]
    assert tree.text[slice(*found[0].signature_range)] == "@dec(1)\nclass A(B):"
    assert tree.text[slice(*found[4].range)] == "def h(self): pass"
    assert "inner" not in [item.name for item in definitions(tree)]


def test_imports_are_found_under_conditions() -> None:
    tree = parsed("if TYPE_CHECKING:\n    import a\ntry:\n    import b\nexcept ImportError:\n    pass\n")
    assert [tree.text[slice(*item)] for item in imports(tree)] == ["import a", "import b"]


def test_the_farthest_siblings_go_first() -> None:
    text = "".join(f"def f{number}():\n    x = 1\n    return x\n\n\n" for number in range(20))
    tree = parsed(text)
    start, end = text.index("def f10"), text.index("def f11")
    outline = outline_text(tree, (start, end), 70)
    assert outline == "def f8(): ...\ndef f9(): ...\ndef f11(): ...\ndef f12(): ...\n"


def test_typing_inside_the_window_leaves_the_outline_as_it_is() -> None:
    before = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n"
    after = "\n\n    def h(self):\n        return 2\n"
    shown = "        x = 1\n        "
    outlines = StableOutlines()
    seen, unstable = set(), set()
    typed = 'foo(a, [1, {"x": """'
    for count in range(len(typed) + 1):
        middle = shown + typed[:count]
        tree = parsed(before + middle + after)
        window = (len(before), len(before) + len(middle))
        seen.add(outlines.text("file:///a.py", tree, window, 500))
        unstable.add(outline_text(tree, window, 500))
    assert seen == {"class A:\n    def f(self): ...\n    def h(self): ...\n    def g(self):\n"}
    assert len(unstable) > 1  # what the cache is for


def test_an_outline_of_broken_text_gives_way_to_one_of_sound_text() -> None:
    before, after = "class A:\n    def f(self):\n        x = ", "\n\n    def g(self):\n        pass\n"
    outlines = StableOutlines()

    def outline(middle: str) -> str:
        text = before + middle + after
        window = (len(before), len(before) + len(middle))
        return outlines.text("file:///a.py", parsed(text), window, 500)

    outline('"""')
    assert outline("1") == "class A:\n    def g(self): ...\n    def f(self):\n"
    assert outline('"""') == outline("1")


def test_a_window_that_moves_while_the_text_is_broken_gets_its_outline_from_sound_text() -> None:
    before, after = "class A:\n    def f(self):\n        y = 1\n", "\n\n    def g(self):\n        pass\n"
    outlines = StableOutlines()
    for middle in ("        x = 1\n", '        x = """\n'):
        text = before + middle + after
        window = (len(before) - len("        y = 1\n"), len(before) + len(middle))
        outlines.text("file:///a.py", parsed(text), window, 500)
    window = (len(before), len(before) + len(middle))
    assert outlines.text("file:///a.py", parsed(text), window, 500) == (
        "class A:\n    def g(self): ...\n    def f(self):\n"
    )


def test_text_that_nests_deeper_than_code_has_an_outline() -> None:
    tree = parse("namespace a { " * 3000 + "}" * 3000, LANGUAGE["cpp"])
    assert tree is not None
    assert outline_text(tree, (20_000, 20_100), 500).startswith("namespace a {\n")
