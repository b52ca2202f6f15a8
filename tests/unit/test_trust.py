"""Which workspaces are trusted, and what their files may set before and after."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server import config_files, trust
from lsp_server.cli.trust import trust as command
from lsp_server.errors import ConfigurationError
from lsp_server.options import Resolved, resolve
from lsp_server.settings import BackendSettings, workspace_file

TEXT = '[backends.gpu]\ntype = "openai"\nbase_url = "http://gpu-box"\n[completion]\nmax_tokens = 7\n'


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
