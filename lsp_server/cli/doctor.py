"""`lsp_server doctor`: everything that can be wrong here, and what to do about it.

Orders the checks of `diagnosis` and prints what they find; judges nothing itself.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lsp_server import __version__
from lsp_server.diagnosis.finding import Finding, Level, problem

if TYPE_CHECKING:
    from lsp_server.diagnosis.weights import Weights
    from lsp_server.models.transfer import Progress
    from lsp_server.options import Resolved
    from lsp_server.settings import Settings

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}


@click.command(short_help="Check everything that can be wrong here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option("--full", is_flag=True, help="Read the whole model file and compare its checksum.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Set an option for this run.")
def doctor(as_json: bool, full: bool, overrides: tuple[str, ...]) -> None:
    """Check this installation, its configuration and its model, and say what to do.

    Asks the model for one completion of a text of its own; of a remote backend, for 8 tokens.
    Downloads nothing; a local engine that is started stays for your editor. Options that an editor
    sends are not seen. The exit status is 1 if there is a problem.
    """
    from lsp_server.cli._stream import write_json
    from lsp_server.cli._terminal import resolve

    resolved = resolve(Path.cwd(), overrides)
    findings = asyncio.run(_collect(resolved, full=full, show=_ignore if as_json else _printer()))
    problems, warnings = (
        sum(found.level is level for found in findings) for level in (Level.PROBLEM, Level.WARNING)
    )
    if as_json:
        write_json(_as_json(findings), indent=2)
    else:
        click.echo(f"\n{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}")
    if problems:
        sys.exit(1)


async def _collect(resolved: Resolved, *, full: bool, show: Callable[[Finding], None]) -> list[Finding]:
    findings = []
    async for finding in _examine(resolved, full=full):
        show(finding)
        findings.append(finding)
    return findings


async def _examine(resolved: Resolved, *, full: bool) -> AsyncIterator[Finding]:
    from lsp_server.diagnosis import configuration, installation

    for check in (
        installation.python,
        installation.package,
        installation.local_extra,
        installation.command,
        installation.grammars,
    ):
        yield check()
    for finding in configuration.files(Path.cwd(), resolved):
        yield finding
    if (off := configuration.completions(resolved)) is not None:
        yield off
    finding, found = configuration.backend(resolved)
    yield finding
    for name in dict.fromkeys((*found.completion, *found.chat) if found else ()):
        checks = _local(resolved.settings, full=full) if name == "local" else _remote(resolved.settings, name)
        async for finding in checks:
            yield finding


async def _local(settings: Settings, *, full: bool) -> AsyncIterator[Finding]:
    from lsp_server.diagnosis import machine, weights

    look = weights.look(settings.local)
    yield look.finding
    with _progress() as report:
        checked = weights.checksum(look, full=full, report=report)
    if checked is not None:
        yield checked
    yield machine.memory(settings.local, look)
    yield machine.disk()
    yield machine.folders()
    if look.info is not None:
        async for finding in _engine(settings, look):
            yield finding


async def _engine(settings: Settings, look: Weights) -> AsyncIterator[Finding]:
    from lsp_server.backends.router import build
    from lsp_server.cli._terminal import ready
    from lsp_server.diagnosis import trial
    from lsp_server.errors import UserFacingError

    assert look.info is not None
    try:
        async with ready(build(settings, "local")) as backend:
            async for finding in trial.engine(look.info.path):
                yield finding
            yield await trial.speed(backend, settings.completion)
    except UserFacingError as error:
        yield problem("engine", str(error))


def _remote(settings: Settings, name: str) -> AsyncIterator[Finding]:
    from lsp_server.diagnosis import backends

    return backends.examine(settings, name)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Yield what shows how far a checksum is: a bar on a terminal, else nothing."""
    from rich.progress import Progress as Bar

    from lsp_server.cli._terminal import errors

    with Bar(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", visible=False)

        def show(progress: Progress) -> None:
            bar.update(task, description=progress.message, completed=progress.done_bytes,
                       total=progress.total_bytes, visible=True)  # fmt: skip

        yield show


def _printer() -> Callable[[Finding], None]:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)

    def show(finding: Finding) -> None:
        line = Text(f"{finding.level.value:<8}", style=_STYLES[finding.level])
        line.append(f"{finding.check:<16} ", style="bold").append(finding.text, style="default not bold")
        console.print(line)
        if finding.advice:
            console.print(Text(f"{'':25}{finding.advice}", style="italic"))

    return show


def _ignore(finding: Finding) -> None:
    """Show nothing: all findings come at the end."""


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _as_json(findings: list[Finding]) -> dict[str, object]:
    return {
        "version": __version__,
        "ok": not any(finding.level is Level.PROBLEM for finding in findings),
        "findings": [
            {
                "check": finding.check,
                "level": finding.level.value,
                "text": finding.text,
                "advice": finding.advice,
            }
            for finding in findings
        ],
    }
