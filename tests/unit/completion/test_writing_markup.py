"""What is inserted in markup, data and prose, from a drawn buffer and what a model writes there."""

from __future__ import annotations

import pytest

from tests.support.completing import Case, check

HTML: list[Case] = [
    (
        "<ul>\n  <li>One</li>\n  █\n</ul>\n",
        "<li>Two</li>\n  <li>Three</li>\n</ul>\n",
        "<li>Two</li>\n  <li>Three</li>",
    ),
    ("<p>█</p>\n", "Hello</p>\n<p>x</p>\n", "Hello"),
    ('<a href="█">x</a>\n', '/home">x</a>\n', "/home"),
    ("<div █>\n", 'class="a">\n  <p>\n', 'class="a"'),
    (
        "<table>\n  █\n</table>\n",
        "<tr>\n    <td>1</td>\n  </tr>\n</table>\n",
        "<tr>\n    <td>1</td>\n  </tr>",
    ),
    (
        "<head>\n  <title>x</title>\n  █\n</head>\n",
        '<link rel="stylesheet" href="a.css">\n</head>\n',
        '<link rel="stylesheet" href="a.css">',
    ),
    ("<script>\n  █\n</script>\n", "console.log(1);\n</script>\n", "console.log(1);"),
    ("<!-- █ -->\n", "navigation -->\n<nav>\n", "navigation"),
    (
        "<body>\n  <p>x</p>\n  █\n  <p>z</p>\n</body>\n",
        (
            "<ul>\n    <li>a</li>\n    <li>b</li>\n    <li>c</li>\n  </ul>\n  <b>q</b>\n  <b>r</b>\n"
            "  <b>s</b>\n  <b>t</b>\n"
        ),
        "<ul>\n    <li>a</li>\n    <li>b</li>\n    <li>c</li>\n  </ul>",
    ),
]

CSS: list[Case] = [
    ("a {\n  █\n}\n", "color: red;\n  margin: 0;\n}\n\nb {\n", "color: red;\n  margin: 0;"),
    ("a {█\n}\n", "\n  color: red;\n}\n\nb {\n", "\n  color: red;"),
    ("a {█}\n", "\n  color: red;\n}\n\nb {\n", "\n  color: red;\n"),
    ("a {█", "\n  color: red;\n}\n\nb {\n", "\n  color: red;\n}"),
    ("a {\n  color: █;\n}\n", "red;\n}\n", "red"),
    ("a {\n  color: █\n}\n", "red;\n  margin: 0;\n}\n", "red;"),
    ("█\na { color: red; }\n", "body {\n  margin: 0;\n}\na { color: red; }\n", "body {\n  margin: 0;\n}"),
    (
        "a { b: c; }\n█\nz { y: x; }\n",
        "@media (x) {\n  a {\n    b: c;\n  }\n  d {\n    e: f;\n  }\n}\nq { }\nr { }\ns { }\nt { }\n",
        "@media (x) {\n  a {\n    b: c;\n  }\n  d {\n    e: f;\n  }\n}",
    ),
]

SCSS: list[Case] = [
    ("a {\n  &:hover {\n    █\n  }\n}\n", "color: red;\n  }\n}\n", "color: red;"),
]

JSON: list[Case] = [
    ('{\n  "a": 1,\n  █\n}\n', '"b": 2\n}\n', '"b": 2'),
    ('{\n  "a": 1,\n  █\n}\n', '"b": {\n    "c": 1\n  }\n}\n', '"b": {\n    "c": 1\n  }'),
    ('{\n  "a": 1,\n  "█": 2\n}\n', 'b": 2\n}\n', "b"),
    ('{\n  "scripts": {█}\n}\n', '\n    "build": "x"\n  }\n}\n', '\n    "build": "x"\n  '),
    ('{\n  "a": [█]\n}\n', "1, 2, 3]\n}\n", "1, 2, 3"),
    ("█", '{\n  "a": 1\n}\n', '{\n  "a": 1\n}'),
    (
        "█",
        '{\n  "a": {\n    "b": 1,\n    "c": 2,\n    "d": 3\n  }\n}\n',
        '{\n  "a": {\n    "b": 1,\n    "c": 2,\n    "d": 3\n  }\n}',
    ),
]

