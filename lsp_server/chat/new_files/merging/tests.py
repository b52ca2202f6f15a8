"""New tests into a test file: the order of things, names that are taken, classes that are there already."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from lsp_server.chat.new_files.merging import frameworks, rust
from lsp_server.chat.new_files.merging.imports import as_modules, bound, honest, longer, missing
from lsp_server.chat.new_files.merging.pieces import Item, Pieces, fresh, same, taken_apart, with_new_names

_SCRIPTS = ("javascript", "typescript", "tsx")
_RUN_HERE = re.compile(r"^if __name__ == .*(?:\n(?:[ \t].*)?)*", re.MULTILINE)
"""What runs a file of Python tests by itself; it stays last."""
_HEADS = {"php": re.compile(r"<\?php\b[^\n]*\n*(declare\([^)]*\);\n*)?"), "go": re.compile(r"package \w+\n*")}


@dataclass(frozen=True)
class Wish:
    """What is known of the tests besides their text."""

    language: str
    name: str
    import_line: str
    framework: str
    stem: str


def merged(
    existing: str,
    code: str,
    language: str,
    *,
    name: str = "",
    import_line: str = "",
    framework: str = "",
    stem: str = "",
) -> str:
    """Return `existing` with the tests of `code` added, in the line endings that it has."""
    newline = "\r\n" if "\r\n" in existing else "\n"
    wish = Wish(language, name, import_line, framework, stem)
    old = existing.removeprefix("\ufeff").replace("\r\n", "\n")
    new = code.replace("\r\n", "\n").replace("\r", "\n")
    text = rust.merged(old, new, name) if language == "rust" else _merged(old, new, wish)
    text = f"{text.strip(chr(10))}\n"
    mark = "\ufeff" if existing.startswith("\ufeff") else ""
    return mark + (text.replace("\n", newline) if newline != "\n" else text)


def _merged(old_text: str, new_text: str, wish: Wish) -> str:
    head, old_text = _head(old_text, wish.language)
    new_head, new_text = _head(new_text, wish.language)
    old, new = taken_apart(old_text, wish.language), taken_apart(new_text, wish.language)
    body = _body(new, wish)
    if old_text.strip() and "".join(body.split()) in "".join(old_text.split()):
        return head + old_text
    wanted = _wanted(new, body, old_text, wish)
    known = bound([old_text[start:end] for start, end in old.imports], wish.language)
    lines = missing(wanted, known, wish.language)
    old_text = _with_imports(old, lines, wish.language)
    old = taken_apart(old_text, wish.language)
    body = _without_what_is_there(old, taken_apart(body, wish.language))
    return (head or _first(new_head, wish)) + _joined(old, taken_apart(body, wish.language), wish)


def _head(text: str, language: str) -> tuple[str, str]:
    """Split off what has to stand first and only once."""
    match = _HEADS[language].match(text.lstrip("\n")) if language in _HEADS else None
    return (match[0], text.lstrip("\n")[match.end() :]) if match else ("", text)


def _first(head: str, wish: Wish) -> str:
    if wish.language == "go":
        return f"{wish.import_line}\n\n" if wish.import_line else head
    return head or ("<?php\n\n" if wish.language == "php" else "")


def _body(new: Pieces, wish: Wish) -> str:
    """Return the new tests without imports, and without the code they test, which models like to repeat."""
    repeated = [item for item in new.items if wish.name and item.name == wish.name]
    if len(repeated) == len(new.items) and wish.language in ("ruby", "java", "csharp", "php"):
        repeated = []
    ranges = [*new.imports, *((item.start, item.end) for item in repeated)]
    return re.sub(r"\n{4,}", "\n\n\n", new.without(ranges)).strip("\n")


def _wanted(new: Pieces, body: str, old_text: str, wish: Wish) -> list[str]:
    """Return the imports for the new tests: the framework's, the model's, that of what is tested."""
    said = [new.text[start:end] for start, end in new.imports]
    said = honest(said, wish.language, wish.name, wish.import_line)
    said = [text for text in said if not (wish.language == "java" and text.startswith("package "))]
    esm = wish.language not in _SCRIPTS or not wish.import_line.startswith("const ")
    esm = esm and not re.search(r"^const .*= require\(", old_text, re.MULTILINE)
    if wish.language in _SCRIPTS:
        said = [as_modules(text, esm) for text in said]
    needs = frameworks.needed(body, wish.language, wish.framework, esm)
    there = set(wish.import_line.split("\n")) <= {line.strip() for line in old_text.split("\n")}
    line = [] if wish.language == "go" or not wish.import_line or there else [wish.import_line]
    return [*line, *needs, *said] if wish.language == "java" else [*needs, *said, *line]


def _with_imports(old: Pieces, lines: list[str], language: str) -> str:
    """Put imports into and below those that are there, else at the top."""
    if not lines:
        return old.text
    if old.imports:
        text, left = old.text, list(lines)
        for start, end in reversed(old.imports):
            text = text[:start] + longer(text[start:end], left, language) + text[end:]
        line_end = text.find("\n", old.imports[-1][1] + len(text) - len(old.text))
        end = line_end if line_end >= 0 else len(text)
        return text[:end] + "".join(f"\n{line}" for line in left) + text[end:]
    start = _after_docstring(old.text) if language == "python" else 0
    before = f"{old.text[:start]}\n\n" if start else ""
    blank = "\n\n\n" if language == "python" else "\n\n"
    if lines[0].startswith("package ") and len(lines) > 1:
        lines = [f"{lines[0]}\n", *lines[1:]]
    rest = old.text[start:].lstrip("\n")
    block = "\n".join(lines)
    return f"{before}{block}{blank}{rest}" if rest else f"{before}{block}\n"


def _after_docstring(text: str) -> int:
    match = re.match(r"(?:[ \t]*(?:#[^\n]*)?\n)*\s*(\"\"\".*?\"\"\"|'''.*?''')", text, re.DOTALL)
    return match.end() if match else 0


def _without_what_is_there(old: Pieces, new: Pieces) -> str:
    """Drop definitions that are there already, and give a new name to others whose name is taken."""
    names: dict[str, str] = {}
    dropped = []
    taken = {item.name for item in old.items}
    for item in new.items:
        there = old.item(item.name)
        if there is None or not item.name or item.members or item.name == "main":
            continue
        if same(there.text(old.text), item.text(new.text)):
            dropped.append((item.start, item.end))
        else:
            names[item.name] = fresh(item.name, taken | set(names.values()))
    return with_new_names(new.without(dropped), names)


def _joined(old: Pieces, new: Pieces, wish: Wish) -> str:
    """Return the old text with the new one behind it, or inside of the class or the `main` that both have."""
    body, text = new.text, old.text
    if wish.language in ("java", "csharp", "php") and (theirs := _class(new)):
        ours = _class(old)
        if ours is None:
            body = with_new_names(body, {theirs.name: wish.stem} if wish.stem else {})
        else:
            return _into_class(old, ours, new, theirs)
    for theirs in new.items:
        ours = old.item(theirs.name, "class")
        if theirs.kind == "class" and ours is not None and wish.language in ("python", "ruby"):
            text = _into_class(old, ours, new, theirs)
            old, body = taken_apart(text, wish.language), new.without([(theirs.start, theirs.end)])
            new = taken_apart(body, wish.language)
    if wish.language in ("c", "cpp"):
        return _with_main(old, new)
    if wish.language == "python":
        return _before_runner(text, body)
    return _below(text, body)


def _class(pieces: Pieces) -> Item | None:
    return next((item for item in pieces.items if item.kind == "class"), None)


def _into_class(old: Pieces, ours: Item, new: Pieces, theirs: Item) -> str:
    """Put the members of a class of the new text at the end of one of the old."""
    taken = {member.name for member in ours.members}
    names: dict[str, str] = {}
    dropped = []
    for member in theirs.members:
        there = next((item for item in ours.members if item.name == member.name), None)
        if there is None:
            continue
        if same(there.text(old.text), member.text(new.text)) or not member.name.lower().startswith("test"):
            dropped.append((member.start, member.end))  # `setUp` and the like are there already
        else:
            names[member.name] = fresh(member.name, taken | set(names.values()))
    whole = new.without([*dropped, (theirs.end, len(new.text))])
    inner = with_new_names(whole[theirs.body_start :], names)
    braces = old.text[ours.end - 1] == "}"
    if braces:
        inner = inner[inner.find("{") + 1 : inner.rfind("}")]
        at = ours.end - 1
    elif old.text[: ours.end].endswith("end"):
        inner, at = inner.strip().removesuffix("end"), ours.end - 3
    else:
        inner, at = inner.lstrip().removeprefix(":"), ours.end
        inner = re.sub(r"^\s*(\"\"\".*?\"\"\"|'''.*?''')\s*\n", "", inner, flags=re.DOTALL)
    inner = inner.strip("\n").rstrip()
    if not inner.strip():
        return old.text
    inner = textwrap.indent(textwrap.dedent(inner), _indent(old, ours))
    before, after = old.text[:at].rstrip(), old.text[at:]
    line = old.text.rfind("\n", 0, at) + 1
    closing = old.text[line:at] if not old.text[line:at].strip() else ""
    return f"{before}\n\n{inner}\n{closing}{after}" if at != ours.end else f"{before}\n\n{inner}{after}"


def _indent(old: Pieces, ours: Item) -> str:
    for member in ours.members:
        line = old.text[member.start :]
        return line[: len(line) - len(line.lstrip(" \t"))]
    return "    "


def _with_main(old: Pieces, new: Pieces) -> str:
    """Let one `main` run all tests; without any, one is made that calls them."""
    ours, theirs = old.item("main"), new.item("main")
    if ours is None:
        text = _below(old.text, new.text)
        tests = re.findall(r"^(?:static\s+)?void\s+(\w+)\s*\((?:void)?\)\s*\{", text, re.MULTILINE)
        if theirs is not None or not tests or re.search(r"^(TEST|TEST_CASE|TEST_F)\b", text, re.MULTILINE):
            return text
        calls = "".join(f"    {name}();\n" for name in tests)
        return f"{text.rstrip()}\n\nint main(void) {{\n{calls}    return 0;\n}}\n"
    before = old.text[: ours.start].rstrip()
    run = old.text[ours.start :]
    if theirs is not None:
        inner = new.text[theirs.body_start : theirs.end]
        inner = inner[inner.find("{") + 1 : inner.rfind("}")]
        calls = re.sub(r"^\s*return\s+(0|EXIT_SUCCESS)\s*;[ \t]*\n?", "", inner, flags=re.MULTILINE).strip(
            "\n"
        )
        rest = new.without([(theirs.start, theirs.end)])
    else:
        names = [item.name for item in new.items if item.name.startswith("test")]
        calls, rest = "\n".join(f"    {name}();" for name in names), new.text
    length = ours.end - ours.start
    returns = list(re.finditer(r"^[ \t]*return\b", run[:length], re.MULTILINE))
    at = returns[-1].start() if returns else run.rfind("}", 0, length)
    calls = f"{calls.rstrip()}\n" if calls.strip() else ""
    return f"{before}\n\n{rest.strip()}\n\n{run[:at]}{calls}{run[at:]}"


def _before_runner(text: str, body: str) -> str:
    """Put Python tests before what runs the file by itself."""
    theirs, ours = _RUN_HERE.search(body), _RUN_HERE.search(text)
    if theirs is not None and (ours is not None or "unittest.main" not in theirs[0]):
        body = body[: theirs.start()] + body[theirs.end() :]
    if ours is None:
        return _below(text, body, "\n\n\n")
    return f"{_below(text[: ours.start()], body, chr(10) * 3).rstrip()}\n\n\n{text[ours.start() :]}"


def _below(text: str, body: str, between: str = "\n\n") -> str:
    body = body.strip("\n")
    if not text.strip() or not body.strip():
        return text if text.strip() else body
    return f"{text.rstrip()}{between}{body}\n"
