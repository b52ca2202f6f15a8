"""`lsp_server trust`: let a workspace's files set everything and add code actions, as they are now."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import click

from lsp_server import config_files
from lsp_server import trust as trusted
from lsp_server.chat.actions.prompt_file import PromptFileError, parse
from lsp_server.errors import ConfigurationError
from lsp_server.options_reference import needing_trust, written
from lsp_server.settings import WORKSPACE_SECTIONS, workspace_file, workspace_prompts_folder


@click.command(short_help="Let a workspace's own files set everything and add code actions.")
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".", required=False
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--remove", "action", flag_value="remove", help="Trust the folder no longer.")
@click.option("--list", "action", flag_value="list", help="Show the folders that are trusted.")
def trust(folder: Path, yes: bool, action: str | None) -> None:
    """Trust the configuration file and the prompt files of FOLDER, the current one without this.

    Until then the file can set nothing that decides where text is sent, which programs run, or what is kept
    back, and the prompts (.codestral-lsp/prompts/*.md) are not offered. Once one of them has changed, they
    must be trusted again.
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
    seen = _seen(root)
    wants = [] if seen.config is None else _wants(path, seen.config)
    if not wants and not seen.prompts:
        click.echo(f"{path} sets nothing that needs your trust")
        return
    folder = workspace_prompts_folder(root)
    files = [str(path)] if wants else []
    if seen.prompts:
        files.append(str(folder))
    what = " and ".join(files)
    are = "are" if len(files) > 1 else "is"
    if trusted.is_trusted(root, seen.config):
        click.echo(f"{what} {are} trusted already")
        return
    if wants:
        click.echo(f"{path} sets:")
    for line in wants:
        click.echo(f"  {line}")
    if seen.prompts:
        click.echo(f"{folder} adds code actions:")
    for name, content in seen.prompts.items():
        click.echo(f"  {_action(name, content)}")
    _confirm(what, bool(wants), yes)
    trusted.add(root, seen)
    changes = "it changes" if len(files) == 1 else "one of them changes"
    click.echo(f"{what} {are} trusted until {changes}; an editor that is open takes it at its next start")


def _seen(root: Path) -> trusted.Contents:
    path = workspace_file(root)
    config: bytes | None = None
    try:
        with suppress(FileNotFoundError):
            config = config_files.workspace_content(path)
        seen = trusted.contents(root, config)
    except OSError as error:
        raise ConfigurationError(f"{error.filename or path} cannot be read: {error.strerror}.") from error
    if seen.digest() is None:
        raise ConfigurationError(f"There is no {path.name} in {root}, so there is nothing to trust.")
    return seen


def _wants(path: Path, content: bytes) -> list[str]:
    """Return a line for everything that a configuration file may not set without trust."""
    layer = config_files.parsed(path, content)
    for problem in layer.problems:
        raise ConfigurationError(f"{problem}.")
    return [
        line
        for name, value in layer.values.items()
        for line in _settings((name,), value)
        if name not in WORKSPACE_SECTIONS or line.partition(" = ")[0] in needing_trust()
    ]


def _action(name: str, content: bytes) -> str:
    """Describe a prompt file; escaped like all that the workspace says."""
    try:
        file = parse(content.decode("utf-8"), name)
    except (UnicodeDecodeError, PromptFileError):
        return f"{json.dumps(name)}: cannot be used, see `lsp_server prompts check`"
    return f"{json.dumps(name)}: {json.dumps(file.title)} ({file.output}, id {file.id})"


def _confirm(what: str, sets: bool, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(f"To trust {what} without being asked, add --yes.")
    decides = "where your text is sent and which programs run" if sets else "what the model is told to do"
    if not click.confirm(f"This decides {decides}. Trust it?"):
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