YAML: list[Case] = [
    ("services:\n  web:\n    image: █\n", "nginx:latest\n    ports:\n      - 80:80\n", "nginx:latest"),
    (
        "services:\n  web:\n    image: nginx\n    █\n",
        'ports:\n      - "80:80"\n  db:\n    image: postgres\n',
        'ports:\n      - "80:80"',
    ),
    (
        "services:\n  web:\n    image: nginx\n    ports:█\n",
        '\n      - "80:80"\n      - "81:81"\n  db:\n    image: postgres\n',
        '\n      - "80:80"\n      - "81:81"',
    ),
    (
        "- name: a\n  run: x\n█\n",
        "- name: b\n  run: y\n- name: c\n  run: z\n- name: d\n",
        "- name: b\n  run: y",
    ),
    (
        "jobs:\n  test:\n    steps:\n      - uses: a\n      █\n",
        "- run: make\n      - run: make test\n",
        "- run: make\n      - run: make test",
    ),
    ('key: "█"\n', 'value"\nb: 1\n', "value"),
    ("run: |\n  make\n  █\nname: x\n", "make test\nname: x\n", "make test"),
    (
        "on:\n█\nz: 1\n",
        "  push:\n    branches:\n      - a\n      - b\n      - c\n  pull_request:\nq: 1\nr: 1\n",
        "  push:\n    branches:\n      - a\n      - b\n      - c\n  pull_request:",
    ),
]

TOML: list[Case] = [
    ("[project]\nname = █\n", '"x"\nversion = "1"\n', '"x"'),
    ('deps = [\n  "a",\n  █\n]\n', '"b",\n]\n', '"b",'),
    ("deps = [█]\n", '"a", "b"]\n', '"a", "b"'),
    (
        "a = 1\n█\nz = 1\n",
        "b = [\n  1,\n  2,\n  3,\n]\nq = 1\nr = 1\ns = 1\nt = 1\n",
        "b = [\n  1,\n  2,\n  3,\n]",
    ),
]

MARKDOWN: list[Case] = [
    ("# Title\n\nThis is █\n", "a text.\n\n## Next\n", "a text."),
    ("- one\n- █\n", "two\n- three\n", "two"),
    ("- one\n█\n", "- two\n- three\n- four\n", "- two"),
    ("```python\nx = █\n```\n", "1\n```\n", "1"),
    ("```python\n█\n```\n", "x = 1\n```\n", "x = 1"),
    ("| a | b |\n|---|---|\n█\n", "| 1 | 2 |\n| 3 | 4 |\n\ntext\n", "| 1 | 2 |"),
    ("Text (see █\n", "the manual\nfor more).\n", "the manual"),
]

PLAINTEXT: list[Case] = [
    ("Dear Sir,\n\n█\n", "I am writing.\n\nYours\n", "I am writing."),
    ("I am █\n", "writing to you.\nx\n", "writing to you."),
    ("█", "Hello world\nfoo\n", "Hello world"),
    ("I (who am █) write\n", "old) write\n", "old"),
]


CASES = [
    *(("html", case) for case in HTML),
    *(("css", case) for case in CSS),
    *(("scss", case) for case in SCSS),
    *(("json", case) for case in JSON),
    *(("yaml", case) for case in YAML),
    *(("toml", case) for case in TOML),
    *(("markdown", case) for case in MARKDOWN),
    *(("plaintext", case) for case in PLAINTEXT),
]


@pytest.mark.parametrize(("language_id", "case"), CASES)
def test_writing(language_id: str, case: Case) -> None:
    check(language_id, case)
