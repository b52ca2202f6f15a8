"""`lsp_server prompts`: what is listed, shown and found wrong, with a user's own files and a workspace's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server import trust
from lsp_server.chat.actions import catalogue
from lsp_server.cli.prompts import prompts
from lsp_server.settings import workspace_prompts_folder

MINE = """+++
id = "explain"
title = "Explain like I am five: {kind} {name}"
kind = "source.codestral.explain"
output = "markdown"
+++
Explain $selection
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(prompts, arguments)


@pytest.fixture
def own(config_file: Path) -> Path:
    """Return the user's own file for an action that ships."""
    path = config_file.parent / "prompts" / "mine.md"
    path.parent.mkdir()
    path.write_text(MINE)
    return path


def rows(*arguments: str) -> dict[str, str]:
    return {line.split()[0]: line for line in run("list", *arguments).stdout.splitlines()[1:]}


def test_the_list_says_where_an_action_is_from(own: Path) -> None:
    found = rows()
    assert list(found)[:3] == ["explain", "fix", "refactor"]
    assert "Explain like I am five: …" in found["explain"] and found["explain"].endswith(str(own))
    assert "refactor.rewrite.codestral.refactor" in found["refactor"]
    assert found["refactor"].split()[-2:] == ["replace", "shipped"]


def test_the_list_as_json(config_file: Path, own: Path) -> None:
    config_file.write_text('[chat]\nhidden_actions = ["review"]\n')
    found = {row["id"]: row for row in json.loads(run("list", "--json").stdout)}
    assert found["explain"] == {
        "id": "explain",
        "title": "Explain like I am five: {kind} {name}",
        "kind": "source.codestral.explain",
        "output": "markdown",
        "scope": "definition",
        "languages": [],
        "when": [],
        "hidden": False,
        "from": str(own),
    }
    assert [name for name, row in found.items() if row["hidden"]] == ["review"]
    assert "review (hidden)" in run("list").stdout


def test_the_list_as_markdown_has_a_row_of_four_cells_for_every_action() -> None:
    head, line, *found = run("list", "--markdown").stdout.splitlines()
    assert head.count("|") == line.count("|") == 5
    assert [row.split("`")[1] for row in found] == [file.id for file in catalogue.load([]).files]
    for row in found:
        assert len([cell for cell in row.strip("|").split(" | ") if cell.strip()]) == 4, row


def test_show_prints_the_file_that_is_used(own: Path) -> None:
    done = run("show", "explain")
    assert (done.stdout, done.stderr) == (MINE, f"{own}\n")
    own.unlink()
    shipped = catalogue.shipped_folder() / "explain.md"
    done = run("show", "explain")
    assert (done.stdout, done.stderr) == (shipped.read_text(encoding="utf-8"), f"{shipped}\n")


def test_show_of_an_unknown_action_names_those_there_are() -> None:
    assert "There is no action explane; there are explain, fix, " in str(run("show", "explane").exception)


def test_check_says_what_is_wrong_with_the_files_that_would_be_used(own: Path) -> None:
    assert (
        run("check").stdout == f"Nothing is wrong with these {len(catalogue.load([]).files)} prompt files.\n"
    )
    broken = own.with_name("broken.md")
    broken.write_text(MINE.replace("Explain $sel", "Explain $zel"))
    done = run("check")
    assert done.exit_code == 1
    assert f"{broken}, line 7: there is no variable $zelection" in done.stderr
    assert run("list").stderr == done.stderr


def test_check_of_given_files(own: Path) -> None:
    assert run("check", str(own)).stdout == "Nothing is wrong with this prompt file.\n"
    done = run("check", str(own), "none.md")
    assert done.exit_code == 1
    assert done.stderr.startswith("lsp_server: none.md cannot be read: ")


def test_check_knows_hidden_actions(config_file: Path) -> None:
    config_file.write_text('[chat]\nhidden_actions = ["review", "reveiw"]\n')
    done = run("check")
    assert done.exit_code == 1
    assert done.stderr == "lsp_server: chat.hidden_actions names reveiw, and there is no such action.\n"


def test_the_files_of_a_workspace_count_once_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(trust.FILE_VARIABLE, str(tmp_path / "trusted.json"))
    root = tmp_path / "cloned"
    folder = workspace_prompts_folder(root)
    folder.mkdir(parents=True)
    (folder / "theirs.md").write_text(MINE.replace('"explain"', '"theirs"'))
    assert "theirs" not in rows("--root", str(root))
    assert "its prompt file is not used" in " ".join(run("check", "--root", str(root)).stderr.split())
    trust.add(root)
    assert rows("--root", str(root))["theirs"].endswith(str(folder / "theirs.md"))
    assert run("check", "--root", str(root)).stderr == ""
