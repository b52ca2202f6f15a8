"""The command `lsp_server`: the language server itself, and one module per subcommand.

A subcommand lives in the module of its name and is imported when it is called, so that
`lsp_server --stdio` imports none of them and no model library.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
from pathlib import Path

import click

from lsp_server import __version__
from lsp_server.errors import ConfigurationError, UserFacingError

LEVELS = ("debug", "info", "warning", "error")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LazyGroup(click.Group):
    """A group whose commands are the modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the modules."""
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module `cmd_name` and take the command of that name from it."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name}")
        commands = (value for value in vars(module).values() if isinstance(value, click.Command))
        return next((command for command in commands if command.name == cmd_name), None)


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.option("--stdio", is_flag=True, help="Serve an editor over stdin and stdout.")
@click.option("--tcp", metavar="HOST:PORT", help="Serve one editor over TCP, for debugging.")
@click.option("--log-file", type=click.Path(dir_okay=False, path_type=Path), help="Log here, not to stderr.")
@click.option("--log-level", type=click.Choice(LEVELS), help="Overrides the option log_level.")
@click.version_option(__version__, prog_name="lsp_server")
@click.pass_context
def command(
    context: click.Context, stdio: bool, tcp: str | None, log_file: Path | None, log_level: str | None
) -> None:
    """Complete code in any editor with a model of your own."""
    from lsp_server.keys.given import given_keys
    from lsp_server.reporting import configure_logging

    unreadable = given_keys.take(os.environ)  # before there is any other process to inherit them
    is_server = context.invoked_subcommand is None
    if is_server and not stdio and not tcp and sys.stdin.isatty():
        click.echo(context.get_help())
        return
    level, warning = log_level or ("info" if is_server else "warning"), unreadable
    try:
        log_place = configure_logging(level, log_file)
    except ConfigurationError as error:  # what was asked for is worth more than its log
        log_place = configure_logging(level, None)
        warning = " ".join(filter(None, (unreadable, str(error))))
    if warning:
        logging.getLogger(__name__).warning("%s", warning)
    if is_server:
        context.exit(_serve(tcp, log_place, log_level, warning))
    _require_folder()


def _serve(tcp: str | None, log_place: str, log_level: str | None, warning: str | None) -> int:
    _leave_folder()
    # Imported now: the editor waits for the answer to `initialize`, other commands do not need it.
    from lsp_server.server import serve_stdio, serve_tcp

    if tcp is None:
        if sys.__stdin__ is None or sys.__stdout__ is None:
            raise ConfigurationError("--stdio needs standard input and output, and one of them is closed")
        return serve_stdio(log_place, log_level, warning)
    host, port = _address(tcp)
    if host not in _LOOPBACK:
        logging.getLogger(__name__).warning(
            "%s can be reached from other machines, and whoever connects first gets the model and its key",
            host,
        )
    return serve_tcp(host, port, log_place, log_level, warning)


def _require_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigurationError("The current folder is gone: change to another one first.") from error


def _leave_folder() -> None:
    """Go to the home folder: an editor's may be a cloned repository.

    Programs and libraries are looked for in the current folder, too: by Windows, by llama.cpp (ggml's
    backends), and by what they read as settings of a project.
    """
    try:
        os.chdir(Path.home())
    except (OSError, RuntimeError):  # some accounts have none
        os.chdir(Path(sys.prefix).anchor)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError(f"--tcp takes HOST:PORT, such as 127.0.0.1:2087, not {text}")
    return host.strip("[]"), int(port)


def main() -> None:
    """Run the command line; errors for users end it with one line and status 1."""
    from lsp_server.cli._standard_streams import ReaderGone, prepared

    try:
        with prepared():
            command()
    except ReaderGone:
        sys.exit(1)
    except UserFacingError as error:
        if logging.getLogger("lsp_server").isEnabledFor(logging.DEBUG):
            raise
        from lsp_server.cli._stream import printable

        # It may quote a model, a server or a file.
        click.echo(f"lsp_server: {printable(str(error))}", err=True)
        sys.exit(1)
