"""Uris of documents: one form for all spellings of one document, and the path that a file's uri names.

Editors, and parts of one editor, spell the uri of a file in several ways: `file:///c%3A/x`, `file:///C:/x`.
The form is for comparing and is never sent: what an editor gets is the spelling it used itself. In other
schemes than `file` only what RFC 3986 calls equivalent everywhere is the same.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

# RFC 3986, appendix B: it matches every text. `urlsplit` drops control characters and refuses some hosts.
_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(.*)", re.DOTALL)
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SLASH = re.compile(r"%2[Ff]")
_DRIVE = re.compile(rb"/+([A-Za-z]):(?=[/\\]|$)")


@lru_cache(maxsize=256)  # an editor has fewer documents open at a time that it speaks of
def normal(uri: str) -> str:
    """Return the form that all spellings of one document's uri have in common; any text has one."""
    scheme, authority, path, rest = _split(uri)
    if scheme != "file":
        name, colon, after = uri.partition(":") if scheme else ("", "", uri)
        return name.lower() + colon + _decoded(after)
    # In names of files no character but the slash has a meaning, so all others may be spelled either way.
    parts = [quote_from_bytes(part, safe="/~:") for part in _file_parts(path)]
    host, found = _host(authority), "%2F".join(parts)
    slashes = "//" if host or found.startswith("/") else ""
    return f"file:{slashes}{host}{found}{_decoded(rest)}"


def same(one: str, other: str) -> bool:
    """Tell whether two uris are spellings of one document's."""
    return one == other or normal(one) == normal(other)


def file_path(uri: str) -> Path | None:
    """Return the path that the uri of a file names, on this system or another; None for all other uris."""
    scheme, authority, path, _ = _split(uri)
    found = os.fsdecode(b"/".join(_decoded_bytes(path)))
    if scheme != "file" or not found.startswith("/") or "\0" in found:
        return None
    if host := _host(authority):
        return Path(f"//{host}{found}")
    if os.name == "nt" and re.match(r"/+[A-Za-z]:", found):
        found = found.lstrip("/")
    return Path(found)


def _split(uri: str) -> tuple[str, str, str, str]:
    """Return the scheme in lower case, the authority, the path, and the query with the fragment."""
    match = _PARTS.fullmatch(uri)
    assert match is not None, "the pattern matches every text"
    scheme, authority, path, rest = (match[group] or "" for group in (1, 2, 3, 4))
    authority = _decoded(authority)
    if re.fullmatch(r"[A-Za-z](?::|%3A)", authority):  # `file://c:/x`, with a slash too few
        authority, path = "", f"/{authority}{path}"
    return scheme.lower(), authority, path, rest


def _host(authority: str) -> str:
    """Return the other machine that a file's uri names; empty for this one."""
    host = authority.lower()
    return "" if host == "localhost" else host


def _file_parts(path: str) -> list[bytes]:
    """Return the decoded pieces of a path between encoded slashes, with a drive in one spelling."""
    parts = _decoded_bytes(path)
    if drive := _DRIVE.match(parts[0]):
        parts[0] = b"/" + drive[1].lower() + b":" + parts[0][drive.end() :]
        parts = [part.replace(b"\\", b"/") for part in parts]
    return parts


def _decoded_bytes(path: str) -> list[bytes]:
    return [unquote_to_bytes(part.encode("utf-8", "surrogatepass")) for part in _SLASH.split(path)]


def _decoded(text: str) -> str:
    """Return a text with every character in the spelling that RFC 3986 prefers (6.2.2)."""

    def preferred(match: re.Match[str]) -> str:
        if match[1] is None:  # a percent sign that stands for itself
            return "%25"
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    return _ENCODED.sub(preferred, text)
