"""The staged changes: as git has them, without running what a repository brings along, and cut fairly."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.chat.prompting.context import gather
from lsp_server.chat.prompting.staged_diff import file_states, files, shortened, staged_diff, top_folder
from lsp_server.chat.prompting.wording import size
from tests.unit.chat.drawn_site import drawn_site


def git(folder: Path, *arguments: str) -> None:
    names = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(("git", *names, *arguments), cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "work tree"
    folder.mkdir()
    git(folder, "init")
    (folder / "a.py").write_text("x = 1\n", encoding="utf-8")
    (folder / "old.py").write_text("y = 1\n" * 20, encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--message", "first")
    return folder


def commit_context(
    folder: Path, text: str = "█\n# Please enter\n", budget_tokens: int = 2048
) -> tuple[str, list[str]]:
    uri = (folder / ".git" / "COMMIT_EDITMSG").as_uri()
    target = drawn_site("gitcommit", text, uri=uri).target("file")
    assert target is not None
    found = gather(target, ["staged_diff"], budget_tokens)
    return found.pieces.get("staged_diff", ""), list(found.documents)


def test_the_staged_changes_and_nothing_else(repository: Path) -> None:
    (repository / "a.py").write_text("x = 2  # 🦊\n", encoding="utf-8")
    git(repository, "add", "a.py")
    (repository / "a.py").write_text("x = 3\n", encoding="utf-8")
    (repository / "new.py").write_text("never = 1\n", encoding="utf-8")
    text, documents = commit_context(repository)
    assert "+x = 2  # 🦊" in text
    assert "x = 3" not in text
    assert "never" not in text
    assert documents == [(repository / "a.py").as_uri()]


def test_every_file_in_the_diff_is_named(repository: Path) -> None:
    (repository / "sub dir").mkdir()
    names = ["sub dir/é🦊.py", 'quote".py', "tab\t.py", "trailing .py", ".env", "empty.py"]
    for name in names:
        (repository / name).write_text("" if name == "empty.py" else "z = 1\n", encoding="utf-8")
    (repository / "binary").write_bytes(b"\0\1\2")
    (repository / "a.py").chmod(0o755)
    git(repository, "mv", "old.py", "moved.py")
    git(repository, "add", ".")
    expected = [*names, "binary", "a.py", "old.py", "moved.py"]
    _, documents = commit_context(repository)
    assert documents == sorted((repository / name).as_uri() for name in expected)


def test_a_deleted_file_is_named(repository: Path) -> None:
    git(repository, "rm", "a.py")
    text, documents = commit_context(repository)
    assert "-x = 1" in text
    assert documents == [(repository / "a.py").as_uri()]


def test_nothing_that_the_repository_brings_along_is_run(repository: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    evil = tmp_path / "evil"
    evil.write_text(f'#!/bin/sh\necho "$0 $@" >> \'{ran}\'\ncat "$1"\n', encoding="utf-8")
    evil.chmod(evil.stat().st_mode | stat.S_IXUSR)
    (repository / "a.py").write_text("x = 2\n", encoding="utf-8")
    (repository / ".gitattributes").write_text("*.py diff=evil filter=evil\n", encoding="utf-8")
    git(repository, "add", ".")
    for key in (
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "core.fsmonitor",
        "core.pager",
        "pager.diff",
        "filter.evil.clean",
        "filter.evil.smudge",
        "core.sshCommand",
        "alias.diff",
    ):
        git(repository, "config", key, str(evil))
    hook = repository / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(evil.read_text(encoding="utf-8"), encoding="utf-8")
    hook.chmod(0o755)
    os.utime(repository / "a.py", (1, 1))
    text, _ = commit_context(repository)
    assert "+x = 2" in text
    assert not ran.exists()


def test_configuration_does_not_change_the_form(repository: Path) -> None:
    for key, value in (
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("color.ui", "always"),
        ("diff.relative", "true"),
        ("core.quotePath", "false"),
    ):
        git(repository, "config", key, value)
    (repository / "a").mkdir()
    (repository / "a" / "é.py").write_text("z = 1\n", encoding="utf-8")
    git(repository, "add", ".")
    text, documents = commit_context(repository)
    assert "\x1b" not in text
    assert documents == [(repository / "a" / "é.py").as_uri()]


def test_the_index_that_git_commits_from_counts(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git commit FILE` makes an index of its own and tells the editor that it starts where it is."""
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")
    (repository / "a.py").write_text("x = 2\n", encoding="utf-8")
    git(repository, "add", ".")
    assert "+x = 2" in commit_context(repository)[0]
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert commit_context(repository) == ("", [])


