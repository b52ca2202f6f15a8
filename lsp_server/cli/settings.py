"""`lsp_server settings`: every option, its value and its origin; and the backends known by name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lsp_server import config_files
from lsp_server.backends import presets
from lsp_server.backends.references import check
from lsp_server.options import DEFAULT, Resolved, options_table, resolve
from lsp_server.options_reference import written
from lsp_server.settings import BackendSettings, Settings


@click.command()
@click.option("--markdown", "form", flag_value="markdown", help="Print the table of the README instead.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--backends", is_flag=True, help="Show the backends that are known by name instead.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The workspace; the current folder without this.",
)
def settings(form: str | None, backends: bool, root: Path) -> None:
    """Show the options as the configuration files set them.

    What an editor sends is known to the language server alone.
    """
    if backends:
        click.echo(_backends(form))
        return
    if form == "markdown":
        click.echo(markdown())
        return
    resolved = resolve(config_files.layers(root.resolve()), check)
    for problem in resolved.problems:
        click.echo(f"lsp_server: {problem}", err=True)
    rows = dict(_rows(resolved))
    if form == "json":
        found = {key: {"value": value, "from": origin} for key, (value, origin) in rows.items()}
        click.echo(json.dumps(found, indent=2))
        return
    width = max(map(len, rows))
    for key, (value, origin) in rows.items():
        click.echo(f"{key:{width}}  {json.dumps(value)}  ({origin})")


def _rows(resolved: Resolved) -> Iterator[tuple[str, tuple[Any, str]]]:
    """Yield each option with its value and origin; of tables that have names, what is set or in a preset."""
    for item in dataclasses.fields(Settings):
        value = getattr(resolved.settings, item.name)
        if dataclasses.is_dataclass(value):
            yield from _table(resolved, value, item.name, whole=True)
        elif isinstance(value, dict):
            used = _used_presets(resolved.settings) if item.name == "backends" else {}
            for name, table in (used | value).items():
                yield from _table(resolved, table, item.name, name, whole=False)
        else:
            yield item.name, (value, resolved.origins[item.name])


def _used_presets(settings: Settings) -> dict[str, BackendSettings]:
    """Return an empty table for each backend that needs none: what its preset says is shown, too."""
    profile = settings.profiles.get(settings.backend)
    named = (*profile.completion, *profile.chat) if profile is not None else (settings.backend,)
    return {name: BackendSettings() for name in named if name in presets.preset_names()}


def _table(
    resolved: Resolved,
    table: Any,  # noqa: ANN401
    *path: str,
    whole: bool,
) -> Iterator[tuple[str, tuple[Any, str]]]:
    completed = presets.over_preset(path[-1], table) if path[0] == "backends" else table
    for item in dataclasses.fields(table):
        key = written((*path, item.name))
        value, origin = getattr(table, item.name), resolved.origins.get(key)
        if not whole and origin is None:
            value = getattr(completed, item.name)
            if value == getattr(table, item.name):
                continue
            origin = f"preset {path[-1]}"
        yield key, (value, origin or DEFAULT)


def markdown() -> str:
    """Return the table of all options."""
    head = ["| option | values | default | what it does |", "| --- | --- | --- | --- |"]
    rows = [
        f"| `{key}` | {kind} | `{default}` | {_cell(description)} |"
        for key, kind, default, description in options_table()
    ]
    return "\n".join([*head, *rows])


def backends_markdown() -> str:
    """Return the table of the backends that are known by name."""
    head = [
        "| name | what it is | address | model | key in | note |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows = []
    for name, preset in presets.presets().items():
        config = preset.config
        address, model, key = (
            f"`{value}`" if value else "–" for value in (config.base_url, config.model, config.api_key_env)
        )
        model = "to be named" if preset.needs_model else model
        cells = (f"`{name}`", _cell(preset.title), address, model, key, _cell(preset.note))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*head, *rows])


def _backends(form: str | None) -> str:
    if form == "markdown":
        return backends_markdown()
    if form == "json":
        rows = {
            name: {"title": preset.title, "note": preset.note, **dataclasses.asdict(preset.config)}
            for name, preset in presets.presets().items()
        }
        return json.dumps(rows, indent=2)
    width = max(map(len, presets.preset_names()))
    return "\n".join(
        f"{name:{width}}  {preset.title}{_at(preset.config.base_url)}. {preset.note}"
        for name, preset in presets.presets().items()
    )


def _at(base_url: str) -> str:
    return f", {base_url}" if base_url else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
