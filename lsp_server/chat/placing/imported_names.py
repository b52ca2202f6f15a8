"""What imports bind, one by one, in each language. Text alone: an import of a reply may stand in no tree."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FROM = re.compile(r"from\s+(?P<module>[\w.]+)\s+import\s+\(?(?P<names>[^)#]*)\)?")
_RUST_USE = re.compile(r"use\s+(?P<path>[\w:]+)::\{(?P<names>[^{}]*)\}\s*;")


def single(item: str, language: str) -> Iterator[str]:
    """Yield one import for each name, where several stand in one."""
    if language == "python" and (match := _FROM.fullmatch(item.strip())):
        for name in match["names"].split(","):
            if name.strip():
                yield f"from {match['module']} import {' '.join(name.split())}"
    elif language == "python" and item.startswith("import "):
        yield from (f"import {' '.join(name.split())}" for name in item[7:].split(","))
    elif language == "rust" and (match := _RUST_USE.fullmatch(item.strip())):
        for name in match["names"].split(","):
            if name.strip():
                path = match["path"] if name.strip() == "self" else f"{match['path']}::{name.strip()}"
                yield f"use {path};"
    elif language == "go" and item.startswith("import"):
        for match in re.finditer(r'(?:(?P<alias>[\w.]+)\s+)?(?P<path>"[^"]+")', item[6:]):
            yield f"import {match['alias'] + ' ' if match['alias'] else ''}{match['path']}"
    else:
        yield item.strip()


def joined(items: list[str], language: str) -> list[str]:
    """Return imports with the names from one Python module in one line again."""
    if language != "python":
        return items
    modules: dict[str, list[str]] = {}
    for item in items:
        match = _FROM.fullmatch(item)
        key = f"from {match['module']} import " if match else item
        modules.setdefault(key, []).append(match["names"] if match else "")
    return [key + ", ".join(names) if key.endswith(" ") else key for key, names in modules.items()]


def names_of(item: str, language: str) -> set[str] | None:
    """Return what an import binds; None where it does not say."""
    item = item.strip().rstrip(";")
    if language == "python":
        last = re.split(r"\bimport\s+", item)[-1]
        return {re.split(r"\bas\s+", last)[-1].strip().partition(".")[0]} if last != "*" else None
    if language in ("javascript", "typescript", "tsx", "lua"):
        head = re.split(r"\bfrom\b|=", item)[0] if re.search(r"\bfrom\b|=", item) else ""
        return set(re.findall(r"[\w$]+", head)) - {
            "import",
            "const",
            "let",
            "var",
            "type",
            "as",
            "local",
            "default",
        }
    if language == "go":
        alias = re.fullmatch(r'import (?:([\w.]+) )?"([^"]+)"', item)
        return {alias[1] or alias[2].rpartition("/")[2]} if alias else None
    if language in ("java", "rust", "php"):
        last = re.split(r"\bas\b", item)[-1].strip()
        last = re.split(r"::|[.\\\s]", last)[-1]
        return {last} if re.fullmatch(r"\w+", last) else None
    if language in ("c", "cpp"):
        return _header_names(item)
    return None


_STD_INTS = "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t"
_CHARACTERS = "isalpha isdigit isalnum isspace ispunct toupper tolower"
_HEADERS = {
    "algorithm": "sort find find_if min max min_element max_element transform count copy reverse any_of "
    "all_of none_of for_each remove_if unique clamp fill",
    "numeric": "accumulate iota reduce gcd lcm",
    "iostream": "cout cerr cin endl",
    "memory": "unique_ptr shared_ptr weak_ptr make_unique make_shared",
    "utility": "pair move swap forward exchange",
    "stdexcept": "runtime_error invalid_argument out_of_range logic_error domain_error",
    "limits": "numeric_limits",
    "sstream": "stringstream ostringstream istringstream",
    "ranges": "ranges views",
    "cmath": "sqrt pow abs fabs floor ceil round isnan",
    "math.h": "sqrt pow fabs floor ceil round isnan",
    "cstdint": _STD_INTS,
    "stdint.h": _STD_INTS,
    "cctype": _CHARACTERS,
    "ctype.h": _CHARACTERS,
    "cassert": "assert",
    "assert.h": "assert",
    "stdio.h": "printf fprintf snprintf puts scanf FILE",
    "stdlib.h": "malloc calloc realloc free exit abs",
    "string.h": "strlen strcmp strncmp strcpy memcpy memset",
    "stdbool.h": "bool true false",
    "limits.h": "INT_MAX INT_MIN",
    "stddef.h": "size_t NULL",
    "cstddef": "size_t nullptr_t",
}
"""What the usual headers are included for, where it is not their own name."""


def _header_names(item: str) -> set[str] | None:
    match = re.search(r"[<\"]([\w./]+)[>\"]", item)
    if match is None:
        return None
    header = match[1]
    known = _HEADERS.get(header)
    if known is not None:
        return set(known.split())
    return {header.rpartition("/")[2].partition(".")[0]}
