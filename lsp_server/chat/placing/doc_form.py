"""Documentation as each language writes it: the marks of the comment, its layout, the length of its lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence

from lsp_server.chat.placing.doc_text import Said

WIDTH = 88  # columns: what most guides allow (80 to 100), and Black's limit

_BLOCK = frozenset({"javascript", "typescript", "tsx", "java", "c", "cpp", "php", "css", "scss"})
_LINE = {"rust": "///", "csharp": "///", "go": "//", "ruby": "#", "bash": "#", "lua": "---"}
_ITEM = re.compile(r"\s*(?:[-*+] |\d+[.)] |[@:\\]\w+|[\w*]+(?: \([^)]*\))?: )")
_ESCAPE = re.compile(r"\\(?:[\\'\"abfnrtv\n]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
_KEPT = re.compile(r"\s*(?:>>>|\.\.\. |\||<|```|~~~)")
_PARAM = re.compile(r"@param\s+(?:\{[^}]*\}\s*)?(?P<name>\w+)\s*[-:]?\s*(?P<text>.*)")
_RETURNS = re.compile(r"@returns?\s+(?:\{[^}]*\}\s*)?(?P<text>.*)")


def mark_of(language: str, existing: str, text: str) -> str:
    """Return what starts a documentation comment: that of the one there is, or else the language's.

    Empty if the language is not known to have any. `text` is the whole file, for its habit.
    """
    if language in ("c", "cpp"):
        if existing:
            return next((mark for mark in ("///", "//") if existing.startswith(mark)), "/**")
        return "///" if text.count("\n///") > text.count("/**") else "/**"
    if language in _BLOCK:
        return "/**"
    return _LINE.get(language, "")


def comment(said: Said, mark: str, language: str, name: str, indent: str) -> list[str]:
    """Return the lines of a comment."""
    lines = list(said.lines)
    if language == "go":
        lines[0] = _named(lines[0], name)
    elif language == "csharp":
        lines = _as_xml(lines)
    room = WIDTH - len(indent.expandtabs(4)) - len(mark) - 1
    if mark == "/**":
        lines = [line.replace("*/", "* /") for line in wrapped(lines, room)]
        if len(lines) == 1 and len(lines[0]) <= room - len(" */"):
            return [f"{indent}/** {lines[0]} */"]
        return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]
    if language in ("c", "cpp"):
        lines = [line.rstrip(" \\") for line in lines]  # at its end it would take the next line along
    return [f"{indent}{mark} {line}".rstrip() for line in wrapped(lines, room)]


def docstring_lines(said: Said, indent: str, quote: str, *, opens_alone: bool) -> list[str]:
    """Return the lines of a Python docstring; `opens_alone` is the habit of a line for the quotes alone."""
    lines = wrapped(said.lines, WIDTH - len(indent.expandtabs(4)) - len(quote))
    raw = any("\\" in line for line in lines) and (said.raw or not _escapes("\n".join(lines)))
    other = "'''" if quote == '"""' else '"""'
    lines = [line.replace(quote, other) for line in lines]
    opening = ("r" if raw else "") + quote
    if lines[-1].endswith((quote[0], "\\")):
        lines[-1] += " "
    if len(lines) == 1 and len(indent) + len(opening) + len(lines[0]) + len(quote) <= WIDTH:
        return [f"{indent}{opening}{lines[0]}{quote}"]
    first = [f"{indent}{opening}", f"{indent}{lines[0]}"] if opens_alone else [f"{indent}{opening}{lines[0]}"]
    return [*first, *(f"{indent}{line}".rstrip() for line in lines[1:]), f"{indent}{quote}"]


def _escapes(text: str) -> bool:
    """Tell whether all backslashes of a literal's text begin an escape that Python knows."""
    rest = _ESCAPE.sub("", text)
    return "\\" not in rest


def wrapped(lines: Sequence[str], room: int) -> list[str]:
    """Return lines none of which is longer than `room`, except code, tables and what has no blanks."""
    found: list[str] = []
    fenced = False
    for line in lines:
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if len(line) <= room or fenced or _KEPT.match(line):
            found.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        hanging = indent + ("    " if _ITEM.match(line) else "")
        found += textwrap.wrap(
            line.strip(),
            max(room, 40),
            initial_indent=indent,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return found


def _named(line: str, name: str) -> str:
    """Return a sentence that starts with the name, as Go has it: `Returns x` becomes `F returns x`."""
    first = line.split(" ", 1)[0]
    if not name or first.rstrip(".,:") == name:
        return line
    if re.fullmatch(r"[A-Z][a-z]+s", first):
        return f"{name} {line[0].lower()}{line[1:]}"
    return line


def _as_xml(lines: Sequence[str]) -> list[str]:
    if any("<summary>" in line for line in lines):
        return list(lines)
    summary: list[str] = []
    rest: list[str] = []
    for line in lines:
        text = line.replace("&", "&amp;").replace("<", "&lt;")
        made = next((made for form in _XML if (made := form(text))), None)
        (rest if made else summary).append(made or text)
    while summary and not summary[-1].strip():
        del summary[-1]
    return ["<summary>", *summary, "</summary>", *rest]


def _parameter(line: str) -> str:
    match = _PARAM.fullmatch(line.strip())
    return f'<param name="{match["name"]}">{match["text"]}</param>' if match else ""


def _returned(line: str) -> str:
    match = _RETURNS.fullmatch(line.strip())
    return f"<returns>{match['text']}</returns>" if match else ""


_XML: tuple[Callable[[str], str], ...] = (_parameter, _returned)
