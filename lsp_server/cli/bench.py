"""`lsp_server bench`: how fast completions are here, measured on real typing.

Figures come from the completer and the backend of the settings, without an editor in between.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lsp_server.errors import ConfigurationError

if TYPE_CHECKING:
    from lsp_server.cli._waiting import Waits
    from lsp_server.completion.completer import Completer
    from lsp_server.completion.result import Completion, NoCompletion
    from lsp_server.settings import Settings


@click.group()
def bench() -> None:
    """Measure completions on this machine."""


@dataclass(frozen=True)
class Keystroke:
    """What one key cost; tokens are None where the model was not asked."""

    key: str
    source: str
    """`backend`, `cache`, `typed_through`, or the reason why nothing came."""
    evaluated: int | None
    reused: int | None
    generated: int | None
    ms: float
    ghost: bool
    detail: str = ""
    """What went wrong, if the backend failed."""

    @property
    def asked(self) -> bool:
        """Whether the model was asked; some servers do not tell what that cost."""
        return self.evaluated is not None or self.source == "backend"


@bench.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from-line", default=0, help="Type the text again from this line on; default: the middle.")
@click.option("--keys", default=200, show_default=True, help="How many keys to type.")
@click.option("--gap-ms", default=0, show_default=True, help="Pause between keys; 0 waits for each answer.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per keystroke.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Set an option for this run.")
def typing(
    file: Path | None, from_line: int, keys: int, gap_ms: int, as_json: bool, overrides: tuple[str, ...]
) -> None:
    """Type a part of FILE again, key by key, and count what each key costs.

    The lines to be typed are taken out of the file; what follows them stays. Enter brings the next
    line's indentation with it, as it does in an editor. FILE is one of this program's own by default.
    """
    from lsp_server.cli._terminal import load_settings
    from lsp_server.documents import languages

    file = file or Path(languages.__file__)
    settings = load_settings(Path.cwd(), overrides)
    above, typed, below = _parts(file.read_text(encoding="utf-8"), from_line, keys)
    document = _Document(file.resolve().as_uri(), above, below)
    strokes = asyncio.run(_replay(settings, document, typed, gap_ms / 1000))
    for stroke in strokes:
        click.echo(json.dumps(dataclasses.asdict(stroke)) if as_json else _row(stroke))
    if not as_json:
        click.echo(_summary(strokes))


@bench.command()
@click.option("--keys", default=50, show_default=True, help="How many keys to type into each text.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per text.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Set an option for this run.")
def hover(keys: int, as_json: bool, overrides: tuple[str, ...]) -> None:
    """Complete in texts that are hard on a server, and count how long other documents wait meanwhile.

    A server is started as an editor starts it. Times of hovers in another document are given in multiples of
    the same server's at rest.
    """
    from lsp_server.cli._terminal import load_settings, nested
    from lsp_server.cli._waiting import measure

    load_settings(Path.cwd(), overrides)  # says what is wrong with them
    quiet: list[Waits] = []

    def tell(waits: Waits) -> None:
        quiet.append(waits)
        click.echo(json.dumps(dataclasses.asdict(waits)) if as_json else _waits_row(waits, quiet[0]))

    asyncio.run(measure(Path.cwd(), nested(overrides), keys, tell))


def _waits_row(waits: Waits, quiet: Waits) -> str:
    row = f"{waits.name:>20}  {len(waits.ms):>4} hovers"
    for share, label in ((0.5, "p50"), (0.99, "p99"), (1.0, "max")):
        row += f"  {label} {waits.at(share):7.1f} ms"
    return (
        row if waits is quiet else f"{row}  p99 is {waits.at(0.99) / quiet.at(0.99):.1f} times that at rest"
    )


def split_keys(text: str) -> list[str]:
    """Return the keys that type `text`; a line break comes with the next line's indentation."""
    keys: list[str] = []
    position = 0
    while position < len(text):
        end = position + 1
        if text[position] == "\n":
            while end < len(text) and text[end] in " \t\n":
                end += 1
        keys.append(text[position:end])
        position = end
    return keys


