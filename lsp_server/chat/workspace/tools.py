"""What a model may look at by itself: files, symbols, text and diagnostics of the workspace.

Owns what each tool takes and says. Reads, within the workspace and the privacy rules; nothing is ever
written or run. What a model asks for is as untrusted as the text that made it ask.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from lsp_server.backends.protocol import ToolCall, ToolSpec
from lsp_server.chat.actions.site import Diagnostic
from lsp_server.chat.workspace.attachments import lines_of
from lsp_server.chat.workspace.text_search import listing, search
from lsp_server.chat.workspace.workspace_text import OpenText, Place, Unreadable, place, shown, text_of
from lsp_server.documents import syntax
from lsp_server.documents.languages import detect
from lsp_server.documents.outline import Definition, definitions
from lsp_server.documents.positions import LineIndex

RESULT_CHARS = 8000
"""Longest result: about 2,700 tokens, which is most of a small context."""

_LONGEST_ARGUMENTS = 4096
_MOST_ENTRIES = 100
_Path = Annotated[str, msgspec.Meta(description="Path of a file, relative to the workspace.")]


class _Arguments(msgspec.Struct, forbid_unknown_fields=True):
    pass


class ReadFile(_Arguments):
    """Read a text file of the workspace, or some of its lines. Of a folder, list what is in it."""

    path: _Path
    first_line: Annotated[int, msgspec.Meta(ge=1, description="First line, from 1.")] = 1
    last_line: Annotated[int, msgspec.Meta(ge=0, description="Last line; 0 is the end.")] = 0


class ListSymbols(_Arguments):
    """List the classes and functions that a file of the workspace defines, with their lines."""

    path: _Path


class FindText(_Arguments):
    """Find the lines that contain a text, such as a name, in the files of the workspace."""

    text: Annotated[str, msgspec.Meta(min_length=2, max_length=200, description="The exact text.")]
    glob: Annotated[str, msgspec.Meta(max_length=200, description="Only in these files: src/*.py")] = ""


class Diagnostics(_Arguments):
    """List the errors and warnings that the editor shows for a file of the workspace."""

    path: _Path


_TOOLS: dict[str, type[_Arguments]] = {
    "read_file": ReadFile,
    "list_symbols": ListSymbols,
    "find_text": FindText,
    "diagnostics": Diagnostics,
}


@dataclass(frozen=True)
class ToolResult:
    """What a call gives."""

    text: str
    """For the model."""
    documents: tuple[str, ...] = ()
    """Uris of the files whose text is in it."""
    did: str = ""
    """For the user, one line: `read src/x.py:1-40`."""
    failed: bool = False


class Toolbox:
    """The tools for one workspace. Called on threads, and so are the functions it is given."""

    def __init__(
        self,
        root: Path,
        open_text: OpenText,
        diagnostics: Callable[[str], Sequence[Diagnostic]] | None,
        why_withheld: Callable[[str], str | None],
        result_chars: int = RESULT_CHARS,
    ) -> None:
        """Take what knows open documents, by uri, and why nothing of one may be shown to the model.

        Without `diagnostics` there is no tool for them.
        """
        self._root = root
        self._open_text = open_text
        self._diagnostics = diagnostics or (lambda _: ())
        self._tools = {
            name: kind for name, kind in _TOOLS.items() if diagnostics is not None or kind is not Diagnostics
        }
        self._why_withheld = why_withheld
        self._room = max(200, min(result_chars, RESULT_CHARS))

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Return what the model is told of the tools."""
        return tuple(ToolSpec(name, kind.__doc__ or "", _schema(kind)) for name, kind in self._tools.items())

    def call(self, call: ToolCall) -> ToolResult:
        """Do what the model asks for, or say to it why not; takes seconds at most, and never raises."""
        kind = self._tools.get(call.name)
        wanted = f"call {shown(call.name)}"
        try:
            if kind is None:
                raise Unreadable(f"There is no such tool; there are {', '.join(self._tools)}.")
            arguments = _read(call.arguments, kind)
            wanted = _wanted(arguments)
            return self._do(arguments)
        except Unreadable as error:
            reason = str(error)
        except OSError as error:
            reason = f"{error.strerror or 'It cannot be read'}."
        return ToolResult(reason, did=f"could not {wanted}: {reason}", failed=True)

    def _do(self, arguments: _Arguments) -> ToolResult:
        if isinstance(arguments, ReadFile):
            return self._read_file(arguments)
        if isinstance(arguments, ListSymbols):
            return self._list_symbols(arguments)
        if isinstance(arguments, FindText):
            return self._find_text(arguments)
        assert isinstance(arguments, Diagnostics)
        return self._list_diagnostics(arguments)

    def _read_file(self, arguments: ReadFile) -> ToolResult:
        where = self._allowed(arguments.path)
        if where.path.is_dir():
            return ToolResult(self._cut(_entries(where)), did=f"listed {shown(where.name)}")
        text = text_of(where, self._open_text)
        count = text.count("\n") + (not text.endswith("\n"))
        last = min(arguments.last_line or count, count)
        if text:
            text = lines_of(text, arguments.first_line, max(last, arguments.first_line), where.name)
        kept = self._cut_lines(text)
        if kept != text:
            last = arguments.first_line + kept.count("\n") - 1
            kept += f"[cut after line {last} of {count}; ask for the lines after it]"
        part = "" if arguments.first_line == 1 and last == count else f":{arguments.first_line}-{last}"
        return ToolResult(kept or "[the file is empty]", (where.uri,), f"read {shown(where.name)}{part}")

    def _list_symbols(self, arguments: ListSymbols) -> ToolResult:
        where, text = self._file(arguments.path)
        tree = syntax.parse(text, detect("", where.uri))
        found = definitions(tree) if tree else []
        lines = LineIndex(text)
        rows = [_symbol(item, found, lines) for item in found]
        listed = self._cut_lines("".join(f"{row}\n" for row in rows))
        said = listed or f"No definitions are known in {shown(where.name)}."
        return ToolResult(said, (where.uri,), f"listed the symbols of {shown(where.name)}")

    def _find_text(self, arguments: FindText) -> ToolResult:
        found = search(self._root, arguments.text, arguments.glob, self._open_text, self._why_withheld)
        text, places = listing(found, self._room)
        documents = tuple(where.uri for where in places)
        where = f" in {shown(arguments.glob)}" if arguments.glob else ""
        return ToolResult(text or "Not found.", documents, f"looked for “{shown(arguments.text)}”{where}")

    def _list_diagnostics(self, arguments: Diagnostics) -> ToolResult:
        where, text = self._file(arguments.path)
        lines = LineIndex(text)
        uris = dict.fromkeys((where.uri, where.path.as_uri()))
        found = [item for uri in uris for item in self._diagnostics(uri)]
        rows = [
            f"line {lines.line_of(min(item.start, len(text))) + 1}: {item.severity}: {item.message}"
            for item in found
        ]
        said = self._cut_lines("".join(f"{row}\n" for row in rows))
        name = shown(where.name)
        return ToolResult(
            said or f"None are known for {name}.", (where.uri,), f"looked what is wrong in {name}"
        )

    def _file(self, path: str) -> tuple[Place, str]:
        where = self._allowed(path)
        return where, text_of(where, self._open_text)

    def _allowed(self, path: str) -> Place:
        where = place(self._root, path)
        reason = self._why_withheld(where.uri)
        if reason is not None:
            raise Unreadable(f"{shown(where.name)} may not be read: {reason}.")
        return where

    def _cut(self, text: str) -> str:
        return text if len(text) <= self._room else text[: self._room] + "\n[cut]"

    def _cut_lines(self, text: str) -> str:
        """Return the first whole lines that there is room for; of a single long line, its beginning."""
        if len(text) <= self._room:
            return text
        end = text.rfind("\n", 0, self._room)
        return text[: end + 1] if end > 0 else text[: self._room] + "\n"


