"""`lsp_server settings`: every option, its value, and where the value comes from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from lsp_server import config_files
from lsp_server.options import Resolved, known, options_table, resolve


@click.command()
@click.option("--markdown", "form", flag_value="markdown", help="Print the table of the README instead.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The workspace; the current folder without this.",
)
def settings(form: str | None, root: Path) -> None:
    """Show the options as the configuration files set them.

    What an editor sends is known to the language server alone.
    """
    if form == "markdown":
        click.echo(markdown())
        return
    resolved = resolve(config_files.layers(root.resolve()))
    for problem in resolved.problems:
        click.echo(f"lsp_server: {problem}", err=True)
    values = {key: _value(resolved, key) for key in known()}
    if form == "json":
        rows = {key: {"value": value, "from": resolved.origins[key]} for key, value in values.items()}
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(map(len, values))
    for key, value in values.items():
        click.echo(f"{key:{width}}  {json.dumps(value)}  ({resolved.origins[key]})")


def markdown() -> str:
    """Return the table of all options."""
    head = ["| option | values | default | what it does |", "| --- | --- | --- | --- |"]
    rows = [
        f"| `{key}` | {kind} | `{default}` | {description.replace('|', chr(92) + '|')} |"
        for key, kind, default, description in options_table()
    ]
    return "\n".join([*head, *rows])


def _value(resolved: Resolved, key: str) -> Any:  # noqa: ANN401
    section, _, name = key.rpartition(".")
    holder = getattr(resolved.settings, section) if section else resolved.settings
    return dataclasses.asdict(holder)[name]
