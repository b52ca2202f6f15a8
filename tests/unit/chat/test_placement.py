"""The code of a reply in its place: indented as the file is, and what was not asked for left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.actions.prompt_file import Output, PromptFile, Scope
from lsp_server.chat.actions.site import Target
from lsp_server.chat.editing.edits import applied
from lsp_server.chat.placing.placement import placed
from lsp_server.documents.languages import detect
from lsp_server.documents.outline import definitions
from lsp_server.documents.snapshot import Snapshot
from lsp_server.documents.syntax import parse


def action(output: Output = "replace", scope: Scope = "definition") -> PromptFile:
    return PromptFile("x", "x", "refactor.rewrite.codestral", output, "", scope=scope)


def target_of(language_id: str, drawn: str, kind: str = "", name: str = "") -> Target:
    """Return what is drawn between two `█`; the kind and the name are the definition's that starts there."""
    before, text, after = drawn.split("█")
    snapshot = Snapshot("file:///project/a", language_id, 1, before + text + after)
    language = detect(language_id, "")
    tree = parse(snapshot.text, language)
    start, end = len(before), len(before) + len(text)
    for item in definitions(tree) if tree and not kind else ():
        if item.range[0] == start or start <= item.range[0] < item.range[1] <= end:
            kind, name = item.kind, item.name
            break
    return Target(snapshot, tree, language, start, end, kind or "selection", name)


def placed_text(target: Target, code: str, output: Output = "replace", scope: Scope = "definition") -> str:
    return applied(target.snapshot.text, placed(action(output, scope), target, code))


METHOD = """\
class A:
    █def f(self, x):
        y = x

        return y█

    def g(self):
        return 2
"""
BETTER = METHOD.replace("y = x\n", "y = x + 1\n").replace("█", "")