def _schema(kind: type[_Arguments]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([kind])
    schema = dict(components[kind.__name__])
    return {key: schema[key] for key in ("type", "properties", "required", "additionalProperties")}


def _read(arguments: str, kind: type[_Arguments]) -> _Arguments:
    """Return what a model wrote as arguments; numbers in quotes and `null` for "none" are let pass."""
    if len(arguments) > _LONGEST_ARGUMENTS:
        raise Unreadable("The arguments are too long.")
    try:
        given = json.loads(arguments or "{}")
        if isinstance(given, dict):
            given = {key: value for key, value in given.items() if value is not None}
        return msgspec.convert(given, kind, strict=False)
    except (ValueError, RecursionError) as error:
        wrong = str(error) if isinstance(error, msgspec.ValidationError) else "they are not JSON"
        names = ", ".join(kind.__struct_fields__)
        raise Unreadable(
            f"The arguments are wrong: {shown(wrong)}. They are an object of: {names}."
        ) from error


def _wanted(arguments: _Arguments) -> str:
    if isinstance(arguments, FindText):
        return f"look for “{shown(arguments.text)}”"
    what = {ReadFile: "read", ListSymbols: "list the symbols of", Diagnostics: "look what is wrong in"}
    return f"{what[type(arguments)]} {shown(getattr(arguments, 'path', ''))}"


def _entries(folder: Place) -> str:
    names = [
        f"{shown(entry.name)}{'/' if entry.is_dir() else ''}"
        for entry in sorted(folder.path.iterdir())
        if not entry.name.startswith(".")
    ]
    more = [f"[and {len(names) - _MOST_ENTRIES} more]"] if len(names) > _MOST_ENTRIES else []
    return "\n".join(["It is a folder with:", *names[:_MOST_ENTRIES], *more])


def _symbol(item: Definition, found: Sequence[Definition], lines: LineIndex) -> str:
    depth, parent = 0, item.parent_index
    while parent is not None:
        depth, parent = depth + 1, found[parent].parent_index
    first = lines.line_of(item.range[0]) + 1
    last = lines.line_of(max(item.range[0], item.range[1] - 1)) + 1
    return f"{'  ' * depth}{item.kind} {item.name or '(no name)'}, lines {first}-{last}"
