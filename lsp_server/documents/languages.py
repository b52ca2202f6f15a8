"""The languages this server knows, and which one a document is in.

One table: what editors call a language, its file suffixes, its grammar wheel and the few lexical
facts that hold without a syntax tree. Grammars are imported when first needed; one that is missing
or broken makes the language plain (no tree), which still completes. Must not know node types:
those are in `node_types`.
"""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

import tree_sitter

_log = logging.getLogger(__name__)

Blocks = Literal["indent", "braces", "keywords", "none"]


@dataclass(frozen=True)
class Language:
    """What is known of a language apart from its syntax tree."""

    name: str
    ids: tuple[str, ...] = ()
    """LSP language ids."""
    suffixes: tuple[str, ...] = ()
    """File name endings, lower case; a whole name (`Makefile`-like) is written without a dot."""
    module: str | None = None
    """The grammar's Python module; None for plain text."""
    function: str = "language"
    """The function of `module` that returns the grammar."""
    line_comment: str | None = None
    block_comment: tuple[str, str] | None = None
    quotes: tuple[str, ...] = ('"', "'")
    """What opens and closes a string, longest first."""
    blocks: Blocks = "braces"
    """What marks a block: indentation, `{ }`, or words such as `do … end`."""
    file_name: str = ""
    """What a file of the language is often called; empty: `main` and the first suffix."""
    opener: str = r"\{"
    """Regular expression for the end of a line, comments removed, that opens a block."""

    def multiline(self, quote: str) -> bool:
        """Tell whether a string in these quotes may run over several lines."""
        return len(quote) == 3 or quote == "`" or self.name in ("rust", "bash", "php")


_C = ("/*", "*/")
_RUBY = (
    r"(^\s*(def|class|module|if|unless|while|until|for|case|begin|else|elsif|when|in|rescue|ensure)\b.*"
    r"|\bdo(\s*\|[^|]*\|)?|\{(\s*\|[^|]*\|)?)"
)
_PYTHON = r"^\s*(async|class|def|if|elif|else|for|while|with|try|except|finally|match|case)\b.*:"

PLAIN = Language("plain text", ids=("plaintext", "text"), blocks="none", quotes=(), opener=r"(?!)")