@pytest.mark.parametrize(
    "reply",
    [
        "def f(self, x):\n    y = x + 1\n\n    return y\n",
        "    def f(self, x):\n        y = x + 1\n\n        return y\n",
        "def f(self, x):\n        y = x + 1\n\n        return y\n",
        "def f(self, x):\n\ty = x + 1\n\n\treturn y\n",
        "def f(self, x):\n  y = x + 1\n\n  return y\n",
        "\tdef f(self, x):\n\t\ty = x + 1\n    \n\t\treturn y   \n\n\n",
        "class A:\n    def f(self, x):\n        y = x + 1\n\n        return y\n",
        "class A:\n    def g(self):\n        return 3\n\n    def f(self, x):\n"
        "        y = x + 1\n\n        return y\n",
        "def f(self, x):\n    y = x + 1\n\n    return y\n\n\n# Example usage\na = A()\nprint(a.f(1))\n",
        "def f(self, x):\r\n    y = x + 1\r\n\r\n    return y\r\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_method_in_whatever_indentation_it_comes(reply: str, end: str) -> None:
    target = target_of("python", METHOD.replace("\n", end))
    assert placed_text(target, reply) == BETTER.replace("\n", end)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_the_line_that_differs_is_edited(end: str) -> None:
    target = target_of("python", METHOD.replace("\n", end))
    edits = placed(action(), target, "def f(self, x):\n    y = x + 1\n\n    return y\n")
    assert [target.snapshot.text[edit.start : edit.end] for edit in edits] == [f"        y = x{end}"]


def test_the_same_again_is_no_edit() -> None:
    target = target_of("python", METHOD)
    assert placed(action(), target, "def f(self, x):\n    y = x\n\n    return y") == ()
    assert placed(action(), target, "   \n") == ()


def test_blanks_at_the_ends_of_lines_and_mixed_line_ends_are_no_change() -> None:
    target = target_of("python", "█def f():\r\n    x = 1  \n    \r    return x█\r\n")
    assert placed(action(), target, "def f():\n    x = 1\n\n    return x\n") == ()
    assert (
        placed_text(target, "def f():\n    x = 2\n\n    return x\n")
        == "def f():\r\n    x = 2\r\n    \r    return x\r\n"
    )


@pytest.mark.parametrize(
    ("language_id", "drawn", "reply", "result"),
    [
        (
            "go",
            "func f() {\n\t█x := 1█\n}\n",
            "if true {\n    x := 2\n}",
            "func f() {\n\tif true {\n\t\tx := 2\n\t}\n}\n",
        ),
        (
            "javascript",
            "function f() {\n  █if (a) {\n    b();\n  }█\n}\n",
            "if (a) {\n    if (c) {\n        b();\n    }\n}",
            "function f() {\n  if (a) {\n    if (c) {\n      b();\n    }\n  }\n}\n",
        ),
        ("python", "def f(x):\n    a = █g(x)█ + 1\n", "h(x)", "def f(x):\n    a = h(x) + 1\n"),
        ("python", "x = █1█", "2\n", "x = 2"),
        ("python", "█x = 1\n█y = 2\n", "x = 3", "x = 3\ny = 2\n"),
        ("plaintext", "one\n█two█\nthree\n", "zwei", "one\nzwei\nthree\n"),
        ("markdown", "- a\n- █b█\n", "c  ", "- a\n- c  \n"),
        (
            "python",
            'class A:\n    █def f(self):\n        x = """\na\n  b\n"""\n        return x█\n',
            'def f(self):\n    x = """\na\n  b\n"""\n    return x + 1',
            'class A:\n    def f(self):\n        x = """\na\n  b\n"""\n        return x + 1\n',
        ),
    ],
)
def test_replacing(language_id: str, drawn: str, reply: str, result: str) -> None:
    assert placed_text(target_of(language_id, drawn), reply) == result


def test_decorators_and_visibility_stay() -> None:
    target = target_of(
        "python", "class A:\n    █@cached\n    def f(self):\n        return 1█\n", "method", "f"
    )
    assert "@cached\n    def f(self):\n        return 2" in placed_text(target, "def f(self):\n    return 2")
    target = target_of(
        "python", "class A:\n    @cached\n    █def f(self):\n        return 1█\n", "method", "f"
    )
    assert placed_text(target, "@cached\ndef f(self):\n    return 2").count("@cached") == 1
    target = target_of("rust", "/// Doc.\n#[inline]\n█pub fn f() -> i32 { 1 }█\n")
    assert placed_text(target, "fn f() -> i32 { 2 }") == "/// Doc.\n#[inline]\npub fn f() -> i32 { 2 }\n"
    target = target_of("typescript", "█export function f() { return 1; }█\n", "function", "f")
    assert placed_text(target, "function f() { return 2; }") == "export function f() { return 2; }\n"
    target = target_of("java", "class A {\n    █private static int f() { return 1; }█\n}\n", "method", "f")
    assert "private static int f() { return 2; }" in placed_text(target, "int f() { return 2; }")


def test_a_comment_above_is_not_doubled() -> None:
    target = target_of("go", "package a\n\n// F does.\n█func F() {}█\n", "function", "F")
    assert placed_text(target, "// F does it.\nfunc F() { g() }").count("// F") == 1
    target = target_of("go", "package a\n\n█func F() {}█\n", "function", "F")
    assert placed_text(target, "// F does it.\nfunc F() { g() }").count("// F") == 1


PROGRAMS = {
    "python": (
        "import os\n\n\n█def f(x):\n    return x█\n",
        "import re\nimport sys\nfrom typing import Any, List\n\n"
        "_RE = re.compile('a')\n\ndef h(x):\n    return _RE.sub('', x)\n\n"
        "def unused():\n    pass\n\ndef f(x: List) -> str:\n    return h(x)\n\n"
        "if __name__ == '__main__':\n    print(f(1))\n",
        "import os\nimport re\nfrom typing import List\n\n\n"
        "_RE = re.compile('a')\n\n\ndef h(x):\n    return _RE.sub('', x)\n\n\n"
        "def f(x: List) -> str:\n    return h(x)\n",
    ),
    "javascript": (
        "const a = require('a');\n\n█function f(x) {\n  return x;\n}█\n\nmodule.exports = { f };\n",
        "const a = require('a');\nconst b = require('b');\n\nfunction g(x) {\n"
        "  return b(x);\n}\n\nfunction f(x) {\n  return g(x);\n}\n\n"
        "console.log(f(1));\nmodule.exports = { f };\n",
        "const a = require('a');\nconst b = require('b');\n\nfunction g(x) {\n"
        "  return b(x);\n}\n\nfunction f(x) {\n  return g(x);\n}\n\n"
        "module.exports = { f };\n",
    ),
    "typescript": (
        "export class S<T> {\n  private items = [];\n  █push(item) { this.items.push(item); }█\n}\n",
        "import { log } from './log';\nimport { other } from './other';\n\n"
        "export class S<T> {\n  private items: T[] = [];\n"
        "  push(item: T): void {\n    log(item);\n    this.items.push(item);\n  }\n"
        "}\n",
        "import { log } from './log';\n\nexport class S<T> {\n  private items = [];\n"
        "  push(item: T): void {\n    log(item);\n    this.items.push(item);\n  }\n"
        "}\n",
    ),
    "java": (
        "package x;\n\nclass A {\n    █int f(int a) { return a; }█\n\n    int f(String a) { return 1; }\n}\n",
        "import java.util.List;\nimport java.util.Map;\n\npublic class Main {\n"
        "    int f(String a) { return 9; }\n\n"
        "    int f(int a) { List<Integer> x = null; return a; }\n\n"
        "    public static void main(String[] args) {}\n}\n",
        "package x;\n\nimport java.util.List;\n\nclass A {\n"
        "    int f(int a) { List<Integer> x = null; return a; }\n\n"
        "    int f(String a) { return 1; }\n}\n",
    ),
    "rust": (
        "use std::fmt;\n\n█fn f(v: &[i32]) -> usize { 1 }█\n",
        "use std::collections::{HashMap, HashSet};\nuse std::fmt;\n\n"
        "fn f(v: &[i32]) -> usize { let s: HashSet<i32> = HashSet::new(); s.len() }\n\n"
        'fn main() { println!("{}", f(&[1])); }\n',
        "use std::fmt;\nuse std::collections::HashSet;\n\n"
        "fn f(v: &[i32]) -> usize { let s: HashSet<i32> = HashSet::new(); s.len() }\n",
    ),
    "go": (
        "package a\n\n█func F(s string) string {\n\treturn s\n}█\n",
        'package main\n\nimport (\n\t"fmt"\n\t"strings"\n)\n\n'
        "func F(s string) string {\n    return strings.ToUpper(s)\n}\n\n"
        'func main() {\n    fmt.Println(F("a"))\n}\n',
        'package a\n\nimport "strings"\n\nfunc F(s string) string {\n\treturn strings.ToUpper(s)\n}\n',
    ),
    "cpp": (
        "#include <vector>\n\n█int f(std::vector<int> a) {\n    return 1;\n}█\n",
        "#include <algorithm>\n#include <iostream>\n#include <vector>\n\n"
        "int f(std::vector<int> a) {\n    std::sort(a.begin(), a.end());\n"
        "    return 1;\n}\n\n"
        "int main() {\n    std::cout << f({});\n}\n",
        "#include <vector>\n#include <algorithm>\n\nint f(std::vector<int> a) {\n"
        "    std::sort(a.begin(), a.end());\n    return 1;\n}\n",
    ),
    "php": (
        "<?php\n\n█function f($a) {\n    return $a;\n}█\n",
        "<?php\n\nuse A\\B;\nuse A\\C;\n\nfunction f($a) {\n    return new B($a);\n}\n\necho f(1);\n",
        "<?php\n\nuse A\\B;\n\nfunction f($a) {\n    return new B($a);\n}\n",
    ),
}


@pytest.mark.parametrize("language_id", PROGRAMS)
def test_a_definition_out_of_a_program_with_what_it_needs(language_id: str) -> None:
    drawn, reply, result = PROGRAMS[language_id]
    assert placed_text(target_of(language_id, drawn), reply) == result


@pytest.mark.parametrize(
    ("head", "result"),
    [
        ("", "import re\n\n\n"),
        ('"""Doc."""\n\n\n', '"""Doc."""\n\nimport re\n\n\n'),
        (
            "#!/usr/bin/env python\n# Copyright me\n\n",
            "#!/usr/bin/env python\n# Copyright me\n\nimport re\n\n",
        ),
        ("# About f.\n", "import re\n\n# About f.\n"),
        ("from __future__ import annotations\n\n", "from __future__ import annotations\nimport re\n\n"),
        ("from re import sub\n\n", "from re import sub\nimport re\n\n"),
        ("import re\n\n", "import re\n\n"),
        ("if a:\n    import b\n\n\n", "import re\n\nif a:\n    import b\n\n\n"),
    ],
)
def test_where_an_import_goes(head: str, result: str) -> None:
    target = target_of("python", f"{head}█def f(x):\n    return x█\n")
    reply = "import re\n\ndef f(x):\n    return re.escape(x)\n"
    assert placed_text(target, reply) == f"{result}def f(x):\n    return re.escape(x)\n"


def test_names_of_one_module_that_are_partly_there() -> None:
    target = target_of("python", "from typing import Any\n\n█def f(x):\n    return x█\n")
    reply = "from typing import Any, Dict, List\n\ndef f(x: Dict[str, Any]) -> List:\n    return x\n"
    assert placed_text(target, reply).startswith(
        "from typing import Any\nfrom typing import Dict, List\n\ndef f"
    )


def test_imports_that_are_the_target_are_replaced_as_they_are() -> None:
    target = target_of("python", "█import b\nimport a█\n\nx = 1\n", "selection")
    assert placed_text(target, "import a\nimport b") == "import a\nimport b\n\nx = 1\n"


@pytest.mark.parametrize(
    ("language_id", "drawn", "reply", "result"),
    [
        (
            "python",
            "class A:\n    █def f(self, x):█\n        return x\n",
            "def f(self, x: int) -> int:",
            "class A:\n    def f(self, x: int) -> int:\n        return x\n",
        ),
        (
            "python",
            "█def f(x):█\n    return x\n",
            "def f(x: int) -> int",
            "def f(x: int) -> int:\n    return x\n",
        ),
        (
            "python",
            "█def f(x):█\n    return x\n",
            "def f(x: int) -> int:\n    return x + 1\n",
            "def f(x: int) -> int:\n    return x\n",
        ),
        (
            "python",
            "█def f(x):█\n    return x\n",
            "def f(x: int) -> int: ...",
            "def f(x: int) -> int:\n    return x\n",
        ),
        (
            "python",
            "█def f(x):█\n    return x\n",
            "from a import B\n\n@d\ndef f(x: B) -> B:\n    '''D.'''\n",
            "from a import B\n\n\ndef f(x: B) -> B:\n    return x\n",
        ),
        ("python", "█def f(x):█\n    return x\n", "The types are clear.", "def f(x):\n    return x\n"),
        (
            "typescript",
            "█export function f(a, b)█ {\n  return a;\n}\n",
            "function f(a: number, b: number): number;",
            "export function f(a: number, b: number): number {\n  return a;\n}\n",
        ),
        (
            "typescript",
            "class A {\n  █f(a)█ {\n    return a;\n  }\n}\n",
            "f(a: number): number {",
            "class A {\n  f(a: number): number {\n    return a;\n  }\n}\n",
        ),
        (
            "php",
            "<?php\n█function f($a)█ {\n    return $a;\n}\n",
            "function f(int $a): int",
            "<?php\nfunction f(int $a): int {\n    return $a;\n}\n",
        ),
    ],
)
def test_a_signature_alone(language_id: str, drawn: str, reply: str, result: str) -> None:
    name = "f"
    target = target_of(language_id, drawn, "function", name)
    assert placed_text(target, reply, scope="signature") == result


FUNCTION = "def f(x):\n    a = 1\n    █b = x█\n    return b\n"


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        ("b = x * 2", FUNCTION.replace("b = x", "b = x * 2")),
        ("def f(x):\n    a = 1\n    b = x * 2\n    return b\n", FUNCTION.replace("b = x", "b = x * 2")),
        (
            "def f(x):\n    a = 9\n    b = x\n    c = b\n    return b\n",
            FUNCTION.replace("b = x", "b = x\n    c = b"),
        ),
        ("def f(x):\n    return x\n", FUNCTION),
    ],
)
def test_a_part_when_the_reply_is_the_whole_function(reply: str, result: str) -> None:
    target = target_of("python", FUNCTION, "selection")
    assert placed_text(target, reply) == result.replace("█", "")


