"""The beginnings of files: for each language what is there, the cursor at its end. Knows no server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_TEXTS: dict[str, tuple[str, ...]] = {
    "python": ("import ", "# Read a CSV file and print the sum of each column\n", "def "),
    "javascript": ("import ", "// Fetch a page and print its title\n", "function "),
    "typescript": ("import ", "// A queue with a limited size\n", "interface "),
    "typescriptreact": ("import ", "// A button that counts its clicks\n", "export "),
    "go": ("package ", "// Reads a file and counts its lines\n", "package main\n\nimport "),
    "rust": ("use ", "// Read a file and count its words\n", "fn "),
    "java": ("import ", "// A stack of numbers\n", "public "),
    "c": ("#include ", "// Reverse a string in place\n", "int "),
    "cpp": ("#include ", "// A thread-safe counter\n", "class "),
    "csharp": ("using ", "// A timer that can be stopped\n", "public "),
    "ruby": ("require ", "# Count the words of a file\n", "class "),
    "php": ("<?php\n", "<?php\n// Send a mail\n", "<?php\nfunction "),
    "shellscript": ("set ", "# Back up the home folder\n", "for "),
    "lua": ("local ", "-- Split a string at commas\n", "function "),
    "html": ("<", "<!-- A page with a form -->\n", "<!DOCTYPE html>\n"),
    "css": ("body ", "/* A card with a shadow */\n", "."),
    "scss": ("$", "// Buttons in three sizes\n", "@"),
    "json": ("{\n  ", "{", "["),
    "yaml": ("name: ", "# Settings of the server\n", "version: "),
    "toml": ("[", "# Settings of the linter\n", "name = "),
    "markdown": ("# ", "<!-- How to install -->\n", "## "),
    "sql": ("SELECT ", "-- Customers who bought nothing this year\n", "CREATE "),
    "makefile": ("all:", "# Build and test the project\n", ".PHONY: "),
    "dockerfile": ("FROM ", "# A small image with Python\n", "FROM alpine\n"),
}
_NAMES = {
    "python": "main.py", "javascript": "index.js", "typescript": "queue.ts", "typescriptreact": "Button.tsx",
    "go": "main.go", "rust": "main.rs", "java": "Stack.java", "c": "main.c", "cpp": "main.cpp",
    "csharp": "Program.cs", "ruby": "main.rb", "php": "index.php", "shellscript": "backup.sh",
    "lua": "main.lua", "html": "index.html", "css": "style.css", "scss": "style.scss", "json": "data.json",
    "yaml": "config.yaml", "toml": "config.toml", "markdown": "README.md", "sql": "query.sql",
    "makefile": "Makefile", "dockerfile": "Dockerfile",
}  # fmt: skip


@dataclass(frozen=True)
class Beginning:
    """A document as somebody has begun it."""

    language_id: str
    text: str
    uri: str

    @property
    def id(self) -> str:
        """Return a name for people."""
        return f"{self.language_id} {self.uri.rpartition('/')[2]} {self.text!r}"


def beginnings() -> Iterator[Beginning]:
    """Yield all cases: the texts of each language in a file, and an empty file, saved and untitled."""
    for language_id, texts in _TEXTS.items():
        named = f"file:///beginnings/{_NAMES[language_id]}"
        yield Beginning(language_id, "", named)
        yield Beginning(language_id, "", "untitled:Untitled-1")
        for number, text in enumerate(texts):
            yield Beginning(language_id, text, "untitled:Untitled-1" if number == 1 else named)
