"""The imports of a test file: what is there already, what is missing, what a model has made up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_FROM = re.compile(r"from\s+(\S+)\s+import\s+\(?(.*?)\)?", re.DOTALL)
_IMPORT = re.compile(r"import\s+(.*)", re.DOTALL)
_ES = re.compile(r"import\s+(?P<type>type\s+)?(?P<what>.*?)\s*from\s*(?P<where>[\"'][^\"']*[\"'])", re.DOTALL)
_REQUIRE = re.compile(
    r"(?:const|let|var)\s+(?P<what>[^=]*?)\s*=\s*require\(\s*(?P<where>[\"'][^\"']*[\"'])\s*\)", re.DOTALL
)
_GO = re.compile(r"(?P<alias>[\w.]+\s+)?(?P<where>\"[^\"]*\")")
_MADE_UP = re.compile(r"\byour_?[a-z]|\bmodule_name\b|path[/.]to\b|[\"'<]<|<[a-z_ ]+>[\"']", re.IGNORECASE)
"""Modules that stand for "put the right one here"."""
_MODULE = re.compile(r"from\s+[\"']?(.*?)[\"']?(?:\s+import\b.*|;?)|.*require\([\"'](.*?)[\"']\);?")


_ONE_EACH = ("import {}", "const {} ")
"""Forms that get one name from one place: modules of Python and Go, default exports of JavaScript."""
_LONGEST_LINE = 88  # what most formatters take


@dataclass(frozen=True)
class Import:
    """One import: the names it binds, and how to write it for some of them."""

    names: tuple[str, ...]
    """Empty where an import is all or nothing."""
    form: str
    """With `{}` for what is imported; else the import as it is."""
    parts: tuple[str, ...] = ()
    """What is written for each of the names."""

    def text(self, without: set[str]) -> str:
        """Return the import without some of its names; empty if nothing is left."""
        left = [part for name, part in zip(self.names, self.parts, strict=True) if name not in without]
        if not self.names:
            return self.form
        return self.form.replace("{}", ", ".join(left)) if left else ""


def understood(text: str, language: str) -> list[Import]:
    """Return what an import statement imports."""
    statement = text.strip().rstrip(";")
    if language == "python":
        return _python(statement)
    if language in ("javascript", "typescript", "tsx"):
        return _javascript(statement)
    if language == "go" and statement.startswith("import"):
        return [Import((match[0],), "import {}", (match[0],)) for match in _GO.finditer(statement[6:])]
    return [Import((), text.strip())]


def _python(statement: str) -> list[Import]:
    if match := _FROM.fullmatch(statement):
        parts = _parts(re.sub(r"#[^\n]*", "", match[2]))
        return [Import(tuple(map(_bound, parts)), f"from {match[1]} import {{}}", parts)]
    if match := _IMPORT.fullmatch(statement):
        return [Import((_bound(part),), "import {}", (part,)) for part in _parts(match[1])]
    return [Import((), statement)]


def _javascript(statement: str) -> list[Import]:
    match = _ES.fullmatch(statement) or _REQUIRE.fullmatch(statement)
    if match is None:
        return [Import((), f"{statement};")]
    what, where = match["what"], match["where"]
    esm = match.re is _ES
    kind = (match["type"] or "") if esm else ""
    before, brace, inside = what.partition("{")
    found = []
    for part in _parts(before):
        form = f"import {kind}{{}} from {where};" if esm else f"const {{}} = require({where});"
        found.append(Import((_bound(part),), form, (part,)))
    if brace:
        parts = _parts(inside.rpartition("}")[0])
        form = f"import {kind}{{ {{}} }} from {where};" if esm else f"const {{ {{}} }} = require({where});"
        found.append(Import(tuple(map(_bound, parts)), form, parts))
    return found


def _parts(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(",") if part.strip())


def _bound(part: str) -> str:
    """Return the name that `a.b`, `a as b` or `a: b` binds."""
    return re.split(r"\s+as\s+|:\s*", part)[-1].split(".")[0].strip()


def bound(imports: Iterable[str], language: str) -> set[str]:
    """Return all names that some import statements bind; of those that are all or nothing, their text."""
    found: set[str] = set()
    for text in imports:
        for item in understood(text, language):
            found |= set(item.names) or {_key(item.form)}
    return found


def missing(wanted: Sequence[str], known: set[str], language: str) -> list[str]:
    """Return what of the `wanted` imports is not `known` yet, one for each place; adds it to `known`."""
    lines: list[str] = []
    by_form: dict[str, list[str]] = {}
    for text in wanted:
        for item in understood(text, language):
            left = [part for name, part in zip(item.names, item.parts, strict=True) if name not in known]
            if left and item.form not in lines:
                lines.append(item.form)
            if item.names:
                by_form.setdefault(item.form, []).extend(left)
            elif _key(item.form) not in known:
                lines.append(item.form)
            known |= set(item.names) or {_key(item.form)}
    return [_written(line, by_form[line]) if line in by_form else line for line in lines]


def longer(there: str, lines: list[str], language: str) -> str:
    """Return an import with what `lines` import from the same place, which are taken out of the list."""
    own = understood(there, language)
    if len(own) != 1 or not own[0].names or "\n" in there.strip() or own[0].form.startswith(_ONE_EACH):
        return there
    for line in lines:
        more = understood(line, language)
        if len(more) == 1 and _key(more[0].form) == _key(own[0].form):
            longer_one = _written(own[0].form, [*own[0].parts, *more[0].parts])
            if len(longer_one) <= _LONGEST_LINE:
                lines.remove(line)
                return longer_one if there.rstrip().endswith(";") else longer_one.removesuffix(";")
    return there


def _written(form: str, parts: Sequence[str]) -> str:
    if form.startswith(_ONE_EACH) and len(parts) > 1:  # default imports are one each
        return "\n".join(form.replace("{}", part) for part in parts)
    return form.replace("{}", ", ".join(parts))


def as_modules(text: str, esm: bool) -> str:
    """Return an import of JavaScript the way this kind of module writes it."""
    if esm:
        return re.sub(r"^(?:const|let|var)\s+(.+?)\s*=\s*require\((.+?)\)", r"import \1 from \2", text)
    found = re.sub(r"^import\s+(.+?)\s+from\s+([\"'][^\"']*[\"'])", r"const \1 = require(\2)", text)
    return re.sub(r"\* as ", "", found) if found.startswith("const ") else found


def honest(imports: Iterable[str], language: str, name: str, import_line: str) -> list[str]:
    """Return imports without what a model has made up about where `name` is: only `import_line` knows.

    What it wants from there besides `name` is had from the right place.
    """
    ours = next(iter(understood(import_line, language)), None)
    kept = []
    for text in imports:
        for item in understood(text, language):
            if ours is not None and item.names and ours.names and _means(item, ours, name):
                kept.append(replace(item, form=ours.form).text({name}))
            elif not _MADE_UP.search(item.form) and not (
                not item.names and _gets(item.form, name, language, import_line)
            ):
                kept.append(item.text({name} if ours is not None and ours.names else set()))
    return [text for text in kept if text]


def _means(item: Import, ours: Import, name: str) -> bool:
    """Tell whether an import is meant to be from where `name` is."""
    return bool(name and name in item.names) or _last(item.form) == _last(ours.form) != ""


def _last(form: str) -> str:
    """Return the last part of the module that an import names, without a suffix."""
    match = _MODULE.search(form)
    module = (match[1] or match[2] or "") if match else ""
    if "/" in module:
        return module.rpartition("/")[2].partition(".")[0]
    return module.rpartition(".")[2]


def _gets(form: str, name: str, language: str, ours: str) -> bool:
    """Tell whether an import that is all or nothing gets the name."""
    if language in ("c", "cpp"):
        stem, own = (re.search(r'include\s*"(?:[^"]*/)?([^"/.]*)', text) for text in (form, ours))
        return bool(stem and own and stem[1] == own[1] and form not in ours)
    if not name or language not in ("rust", "java", "csharp", "php"):
        return False
    return bool(re.search(rf"[:.\\]{re.escape(name)}\s*;?$", form.strip()))


def _key(form: str) -> str:
    return "".join(form.split()).rstrip(";")