async def _replay(settings: Settings, document: _Document, keys: list[str], gap_s: float) -> list[Keystroke]:
    from lsp_server.cli._terminal import completing
    from lsp_server.completion.completer import Completer

    async with completing(settings) as backend:
        completer = Completer(backend, settings.completion)
        await document.press("", completer)  # the prompt is evaluated once; what is measured is typing
        pressed: list[asyncio.Task[Keystroke]] = []
        for key in keys:
            pressed.append(asyncio.create_task(document.press(key, completer)))
            await (asyncio.sleep(gap_s) if gap_s else pressed[-1])
        strokes = await asyncio.gather(*pressed)
        await completer.aclose()
    return list(strokes)


def _parts(text: str, from_line: int, keys: int) -> tuple[str, list[str], str]:
    """Split a file into what stays above, the keys to type, and what stays below."""
    lines = text.splitlines(keepends=True)
    first = from_line - 1 if from_line else len(lines) // 2
    if not 0 <= first < len(lines):
        raise ConfigurationError(f"--from-line must be between 1 and {len(lines)}")
    above = "".join(lines[:first])
    last, size = first, 0
    while last < len(lines) and size < keys:
        size += len(lines[last].strip()) + 1
        last += 1
    typed = split_keys("".join(lines[first:last]).rstrip("\n"))[:keys]
    return above, typed, "\n" + "".join(lines[last:])


class _Document:
    """A document being typed."""

    def __init__(self, uri: str, above: str, below: str) -> None:
        self._uri = uri
        self._before = above
        self._after = below
        self._version = 0

    async def press(self, key: str, completer: Completer) -> Keystroke:
        from lsp_server.documents.snapshot import Snapshot

        self._before += key
        self._version += 1
        snapshot = Snapshot(self._uri, "", self._version, self._before + self._after)
        started = time.monotonic()
        result = await completer.complete(snapshot, len(self._before))
        return _keystroke(key, result, (time.monotonic() - started) * 1000)


def _keystroke(key: str, result: Completion | NoCompletion, ms: float) -> Keystroke:
    from lsp_server.completion.result import Completion

    ghost = isinstance(result, Completion)
    source = result.source if isinstance(result, Completion) else result.reason.value
    usage = result.trace.usage if source not in ("cache", "typed_through") else None
    if usage is None:
        detail = "" if isinstance(result, Completion) else result.detail
        return Keystroke(key, source, None, None, None, ms, ghost, detail)
    evaluated = usage.prompt_tokens - usage.cached_tokens
    return Keystroke(key, source, evaluated, usage.cached_tokens, usage.completion_tokens, ms, ghost)


def _row(stroke: Keystroke) -> str:
    tokens = (stroke.evaluated, stroke.reused, stroke.generated)
    evaluated, reused, generated = ("-" if count is None else str(count) for count in tokens)
    return (
        f"{stroke.key!r:>14}  evaluated {evaluated:>4}  reused {reused:>5}  generated {generated:>4}"
        f"  {stroke.ms:7.1f} ms  {stroke.source}"
    )


def _summary(strokes: list[Keystroke]) -> str:
    if not strokes:
        return "nothing was typed"
    evaluated = [stroke.evaluated or 0 for stroke in strokes]
    asked = [stroke for stroke in strokes if stroke.asked]
    told = [stroke for stroke in asked if stroke.evaluated is not None]
    lines = [
        f"keystrokes {len(strokes)}, of which the model was asked {len(asked)}, ghost text came for "
        f"{sum(stroke.ghost for stroke in strokes)}",
        f"prompt tokens evaluated per keystroke: mean {statistics.fmean(evaluated):.2f}, "
        f"max {max(evaluated)}; per request: mean {sum(evaluated) / max(1, len(told)):.2f}"
        if told or not asked
        else "prompt tokens evaluated: the server does not tell",
    ]
    for name, chosen in (("all", strokes), ("model asked", asked)):
        times = sorted(stroke.ms for stroke in chosen if stroke.ghost)
        if times:
            p50, p90 = (times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.9))
            lines.append(f"time to ghost text ({name}): p50 {p50:.0f} ms, p90 {p90:.0f} ms")
    failed = Counter(stroke.detail for stroke in strokes if stroke.detail)
    lines += [f"{count} keystrokes without an answer: {detail}" for detail, count in failed.most_common()]
    return "\n".join(lines)
