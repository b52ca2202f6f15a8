"""`lsp_server engine`: run an engine in this process, or show and stop those that run.

Knows options and printing; the engine itself is imported only to be run.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from lsp_server.engine import health, launcher, state
from lsp_server.errors import ConfigurationError, ModelError
from lsp_server.settings import LocalSettings

_DEFAULTS = LocalSettings()


@click.command()
@click.option("--model", help="Serve this model: a name of `models list`, or a path.")
@click.option("--family", help="Take this prompt family instead of the one found by the model's tokens.")
@click.option(
    "--context-tokens", type=click.IntRange(256), default=_DEFAULTS.context_tokens, show_default=True
)
@click.option("--slots", type=click.IntRange(1, 64), default=_DEFAULTS.slots, show_default=True)
@click.option(
    "--threads", type=click.IntRange(0), default=_DEFAULTS.threads, help="0 takes all physical cores."
)
@click.option("--gpu-layers", type=click.IntRange(-1), default=_DEFAULTS.gpu_layers, help="-1 is all.")
@click.option("--idle-exit-s", type=click.FloatRange(0), default=_DEFAULTS.idle_exit_s, show_default=True)
@click.option("--status", "action", flag_value="status", help="Show the engines that run.")
@click.option("--stop", "action", flag_value="stop", help="Stop them; with --model, only that one.")
def engine(
    model: str | None,
    family: str | None,
    context_tokens: int,
    slots: int,
    threads: int,
    gpu_layers: int,
    idle_exit_s: float,
    action: str | None,
) -> None:
    """Hold a model for all editors of this user.

    The language server starts it itself; this is for looking after it.
    """
    if action is not None:
        asyncio.run(_look_after(action, _here(model) if model else None))
        return
    if model is None:
        raise click.UsageError("Give --model, --status or --stop.")
    wanted = launcher.Launch(_resolve(model), context_tokens, slots, threads, gpu_layers, idle_exit_s)
    sys.exit(_run(wanted, family))


def _resolve(model: str) -> Path:
    from lsp_server.models import store

    path = Path(model)
    try:
        launcher.check_model_file(path)
    except ModelError:
        return store.ensure(model)
    return path  # what else may be wrong with it, the engine finds out and records


def _here(model: str) -> Path:
    from lsp_server.models import store

    found = store.find(model)
    if found is None:
        raise ModelError(f"The model {model} is not on this machine, so no engine runs it.")
    return found


def _run(wanted: launcher.Launch, family: str | None) -> int:
    from lsp_server.backends.local import NOT_INSTALLED, is_installed

    if not is_installed():
        raise ConfigurationError(NOT_INSTALLED)
    from lsp_server.engine.process import run_engine

    status = run_engine(wanted, family)
    if status == launcher.ALREADY_RUNNING:
        click.echo("An engine for this model is running already.", err=True)
    return status


async def _look_after(action: str, model: Path | None) -> None:
    wanted = None if model is None else state.EngineFiles.of(model).read_state()
    engines = state.running_states() if model is None else [] if wanted is None else [wanted]
    async with health.open_client() as client:
        lines = [
            line
            for found in engines
            if (now := await health.ask_health(found, client)) is not None
            for line in [await _line(action, found, now, client)]
        ]
    click.echo("\n".join(lines) or "No engine is running.")


async def _line(action: str, found: state.EngineState, now: health.Health, client: health.Client) -> str:
    if action == "stop":
        await health.stop(found, client)
        return f"stopped {found.pid}  {found.model}"
    return f"{found.pid}  {now.state}  {found.model}"