CLASS = "█class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2█\n"


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        ("def g(self):\n    return 3\n", CLASS.replace("return 2", "return 3")),
        ("def f(self):\n    return 3\n\ndef g(self):\n    return 4\n", CLASS),
        ("return 3", CLASS),
    ],
)
def test_less_than_was_asked_for_does_not_take_its_place(reply: str, result: str) -> None:
    assert placed_text(target_of("python", CLASS), reply) == result.replace("█", "")


def test_the_whole_file_is_taken_as_it_is() -> None:
    target = target_of("python", "█import a\n\n\nx = 1\n█", "file")
    assert (
        placed_text(target, "import a\nimport b\n\n\nx = 2", scope="file")
        == "import a\nimport b\n\n\nx = 2\n"
    )


@pytest.mark.parametrize(
    ("language_id", "drawn", "output", "reply", "result"),
    [
        (
            "python",
            "█def f():\n    pass█\n\n\nx = 1\n",
            "insert_below",
            "def g():\n  pass",
            "def f():\n    pass\n\n\ndef g():\n    pass\n\n\nx = 1\n",
        ),
        (
            "python",
            "class A:\n    █def f(self):\n        pass█",
            "insert_above",
            "def g(self):\n    pass",
            "class A:\n    def g(self):\n        pass\n\n    def f(self):\n        pass",
        ),
        (
            "python",
            "def f():\n    █# add them█\n    return 1\n",
            "insert_below",
            "# add them\nx = a + b\n",
            "def f():\n    # add them\n    x = a + b\n    return 1\n",
        ),
        (
            "python",
            "x = 1\n\n█# adds█\n",
            "insert_below",
            "import math\n\ndef add(a):\n    return math.fsum(a)\n",
            "import math\n\nx = 1\n\n# adds\ndef add(a):\n    return math.fsum(a)\n",
        ),
        (
            "javascript",
            "function f() {\n\t// add█\r\n█}\n",
            "insert_below",
            "if (a) {\n  b();\n}",
            "function f() {\n\t// add\r\n\tif (a) {\r\n\t\tb();\r\n\t}\r\n}\n",
        ),
        (
            "plaintext",
            "█\n# Please enter\n█",
            "insert_above",
            "Fix it\n\nAll of it.\n",
            "Fix it\n\nAll of it.\n\n# Please enter\n",
        ),
    ],
)
def test_inserting(language_id: str, drawn: str, output: Output, reply: str, result: str) -> None:
    kind = "comment" if "# add" in drawn or "// add" in drawn else ""
    target = target_of(language_id, drawn, kind)
    assert placed_text(target, reply, output) == result


