"""What is inserted where words close blocks, from a drawn buffer and what a model writes there."""

from __future__ import annotations

import pytest

from tests.support.completing import Case, check

RUBY: list[Case] = [
    ("def add(a, b)\n  █\nend\n", "a + b\nend\n\ndef x\n", "a + b"),
    ("def add(a, b)█\n", "\n  a + b\nend\n\ndef x\nend\n", "\n  a + b\nend"),
    ("def add(a, b)\n  █\n", "a + b\nend\n\ndef x\nend\n", "a + b\nend"),
    ("def add(a, b)\n  █", "a + b\nend\n\ndef x\nend\n", "a + b\nend"),
    ("items.each do |x|█\n", "\n  puts x\nend\nfoo\n", "\n  puts x\nend"),
    ("items.each do |x|\n  █\nend\n", "puts x\nend\nfoo\n", "puts x"),
    ("items.map { |x| █ }\n", "x * 2 }\n", "x * 2"),
    ("class A\n  def f\n    █\n  end\nend\n", "1\n  end\nend\n", "1"),
    ("class A\n  def f\n    █\nend\n", "1\n  end\nend\n", "1\n  end"),
    ("if a\n  b\nel█\nend\n", "se\n  c\nend\n", "se\n  c"),
    ("attr_accessor █\n", ":a, :b\n\ndef x\n", ":a, :b"),
    ('puts "#{█}"\n', 'x}"\n', "x"),
    (
        "x = 1\n█\nz = 1\n",
        "begin\n  a\n  b\n  c\nrescue E => e\n  d\nend\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "begin\n  a\n  b\n  c\nrescue E => e\n  d\nend",
    ),
    (
        "x = 1\n█\nz = 1\n",
        "items.each do |i|\n  a\n  b\n  c\nend\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "items.each do |i|\n  a\n  b\n  c\nend",
    ),
    (
        "def q(\nx = 1\n█\nz = 1\n",
        "items.each do |i|\n  a\n  b\n  c\nend\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "items.each do |i|\n  a\n  b\n  c\nend",
    ),
    (
        "x = 1\n█\nz = 1\n",
        "if a\n  b\nelse\n  c\nend\nalpha = 1\nbeta = 2\ngamma = 3\ndelta = 4\n",
        "if a\n  b\nelse\n  c\nend",
    ),
    ("if a█\n", "\n  b\nelse\n  c\nend\nfoo\n", "\n  b\nelse\n  c\nend"),
    ("if a\n  █\nelse\n  c\nend\n", "b\nend\nfoo\n", "b"),
]

SHELLSCRIPT: list[Case] = [
    ('if [ -f "$1" ]; then\n  █\nfi\n', 'cat "$1"\nfi\n', 'cat "$1"'),
    ('if [ -f "$1" ]; then█\n', '\n  cat "$1"\nfi\necho done\n', '\n  cat "$1"\nfi'),
    ('if [ -f "$1" ]; then\n  █\n', 'cat "$1"\nfi\necho done\n', 'cat "$1"\nfi'),
    ("for f in *.txt; do\n  █\n", 'echo "$f"\ndone\n\necho x\n', 'echo "$f"\ndone'),
    ("for f in *.txt; do\n  █\ndone\n", 'echo "$f"\ndone\n\necho x\n', 'echo "$f"'),
    ("for f in █\n", '*.txt; do\n  echo "$f"\ndone\n\necho x\n', '*.txt; do\n  echo "$f"\ndone'),
    (
        'case "$1" in\n  █\nesac\n',
        "start)\n    run\n    ;;\n  stop)\n    halt\n    ;;\nesac\n",
        "start)\n    run\n    ;;\n  stop)\n    halt\n    ;;",
    ),
    ("usage() {█\n", '\n  echo "usage"\n  exit 1\n}\n\nmain\n', '\n  echo "usage"\n  exit 1\n}'),
    ("x=$(█)\n", "date +%s)\n", "date +%s"),
    ('echo "█"\n', 'Hello $name"\n', "Hello $name"),
    ("echo it's █\n", "fine\n", "fine"),
    (
        "x=1\n█\nz=1\n",
        "if a; then\n  b\nelse\n  c\nfi\nalpha\nbeta\ngamma\ndelta\n",
        "if a; then\n  b\nelse\n  c\nfi",
    ),
    (
        "x=1\n█\nz=1\n",
        "while read -r l; do\n  b\n  c\n  d\ndone < file\nalpha\nbeta\ngamma\ndelta\n",
        "while read -r l; do\n  b\n  c\n  d\ndone < file",
    ),
    (
        "x=1\n█\nz=1\n",
        "case $1 in\n  a)\n    b\n    ;;\n  *)\n    c\n    ;;\nesac\nalpha\nbeta\ngamma\ndelta\n",
        "case $1 in\n  a)\n    b\n    ;;\n  *)\n    c\n    ;;\nesac",
    ),
    ("if a; then\n  █\nelse\n  c\nfi\n", "b\nfi\necho\n", "b"),
]

LUA: list[Case] = [
    ("local function add(a, b)█\n", "\n  return a + b\nend\n\nprint(1)\n", "\n  return a + b\nend"),
    ("local function add(a, b)\n  █\nend\n", "return a + b\nend\n", "return a + b"),
    ("for i = 1, 10 do\n  █\n", "print(i)\nend\n\nprint(1)\n", "print(i)\nend"),
    ("vim.keymap.set('n', 'x', function()█\n", "\n  print(1)\nend)\n\nfoo()\n", "\n  print(1)\nend)"),
    ("vim.keymap.set('n', 'x', function()█end)\n", "\n  print(1)\nend)\n\nfoo()\n", "\n  print(1)\n"),
    ("local t = {\n  a = 1,\n  █\n}\n", "b = 2,\n}\n", "b = 2,"),
    ("local t = {█}\n", " a = 1, b = 2 }\n", " a = 1, b = 2 "),
    (
        "local x\n█\nlocal z\n",
        "if a then\n  b()\nelseif c then\n  d()\nelse\n  e()\nend\nalpha()\nbeta()\ngamma()\ndelta()\n",
        "if a then\n  b()\nelseif c then\n  d()\nelse\n  e()\nend",
    ),
    (
        "local x\n█\nlocal z\n",
        "repeat\n  b()\n  d()\n  e()\nuntil x\nalpha()\nbeta()\ngamma()\ndelta()\n",
        "repeat\n  b()\n  d()\n  e()\nuntil x",
    ),
    (
        "vim.keymap.set('n', 'x', function()█\n",
        "\n  print(1)\nend, { desc = 'x' })\n\nfoo()\n",
        "\n  print(1)\nend, { desc = 'x' })",
    ),
]


CASES = [
    *(("ruby", case) for case in RUBY),
    *(("shellscript", case) for case in SHELLSCRIPT),
    *(("lua", case) for case in LUA),
]


@pytest.mark.parametrize(("language_id", "case"), CASES)
def test_writing(language_id: str, case: Case) -> None:
    check(language_id, case)
