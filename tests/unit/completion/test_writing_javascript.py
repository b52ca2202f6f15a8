"""What is inserted in JavaScript and TypeScript, from a drawn buffer and what a model writes there."""

from __future__ import annotations

import pytest

from tests.support.completing import Case, check

JAVASCRIPT: list[Case] = [
    ("const f = █;\n", "() => {\n  g();\n};\nh();\n", "() => {\n  g();\n}"),
    (
        "sort(a, █);\n",
        "(b, c) => {\n  return b.x() - c.x();\n});\n",
        "(b, c) => {\n  return b.x() - c.x();\n}",
    ),
    ("const x = █\n", "foo(1);\nconst y = 2;\n", "foo(1);"),
    ("const x = █;\n", "foo(1);\nconst y = 2;\n", "foo(1)"),
    ("function add(a, b) {█\n}\n", "\n  return a + b;\n}\n\nfunction sub() {}\n", "\n  return a + b;"),
    ("function add(a, b) {█", "\n  return a + b;\n}\n\nfunction sub() {}\n", "\n  return a + b;\n}"),
    ("function add(a, b) {\n  █\n}\n", "return a + b;\n}\n\nfunction sub() {}\n", "return a + b;"),
    ("function add(a, b) {\n  █\n", "return a + b;\n}\n\nfunction sub() {}\n", "return a + b;\n}"),
    ("function add(a, b) {\n  █", "return a + b;\n}\n\nfunction sub() {}\n", "return a + b;\n}"),
    ("function add(a, b) {█}\n", "\n  return a + b;\n}\n\nfunction sub() {}\n", "\n  return a + b;\n"),
    ("function add(a, b) {█}\n", " return a + b; }\n\nfunction sub() {}\n", " return a + b; "),
    ("const add = (a, b) => █\n", "a + b;\nconst y = 1;\n", "a + b;"),
    ("const add = (a, b) => █\n", "{\n  return a + b;\n};\nconst y = 1;\n", "{\n  return a + b;\n};"),
    (
        "items.forEach(█)\n",
        "item => {\n  console.log(item);\n});\nfoo();\n",
        "item => {\n  console.log(item);\n}",
    ),
    ("items.forEach(█);\n", "(item) => console.log(item));\n", "(item) => console.log(item)"),
    (
        "items.forEach(█\n",
        "item => {\n  console.log(item);\n});\nfoo();\n",
        "item => {\n  console.log(item);\n});",
    ),
    ("if (█) {\n  x();\n}\n", "a > b) {\n  x();\n}\n", "a > b"),
    ("if (a) {\n  x();\n} █\n", "else {\n  y();\n}\nz();\n", "else {\n  y();\n}"),
    ("if (a) {\n  x();\n}█\n", " else {\n  y();\n}\nz();\n", " else {\n  y();\n}"),
    (
        "try {\n  x();\n} █\n",
        "catch (e) {\n  console.error(e);\n} finally {\n  y();\n}\nz();\n",
        "catch (e) {\n  console.error(e);\n} finally {\n  y();\n}",
    ),
    ("const o = {\n  a: 1,\n  █\n};\n", "b: 2,\n  c: 3,\n};\n", "b: 2,\n  c: 3,"),
    ("const o = { █ };\n", "a: 1, b: 2 };\n", "a: 1, b: 2"),
    ("const s = `hello █`;\n", "${name}`;\nfoo();\n", "${name}"),
    ("const s = '█';\n", "it\\'s';\nfoo();\n", "it\\'s"),
    ("// add █\nfunction add(a, b) {\n", "two numbers\nfunction add(a, b) {\n", "two numbers"),
    ("/**\n * █\n */\nfunction add(a, b) {\n", "Adds two numbers.\n * @param a\n */\n", "Adds two numbers."),
    (
        "class A {\n  constructor() {\n    this.x = 1;\n  }\n\n  █\n}\n",
        "get() {\n    return this.x;\n  }\n}\n",
        "get() {\n    return this.x;\n  }",
    ),
    (
        "switch (x) {\n  case 1:\n    █\n  case 2:\n    b();\n}\n",
        "a();\n    break;\n  case 2:\n    b();\n",
        "a();\n    break;",
    ),
    (
        "const r = await fetch(█);\n",
        "url, {\n  method: 'POST',\n  body,\n});\nfoo();\n",
        "url, {\n  method: 'POST',\n  body,\n}",
    ),
    (
        "const r = await fetch(█\n",
        "url, {\n  method: 'POST',\n  body,\n});\nfoo();\n",
        "url, {\n  method: 'POST',\n  body,\n});",
    ),
    ("promise\n  .then(█)\n  .catch(e => 1);\n", "r => r.json())\n  .catch(e => 1);\n", "r => r.json()"),
    ("return (\n    <div>\n      █\n    </div>\n  );\n", "<p>Hi</p>\n    </div>\n  );\n", "<p>Hi</p>"),
    (
        "describe('x', () => {\n  it('y', () => {\n    █\n  });\n});\n",
        "expect(1).toBe(1);\n  });\n});\n",
        "expect(1).toBe(1);",
    ),
    (
        "app.get('/', (req, res) => {█\n",
        "\n  res.send('x');\n});\n\napp.listen(1);\n",
        "\n  res.send('x');\n});",
    ),
    (
        "app.get('/', (req, res) => {█});\n",
        "\n  res.send('x');\n});\n\napp.listen(1);\n",
        "\n  res.send('x');\n",
    ),
    ("app.get('/', (req, res) => {\n  █\n});\n", "res.send('x');\n});\n\napp.listen(1);\n", "res.send('x');"),
    ("const {█} = require('x');\n", " a, b } = require('x');\n", " a, b "),
    ("import {█} from 'x';\n", " a, b } from 'x';\n", " a, b "),
    ("let a = [1, 2, 3].map(x => █).filter(Boolean);\n", "x * 2).filter(Boolean);\n", "x * 2"),
    (
        "let a;\n█\nlet z;\n",
        (
            "if (a) {\n  b();\n} else if (c) {\n  d();\n} else {\n  e();\n}\nalpha();\nbeta();\n"
            "gamma();\ndelta();\n"
        ),
        "if (a) {\n  b();\n} else if (c) {\n  d();\n} else {\n  e();\n}",
    ),
    (
        "let a;\n█\nlet z;\n",
        "const x = foo\n  .bar()\n  .baz();\nalpha();\nbeta();\ngamma();\ndelta();\n",
        "const x = foo\n  .bar()\n  .baz();",
    ),
    (
        "let a;\n█\nlet z;\n",
        "const x = foo\n  .bar()\n  .baz()\nalpha();\nbeta();\ngamma();\ndelta();\n",
        "const x = foo\n  .bar()\n  .baz()",
    ),
    (
        "let a;\n█\nlet z;\n",
        "export default {\n  a: 1,\n  b: 2,\n};\nalpha();\nbeta();\ngamma();\ndelta();\n",
        "export default {\n  a: 1,\n  b: 2,\n};",
    ),
    ("// see foo(█\nbar();\n", "x {\n  y\n}\n", "x {"),
    ("const x = 1; // see foo(█\nbar();\n", "x)\nbaz();\n", "x)"),
]

TYPESCRIPT: list[Case] = [
    ("interface A {\n  a: string;\n  █\n}\n", "b: number;\n}\n", "b: number;"),
    ("interface A {█}\n", "\n  a: string;\n  b: number;\n}\n\nfoo", "\n  a: string;\n  b: number;\n"),
    ("type A = █;\n", "'a' | 'b';\n", "'a' | 'b'"),
    ("function f(█): number {\n  return a;\n}\n", "a: number): number {\n  return a;\n}\n", "a: number"),
    ("function f(a: █): number {\n  return a;\n}\n", "number): number {\n  return a;\n}\n", "number"),
    (
        "export async function load(id: string): Promise<User> {\n  █\n}\n",
        "const r = await fetch(`/u/${id}`);\n  return r.json();\n}\n\nexport function x",
        "const r = await fetch(`/u/${id}`);\n  return r.json();",
    ),
    ("const m = new Map<█>();\n", "string, number>();\n", "string, number"),
]


CASES = [*(("javascript", case) for case in JAVASCRIPT), *(("typescript", case) for case in TYPESCRIPT)]


@pytest.mark.parametrize(("language_id", "case"), CASES)
def test_writing(language_id: str, case: Case) -> None:
    check(language_id, case)