def test_work_trees_and_submodules_have_changes_of_their_own(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", str(tmp_path / "other"), "-b", "other")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(repository), "sub")
    (repository / "a.py").write_text("x = 'main'\n", encoding="utf-8")
    git(repository, "add", "a.py")
    for name, folder in (("worktrees/other", tmp_path / "other"), ("modules/sub", repository / "sub")):
        (folder / "a.py").write_text(f"x = '{name}'\n", encoding="utf-8")
        git(folder, "add", "a.py")
        uri = (repository / ".git" / name / "COMMIT_EDITMSG").as_uri()
        assert top_folder(uri, repository) == folder
        assert f"+x = '{name}'" in staged_diff(folder)
    unrelated = (tmp_path / "a.txt").as_uri()
    assert top_folder(unrelated, repository / "sub") == repository / "sub"
    assert top_folder(unrelated, None) is None
    assert top_folder("untitled:a", None) is None


def test_no_repository_no_diff(tmp_path: Path) -> None:
    assert staged_diff(tmp_path) == ""
    assert staged_diff(tmp_path / "missing") == ""
    assert commit_context(tmp_path) == ("", [])


VERBOSE = """\
█
# Please enter the commit message for your changes.
# ------------------------ >8 ------------------------
# Do not modify or remove the line above.
diff --git i/a.py w/a.py
index 1..2 100644
--- i/a.py
+++ w/a.py
@@ -1 +1,2 @@
-x = 1
+x = 2
+++ b/text.py
"""


def test_a_message_with_its_diff_needs_no_git(tmp_path: Path) -> None:
    text, documents = commit_context(tmp_path, VERBOSE)
    assert text.startswith("diff --git i/a.py w/a.py\n")
    assert {Path(uri).name for uri in documents} == {"a.py"}


def test_all_files_have_their_share_of_a_short_budget(repository: Path) -> None:
    for name in ("one.py", "two.py", "three.py"):
        (repository / name).write_text("z = 1\n" * 2000, encoding="utf-8")
    (repository / "a.py").write_text("x = 2\n", encoding="utf-8")
    git(repository, "add", ".")
    text, documents = commit_context(repository, budget_tokens=600)
    assert len(documents) == 4
    assert "+x = 2" in text
    assert text.count("[…]") == 3
    assert size(text) <= 600 * 3


@pytest.mark.parametrize(
    ("diff", "names"),
    [
        ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", ["x"]),
        ('diff --git "a/\\303\\251 x" "b/\\303\\251 x"\nold mode 100644\n', ["é x"]),
        ("diff --git x y\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", ["x"]),
        ("diff --git a/x b/y\nrename from x\nrename to y\n", ["x", "y"]),
        ("diff --git c/x c/x\n--- c/x\n+++ i/x\n", ["x", "c/x", "i/x"]),
        ("diff --git x.py x.py\n--- x.py\n+++ x.py\n", ["x.py"]),
        ("no diff\n", []),
        (f"diff --git {100_000 * 'a '}\n", []),
    ],
)
def test_files_of_a_diff(diff: str, names: list[str]) -> None:
    assert files(diff) == names


lines = st.lists(
    st.sampled_from(["diff --git a/x b/x", "--- a/x", "+++ b/é", "@@ -1 +1 @@", "+🦊", '"', ""]), max_size=30
)


@given(lines, st.integers(0, 200))
def test_any_text_can_be_shortened(parts: list[str], limit: int) -> None:
    text = "\n".join(parts)
    assert size(shortened(text, limit)) <= limit
    files(text)


def test_what_has_become_of_each_file_is_said(repository: Path) -> None:
    git(repository, "mv", "old.py", "moved.py")
    (repository / "new file.py").write_text("z = 1\n", encoding="utf-8")
    (repository / "empty.py").write_text("", encoding="utf-8")
    (repository / "a.py").write_text("new file = 1\ndeleted file = 2\n", encoding="utf-8")
    (repository / "binary").write_bytes(b"\0\1")
    git(repository, "add", ".")
    assert file_states(staged_diff(repository)).split("\n") == [
        "- a.py: not new, changed (Change or Update)",
        "- binary: new (Add)",
        "- empty.py: new (Add)",
        "- old.py → moved.py: renamed (Rename)",
        "- new file.py: new (Add)",
    ]
    git(repository, "commit", "--message", "second")
    git(repository, "rm", "a.py", "binary")
    assert file_states(staged_diff(repository)).split("\n") == [
        "- a.py: deleted (Remove)",
        "- binary: deleted (Remove)",
    ]
    assert file_states("") == ""