LANGUAGES: tuple[Language, ...] = (
    Language("python", ("python",), (".py", ".pyi", ".pyw"), "tree_sitter_python", line_comment="#",
             quotes=('"""', "'''", '"', "'"), blocks="indent", opener=_PYTHON),
    Language("javascript", ("javascript", "javascriptreact"), (".js", ".jsx", ".mjs", ".cjs"),
             "tree_sitter_javascript", line_comment="//", block_comment=_C, quotes=('"', "'", "`")),
    Language("typescript", ("typescript",), (".ts", ".mts", ".cts"), "tree_sitter_typescript",
             "language_typescript", "//", _C, ('"', "'", "`")),
    Language("tsx", ("typescriptreact",), (".tsx",), "tree_sitter_typescript", "language_tsx", "//", _C,
             ('"', "'", "`")),
    Language("go", ("go",), (".go",), "tree_sitter_go", line_comment="//", block_comment=_C,
             quotes=('"', "'", "`")),
    # Rust's single quote also starts a lifetime, so it says nothing on its own.
    Language("rust", ("rust",), (".rs",), "tree_sitter_rust", line_comment="//", block_comment=_C,
             quotes=('"',)),
    Language("java", ("java",), (".java",), "tree_sitter_java", line_comment="//", block_comment=_C,
             quotes=('"""', '"', "'")),
    Language("c", ("c",), (".c", ".h"), "tree_sitter_c", line_comment="//", block_comment=_C),
    Language("cpp", ("cpp", "cuda-cpp"),
             (".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".ipp", ".cu"), "tree_sitter_cpp",
             line_comment="//", block_comment=_C),
    Language("csharp", ("csharp",), (".cs", ".csx"), "tree_sitter_c_sharp", line_comment="//",
             block_comment=_C, quotes=('"""', '"', "'")),
    Language("ruby", ("ruby",), (".rb", ".rake", ".gemspec", "rakefile", "gemfile"), "tree_sitter_ruby",
             line_comment="#", blocks="keywords", opener=_RUBY),
    Language("php", ("php",), (".php",), "tree_sitter_php", "language_php", "//", _C, file_name="index.php"),
    Language("bash", ("shellscript", "bash", "sh"), (".sh", ".bash", ".zsh", ".bashrc"), "tree_sitter_bash",
             line_comment="#", blocks="keywords", opener=r"(\b(then|do|else|in)|\{)"),
    Language("lua", ("lua",), (".lua",), "tree_sitter_lua", line_comment="--",
             block_comment=("--[[", "]]"), blocks="keywords",
             opener=r"(\b(then|do|else|repeat)|\bfunction\b[^()]*\([^()]*\))"),
    Language("sql", ("sql", "plsql", "mysql", "pgsql", "sqlite"), (".sql",), line_comment="--",
             block_comment=_C, quotes=("'", '"'), blocks="none", opener=r"(?!)", file_name="query.sql"),
    Language("make", ("makefile", "make"), (".mk", ".mak", "makefile", "gnumakefile"), line_comment="#",
             blocks="none", opener=r"(?!)", file_name="Makefile"),
    Language("dockerfile", ("dockerfile", "containerfile"), (".dockerfile", "dockerfile", "containerfile"),
             line_comment="#", blocks="none", opener=r"(?!)", file_name="Dockerfile"),
    Language("html", ("html",), (".html", ".htm", ".xhtml"), "tree_sitter_html",
             file_name="index.html", block_comment=("<!--", "-->"), quotes=(), blocks="none", opener=r"(?!)"),
    Language("css", ("css",), (".css",), "tree_sitter_css", file_name="style.css", block_comment=_C),
    Language("scss", ("scss", "less"), (".scss", ".less"), line_comment="//", block_comment=_C,
             file_name="style.scss"),
    Language("json", ("json", "jsonc", "json5"), (".json", ".jsonc"), "tree_sitter_json", line_comment="//",
             file_name="data.json", block_comment=_C, quotes=('"',), blocks="none", opener=r"(?!)"),
    Language("yaml", ("yaml", "dockercompose"), (".yaml", ".yml"), "tree_sitter_yaml", line_comment="#",
             file_name="config.yaml", blocks="indent", opener=r"^\s*(- )?[^\s#].*:(\s+[|>][+-]?)?"),
    Language("toml", ("toml",), (".toml",), "tree_sitter_toml", file_name="config.toml", line_comment="#",
             quotes=('"""', "'''", '"', "'"), blocks="none", opener=r"(?!)"),
    Language("markdown", ("markdown",), (".md", ".markdown"), "tree_sitter_markdown", file_name="README.md",
             block_comment=("<!--", "-->"), quotes=(), blocks="none", opener=r"(?!)"),
)  # fmt: skip

_BY_ID = {language_id: language for language in (*LANGUAGES, PLAIN) for language_id in language.ids}
_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}


def detect(language_id: str, uri: str) -> Language:
    """Return the language of a document: what the editor says, else what its name ends in.

    An editor that says "plain text" knows nothing, so the name decides then too.
    """
    known = _BY_ID.get(language_id.lower())
    if known is not None and known is not PLAIN:
        return known
    name = PurePosixPath(unquote(urlsplit(uri).path)).name.lower()
    return _BY_SUFFIX.get(PurePosixPath(name).suffix) or _BY_SUFFIX.get(name) or PLAIN


@cache
def grammar(language: Language) -> tree_sitter.Language | None:
    """Return the grammar of a language, or None where there is none to be had; logged once."""
    if language.module is None:
        return None
    try:
        return tree_sitter.Language(getattr(importlib.import_module(language.module), language.function)())
    except Exception as error:  # a broken wheel can raise anything; completing plainly is better
        _log.warning("No syntax tree for %s (%s: %s)", language.name, language.module, error)
        return None
