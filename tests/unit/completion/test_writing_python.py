"""What is inserted in Python, from a drawn buffer and what a model writes there."""

from __future__ import annotations

import pytest

from lsp_server.completion.result import Reason
from tests.support.completing import Case, check

PYTHON: list[Case] = [
    ("if x: █\n", "return 1\ny()\n", "return 1"),
    ("if x: █\n", "\n    return 1\ny()\n", "\n    return 1"),
    ("x = █\n", "range(10)\ny = 2\n", "range(10)"),
    (
        "import os\n\ndef f(a):\n    return os.█\n",
        "path.join(a, 'b')\n\ndef g():\n    pass\n",
        "path.join(a, 'b')",
    ),
    ("foo(█)\n", "1, 2)\nbar(3)\n", "1, 2"),
    ("foo(a, █)\n", "b=3)\n", "b=3"),
    ("foo(█)\n", "\n    a,\n    b,\n)\nbar()\n", "\n    a,\n    b,\n"),
    ("foo(█", "\n    a,\n    b,\n)\nbar()\n", "\n    a,\n    b,\n)"),
    ("foo(█\n", "a, b)\nbar()\n", "a, b)"),
    ("x = [█\n", "\n    1,\n    2,\n]\ny = 2\n", "\n    1,\n    2,\n]"),
    ("x = {█}\n", "'a': 1, 'b': 2}\ny = 2\n", "'a': 1, 'b': 2"),
    ("x = {█\n}\n", "\n    'a': 1,\n    'b': 2,\n}\ny = 2\n", "\n    'a': 1,\n    'b': 2,"),
    ("x = {\n    █\n}\n", "'a': 1,\n    'b': 2,\n}\ny = 2\n", "'a': 1,\n    'b': 2,"),
    ("x = {\n    'a': 1,\n    █\n}\n", "'b': 2,\n}\ny = 2\n", "'b': 2,"),
    ('print("█")\n', 'Hello, world!")\nx = 1\n', "Hello, world!"),
    ('print("█\n', 'Hello, world!")\nx = 1\n', 'Hello, world!")'),
    ('print(f"{█}")\n', 'name}")\nx = 1\n', "name"),
    ("# compute the █\nx = 1\n", "sum of a and b\nx = 1\n", "sum of a and b"),
    (
        'def f(a, b):\n    """█\n    return a + b\n',
        'Return the sum.\n\n    More.\n    """\n    return a + b\n',
        "Return the sum.",
    ),
    (
        'def f(a, b):\n    """█"""\n    return a + b\n',
        'Return the sum."""\n    return a + b\n',
        "Return the sum.",
    ),
    ("def █\n", "f(a, b):\n    return a + b\n\ndef g():\n    pass\n", "f(a, b):\n    return a + b"),
    ("def f(█):\n    return a + b\n", "a, b):\n    return a + b\n", "a, b"),
    ("def f(a, b):█\n", "\n    return a + b\n\ndef g():\n    pass\n", "\n    return a + b"),
    ("def f(a, b):\n█\n", "return a + b\n\ndef g():\n    pass\n", "    return a + b"),
    ("def f(a, b):\n    █\n", "return a + b\n\ndef g():\n    pass\n", "return a + b"),
    ("def f(a, b):\n    █", "return a + b\n\ndef g():\n    pass\n", "return a + b"),
    ("def f(a):\n    if a:\n        █\n    return 2\n", "return 1\n    return 2\n", "return 1"),
    (
        "def f(a):\n    if a:\n        █\n    return 2\n",
        "return 1\n    else:\n        a = 2\n    return 2\n",
        "return 1",
    ),
    (
        "def f(a):\n    if a:\n        return 1\n    █\n",
        "else:\n        return 2\n\ndef g(): pass\n",
        "else:\n        return 2",
    ),
    (
        "def f(a):\n    if a:\n        return 1\n    █\n\nx = 1\n",
        "elif a > 2:\n        return 2\n    else:\n        return 3\n\nx = 1\n",
        "elif a > 2:\n        return 2\n    else:\n        return 3",
    ),
    (
        "try:\n    x()\n█\n",
        "except ValueError:\n    pass\nfinally:\n    y()\nz = 1\nz = 2\nz = 3\nz = 4\n",
        "except ValueError:\n    pass\nfinally:\n    y()",
    ),
    (
        "for x in y:\n    print(x)\n█\nz = 1\n",
        "for a in b:\n    print(a)\nz = 1\n",
        "for a in b:\n    print(a)",
    ),
    (
        "class A:\n    █\n",
        ("def __init__(self):\n        self.a = 1\n\n    def f(self):\n        return 1\n\nclass B: pass\n"),
        "def __init__(self):\n        self.a = 1\n\n    def f(self):\n        return 1",
    ),
    (
        "class A:\n    def __init__(self):\n        self.a = 1\n\n    █\n\nclass B: pass\n",
        "def f(self):\n        return 1\n\nclass B: pass\n",
        "def f(self):\n        return 1",
    ),
    ("@█\ndef f():\n    pass\n", "cache\ndef f():\n    pass\n", "cache"),
    (
        "@pytest.mark.parametrize(█)\ndef f():\n    pass\n",
        '"a", [1, 2])\ndef f():\n    pass\n',
        '"a", [1, 2]',
    ),
    (
        "match x:\n    case 1:\n        █\n    case 2:\n        y()\n",
        "x()\n    case 2:\n        y()\n",
        "x()",
    ),
    (
        "match x:\n    █\n",
        "case 1:\n        x()\n    case 2:\n        y()\nz\n",
        "case 1:\n        x()\n    case 2:\n        y()",
    ),
    ("█import os\n", "import sys\nimport os\n", "import sys\n"),
    ("import os\n█\nprint(os.path)\n", "import sys\nprint(os.path)\n", "import sys"),
    ("x = 1\n█\ny = 2\n", "y = 2\n", Reason.REPEATS_SUFFIX),
    ("x = 1\ny █\nz = 2\n", "= 2\nz = 2\n", "= 2"),
    ("x = 1\ny = █\ny = 2\n", "2\n", Reason.REPEATS_SUFFIX),
    ("value = compute(a)\n█\n", "value = compute(a)\n", Reason.REPEATS_PREFIX),
    ("█", "import os\nimport sys\n\ndef main():\n    pass\n", "import os"),
    ("if x:\n\t█\n", "return 1\ny = 2\n", "return 1"),
    ("def f():\n\tif x:\n\t\ty()\n\t█\n\nz = 1\n", "return 1\n\nz = 1\n", "return 1"),
    ("def f():\r\n    █\r\n\r\nx = 1\r\n", "a = 1\n    return a\n\nx = 1\n", "a = 1\r\n    return a"),
    ("s = '😀' + █\nt = 1\n", "'日本'\nt = 1\n", "'日本'"),
    ("def f():\n    s = '😀'\n    █\n", "return s + '日本'\n\nx\n", "return s + '日本'"),
    ("x = 1█", "\ny = 2\n", Reason.EMPTY),
    (
        "def outer():\n    def inner():\n        █\n    return inner\n",
        "return 1\n    return inner\n",
        "return 1",
    ),
    ("x = foo(█).bar()\n", "1, 2).bar()\n", "1, 2"),
    ("return █ + 1\n", "x + 1\n", "x"),
    ("if █:\n    pass\n", "x > 1:\n    pass\n", "x > 1"),
    ("for █ in y:\n    pass\n", "x in y:\n    pass\n", "x"),
    ("x = [█ for i in y]\n", "i * 2 for i in y]\n", "i * 2"),
    ("x = 1  █\ny = 2\n", "# the one\ny = 2\n", "# the one"),
    ("def f():\n    x = 1\n    █\n", "return x\n```\n\nHere is the code you asked for:\n", "return x"),
    ("x = █\n", "1\n```\nThis code sets x to 1.\n", "1"),
    (
        "def f():\n    █\n",
        "print(1)\n    print(1)\n    print(1)\n    print(1)\n    print(1)\n    print(1)\n",
        "print(1)",
    ),
    ("lst = [\n    1,\n    █\n]\n", "2,\n    3,\n    4,\n]\n", "2,\n    3,\n    4,"),
    ("with open(p) as f:\n    █\nprint(1)\n", "data = f.read()\nprint(1)\n", "data = f.read()"),
    ("if a:\n    x()\nel█\n", "se:\n    y()\nz()\n", "se:\n    y()"),
    ("while True:\n    if x:\n        break\n    █\n", "x += 1\n\nprint(x)\n", "x += 1"),
    (
        "def f():\n    return 1\n\n█\n\ndef h():\n    return 3\n",
        "def g():\n    return 2\n\ndef h():\n    return 3\n",
        "def g():\n    return 2",
    ),
    (
        "def f():\n    return 1\n\n\n█def h():\n    return 3\n",
        "def g():\n    return 2\n\n\ndef h():\n    return 3\n",
        "def g():\n    return 2\n\n\n",
    ),
    (
        "def f():\n    return 1\n\n\ndef g():\n    return 2\n\n\n█\n",
        "def h():\n    return 3\n\n\ndef i():\n    return 4\n",
        "def h():\n    return 3",
    ),
    ("d = dict(\n    a=1,\n    █\n)\n", "b=2,\n    c=3,\n)\n", "b=2,\n    c=3,"),
    ("x = (a +\n     █)\n", "b)\n", "b"),
    ("assert █\n", "f(1) == 2\nassert f(2) == 3\n", "f(1) == 2"),
    (
        "assert f(1) == 2\n█\n",
        "assert f(2) == 3\nassert f(3) == 4\nassert f(4) == 5\nassert f(5) == 5\n",
        "assert f(2) == 3",
    ),
    ('def f(a):\n    """Doc."""\n    █\n', "return a\n\n\nf(1)\n", "return a"),
    ('def f(a):\n    """Doc.\n\n    █\n    """\n    return a\n', 'Args:\n        a: x\n    """\n', "Args:"),
    (
        "a = 1\n█\nz = 1\n",
        "if a:\n    b()\nelse:\n    c()\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "if a:\n    b()\nelse:\n    c()",
    ),
    (
        "a = 1\n█\nz = 1\n",
        "if a:\n    b()\nelif d:\n    e()\nelse:\n    c()\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "if a:\n    b()\nelif d:\n    e()\nelse:\n    c()",
    ),
    (
        "a = 1\n█\nz = 1\n",
        ("try:\n    b()\nexcept E:\n    c()\nfinally:\n    d()\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n"),
        "try:\n    b()\nexcept E:\n    c()\nfinally:\n    d()",
    ),
    (
        "a = 1\n█\nz = 1\n",
        "@cache\ndef f(\n    x,\n):\n    return x\n\n\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "@cache\ndef f(\n    x,\n):\n    return x",
    ),
    (
        "def g(:\n\na = 1\n█\nz = 1\n",
        "@cache\ndef f(\n    x,\n):\n    return x\n\n\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "@cache\ndef f(\n    x,\n):\n    return x",
    ),
    (
        "def g(:\n\na = 1\n█\nz = 1\n",
        "if a:\n    b()\nelif d:\n    e()\nelse:\n    c()\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "if a:\n    b()\nelif d:\n    e()\nelse:\n    c()",
    ),
    (
        "a = 1\n█\nz = 1\n",
        "x = [\n    1,\n    2,\n]\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "x = [\n    1,\n    2,\n]",
    ),
    (
        "a = 1\n█\nz = 1\n",
        "x = '''\na\nb\nc\nd\n'''\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "x = '''\na\nb\nc\nd\n'''",
    ),
    ("a = 1\n█\nz = 1\n", "x = 1; y = 2\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n", "x = 1; y = 2"),
    (
        "x = █\n",
        "{\n    'a': 1,\n    'b': {\n        'c': 1,\n    },\n}\ny = 2\n",
        "{\n    'a': 1,\n    'b': {\n        'c': 1,\n    },\n}",
    ),
    ("x = █\n", "[\n    1,\n]\ny = 2\n", "[\n    1,\n]"),
    ("x = foo(█\n", "a,\n        b,\n        c)\ny = 2\n", "a,\n        b,\n        c)"),
    ("x = 1█\ny = 2\n", "0  # (see\nz = 3)\n", "0  # (see"),
]


CASES = [*(("python", case) for case in PYTHON)]


@pytest.mark.parametrize(("language_id", "case"), CASES)
def test_writing(language_id: str, case: Case) -> None:
    check(language_id, case)
