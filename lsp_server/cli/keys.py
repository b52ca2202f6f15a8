"""`lsp_server keys`: store, list and remove API keys. Shows where a key is, never any part of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lsp_server.backends import presets
from lsp_server.cli._terminal import load_settings
from lsp_server.errors import ConfigurationError, UserFacingError
from lsp_server.keys import llm_keys
from lsp_server.keys.find import find
from lsp_server.keys.store import stored_keys
from lsp_server.settings import BackendSettings, Settings


@click.group(short_help="Store, list and remove API keys.")
def keys() -> None:
    """Store API keys: in the system's keyring, or in a file only you can read."""


@keys.command("set")
@click.argument("name")
@click.option("--file", "in_file", is_flag=True, help="Store it in the file even if there is a keyring.")
def set_key(name: str, in_file: bool) -> None:
    """Store the API key of the backend NAME; asks for it, or reads it from a pipe."""
    settings = load_settings(Path.cwd())
    _hint_at_unknown(name, settings)
    # Never an argument: those are in the process list and in the shell's history.
    if sys.stdin.isatty():
        value = click.prompt(f"API key for {name}", hide_input=True, err=True)
    else:
        value = sys.stdin.read()
    click.echo(f"Stored the key {name} in {stored_keys().set(name, value, in_file=in_file)}.")
    _warn_of_shadow(name, settings)


@keys.command("list")
def list_keys() -> None:
    """Show which keys there are, where they were found, and who uses them."""
    settings = load_settings(Path.cwd())
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "found in", "used by"):
        table.add_column(heading, no_wrap=True)
    rows = [row for name in _names(settings) if (row := _row(name, settings)) is not None]
    if not rows:
        click.echo("There are no API keys; store one with `lsp_server keys set NAME`.")
        return
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(
            markup=False, highlight=False, width=200
        )  # a pipe has no width: keep rows on one line
    console.print(table)


@keys.command("remove")
@click.argument("name")
def remove_key(name: str) -> None:
    """Delete the stored key NAME."""
    settings = load_settings(Path.cwd())
    places = stored_keys().remove(name)
    if not places:
        _hint_at_unknown(name, settings)
        raise ConfigurationError(f"There is no stored key {name}; see `lsp_server keys list`.")
    click.echo(f"Removed the key {name} from {' and '.join(places)}.")
    found = _row(name, settings)
    if found is not None and found[1] != _NONE:
        click.echo(f"There still is a key {name} in {found[1]}.", err=True)


_NONE = "nowhere"


def _names(settings: Settings) -> list[str]:
    """Return every name that may have a key: a keyring cannot be asked for what is in it."""
    stored = (*stored_keys().names_in_file(), *llm_keys.names())
    return sorted({*settings.backends, *presets.preset_names(), *stored})


def _row(name: str, settings: Settings) -> tuple[str, str, str] | None:
    """Return what to show about NAME, None if there is nothing to say."""
    variable, command = _sources(name, settings)
    is_backend = name in settings.backends or name in presets.preset_names()
    used_by = f"backend {name}" if is_backend else ""
    if command:
        return name, f"the program {command[0]} (not run now)", used_by
    try:
        key = find(name, variable=variable)
    except UserFacingError as error:
        return name, str(error), used_by
    if key is not None:
        return name, key.place, used_by
    return (name, _NONE, used_by) if name in settings.backends and variable else None


def _sources(name: str, settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return the variable and the command that give the key NAME."""
    config = presets.over_preset(name, settings.backends.get(name, BackendSettings()))
    return config.api_key_env, config.api_key_command


def _hint_at_unknown(name: str, settings: Settings) -> None:
    known = {*settings.backends, *presets.preset_names()}
    if name in known:
        return
    did_you_mean = presets.meant(name, sorted(known)) or " yet."
    click.echo(f"There is no backend {name}{did_you_mean}", err=True)


def _warn_of_shadow(name: str, settings: Settings) -> None:
    variable, command = _sources(name, settings)
    if command:
        click.echo(f"It is not used while backends.{name}.api_key_command is set.", err=True)
    elif variable and os.environ.get(variable, "").strip():
        click.echo(f"It is not used while the environment variable {variable} is set.", err=True)
