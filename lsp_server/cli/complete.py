"""`lsp_server complete`: what an editor would show at a place, printed."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lsp_server.errors import ConfigurationError, UserFacingError

if TYPE_CHECKING:
    from rich.text import Text

    from lsp_server.completion.result import Completion, NoCompletion
    from lsp_server.documents.snapshot import Snapshot
    from lsp_server.settings import Settings

LINES_ABOVE, LINES_BELOW = 8, 4
"""Lines of the buffer shown around the completion: enough to see where one is."""


@click.command(short_help="Print what an editor would show at a place in a file.")
@click.argument("target", metavar="FILE[:LINE[:COLUMN]]")
@click.option("--why", is_flag=True, help="Say what was sent, reused and cut, and how long each stage took.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option("--no-color", is_flag=True, help="Never use colours; pipes and NO_COLOR get none anyway.")
@click.option(
    "--language", metavar="ID", default="", help="Language id, where the file name does not tell it."
)
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Set an option for this run.")
def complete(
    target: str, why: bool, as_json: bool, no_color: bool, language: str, overrides: tuple[str, ...]
) -> None:
    """Complete FILE at LINE and COLUMN, both from 1, and print it with the completion dimmed.

    Without COLUMN the cursor is at the end of LINE, without LINE at the end of the file. `-` reads
    the text from standard input.
    """
    from lsp_server.cli import _places
    from lsp_server.cli._stream import write_json
    from lsp_server.cli._terminal import load_settings

    path, line, column = _places.position(target)
    snapshot = _places.snapshot(path, language)
    offset = _offset(snapshot, line, column)
    settings = load_settings(Path.cwd(), overrides)
    result = asyncio.run(_complete(settings, snapshot, offset))
    if as_json:
        write_json(_as_json(result))
        return
    _show(snapshot, offset, result, why=why, color=not no_color)


def _offset(snapshot: Snapshot, line: int | None, column: int | None) -> int:
    if line is None:
        return len(snapshot.text)
    if line > len(snapshot.lines):
        raise ConfigurationError(f"line {line} is past the end: the text has {len(snapshot.lines)} lines")
    start, end = snapshot.lines.start(line - 1), snapshot.lines.end(line - 1)
    if column is None:
        return end
    if start + column - 1 > end:
        raise ConfigurationError(f"column {column} is past the end of line {line}, which has {end - start}")
    return start + column - 1


async def _complete(settings: Settings, snapshot: Snapshot, offset: int) -> Completion | NoCompletion:
    from lsp_server.cli._terminal import completing
    from lsp_server.completion.completer import Completer
    from lsp_server.completion.result import NoCompletion, Reason

    async with completing(settings) as backend:
        completer = Completer(backend, settings.completion)
        result = await completer.complete(snapshot, offset, invoked=True)
        await completer.aclose()
    if isinstance(result, NoCompletion) and result.reason is Reason.BACKEND_FAILED:
        raise UserFacingError(result.detail)
    return result


def _as_json(result: Completion | NoCompletion) -> dict[str, object]:
    from lsp_server.completion.result import Completion

    trace = dataclasses.asdict(result.trace)
    if isinstance(result, Completion):
        return {"text": result.text, "source": result.source, "reason": None, "trace": trace}
    return {
        "text": "",
        "source": None,
        "reason": result.reason.value,
        "detail": result.detail,
        "trace": trace,
    }


def _show(
    snapshot: Snapshot, offset: int, result: Completion | NoCompletion, *, why: bool, color: bool
) -> None:
    from rich.console import Console

    from lsp_server.completion.result import Completion

    console = Console(highlight=False, color_system="auto" if color else None, soft_wrap=True)
    text = result.text if isinstance(result, Completion) else ""
    console.print(_buffer(snapshot, offset, text))
    if not isinstance(result, Completion):
        detail = f" ({result.detail})" if result.detail else ""
        console.print(f"no completion: {result.reason.value}{detail}", markup=False)
    if why:
        console.print(_explanation(result), markup=False)


def _buffer(snapshot: Snapshot, offset: int, ghost: str) -> Text:
    """Return the lines around the cursor with a gutter; `+` marks lines that the completion touches."""
    from rich.text import Text

    lines = snapshot.lines
    at = lines.line_of(offset)
    first, last = max(0, at - LINES_ABOVE), min(len(lines) - 1, at + LINES_BELOW)
    before = snapshot.text[lines.start(first) : offset]
    after = snapshot.text[offset : lines.end(last)]
    shown = Text(before.replace("\r", "")).append(ghost.replace("\r", ""), style="dim italic")
    shown.append(after.replace("\r", ""))
    touched = range(at, at + ghost.count("\n") + 1) if ghost else range(0)
    result = Text()
    for number, line in enumerate(shown.split("\n", allow_blank=True), first):
        result.append(f"{'+' if number in touched else ' '}{number + 1:>4} ", style="blue")
        result.append_text(line).append("\n")
    result.rstrip()
    return result


def _explanation(result: Completion | NoCompletion) -> str:
    from lsp_server.completion.result import NoCompletion, Reason

    trace = result.trace
    kept_back = isinstance(result, NoCompletion) and result.reason is Reason.WITHHELD
    rows = [("backend", f"{trace.backend}, {trace.destination}" if trace.destination else trace.backend)]
    rows += [("withheld", what) for what in trace.withheld]
    rows += [("asked for", f"a {trace.scope}" if trace.scope else "nothing")]
    if kept_back:
        rows.append(("sent", "nothing"))
    elif trace.scope:
        rows.append(("sent", f"{len(trace.prefix)} characters before the cursor, {len(trace.suffix)} after"))
    if usage := trace.usage:
        evaluated = usage.prompt_tokens - usage.cached_tokens
        rows.append(
            ("prompt", f"{usage.prompt_tokens} tokens: {usage.cached_tokens} reused, {evaluated} evaluated")
        )
        rows.append(("written", f"{usage.completion_tokens} tokens, {len(trace.raw)} characters"))
    if trace.cut:
        rows.append(("ended by", trace.cut))
    rows += [
        (f"{stage} at" if stage != "context" else stage, f"{ms:.0f} ms")
        for stage, ms in trace.stages_ms.items()
    ]
    width = max(len(name) for name, _ in rows)
    return "\n" + "\n".join(f"{name:>{width}}  {value}" for name, value in rows)
