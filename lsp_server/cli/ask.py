"""`lsp_server ask`: a question about code, or a code action on a file, on a terminal or in a pipe."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lsp_server import own_folders
from lsp_server.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.chat.workspace.tools import Toolbox
    from lsp_server.cli._question import Question
    from lsp_server.settings import Settings

INTERRUPTED = 130
"""What shells report for a command that Ctrl+C ended."""


@dataclass(frozen=True)
class Options:
    """How to ask and what to do with the answer."""

    as_json: bool = False
    dry_run: bool = False
    tools: bool = True
    language: str = ""
    write: bool = False
    force: bool = False
    answer: str = ""
    problems: tuple[str, ...] = ()


@click.command(short_help="Ask about code, or run a code action on a file.")
@click.argument("words", nargs=-1, metavar="[QUESTION] [FILE[:FIRST-LAST]]...")
@click.option("--action", metavar="ID", help="Run this code action on FILE, see `lsp_server prompts list`.")
@click.option("--write", is_flag=True, help="With --action: change the file instead of printing a diff.")
@click.option(
    "--force", is_flag=True, help="With --write: even if there is a warning, such as code that is gone."
)
@click.option("--answer", metavar="TEXT", default="", help="With --action: the answer to what it asks.")
@click.option(
    "--problem", "problems", metavar="TEXT", multiple=True, help="With --action fix: what is wrong there."
)
@click.option("--tools/--no-tools", default=True, help="Let the model look into the current folder, or not.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and where to; ask nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object in the end instead.")
@click.option("--language", metavar="ID", default="", help="Language id, where the name does not tell it.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Set an option for this run.")
def ask(words: tuple[str, ...], action: str | None, overrides: tuple[str, ...], **options: object) -> None:
    """Ask the model QUESTION about files, lines of files, and what is piped in.

    The answer is printed while it comes. What the model looks up in the current folder meanwhile is said on
    standard error, as is all else that is no answer.

    \b
      lsp_server ask "Why is this slow?" src/cart.py:10-40
      git diff --staged | lsp_server ask "Review this change."
      lsp_server ask --action explain src/cart.py:12
      lsp_server ask --action document src/cart.py:12 --write
      lsp_server ask --action commit_message

    With --action there is no QUESTION: the code action ID works on FILE, on its lines FIRST to LAST, or on
    what stands at a single LINE, such as the function there. What it would change is printed as a diff. FILE
    may be `-`, standard input; the message of a commit needs none, but something staged.
    """
    try:
        _ask(words, action, overrides, Options(**options))  # type: ignore[arg-type]  # click checked them
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _ask(words: tuple[str, ...], action: str | None, overrides: tuple[str, ...], options: Options) -> None:
    from lsp_server.cli._stream import say
    from lsp_server.cli._terminal import load_settings

    settings = load_settings(Path.cwd(), overrides)
    if action is not None:
        from lsp_server.cli._action import run_action

        run_action(settings, action, words, options)
        return
    if options.write or options.force or options.answer or options.problems:
        raise ConfigurationError("--write, --force, --answer and --problem go with --action")
    question = _question(settings, words, options)
    for phrase in question.shortened:
        say(f"{phrase}, to fit chat.context_tokens = {settings.chat.context_tokens}")
    if options.dry_run:
        from lsp_server.cli._dry_run import show

        tools = _tools(settings, options)
        show(settings, question.request, tools=tools.specs if tools else (), as_json=options.as_json)
        return

    from lsp_server.cli._answering import print_answer

    asyncio.run(
        print_answer(
            settings,
            question.request,
            as_json=options.as_json,
            toolbox=lambda connected: _tools(settings, options, connected.why_withheld),
        )
    )


def _question(settings: Settings, words: tuple[str, ...], options: Options) -> Question:
    from lsp_server.cli import _places, _question

    places = words[1:]
    is_file = any(_places.lines(place)[0] == _places.STDIN for place in places)
    piped = "" if is_file else _piped()
    materials = [_question.of_file(place, options.language) for place in places]
    question = words[0] if words else piped
    if len(words) == 1 and not piped.strip() and os.path.isfile(_places.lines(question)[0]):  # noqa: PTH113  # a question may be too long for a name
        raise ConfigurationError(f'ask something about it: lsp_server ask "What does this do?" {question}')
    if words and piped.strip():
        materials.append(_question.of_pipe(piped, options.language))
    if not question.strip():
        raise ConfigurationError('there is no question: lsp_server ask "What does this do?" FILE')
    return _question.asked(question.strip(), materials, settings.chat)


def _piped() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _workspace() -> Path | None:
    """Return the folder that the model may look into: not one that holds all there is."""
    folder = Path.cwd()
    return None if own_folders.home().is_relative_to(folder) else folder


def _tools(
    settings: Settings, options: Options, why_withheld: Callable[[str], str | None] = lambda _: None
) -> Toolbox | None:
    from lsp_server.chat.workspace.tools import Toolbox

    root = _workspace()
    if root is None or not options.tools or not settings.chat.tools:
        return None
    # Half of the budget for one look, in characters: 3 are about a token.
    room = settings.chat.context_tokens * 3 // 2
    return Toolbox(root, lambda _: None, None, why_withheld, room)
