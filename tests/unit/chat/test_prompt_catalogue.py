"""Which file of several counts, the order of the menu, and the actions that ship."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import get_args

import pytest

from lsp_server import prompt_files
from lsp_server.chat.actions import catalogue
from lsp_server.chat.actions.catalogue import load, system_message
from lsp_server.chat.actions.prompt_file import Output

SHIPPED = tuple(file.id for file in load([]).files)


def write(folder: Path, name: str, action_id: str, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    head = f'id = "{action_id}"\ntitle = "{name}"\nkind = "source.codestral"\noutput = "markdown"\n{more}'
    path = folder / f"{name}.md"
    path.write_text(f"+++\n{head}\n+++\nSay $selection")
    return path


def test_the_actions_that_ship() -> None:
    found = load([])
    assert found.problems == ()
    wanted = (
        *("explain", "fix", "refactor", "simplify", "document", "add_types", "write_tests", "optimise"),
        *("translate_comments", "convert", "generate", "commit_message", "review"),
    )
    assert tuple(file.id for file in found.files if file.id in wanted) == wanted
    orders = [file.order for file in found.files]
    assert sorted(orders) == orders and orders[0] > 0
    assert {file.id: file.kind for file in found.files if file.id in ("explain", "fix", "refactor")} == {
        "explain": "source.codestral.explain",
        "fix": "quickfix.codestral.fix",
        "refactor": "refactor.rewrite.codestral.refactor",
    }


@pytest.mark.parametrize("output", get_args(Output))
def test_every_output_has_a_system_message(output: Output) -> None:
    text = system_message(output)
    assert len(text) > 40 and "\n" not in text
    assert ("in one fenced code block" in text) is (output != "markdown")


def test_a_file_of_the_same_id_takes_the_place(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine", "My own words", "refactor")
    found = load([tmp_path / "mine"])
    assert tuple(file.id for file in found.files) == SHIPPED
    refactor = found.get("refactor")
    assert refactor is not None and (refactor.title, refactor.origin) == ("My own words", str(mine))


def test_the_last_folder_wins_and_new_actions_come_last_by_file_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(tmp_path / "mine", name, f"new-{name}")
    theirs = write(tmp_path / "theirs", "zz", "new-b")
    write(tmp_path / "theirs", "0", "other")
    found = load([tmp_path / "mine", tmp_path / "theirs"])
    assert tuple(file.id for file in found.files)[len(SHIPPED) :] == ("new-a", "new-b", "other")
    replaced = found.get("new-b")
    assert replaced is not None and replaced.origin == str(theirs)


def test_an_action_may_say_where_in_the_menu_it_is(tmp_path: Path) -> None:
    write(tmp_path, "a", "first", "order = 1")
    write(tmp_path, "b", "review", "order = 15")
    ids = [file.id for file in load([tmp_path]).files]
    assert ids[:4] == ["first", "explain", "review", "fix"]


def test_broken_files_are_told_and_the_others_work(tmp_path: Path) -> None:
    write(tmp_path, "good", "good")
    write(tmp_path, "same", "good")
    (tmp_path / "broken.md").write_text("Hello")
    (tmp_path / "bytes.md").write_bytes(b"+++\nid = '\xff'\n")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "long.md").write_text("+" * (prompt_files.LONGEST_BYTES + 1))
    (tmp_path / "README.md").write_text("About my prompts")
    (tmp_path / "notes.txt").write_text("no prompt")
    found = load([tmp_path])
    assert found.files[-1].origin == str(tmp_path / "good.md")
    assert [problem.removeprefix(str(tmp_path) + os.sep) for problem in found.problems] == [
        "broken.md, line 1: the first line must be +++, with TOML below it.",
        "bytes.md is not UTF-8 text: invalid start byte at byte 10.",
        found.problems[2].removeprefix(str(tmp_path) + os.sep),
        f"long.md cannot be read: it has more than {prompt_files.LONGEST_BYTES} bytes.",
        f"same.md: {tmp_path / 'good.md'} has the id good already.",
    ]
    assert found.problems[2].startswith(f"{tmp_path / 'folder.md'} cannot be read: ")


def test_folders_that_are_not_there_are_fine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = load([tmp_path / "none", tmp_path / "file"])
    assert (found.problems, len(found.files)) == ((), len(SHIPPED))


@pytest.mark.skipif(os.name != "posix", reason="devices are files there")
def test_a_link_to_a_device_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "zero.md").symlink_to("/dev/zero")
    assert load([tmp_path]).problems == (f"{tmp_path / 'zero.md'} cannot be read: it is no plain file.",)


def test_a_shipped_file_is_a_start_for_an_own_one(tmp_path: Path) -> None:
    for path in catalogue.shipped_folder().glob("*.md"):
        shutil.copy(path, tmp_path)
    found = load([tmp_path])
    assert found.problems == ()
    assert [Path(file.origin).parent for file in found.files] == [tmp_path] * len(SHIPPED)
