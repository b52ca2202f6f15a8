"""Files that say little yet: the line that tells the model their language, and whether it wrote that.

Without it models begin an empty file of any language with an import of JavaScript. The line is a comment with
a made-up file name, the same for all files of a language: nothing of the user's path is in it.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from lsp_server.completion import joins
from lsp_server.completion.statement import Candidates
from lsp_server.documents.languages import PLAIN, Language, detect
from lsp_server.documents.snapshot import Snapshot

_CODE_CHARS = 200
"""So much code tells its language; comments do not. Longer files do not pay for the line."""
_HEADER_CHARS = 4000
"""A file longer than this has code in it, whatever stands at its beginning; a licence is shorter."""

_SAYS_ITSELF = re.compile(r"#!|<\?|<!doctype", re.IGNORECASE)
"""How a file starts that tells its language, and whose first line must stay the first."""

_NO_LANGUAGE = frozenset({"", ".txt", ".text", ".log"})
_ORDINARY = re.compile(r"[\w.+#-]{1,30}")

_ENDINGS = ("", "\n", ";", "\n;", " {}", " x", ' ""', "\n}")
"""What may be missing where somebody is still writing, besides closing brackets."""
_WORDS = {"bash": ("fi", "done", "esac"), "ruby": ("end",), "lua": ("end", "until x")}
"""Words that close a block."""
_DEEPEST = 3
"""Blocks of words that a short completion leaves open."""

_MARKUP = frozenset({"html", "markdown", "tsx"})
"""Grammars that take nearly any text, or call a tag an error that is not closed yet."""


def heading(snapshot: Snapshot) -> str:
    """Return the line to put before a document that says little; empty where it says enough.

    It stays the same from key to key, until there is enough code.
    """
    text = snapshot.text
    if len(text) > _HEADER_CHARS or _SAYS_ITSELF.match(text.lstrip()):
        return ""
    language = detect(snapshot.language_id, snapshot.uri)
    if len("".join(_code(text, language).split())) >= _CODE_CHARS:
        return ""
    name = _file_name(snapshot, language)
    if not name:
        return ""
    if language.line_comment is None and language.block_comment is not None:
        return "{0} {2} {1}\n".format(*language.block_comment, name)
    return f"{language.line_comment or '//'} {name}\n"


def says_nothing(snapshot: Snapshot) -> bool:
    """Tell whether neither the text of a document nor its name tells what could be written in it."""
    return (not snapshot.text or snapshot.text.isspace()) and not heading(snapshot)


def is_foreign(judge: Candidates, before: str, text: str) -> bool:
    """Tell whether `text`, written in a short document after `before`, is no code of its language.

    What only needs to be gone on with is code of the language: it parses with some ending. Most code does
    with the first that is tried; what is foreign is parsed some dozens of times, which takes 20 ms. Nothing
    is foreign where there is no grammar.
    """
    if judge.language.name in _MARKUP:
        return False
    return _fewest_errors(judge, before, text) > _fewest_errors(judge, before, "")


def _file_name(snapshot: Snapshot, language: Language) -> str:
    if language is not PLAIN:
        return language.file_name or f"main{language.suffixes[0]}"
    suffix = PurePosixPath(unquote(urlsplit(snapshot.uri).path)).suffix.lower()
    if suffix not in _NO_LANGUAGE and _ORDINARY.fullmatch(suffix):
        return f"main{suffix}"
    word = snapshot.language_id
    return word if word not in PLAIN.ids and _ORDINARY.fullmatch(word) else ""


def _code(text: str, language: Language) -> str:
    """Return a text without comments, as far as those begin their line."""
    if language.block_comment is not None:
        opener, closer = map(re.escape, language.block_comment)
        text = re.sub(rf"(?ms)^[ \t]*{opener}.*?({closer}|\Z)", "", text)
    if language.line_comment is not None:
        text = re.sub(rf"(?m)^[ \t]*{re.escape(language.line_comment)}.*", "", text)
    return text


def _fewest_errors(judge: Candidates, before: str, text: str) -> int:
    """Return how many syntax errors are left once what `text` leaves open is brought to an end."""
    closing = joins.closing(before + text, judge.language)
    words = _WORDS.get(judge.language.name, ())
    blocks = (
        "\n".join(("", *some)) for count in range(1, _DEEPEST + 1) for some in product(words, repeat=count)
    )
    endings = dict.fromkeys((closing, *_ENDINGS, *(closing + ending for ending in _ENDINGS), *blocks))
    fewest = judge.errors_with(text)
    for ending in endings:
        if not fewest:
            break
        fewest = min(fewest, judge.errors_with(text.rstrip(",") + ending))
    return fewest
