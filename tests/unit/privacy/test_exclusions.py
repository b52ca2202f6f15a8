from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from lsp_server.privacy.exclusions import Exclusions

BUILT_IN = Exclusions(())


@pytest.mark.parametrize(
    "document",
    [
        ".env",
        "/project/.env",
        "/project/.env.production",
        "/project/prod.env",
        "/project/.ENV",
        "file:///project/.env",
        "file:///project/%2Eenv",
        "file://localhost/project/.env",
        "file://LOCALHOST/project/.env",
        "file:///c%3A/Users/me/.aws/credentials",
        "file://server/share/.npmrc",
        "C:\\Users\\me\\.ssh\\id_rsa",
        "C:\\Users\\me\\.env.",
        "C:\\Users\\me\\.env::$DATA",
        "\\\\server\\share\\.env",
        "vscode-remote://ssh-remote%2Bbox/home/me/.env",
        "vscode-notebook-cell:/project/.env#W0sZmlsZQ%3D%3D",
        "untitled:.env",
        "untitled:/project/secrets.yaml",
        "/home/me/.ssh/config",
        "/home/me/ID_RSA",
        "/home/me/.kube/config",
        "/home/me/.kube/cache/x.json",
        "/home/me/.docker/config.json",
        "/home/me/.netrc",
        "/home/me/.npmrc",
        "/home/me/.pypirc",
        "/home/me/.git-credentials",
        "/home/me/.bash_history",
        "/home/me/.config/gcloud/credentials.db",
        "/infra/prod.tfvars",
        "/infra/terraform.tfstate",
        "/infra/terraform.tfstate.backup",
        "/site/wp-config.php",
        "/site/.htpasswd",
        "/app/secrets.yml",
        "/app/Secrets.JSON",
        "/app/service-account-prod.json",
        "/app/config/master.key",
        "/app/config/credentials/production.key",
        "/app/tls/server.pem",
        "/app/keys.kdbx",
        "/app/release.keystore",
        "/etc/shadow",
        "/project/.codestral-lsp.toml",
        "/home/me/.local/share/codestral-lsp/keys.json",
    ],
)
def test_files_whose_names_say_that_they_hold_secrets_are_excluded(document: str) -> None:
    assert BUILT_IN.why(document) is not None


@pytest.mark.parametrize(
    "document",
    [
        "/project/main.py",
        "/project/.env.example",
        "/project/.env.local.example",
        "/project/env.py",
        "/project/environment.ts",
        "/project/secrets/store.go",
        "/project/src/credentials/model.py",
        "/project/passwords/hash.rs",
        "/project/secrets.go",
        "/project/keys.py",
        "/project/codestral-lsp/lsp_server/cli.py",
        "/home/me/.ssh/id_ed25519.pub",
        "/site/wp-config-sample.php",
        "/project/shadow/dom.ts",
        "/project/token.py",
        "untitled:Untitled-1",
        "vscode-remote://wsl%2BUbuntu/home/me/main.c",
    ],
)
def test_other_files_are_not(document: str) -> None:
    assert BUILT_IN.why(document) is None


def test_the_reason_names_the_rule() -> None:
    assert BUILT_IN.why("/project/.env") == "`.env` is excluded by the built-in rule `.env`"
    assert Exclusions(["*.sql"]).why("/a/dump.sql") == "`dump.sql` is excluded by privacy.excluded"


def test_users_add_rules_and_lift_built_in_ones(tmp_path: Path) -> None:
    rules = Exclusions(["*.sql", "customer/data", "!.env.test", f"{tmp_path.as_posix()}/a.py", "~/notes.md"])
    assert rules.why("/a/b/customer/data/x.py") is not None
    assert rules.why("/a/.env.test") is None
    assert rules.why("/a/.env.prod") is not None
    assert rules.why(str(tmp_path / "a.py")) is not None
    assert rules.why(str(tmp_path / "b.py")) is None
    assert rules.why(str(Path.home() / "notes.md")) is not None


