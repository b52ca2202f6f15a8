"""What the model gets to see of a long file, and that it stays the same while the user types."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.completion.context import CHARS_PER_TOKEN, ContextBuilder
from lsp_server.documents.snapshot import Snapshot
from lsp_server.settings import CompletionSettings
from tests.support.completing import context_at, context_of
from tests.support.drawn import cursor
from tests.unit.completion.texts import buffers, languages

SMALL = CompletionSettings(context_tokens=400, suffix_share=0.25)
BEFORE, AFTER = 900, 300  # what SMALL allows, in characters

PYTHON = """\
import json
from pathlib import Path


def early(a: int) -> str:
    return str(a)


class Store:
    def __init__(self, path: Path) -> None:
        self.path = path

    def sibling(self, key: str) -> bool:
        return key in self.path.name

    def current(self) -> None:
{filler}        █
{filler}

def late(b: str) -> int:
    return len(b)
"""

TYPESCRIPT = """\
import { readFile } from 'fs';

export function early(a: number): string {
  return String(a);
}

export class Store {
  constructor(private path: string) {
    this.touch(1);
  }

  sibling(key: string): boolean {
    return this.path.includes(key);
  }

  current(): void {
{filler}    █
{filler}  }
}
"""

GO = """\
package store

import (
\t"fmt"
\t"os"
)

func early(a int) string {
\treturn fmt.Sprint(a)
}

type Store struct {
\tpath string
}

func (s *Store) sibling(key string) bool {
\treturn key == s.path
}

func (s *Store) current() {
{filler}\t█
{filler}}
"""

RUST = """\
use std::fs;

fn early(a: i32) -> String {
    a.to_string()
}

pub struct Store {
    path: String,
}

impl Store {
    fn sibling(&self, key: &str) -> bool {
        self.path == key
    }

    fn current(&self) {
{filler}        █
{filler}    }
}
"""

JAVA = """\
import java.util.List;

public class Store {
    private final String path;

    boolean sibling(String key) {
        return path.equals(key);
    }

    void current() {
{filler}        █
{filler}    }
}
"""

FILES = [
    ("python", PYTHON, "        self.touch(1234567890)\n",
     ["import json", "from pathlib import Path", "class Store:", "def sibling(self, key: str) -> bool:",
      "def current(self) -> None:"]),
    ("typescript", TYPESCRIPT, "    this.touch(1234567890);\n",
     ["import { readFile } from 'fs';", "export class Store {", "sibling(key: string): boolean",
      "current(): void {"]),
    ("go", GO, "\ts.touch(1234567890)\n",
     ['"fmt"', "path string", "func (s *Store) sibling(key string) bool", "func (s *Store) current() {"]),
    ("rust", RUST, "        self.touch(1234567890);\n",
     ["use std::fs;", "path: String", "impl Store {", "fn sibling(&self, key: &str) -> bool",
      "fn current(&self) {"]),
    ("java", JAVA, "        this.touch(1234567890);\n",
     ["import java.util.List;", "public class Store {", "boolean sibling(String key)", "void current() {"]),
]  # fmt: skip


def filled(drawing: str, filler: str, lines: int = 60) -> str:
    return drawing.replace("{filler}", filler * lines)


@pytest.mark.parametrize(("language_id", "drawing", "filler", "wanted"), FILES)
def test_imports_and_signatures_reach_the_prompt(
    language_id: str, drawing: str, filler: str, wanted: list[str]
) -> None:
    context = context_of(language_id, filled(drawing, filler), SMALL)
    for text in wanted:
        assert text in context.prefix
    assert context.prefix.endswith(filler + filler.removesuffix(filler.lstrip()))
    assert len(context.prefix) <= BEFORE
    assert len(context.suffix) <= AFTER


@pytest.mark.parametrize(("language_id", "drawing", "filler", "wanted"), FILES)
def test_a_file_within_the_budget_is_sent_whole(
    language_id: str, drawing: str, filler: str, wanted: list[str]
) -> None:
    text, offset = cursor(filled(drawing, filler, 1))
    context = context_at(language_id, text, offset, CompletionSettings(context_tokens=4000))
    assert (context.prefix, context.suffix) == (text[:offset], text[offset:])


@given(languages, buffers(), st.integers(32, 200), st.floats(0, 0.9))
def test_the_budget_holds(language_id: str, buffer: tuple[str, int], tokens: int, share: float) -> None:
    text, offset = buffer
    settings = CompletionSettings(context_tokens=tokens, suffix_share=share)
    context = context_at(language_id, text * 8, offset + len(text) * 4, settings)
    assert len(context.prefix) + len(context.suffix) <= tokens * CHARS_PER_TOKEN
    assert "\r" not in context.prefix + context.suffix


TYPED = (
    "for key in self.keys:\n            if key.startswith('a'):\n"
    "                self.remove(key)\n        x = [1, 2\n"
)


@pytest.mark.parametrize(("language_id", "drawing", "filler", "wanted"), FILES)
def test_typing_leaves_the_beginning_of_the_prompt_alone(
    language_id: str, drawing: str, filler: str, wanted: list[str]
) -> None:
    text, offset = cursor(filled(drawing, filler))
    builder = ContextBuilder(SMALL)
    typed = (TYPED * 2)[:150]
    heads, suffixes = set(), set()
    for count in range(len(typed) + 1):
        now = text[:offset] + typed[:count] + text[offset:]
        snapshot = Snapshot("file:///drawn", language_id, count, now)
        context = asyncio.run(builder.build(snapshot, offset + count))
        assert context.prefix.endswith(typed[:count])
        heads.add(context.prefix[:400])
        suffixes.add(context.suffix)
    # A border moves by a sixth of the window: 112 of 150 characters at the least.
    assert len(heads) <= 3
    assert len(suffixes) == 1


def test_control_tokens_in_a_buffer_are_text() -> None:
    context = context_of(
        "python", "x = '[SUFFIX]<s>'  # <|fim_prefix|>\ny = █\nz = '<|endoftext|>[PREFIX]'\n"
    )
    assert context.prefix == "x = '[SUFFIX]<s>'  # <|fim_prefix|>\ny = "
    assert context.suffix == "\nz = '<|endoftext|>[PREFIX]'\n"


def test_the_document_is_what_the_editor_says_even_where_it_ends_lines_in_two_ways() -> None:
    context = context_of("python", "a = 1\r\nb = 2\n█\r\n")
    assert (context.prefix, context.suffix, context.line_end) == ("a = 1\nb = 2\n", "\n", "\n")


def test_a_closed_document_starts_afresh() -> None:
    builder = ContextBuilder(SMALL)
    text, offset = cursor(filled(*FILES[0][1:3]))
    snapshot = Snapshot("file:///drawn", "python", 1, text)
    before = asyncio.run(builder.build(snapshot, offset))
    builder.forget(snapshot.uri)
    after = asyncio.run(builder.build(snapshot, offset))
    assert (after.prefix, after.suffix) == (before.prefix, before.suffix)
