"""The README is true: its commands run, its examples are valid, its tables are current.

Every block marked `sh` is run here, or is the test command itself.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
import tree_sitter
import tree_sitter_lua

from lsp_server.backends.references import check
from lsp_server.backends.router import connect
from lsp_server.chat.actions.catalogue import load
from lsp_server.chat.actions.prompt_file import parse
from lsp_server.cli import command
from lsp_server.cli.models import markdown as models_table
from lsp_server.cli.prompts import markdown as actions_table
from lsp_server.cli.settings import markdown as settings_table
from lsp_server.models import catalogue
from lsp_server.models.store import FOLDER_VARIABLE
from lsp_server.options import SECTION, Layer, resolve
from tests.support.engines import own_state

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = (README, ROOT / "editors" / "README.md")

COMPILING_S = 900
"""llama.cpp takes minutes where pip has no wheel of it in its cache."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "__pycache__", "node_modules", "*.gguf", ".artefacts"
)


def blocks(language: str, *pages: Path) -> list[str]:
    found = [block for page in pages or PAGES for block in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [text for name, text in found if name == language]


def shell_lines() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line and line[0] != "#"]


FIRST, TESTS, *_LINES = shell_lines()
COMMANDS = [line for line in _LINES if re.search(r"(?:^|\| )lsp_server ", line)]
EDITOR_LINES = [line for line in _LINES if line not in COMMANDS]
"""How extensions are installed; run where the editors are, by `tests.editors.test_installing`."""


@pytest.fixture(scope="module")
def environment(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Return an environment without the user's configuration, in which the default model is in the store."""
    folder = tmp_path_factory.mktemp("readme")
    store = folder / "store"
    store.mkdir()
    (store / catalogue.get(catalogue.DEFAULT_NAME).file).symlink_to(model_path)
    config = folder / "config.toml"
    config.touch()
    with own_state(folder / "state"):
        yield {
            **os.environ,
            FOLDER_VARIABLE: str(store),
            "CODESTRAL_LSP_CONFIG": str(config),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }


def shell(
    line: str, folder: Path, environment: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env=environment,
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=timeout_s,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


@pytest.mark.timeout(COMPILING_S + 60)
def test_the_first_command_installs_and_completes(tmp_path: Path, environment: Mapping[str, str]) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=_NOT_COPIED)
    outside = {name: value for name, value in environment.items() if name != "VIRTUAL_ENV"}
    printed = shell(FIRST, checkout, outside, COMPILING_S).stdout
    rows = [line for line in printed.splitlines() if re.match(r"[+ ] +\d+ ", line)]
    program = "\n".join(row[6:] for row in rows)
    assert program.startswith("def fibonacci(n):\n    ")
    assert any(row.startswith("+") and row[6:].strip() for row in rows)
    assert isinstance(ast.parse(program).body[0], ast.FunctionDef)


def test_the_second_command_is_what_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ci.splitlines()[-1] == TESTS


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_works(line: str, environment: Mapping[str, str]) -> None:
    shell(line, ROOT, environment, 250)


def test_the_table_of_models_is_current() -> None:
    assert f"\n\n{models_table()}\n\n" in README.read_text(encoding="utf-8")


def test_the_table_of_settings_is_current() -> None:
    assert f"\n\n{settings_table()}\n\n" in README.read_text(encoding="utf-8")


def test_the_table_of_actions_is_current() -> None:
    assert f"\n\n{actions_table(load([]))}\n\n" in README.read_text(encoding="utf-8")


def test_the_example_of_an_action_is_one() -> None:
    [example] = re.findall(r"^````markdown\n(.*?)^````$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert parse(example, "README.md").id == "names"


def test_every_command_is_in_the_table_and_every_command_named_exists() -> None:
    text = README.read_text(encoding="utf-8")
    assert isinstance(command, click.Group)
    commands = command.list_commands(click.Context(command))
    assert set(re.findall(r"^\| `lsp_server ([a-z]+)", text, re.MULTILINE)) == set(commands)
    named = {name for page in PAGES for name in re.findall(r"lsp_server ([a-z]+)\b", page.read_text("utf-8"))}
    assert named <= set(commands)


def test_every_option_of_a_command_exists() -> None:
    """Looks at code spans and blocks that start with a command."""
    assert isinstance(command, click.Group)
    context = click.Context(command)
    spans = [span for page in PAGES for span in re.findall(r"`(lsp_server [^`]*)`", page.read_text("utf-8"))]
    for span in (*spans, *COMMANDS):
        words = span.split()[1:]
        at: click.Command = command
        while isinstance(at, click.Group) and words and words[0][0] != "-":
            found = at.get_command(context, words.pop(0))
            assert found is not None, span
            at = found
        known = {name for parameter in at.params for name in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, span


def ours(text: str) -> object:
    """Return what a TOML example gives to this program: all of it, or what Helix passes on."""
    values = tomllib.loads(text)
    servers = values.get("language-server")
    return values if servers is None else servers["codestral-lsp"]["config"]


@pytest.mark.parametrize("text", blocks("toml"))
def test_a_toml_example_has_no_problems(text: str) -> None:
    resolved = resolve([Layer.from_wire("README", ours(text))], check)
    assert resolved.problems == ()
    assert set(resolved.origins.values()) == {"default", "README"}


def backend_rows() -> list[str]:
    """Return the settings of each row of the table of backends, as TOML."""
    table = README.read_text(encoding="utf-8").partition("| what runs the model |")[2].partition("\n\n")[0]
    rows = [row.split(" | ")[1] for row in table.splitlines()[2:]]
    return ["\n".join(re.findall(r"`([^`]*)`", row)) for row in rows]


@pytest.mark.parametrize("text", backend_rows())
async def test_a_row_of_the_table_of_backends_is_all_it_takes(text: str) -> None:
    resolved = resolve([Layer.from_wire("README", tomllib.loads(text))], check)
    assert resolved.problems == ()
    connected = connect(resolved.settings)  # raises if something is still missing
    assert connected.names == (resolved.settings.backend,)
    await connected.aclose()


@pytest.mark.parametrize("text", blocks("json"))
def test_a_json_example_has_no_problems(text: str) -> None:
    resolved = resolve([Layer.from_wire("README", json.loads(text))], check)
    assert resolved.problems == ()
    assert set(resolved.origins.values()) == {"default", "README"}


@pytest.mark.parametrize("text", blocks("lua"))
def test_a_lua_example_is_lua_that_names_our_section(text: str) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_lua.language()))
    assert not parser.parse(text.encode()).root_node.has_error
    assert f'"{SECTION}"' in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_house_is_drawn_with_all_its_rooms() -> None:
    """The architecture's table names every folder of the package."""
    folders = {path.parent.name for path in (ROOT / "lsp_server").glob("*/__init__.py")}
    drawn = set(re.findall(r"^\| `(\w+)/`", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert drawn == folders