def test_an_invalid_pattern_is_reported_and_the_others_hold(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rules = Exclusions(["broken\\", "*.sql"])
        assert rules.why("/a/dump.sql") is not None
    assert "broken" in caplog.text
    assert rules.why("/a/.env") is not None


def test_an_ignore_file_counts_for_its_folder_and_below(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".lspserverignore").write_text("# private\n\n*.sql\n/deep/er/x.py\n", encoding="utf-8")
    rules = Exclusions(())
    assert (
        rules.why(str(tmp_path / "deep" / "dump.sql"))
        == "`dump.sql` is excluded by `.lspserverignore` line 3"
    )
    assert rules.why((tmp_path / "deep" / "er" / "x.py").as_uri()) is not None
    assert rules.why(str(tmp_path / "deep" / "x.py")) is None
    assert rules.why(str(tmp_path.parent / "dump.sql")) is None


def test_nearer_ignore_files_win_among_themselves(tmp_path: Path) -> None:
    near = tmp_path / "near"
    near.mkdir()
    (tmp_path / ".lspserverignore").write_text("*.py\n", encoding="utf-8")
    (near / ".lspserverignore").write_text("!open.py\n", encoding="utf-8")
    rules = Exclusions(())
    assert rules.why(str(near / "open.py")) is None
    assert rules.why(str(near / "other.py")) is not None


def test_an_ignore_file_lifts_no_rule_of_the_user_nor_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / ".lspserverignore").write_text("!.env\n!*.sql\n!*\n", encoding="utf-8")
    rules = Exclusions(["*.sql"])
    assert rules.why(str(tmp_path / ".env")) is not None
    assert rules.why(str(tmp_path / "dump.sql")) is not None


def test_a_user_s_lift_does_not_outdo_an_ignore_file(tmp_path: Path) -> None:
    (tmp_path / ".lspserverignore").write_text(".env\n", encoding="utf-8")
    assert Exclusions(["!.env"]).why(str(tmp_path / ".env")) is not None


def test_a_changed_ignore_file_counts_at_once(tmp_path: Path) -> None:
    ignore, document = tmp_path / ".lspserverignore", str(tmp_path / "a.py")
    rules = Exclusions(())
    assert rules.why(document) is None
    for number in range(5):
        ignore.write_text("b.py\n", encoding="utf-8")
        assert rules.why(document) is None, number
        ignore.write_text("a.py\n", encoding="utf-8")  # the same size
        assert rules.why(document) is not None, number
    ignore.unlink()
    assert rules.why(document) is None


def test_an_ignore_file_may_have_another_encoding_and_line_ends(tmp_path: Path) -> None:
    (tmp_path / ".lspserverignore").write_bytes(b"\xef\xbb\xbfa.py\r\n\xff\xfe.txt\r\nb.py\r\n")
    rules = Exclusions(())
    assert rules.why(str(tmp_path / "a.py")) is not None
    assert rules.why(str(tmp_path / "b.py")) is not None
    assert rules.why(str(tmp_path / "c.py")) is None


def test_a_link_counts_for_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1", encoding="utf-8")
    (tmp_path / "config.txt").symlink_to(tmp_path / ".env")
    (tmp_path / "folder").symlink_to(tmp_path)
    why = BUILT_IN.why(str(tmp_path / "config.txt"))
    assert why == "`config.txt` leads to `.env`, which is excluded by the built-in rule `.env`"
    assert BUILT_IN.why(str(tmp_path / "folder" / "config.txt")) is not None


def test_a_link_out_of_an_excluded_name_does_not_help(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("A=1", encoding="utf-8")
    (tmp_path / ".env").symlink_to(tmp_path / "plain.txt")
    assert BUILT_IN.why(str(tmp_path / ".env")) is not None


def test_relative_paths_are_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lspserverignore").write_text("a.py\n", encoding="utf-8")
    assert Exclusions(()).why("a.py") is not None
    assert Exclusions(()).why(os.path.join("sub", "..", "a.py")) is not None  # noqa: PTH118


@pytest.mark.skipif(os.name != "posix", reason="devices are files there")
def test_an_ignore_file_without_an_end_keeps_everything_here(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".lspserverignore").symlink_to("/dev/zero")
    rules = Exclusions(())
    assert rules.why(str(tmp_path / "a.py")) and rules.why(str(tmp_path / "b.py"))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
