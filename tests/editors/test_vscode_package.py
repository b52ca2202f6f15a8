"""The extension for VS Code as a package: it builds, holds what it should, and follows the server's code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import lsp_server
from lsp_server.backends.presets import presets
from lsp_server.engine.launcher import Launch
from lsp_server.options_reference import known, needing_trust, sections
from tests.editors.install import extension
from tests.editors.install.node import npm

SOURCES = extension.SOURCES
ROOT = SOURCES.parent.parent
LARGEST_BYTES = 1_000_000
"""What somebody downloads in a moment over any line."""


@pytest.fixture(scope="module")
def vsix() -> Path:
    """Return the package, built from this checkout in a copy of its folder."""
    return extension.package()


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """Return package.json."""
    manifest: dict[str, Any] = json.loads((SOURCES / "package.json").read_text("utf-8"))
    return manifest


@pytest.fixture(scope="module")
def settings(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every setting, without the section's name."""
    pages = manifest["contributes"]["configuration"]
    return {
        key.removeprefix("lsp_server."): schema
        for page in pages
        for key, schema in page["properties"].items()
    }


@pytest.mark.parametrize("script", ["check", "lint", "test"])
def test_the_sources_are_sound(vsix: Path, script: str, tmp_path: Path) -> None:
    log = tmp_path / "npm.log"
    npm(["run", script], log, vsix.parent)
    if script == "test":
        assert "fail 0" in log.read_text("utf-8")


def test_the_package_holds_the_bundle_and_the_licences_and_no_sources(vsix: Path) -> None:
    assert vsix.stat().st_size < LARGEST_BYTES
    with zipfile.ZipFile(vsix) as archive:
        names = set(archive.namelist())
        licences = archive.read("extension/dist/licences.txt").decode()
        licence = archive.read("extension/LICENSE.txt").decode()
    assert {"extension/dist/extension.cjs", "extension/package.json", "extension/readme.md"} <= names
    folders = {name.split("/")[1] for name in names if name.startswith("extension/") and name.count("/") > 1}
    assert folders <= {"dist", "media"}
    assert not any(name.endswith((".ts", ".map", ".py")) for name in names)
    assert licence == (ROOT / "LICENSE").read_text("utf-8")
    assert all(package in licences for package in ("vscode-languageclient ", "vscode-jsonrpc ", "semver "))


def test_the_lock_file_names_no_hosts() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_what_comes_from_the_server_is_up_to_date() -> None:
    command = [sys.executable, str(SOURCES / "settings.py"), "--check"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_every_option_is_a_setting_with_its_default(settings: dict[str, dict[str, Any]]) -> None:
    tables = {section.key: section.prefix for section in sections().values() if section.named}
    for key, option in known().items():
        table = key.partition(".")[0]
        if table in tables:
            fields = settings[table]["additionalProperties"]["properties"]
            assert key.removeprefix(tables[table]) in fields
        else:
            assert json.loads(json.dumps(option.default)) == settings[key]["default"]


def test_a_workspace_may_set_completions_only(
    settings: dict[str, dict[str, Any]], manifest: dict[str, Any]
) -> None:
    scopes = {key: schema["scope"] for key, schema in settings.items()}
    of_workspaces = {key for key, scope in scopes.items() if scope != "machine"}
    assert of_workspaces == {key for key in known() if key.startswith("completion.")}
    trust = manifest["capabilities"]["untrustedWorkspaces"]
    assert trust["supported"] == "limited"
    assert trust["restrictedConfigurations"] == sorted(f"lsp_server.{key}" for key in needing_trust())


def test_names_of_commands_do_not_clash_with_the_servers(manifest: dict[str, Any]) -> None:
    commands = manifest["contributes"]["commands"]
    names = [command["command"] for command in commands]
    assert len(names) == len(set(names))
    assert all(name.startswith("codestral-lsp.") for name in names)
    assert {command["category"] for command in commands} == {"Codestral"}


def test_no_key_of_the_editor_is_taken_away(manifest: dict[str, Any]) -> None:
    """What accepts, takes a word and dismisses is VS Code's own."""
    bindings = manifest["contributes"].get("keybindings", [])
    taken = {"tab", "escape", "ctrl+right", "cmd+right", "alt+right"}
    assert [each for each in bindings if {each.get("key"), each.get("mac")} & taken] == []
    assert [each for each in bindings if not each.get("when")] == []


def test_the_manifest_fits_the_server(manifest: dict[str, Any]) -> None:
    assert manifest["version"] == lsp_server.__version__
    assert manifest["extensionKind"] == ["workspace"]
    assert manifest["main"] == "./dist/extension.cjs"
    exact = manifest["devDependencies"].values()
    assert [version for version in exact if not version[0].isdigit()] == []


def test_the_backends_that_want_keys_are_known() -> None:
    listed = json.loads((SOURCES / "src/backends.json").read_text("utf-8"))
    wanted = [name for name, preset in presets().items() if preset.config.api_key_env]
    assert [each["name"] for each in listed] == wanted


def test_the_engines_port_is_not_forwarded_to_the_users_machine(manifest: dict[str, Any]) -> None:
    ports = manifest["contributes"]["configurationDefaults"]["remote.portsAttributes"]
    command = " ".join(Launch(Path("model.gguf")).command())
    assert [rule["onAutoForward"] for pattern, rule in ports.items() if re.search(pattern, command)] == [
        "ignore"
    ]
