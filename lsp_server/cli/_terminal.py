"""What commands that talk to a model share: settings, and a backend made ready on a terminal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from lsp_server import config_files, options
from lsp_server.backends import references
from lsp_server.backends.protocol import Backend
from lsp_server.errors import ConfigurationError
from lsp_server.options import Layer, Resolved
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from lsp_server.backends.router import Connected

logger = logging.getLogger(__name__)

errors = Console(stderr=True)
"""Progress and problems go here, so that standard output holds the result alone."""


def load_settings(root: Path | None, overrides: tuple[str, ...] = ()) -> Settings:
    """Return the settings of the files, with `KEY=VALUE` overrides from the command line on top.

    Raises ConfigurationError for a wrong override; problems in the files are shown and passed over.
    """
    resolved = resolve(root, overrides)
    for problem in resolved.problems:
        errors.print(str(problem), style="yellow", markup=False, highlight=False, soft_wrap=True)
    return resolved.settings


def resolve(root: Path | None, overrides: tuple[str, ...] = ()) -> Resolved:
    """Do the same without showing anything."""
    command_line = Layer("--set", nested(overrides))
    resolved = options.resolve([*config_files.layers(root), command_line], references.check)
    for problem in resolved.problems:
        if problem.place == command_line.place:
            raise ConfigurationError(str(problem).removesuffix(references.INSTEAD))
    return resolved


def nested(overrides: tuple[str, ...]) -> dict[str, object]:
    """Turn `section.name=value` into the shape of a configuration file."""
    values: dict[str, object] = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise ConfigurationError(
                f"--set takes KEY=VALUE, such as completion.max_tokens=64, not {override}"
            )
        table: dict[str, object] = values
        *sections, name = key.strip().split(".")
        for section in sections:
            inner = table.setdefault(section, {})
            if not isinstance(inner, dict):
                raise ConfigurationError(f"--set {override}: {section} has a value of its own already")
            table = inner
        table[name] = config_files.parse_value(value.strip())
    return values


@asynccontextmanager
async def completing(settings: Settings) -> AsyncGenerator[Backend, None]:
    """Connect the backends for completions and make them ready, as `ready` does it."""
    async with _connected(settings) as connected, ready(connected.completion) as backend:
        yield backend


@asynccontextmanager
async def chatting(settings: Settings) -> AsyncGenerator[Connected, None]:
    """Connect the backends and make those for chat ready."""
    async with _connected(settings) as connected, ready(connected.chat):
        yield connected


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncGenerator[Connected, None]:
    from lsp_server.backends.router import connect

    connected = await asyncio.to_thread(connect, settings)
    try:
        yield connected
    finally:
        await connected.aclose()


@asynccontextmanager
async def ready(backend: Backend) -> AsyncGenerator[Backend, None]:
    """Make `backend` ready, showing the way there, and close it in the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    try:
        with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
            shown = bar.add_task("Starting", total=None)
            last = ""
            async with aclosing(backend.prepare()) as states:
                async for state in states:
                    bar.update(shown, description=state.message, completed=state.fraction or 0.0,
                               total=None if state.fraction is None else 1.0)  # fmt: skip
                    if state.message and state.message != last and (state.ready or not errors.is_terminal):
                        last = state.message
                        errors.print(last, markup=False, highlight=False, soft_wrap=True)
        yield backend
    finally:
        await backend.aclose()
