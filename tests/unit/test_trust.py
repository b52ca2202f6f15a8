"""Which workspaces are trusted, and what their files may set before and after."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server import config_files, trust
from lsp_server.cli.trust import trust as command
from lsp_server.diagnosis.configuration import files
from lsp_server.errors import ConfigurationError
from lsp_server.options import Resolved, resolve
from lsp_server.settings import BackendSettings, workspace_file, workspace_prompts_folder

TEXT = '[backends.gpu]\ntype = "openai"\nbase_url = "http://gpu-box"\n[completion]\nmax_tokens = 7\n'
PROMPT = """+++
id = "shout"
title = "Shout at {name}"
kind = "refactor.rewrite.codestral"
output = "replace"
+++
$selection
"""


@pytest.fixture(autouse=True)
def list_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "trusted.json"
    monkeypatch.setenv(trust.FILE_VARIABLE, str(path))
    monkeypatch.setenv(config_files.CONFIG_VARIABLE, str(tmp_path / "user.toml"))
    (tmp_path / "user.toml").touch()
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    workspace_file(folder).write_text(TEXT)
    return folder


def resolved(root: Path) -> Resolved:
    return resolve(config_files.layers(root))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_before_trust_a_workspace_sets_completion_and_nothing_else(root: Path) -> None:
    found = resolved(root)
    assert found.settings.backends == {}
    assert found.settings.completion.max_tokens == 7
    (problem,) = found.problems
    assert str(problem).startswith(f"{workspace_file(root)}:1: backends cannot be set by a workspace")
    assert "`lsp_server trust`" in problem.message


def test_before_trust_it_cannot_turn_on_what_the_user_has_turned_off(root: Path, tmp_path: Path) -> None:
    off = '[completion]\nenabled = false\ndisabled_languages = ["plaintext", "sql"]\n'
    on = '[completion]\nenabled = true\ndisabled_languages = ["sql"]\nmax_tokens = 7\n'
    (tmp_path / "user.toml").write_text(off)
    workspace_file(root).write_text(on)
    found = resolved(root)
    assert not found.settings.completion.enabled
    assert found.settings.completion.disabled_languages == ("plaintext", "sql")
    assert found.settings.completion.max_tokens == 7
    assert [problem.key for problem in found.problems] == [
        "completion.enabled",
        "completion.disabled_languages",
    ]
    assert "`lsp_server trust`" in found.problems[0].message
    shown = run(str(root), "--yes").stdout
    assert "completion.enabled = true" in shown and "max_tokens" not in shown
    assert resolved(root).settings.completion.enabled


def test_before_trust_it_can_turn_off(root: Path) -> None:
    workspace_file(root).write_text('[completion]\nenabled = false\ndisabled_languages = ["sql"]\n')
    found = resolved(root)
    assert found.problems == ()
    assert not found.settings.completion.enabled
    assert found.settings.completion.disabled_languages == ("sql",)


@pytest.mark.skipif(os.name != "posix", reason="devices are files there")
def test_a_link_to_a_device_is_not_read(root: Path) -> None:
    workspace_file(root).unlink()
    workspace_file(root).symlink_to("/dev/zero")
    (problem,) = resolved(root).problems
    assert "no plain file" in str(problem)
    assert isinstance(run(str(root)).exception, ConfigurationError)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# \n" * config_files.LONGEST_BYTES, "bytes"),
        ("a." * (config_files.LONGEST_BYTES // 2 - 4) + "b=1", "dots"),
    ],
)
def test_a_file_that_is_slow_to_read_is_not_read(root: Path, text: str, said: str) -> None:
    workspace_file(root).write_text(text)
    (problem,) = resolved(root).problems
    assert said in str(problem)


def test_after_trust_it_sets_everything(root: Path) -> None:
    trust.add(root)
    found = resolved(root)
    assert found.problems == ()
    assert found.settings.backends == {"gpu": BackendSettings(type="openai", base_url="http://gpu-box")}
    assert found.origins["backends.gpu.base_url"] == str(workspace_file(root))


def test_a_file_that_has_changed_is_not_trusted(root: Path) -> None:
    trust.add(root)
    workspace_file(root).write_text(TEXT.replace("gpu-box", "evil.example"))
    assert not trust.is_trusted(root)
    assert resolved(root).settings.backends == {}
    workspace_file(root).write_text(TEXT)
    assert trust.is_trusted(root)


def test_what_was_seen_is_trusted_and_not_what_the_file_is_by_then(root: Path) -> None:
    trust.add(root, b"seen\n")
    assert not trust.is_trusted(root)
    assert trust.is_trusted(root, b"seen\n")


def test_trust_is_in_one_folder(root: Path, tmp_path: Path) -> None:
    trust.add(root)
    other = tmp_path / "other"
    other.mkdir()
    workspace_file(other).write_text(TEXT)
    assert not trust.is_trusted(other)
    assert trust.remove(root) and not trust.remove(root)
    assert not trust.is_trusted(root)


def test_a_folder_without_a_file_is_not_trusted(root: Path) -> None:
    trust.add(root)
    workspace_file(root).unlink()
    assert not trust.is_trusted(root)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        trust.add(root)


def test_a_link_to_the_folder_is_the_folder_and_the_list_is_private(root: Path, list_file: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    trust.add(link)
    assert trust.is_trusted(root)
    assert list(trust.listed()) == [str(root)]
    if os.name == "posix":
        assert stat.S_IMODE(list_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{", '{"/": 3}', "[" * 100_000, "\x00"])
def test_a_list_that_cannot_be_read_trusts_nobody(root: Path, list_file: Path, text: str) -> None:
    list_file.parent.mkdir()
    list_file.write_text(text)
    assert trust.listed() == {}
    assert not trust.is_trusted(root)
    trust.add(root)
    assert trust.is_trusted(root)


def test_two_at_a_time_lose_nothing(tmp_path: Path) -> None:
    roots = [tmp_path / str(number) for number in range(12)]
    threads = [threading.Thread(target=trust.add, args=(root, b"")) for root in roots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(trust.listed()) == {str(root) for root in roots}


def test_the_command_shows_what_needs_trust_and_asks(root: Path) -> None:
    refused = run(str(root))
    assert isinstance(refused.exception, ConfigurationError) and "--yes" in str(refused.exception)
    assert '  backends.gpu.base_url = "http://gpu-box"\n' in refused.stdout
    assert "max_tokens" not in refused.stdout
    assert not trust.is_trusted(root)
    assert run(str(root), "--yes").exit_code == 0
    assert trust.is_trusted(root)
    assert "trusted already" in run(str(root)).stdout


def test_the_command_lists_and_removes(root: Path) -> None:
    trust.add(root)
    assert run("--list").stdout == f"{root}\n"
    workspace_file(root).write_text("")
    assert "changed since" in run("--list").stdout
    assert "no longer trusted" in run("--remove", str(root)).stdout
    assert "was not trusted" in run("--remove", str(root)).stdout
    assert run("--list").stdout == ""


def test_a_terminal_is_shown_no_escape_codes(root: Path) -> None:
    workspace_file(root).write_text('[backends."\\u001b[2J\\u202e"]\nbase_url = "\\u009b0m"\n')
    shown = run(str(root), "--yes").stdout
    assert shown.isascii() and "\x1b" not in shown
    assert '  backends."\\u001b[2J\\u202e".base_url = "\\u009b0m"\n' in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "nothing to trust"), ("[completion", "not valid TOML"), (b"\xff", "cannot be read")],
)
def test_files_that_cannot_be_trusted(root: Path, text: str | bytes | None, said: str) -> None:
    file = workspace_file(root)
    file.unlink()
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert said in str(run(str(root), "--yes").exception)
    assert trust.listed() == {}


def test_a_harmless_file_is_not_put_on_the_list(root: Path) -> None:
    workspace_file(root).write_text("[completion]\nmax_tokens = 7\n")
    assert "sets nothing that needs your trust" in run(str(root), "--yes").stdout
    assert trust.listed() == {}


@pytest.fixture
def prompts(root: Path) -> Path:
    folder = workspace_prompts_folder(root)
    folder.mkdir(parents=True)
    (folder / "shout.md").write_text(PROMPT)
    return folder


def folders(root: Path | None) -> tuple[Path, ...]:
    return config_files.prompt_folders(resolve(config_files.layers(root)).settings, root)


def test_prompts_are_used_once_they_are_trusted(root: Path, prompts: Path, tmp_path: Path) -> None:
    assert folders(root) == (tmp_path / "prompts",)
    trust.add(root)
    assert folders(root) == (tmp_path / "prompts", prompts)
    assert resolved(root).problems == ()


CHANGES: dict[str, Callable[[Path], object]] = {
    "changed": lambda folder: (folder / "shout.md").write_text(PROMPT.replace("Shout", "Whisper")),
    "added": lambda folder: (folder / "more.md").write_text(PROMPT),
    "renamed": lambda folder: (folder / "shout.md").rename(folder / "other.md"),
    "removed": lambda folder: (folder / "shout.md").unlink(),
    "a device": lambda folder: (folder / "more.md").symlink_to(os.devnull),
    "configuration": lambda folder: workspace_file(folder.parents[1]).write_text(f"{TEXT}\n"),
    "no configuration": lambda folder: workspace_file(folder.parents[1]).unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_ends_the_trust_in_all_of_it(root: Path, prompts: Path, change: str) -> None:
    trust.add(root)
    CHANGES[change](prompts)
    assert not trust.is_trusted(root)
    assert prompts not in folders(root)
    assert resolved(root).settings.backends == {}


def test_what_is_no_prompt_does_not_matter(root: Path, prompts: Path) -> None:
    trust.add(root)
    (prompts / "notes.txt").touch()
    (prompts / "README.md").touch()
    assert trust.is_trusted(root)


def test_a_workspace_with_prompts_and_no_configuration_file(root: Path, prompts: Path) -> None:
    workspace_file(root).unlink()
    (problem,) = resolved(root).problems
    assert problem.place == str(prompts)
    assert "its prompt file is not used" in str(problem) and "`lsp_server trust`" in str(problem)
    assert run(str(root), "--yes").exit_code == 0
    assert prompts in folders(root) and resolved(root).problems == ()
    # A file that comes later sets nothing before it is trusted, too.
    workspace_file(root).write_text(TEXT)
    assert resolved(root).settings.backends == {}


def test_a_configuration_file_cannot_pretend_to_be_prompts(root: Path, prompts: Path) -> None:
    workspace_file(root).unlink()
    trust.add(root)
    (prompts / "shout.md").unlink()
    digest = hashlib.sha256(PROMPT.encode()).hexdigest()
    workspace_file(root).write_text(f'[null, [["shout.md", "{digest}"]]]')
    assert not trust.is_trusted(root)


def test_prompts_that_are_links_out_of_the_workspace_cannot_be_trusted(
    root: Path, prompts: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text(PROMPT)
    (prompts / "link.md").symlink_to(secret)
    assert "leads out of the workspace" in str(run(str(root), "--yes").exception)
    with pytest.raises(ConfigurationError, match=r"link\.md cannot be read"):
        trust.add(root)
    assert trust.listed() == {}
    (prompts / "link.md").unlink()
    (prompts / "link.md").symlink_to("shout.md")
    trust.add(root)
    assert trust.is_trusted(root)


def test_the_command_shows_both(root: Path, prompts: Path) -> None:
    (prompts / "bad\x1b[2J.md").write_text("no prompt")
    done = run(str(root), "--yes")
    assert '  backends.gpu.base_url = "http://gpu-box"\n' in done.stdout
    assert '  "shout.md": "Shout at {name}" (replace, id shout)\n' in done.stdout
    assert '  "bad\\u001b[2J.md": cannot be used' in done.stdout and "\x1b" not in done.stdout
    assert f"{workspace_file(root)} and {prompts} are trusted until one of them changes" in done.stdout
    assert f"{workspace_file(root)} and {prompts} are trusted already\n" == run(str(root)).stdout


def test_prompts_beside_a_harmless_file(root: Path, prompts: Path) -> None:
    workspace_file(root).write_text("[completion]\nmax_tokens = 7\n")
    done = run(str(root), "--yes")
    assert str(workspace_file(root)) not in done.stdout
    assert f"{prompts} is trusted until it changes" in done.stdout
    assert prompts in folders(root)


def test_the_folder_of_the_users_own_prompts(root: Path, tmp_path: Path) -> None:
    user = tmp_path / "user.toml"
    assert folders(None) == (tmp_path / "prompts",)
    for given in ("own", str(tmp_path / "own")):
        user.write_text(f"[chat]\nprompts_folder = '{given}'\n")
        assert folders(None) == (tmp_path / "own",)
    workspace_file(root).write_text('[chat]\nprompts_folder = "theirs"\n')
    assert folders(root) == (tmp_path / "own",)


def test_doctor_tells_of_prompts_that_are_not_used(root: Path, prompts: Path) -> None:
    found = [str(finding) for finding in files(root, resolved(root)) if str(prompts) in str(finding)]
    assert len(found) == 1 and "its prompt file is not used" in found[0]
    trust.add(root)
    assert not [finding for finding in files(root, resolved(root)) if str(prompts) in str(finding)]
