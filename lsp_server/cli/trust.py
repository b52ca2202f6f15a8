"""`lsp_server trust`: let a workspace's configuration file set everything, as it is now."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from lsp_server import config_files
from lsp_server import trust as trusted
from lsp_server.errors import ConfigurationError
from lsp_server.options_reference import needing_trust, written
from lsp_server.settings import WORKSPACE_SECTIONS, workspace_file


@click.command(short_help="Let a workspace's configuration file set everything.")
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".", required=False
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--remove", "action", flag_value="remove", help="Trust the folder no longer.")
@click.option("--list", "action", flag_value="list", help="Show the folders that are trusted.")
def trust(folder: Path, yes: bool, action: str | None) -> None:
    """Trust the configuration file of FOLDER, the current one without this.

    Until then it can set nothing that decides where text is sent, which programs run, or what is kept back.
    A file that has changed must be trusted again.
    """
    if action == "list":
        _list()
    elif action == "remove":
        there = trusted.remove(folder)
        click.echo(
            f"{folder.resolve()} is no longer trusted" if there else f"{folder.resolve()} was not trusted"
        )
    else:
        _trust(folder.resolve(), yes)


def _trust(root: Path, yes: bool) -> None:
    path = workspace_file(root)
    try:
        content = config_files.workspace_content(path)
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no {path.name} in {root}, so there is nothing to trust."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    layer = config_files.parsed(path, content)
    for problem in layer.problems:
        raise ConfigurationError(f"{problem}.")
    wants = [
        line
        for name, value in layer.values.items()
        for line in _settings((name,), value)
        if name not in WORKSPACE_SECTIONS or line.partition(" = ")[0] in needing_trust()
    ]
    if not wants:
        click.echo(f"{path} sets nothing that needs your trust")
        return
    if trusted.is_trusted(root, content):
        click.echo(f"{path} is trusted already")
        return
    click.echo(f"{path} sets:")
    for line in wants:
        click.echo(f"  {line}")
    _confirm(path, yes)
    trusted.add(root, content)
    click.echo(f"{path} is trusted until it changes; an editor that is open takes it at its next start")


def _confirm(path: Path, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(f"To trust {path} without being asked, add --yes.")
    if not click.confirm("This decides where your text is sent and which programs run. Trust it?"):
        raise ConfigurationError("Nothing was changed.")


def _settings(path: tuple[str, ...], value: object) -> Iterator[str]:
    """Yield a line for each value; escaped, for the file may want the terminal to show something else."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _settings((*path, name), inner)
    else:
        yield f"{written(path)} = {json.dumps(value, default=str)}"


def _list() -> None:
    for folder in trusted.listed():
        changed = (
            "" if trusted.is_trusted(Path(folder)) else "  (changed since, or gone: not trusted as it is)"
        )
        click.echo(f"{folder}{changed}")
