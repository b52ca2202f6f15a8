"""`lsp_server models`: what there is, what is here, what fits; fetch and check it.

Tables and a progress bar on a terminal, plain lines elsewhere. Knows nothing of engines and backends.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from lsp_server.cli._stream import write_json
from lsp_server.errors import ModelError
from lsp_server.models import catalogue, fit, store
from lsp_server.models.catalogue import Entry
from lsp_server.models.checksums import KnownChecksums, sha256_of
from lsp_server.models.transfer import Job, Progress

_PLAIN_LINE_EVERY_S = 5.0
"""Often enough to see life in a log, seldom enough to read it."""


@click.group()
def models() -> None:
    """See, fetch and check local models."""


@models.command("list")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--markdown", "form", flag_value="markdown", help="Print the table of the README instead.")
def list_models(form: str | None) -> None:
    """Show the models known by name, what they need and whether they are here."""
    if form == "markdown":
        click.echo(markdown())
        return
    machine = fit.this_machine()
    rows = [_row(entry, machine) for entry in catalogue.entries()]
    if form == "json":
        write_json(msgspec.to_builtins(rows), indent=2)
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)  # a pipe has no width: keep rows on one line
    console.print(_table(rows))
    if machine is not None:
        _print_advice(console, machine)


def markdown() -> str:
    """Return the table of all models, the same on every machine."""
    head = ["| name | what it is | file | memory | licence |", "| --- | --- | ---: | ---: | --- |"]
    rows = []
    for entry in catalogue.entries():
        size = decimal(entry.about_bytes) if entry.size_bytes else f"about {decimal(entry.about_bytes)}"
        memory = decimal(entry.ram_bytes())
        rows.append(f"| `{entry.name}` | {entry.title} | {size} | {memory} | {entry.licence} |")
    return "\n".join([*head, *rows])


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One model in `models list --json`."""

    name: str
    title: str
    family: str
    chat: bool
    licence: str
    licence_note: str
    file: str
    size_bytes: int
    size_is_exact: bool
    memory_bytes: int
    fits: str | None
    path: str | None
    default: bool


def _row(entry: Entry, machine: fit.Machine | None) -> Row:
    path = store.find_entry(entry)
    return Row(
        name=entry.name,
        title=entry.title,
        family=entry.family,
        chat=entry.chat,
        licence=entry.licence,
        licence_note=entry.licence_note,
        file=entry.file,
        size_bytes=entry.about_bytes,
        size_is_exact=entry.size_bytes is not None,
        memory_bytes=entry.ram_bytes(),
        fits=machine.fit(entry.ram_bytes()).value if machine else None,
        path=str(path) if path else None,
        default=entry.name == catalogue.DEFAULT_NAME,
    )


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "here", "size", "memory", "fits", "licence"):
        table.add_column(heading, justify="right" if heading in ("size", "memory") else "left", no_wrap=True)
    for row in rows:
        table.add_row(
            row.name + (" (default)" if row.default else ""),
            "yes" if row.path else "",
            ("" if row.size_is_exact else "~") + decimal(row.size_bytes),
            "~" + decimal(row.memory_bytes),
            row.fits or "?",
            row.licence + ("" if not row.licence_note else " *"),
        )
    return table


def _print_advice(console: Console, machine: fit.Machine) -> None:
    notes = dict.fromkeys(
        (entry.licence, entry.licence_note) for entry in catalogue.entries() if entry.licence_note
    )
    console.print()
    for licence, note in notes:
        console.print(f"* {licence}: {note}", highlight=False)
    codestral = fit.codestral(machine)
    console.print(
        f"\nThis machine: {decimal(machine.memory_bytes)} of memory, {machine.cores} cores. "
        f"To start with: {fit.recommended(machine).name}. "
        f"Codestral: {codestral.name if codestral else 'no quantisation'} fits; it needs a GPU to keep up.",
        highlight=False,
    )


@models.command()
@click.argument("name")
def pull(name: str) -> None:
    """Fetch a model; a download that was interrupted continues."""
    entry = catalogue.match(name)
    if entry is not None and entry.licence_note:
        click.echo(f"{entry.title} is under {entry.licence}. {entry.licence_note}", err=True)
    with _shown_progress() as job:
        path = store.ensure(name, progress=job.progress)
    click.echo(path)


@models.command()
@click.argument("name")
def path(name: str) -> None:
    """Print where a model is; exit with 1 if it is not on this machine."""
    found = store.find(name)
    if found is None:
        raise _not_here(name)
    click.echo(found)


@models.command()
@click.argument("name", required=False)
def verify(name: str | None) -> None:
    """Read NAME, or every model that is here, and compare its checksum."""
    chosen = [catalogue.get(name)] if name else list(catalogue.entries())
    here = [(entry, found) for entry in chosen if (found := store.find_entry(entry)) is not None]
    if name and not here:
        raise _not_here(name)
    with _shown_progress() as job:
        results = [(entry, found, _verdict(entry, found, job)) for entry, found in here]
    for entry, found, verdict in results:
        click.echo(f"{entry.name}: {verdict} ({found})")
    if any(verdict.startswith("WRONG") for _, _, verdict in results):
        raise ModelError("Delete what is wrong and fetch it again with `lsp_server models pull`.")


def _not_here(name: str) -> ModelError:
    return ModelError(f"{name} is not on this machine; fetch it with `lsp_server models pull {name}`.")


def _verdict(entry: Entry, found: Path, job: Job) -> str:
    expected = entry.sha256 or KnownChecksums(store.folder()).recorded(found)
    if expected is None:
        return "no checksum to compare with; its header and length are right"
    return "right" if sha256_of(found, job) == expected else "WRONG checksum"


@contextmanager
def _shown_progress() -> Iterator[Job]:
    """Yield a job that shows its progress on stderr: a bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield Job(_PlainLines().show)
        return
    left = (TextColumn("{task.description}"), BarColumn())
    right = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(*left, *right, console=Console(stderr=True)) as bar:
        task = bar.add_task("Starting", total=None)

        def show(progress: Progress) -> None:
            if bar.tasks[task].description != progress.message:
                bar.reset(task, description=progress.message, total=progress.total_bytes)  # speed starts anew
            bar.update(task, completed=progress.done_bytes, total=progress.total_bytes)

        yield Job(show)


class _PlainLines:
    """Progress for logs and pipes."""

    def __init__(self) -> None:
        self._message = ""
        self._printed_s = 0.0

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.message == self._message and now - self._printed_s < _PLAIN_LINE_EVERY_S:
            return
        self._message, self._printed_s = progress.message, now
        line = progress.message
        if progress.total_bytes:
            share = progress.done_bytes / progress.total_bytes
            line += f": {decimal(progress.done_bytes)} of {decimal(progress.total_bytes)} ({share:.0%})"
        click.echo(line, err=True)
