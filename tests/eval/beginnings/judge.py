"""Whether a completion is in the language of its file: by the grammar, and by what only other languages have.

Grammars of shells, of Markdown and of HTML take nearly everything, so lines that give another language away
count as well.
"""

from __future__ import annotations

import re
from typing import Literal

from lsp_server.completion import joins
from lsp_server.documents.languages import detect
from lsp_server.documents.syntax import parse

Verdict = Literal["right", "nothing", "wrong"]

_JS = ("javascript", "typescript", "typescriptreact")
_C = ("c", "cpp")
_ONLY_IN: dict[str, tuple[str, ...]] = {
    r"import\b.*['\"]\s*;?$": (*_JS, "go"),
    r"import \w[\w.]*$": ("python",),
    r"from [\w.]+ import\b": ("python",),
    r"import [\w.*]+;$": ("java",),
    r"package [\w.]+;$": ("java",),
    r"package \w+$": ("go",),
    r"using [\w.]+;$": ("csharp", "cpp"),
    r"use [\w:{}, *]+;$": ("rust", "php"),
    r"#\s*include\b": _C,
    r"(async )?def .*:$": ("python",),
    r"def \w[^:]*$": ("ruby",),
    r"class \w+(\(.*\))?:$": ("python",),
    r"(public|private|protected) .*[{;]$": ("java", "csharp", "php", "typescript", "typescriptreact"),
    r"(pub )?fn \w+": ("rust",),
    r"func \w+": ("go",),
    r"function \w+\s*\(.*\)\s*\{$": (*_JS, "php", "shellscript"),
    r"(const|let|var) \w+ = ": (*_JS, "go", "php", "rust"),
    r"local (function )?\w+": ("lua", "shellscript"),
    r"<\?php": ("php",),
    r"<(!DOCTYPE|html|head|body)\b": ("html", "php", "markdown"),
    r"(FROM [\w./:-]+|RUN .*|WORKDIR .*|COPY .*|CMD \[.*)$": ("dockerfile", "sql"),
    r"(SELECT|CREATE TABLE|INSERT INTO|DROP TABLE)\b": ("sql",),
    r"#!.*python": ("python",),
    r"#!.*\b(ba|z|k)?sh\b": ("shellscript", "makefile"),
    r"(SERVER|[A-Z]+)_[A-Z]+ = ": ("python", "toml", "ruby", "makefile", "lua"),
    r"\$\(document\)": _JS,
    r"echo off": (),
    r"[^'\"]*\bWHERE \w+ ?=": ("sql",),
    r"\?php": ("php",),
    r"console\.log\(": _JS,
    r"System\.out": ("java",),
    r"module \w+( \(.*\))? where$": (),
}
"""How a line starts, and the languages that have such lines."""

_ENDS = (
    "",
    "\n",
    "\n}",
    "\nend",
    "\nfi",
    "\ndone",
    ";",
    "\n}\n}",
    " {}",
    "</div>",
    ' ""',
    ":\n    pass",
    "\n    pass",
)
"""What may be missing at the end of a file that somebody is still writing."""


def verdict(language_id: str, before: str, completion: str) -> Verdict:
    """Judge `completion`, written at the end of `before`."""
    if not completion.strip():
        return "nothing"
    whole = before + completion
    start = before.rfind("\n") + 1
    if not re.search(r"[^\W\d]{2}|[{}<>()\[\]]", whole[start:]):
        return "wrong"  # a row of numbers
    for line in whole[start:].split("\n"):
        for pattern, languages in _ONLY_IN.items():
            if language_id not in languages and re.match(pattern, line.strip()):
                return "wrong"
    return "right" if _parses(language_id, whole) else "wrong"


def _parses(language_id: str, text: str) -> bool:
    language = detect(language_id, "")
    closing = joins.closing(text, language)
    for end in (closing, f"{closing};", *_ENDS):
        tree = parse(text.rstrip(",") + end, language)
        if tree is None or not tree.root.has_error:
            return True
    return False
