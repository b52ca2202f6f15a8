"""Text that is nearly code: what random typing and a small model make of it."""

from __future__ import annotations

from hypothesis import strategies as st

LANGUAGES = (
    "python", "javascript", "typescript", "typescriptreact", "go", "rust", "java", "c", "cpp", "csharp",
    "ruby", "php", "shellscript", "lua", "html", "css", "scss", "json", "yaml", "toml", "markdown",
    "plaintext",
)  # fmt: skip

PIECES = (
    "x", "foo", "return", " ", "  ", "    ", "\t", "\n", "\n    ", "\n\t", "(", ")", "[", "]", "{", "}",
    '"', "'", "`", '"""', "```", "#", "//", "/*", "*/", "<!-- ", "-->", "--[[", ":", ";", ",", ".", "=",
    "=>", "});", "def f(a):", "class A", "if x", "else", "elif y:", "try {", "} catch (e) {", "do |x|",
    "then", "do", "end", "fi", "done", "case", "esac", "function()", "fn f<'a>()", "@cache", "#[derive(A)]",
    "<div>", "</div>", "- a:", "<?php", "😀", "日本", "é", "\u2028", "\x0c", "\x85", "[SUFFIX]",
    "<|fim_middle|>", "\ud83d", "\\",
)  # fmt: skip

texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
languages = st.sampled_from(LANGUAGES)


@st.composite
def buffers(draw: st.DrawFn) -> tuple[str, int]:
    """Draw a buffer with the line ends of one system, and an offset in it."""
    before, after = draw(texts), draw(texts)
    end = draw(st.sampled_from(("\n", "\r\n")))
    return (before + after).replace("\n", end), len(before.replace("\n", end))
