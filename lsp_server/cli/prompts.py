"""`lsp_server prompts`: the code actions there are, the file behind each, and what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lsp_server import config_files
from lsp_server.chat.actions import catalogue
from lsp_server.chat.actions.catalogue import Catalogue
from lsp_server.chat.actions.prompt_file import PromptFile
from lsp_server.cli._stream import say
from lsp_server.cli._terminal import load_settings
from lsp_server.errors import ConfigurationError
from lsp_server.settings import Settings

_root = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The workspace; the current folder without this.",
)


@click.group(short_help="List, show and check the prompts of code actions.")
def prompts() -> None:
    """See the code actions: those that ship, your own, and those of a workspace that you trust.

    An action is a file: TOML between two lines `+++`, then what the model is told. To change one, put a file
    with the same id into your folder of prompts; start from `lsp_server prompts show ID`.
    """


@prompts.command("list")
@_root
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a table in Markdown.")
def list_prompts(root: Path, form: str | None) -> None:
    """Show every action, what it does with the model's reply and which file it is from."""
    settings, found = _load(root)
    _tell(found.problems)
    if form == "json":
        click.echo(json.dumps([_row(file, settings) for file in found.files], indent=2))
    elif form == "markdown":
        click.echo(markdown(found))
    else:
        console = Console(markup=False, highlight=False)
        if not console.is_terminal:  # a pipe has no width: keep rows on one line
            console = Console(markup=False, highlight=False, width=300)
        console.print(_table(found, settings))


@prompts.command()
@click.argument("action_id", metavar="ID")
@_root
def show(action_id: str, root: Path) -> None:
    """Print the file of the action ID that is used, and on standard error where it is."""
    _, found = _load(root)
    file = found.get(action_id)
    if file is None:
        _tell(found.problems)
        known = ", ".join(file.id for file in found.files)
        raise ConfigurationError(f"There is no action {action_id}; there are {known}.")
    click.echo(file.origin, err=True)
    click.echo(Path(file.origin).read_text(encoding="utf-8-sig").rstrip("\n"))


@prompts.command()
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@_root
def check(files: tuple[Path, ...], root: Path) -> None:
    """Say what is wrong with each FILE, or with all that would be used; exit with 1 if there is anything."""
    if files:
        found = catalogue.check(files)
        problems = list(found.problems)
    else:
        settings, found = _load(root)
        unknown = [name for name in settings.chat.hidden_actions if found.get(name) is None]
        hidden = [f"chat.hidden_actions names {name}, and there is no such action." for name in unknown]
        problems = [*found.problems, *hidden]
    _tell(problems)
    if problems:
        click.get_current_context().exit(1)
    count = len(found.files)
    click.echo(f"Nothing is wrong with {f'these {count} prompt files' if count > 1 else 'this prompt file'}.")


def markdown(found: Catalogue) -> str:
    """Return the table of all actions for the README."""
    head = ["| id | in the menu | kind | the reply |", "| --- | --- | --- | --- |"]
    rows = [
        f"| `{file.id}` | {_menu_title(file)} | `{file.kind}` | {_OUTPUTS[file.output]} |"
        for file in found.files
    ]
    return "\n".join([*head, *rows])


_OUTPUTS = {
    "replace": "takes the place of the code",
    "insert_above": "is put above the code",
    "insert_below": "is put below the code",
    "new_file": "goes into a file of its own",
    "markdown": "is shown",
}


def _load(root: Path) -> tuple[Settings, Catalogue]:
    root = root.resolve()
    settings = load_settings(root)
    return settings, catalogue.load(config_files.prompt_folders(settings, root))


def _tell(problems: tuple[str, ...] | list[str]) -> None:
    for problem in problems:
        say(problem)


def _menu_title(file: PromptFile) -> str:
    """Return the title without the place of what it works on."""
    return " ".join(file.title.replace("{kind}", "").replace("{name}", "…").split())


def _row(file: PromptFile, settings: Settings) -> dict[str, object]:
    return {
        "id": file.id,
        "title": file.title,
        "kind": file.kind,
        "output": file.output,
        "scope": file.scope,
        "languages": file.languages,
        "when": file.when,
        "hidden": file.id in settings.chat.hidden_actions,
        "from": file.origin,
    }


def _table(found: Catalogue, settings: Settings) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "title", "kind", "output", "from"):
        table.add_column(heading, no_wrap=True)
    for file in found.files:
        hidden = " (hidden)" if file.id in settings.chat.hidden_actions else ""
        shipped = Path(file.origin).parent == catalogue.shipped_folder()
        origin = "shipped" if shipped else file.origin
        table.add_row(f"{file.id}{hidden}", _menu_title(file), file.kind, file.output, origin)
    return table