languages = st.sampled_from(sorted(PROGRAMS))
replies = st.one_of(
    st.sampled_from([reply for _, reply, _ in PROGRAMS.values()]),
    st.lists(
        st.sampled_from(
            ["def f(x):", "    return x", "\t", "}", "{", "class A {", "import a", '"""', "", "x = 🦊"]
        )
    ).map("\n".join),
    st.text(max_size=60),
)


@given(languages, replies, st.sampled_from(["replace", "insert_above", "insert_below"]), st.data())
def test_nothing_outside_of_the_target_is_touched(
    language_id: str, reply: str, output: Output, data: st.DataObject
) -> None:
    """Except that imports are added, of which the reply has to have some."""
    text = PROGRAMS[language_id][0].replace("█", "").replace("\n", data.draw(st.sampled_from(["\n", "\r\n"])))
    start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
    language = detect(language_id, "")
    snapshot = Snapshot("file:///project/a", language_id, 1, text)
    kind, name = data.draw(
        st.sampled_from([("function", "f"), ("class", "S"), ("selection", ""), ("comment", "")])
    )
    scope: Scope = data.draw(st.sampled_from(["definition", "signature", "statement", "file"]))
    target = Target(snapshot, parse(text, language), language, start, end, kind, name)
    edits = placed(action(output, scope), target, reply)
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    for edit in edits:
        if line_start <= edit.start and edit.end <= end:
            continue
        assert edit.start == edit.end, "only insertions are made outside"
        assert edit.start <= start or (output == "insert_below" and "\n" not in text[end : edit.start])


@pytest.mark.parametrize("reply", ["def other():\n    return 2\n", "class A:\n    def other(self): ...\n"])
def test_what_the_file_has_elsewhere_does_not_take_the_place_of_the_target(reply: str) -> None:
    target = target_of(
        "python", "█def f():\n    return other(A)█\n\ndef other():\n    return 1\n\nclass A: pass\n"
    )
    assert placed(action(), target, reply) == ()


def test_the_target_may_get_another_name() -> None:
    target = target_of("python", "█def f():\n    return 1█\n\ndef other():\n    return 1\n")
    assert placed_text(target, "def g():\n    return 1\n").startswith("def g():\n    return 1\n\ndef other")
