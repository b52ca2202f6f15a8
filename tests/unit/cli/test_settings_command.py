"""`lsp_server settings`: values, where they come from, and the tables of the README."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from lsp_server.backends.presets import preset_names
from lsp_server.cli.settings import settings
from lsp_server.options import known


def run(*arguments: str) -> Result:
    return CliRunner().invoke(settings, arguments)


def test_every_option_with_its_origin(config_file: Path, tmp_path: Path) -> None:
    config_file.write_text('backend = "local"\n[completion]\nmax_tokens = 7\n')
    (tmp_path / ".codestral-lsp.toml").write_text("[completion]\nmax_tokens = 9\n")
    rows = {line.split()[0]: line for line in run("--root", str(tmp_path)).stdout.splitlines()}
    assert list(rows) == [key for key in known() if ".NAME." not in key]
    assert rows["backend"].endswith(f'"local"  ({config_file})')
    assert rows["completion.max_tokens"].endswith(f" 9  ({tmp_path / '.codestral-lsp.toml'})")
    assert rows["log_level"].endswith('"info"  (default)')


def test_named_tables_show_what_is_set_and_what_the_preset_adds(config_file: Path) -> None:
    config_file.write_text(
        '[backends.mistral]\nmodel = "m"\nverify = true\n'
        '[backends."my gpu"]\ntype = "openai"\nbase_url = "http://gpu-box:8000"\n'
        '[profiles.work]\ncompletion = ["local", "my gpu"]\n'
    )
    done = run("--json")
    rows = {
        key: (row["value"], row["from"])
        for key, row in json.loads(done.stdout).items()
        if key.startswith(("backends.", "profiles."))
    }
    file = str(config_file)
    assert rows == {
        "backends.mistral.type": ("mistral", "preset mistral"),
        "backends.mistral.base_url": ("https://api.mistral.ai", "preset mistral"),
        "backends.mistral.model": ("m", file),
        "backends.mistral.api_key_env": ("MISTRAL_API_KEY", "preset mistral"),
        "backends.mistral.fim": ("native", "preset mistral"),
        "backends.mistral.verify": (True, file),
        'backends."my gpu".type': ("openai", file),
        'backends."my gpu".base_url': ("http://gpu-box:8000", file),
        "profiles.work.completion": (["local", "my gpu"], file),
    }
    assert done.stderr == ""


def test_a_workspace_cannot_choose_where_text_is_sent(tmp_path: Path) -> None:
    (tmp_path / ".codestral-lsp.toml").write_text('[backends.mistral]\nbase_url = "https://example.org"\n')
    done = run("--json", "--root", str(tmp_path))
    assert "backends.mistral.base_url" not in json.loads(done.stdout)
    assert "backends cannot be set by a workspace" in done.stderr


def test_names_that_stand_for_nothing_are_told(config_file: Path) -> None:
    config_file.write_text('\nbackend = "mistrl"\n')
    done = run("--json")
    assert f"{config_file}:2: there is no backend or profile mistrl (did you mean mistral?)" in done.stderr
    assert json.loads(done.stdout)["backend"]["value"] == "auto"


def test_the_markdown_table_has_a_row_of_four_cells_for_every_option() -> None:
    head, line, *rows = run("--markdown").stdout.splitlines()
    assert head.count("|") == line.count("|") == 5
    assert [row.split("`")[1] for row in rows] == list(known())
    for row in rows:
        cells = row.replace("\\|", "").strip("|").split(" | ")
        assert len(cells) == 4 and all(cell.strip() for cell in cells), row


def test_the_backends_known_by_name() -> None:
    head, line, *rows = run("--backends", "--markdown").stdout.splitlines()
    assert head.count("|") == line.count("|") == 7
    assert [row.split("`")[1] for row in rows] == list(preset_names())
    for row in rows:
        cells = row.strip("|").split(" | ")
        assert len(cells) == 6 and all(cell.strip() for cell in cells), row
    assert list(json.loads(run("--backends", "--json").stdout)) == list(preset_names())
    lines = run("--backends").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(preset_names())


def test_a_preset_that_is_used_is_shown(config_file: Path) -> None:
    config_file.write_text('backend = "mine"\n[profiles.mine]\ncompletion = ["llamacpp", "local"]\n')
    found = json.loads(run("--json").stdout)
    assert found["backends.llamacpp.base_url"] == {
        "value": "http://127.0.0.1:8080",
        "from": "preset llamacpp",
    }
    assert not [key for key in found if key.startswith("backends.mistral")]


def test_the_addresses_of_the_backends_known_by_name() -> None:
    rows = {line.split()[0]: line for line in run("--backends").stdout.splitlines()}
    assert "llama.cpp's server, http://127.0.0.1:8080. Holds one model" in rows["llamacpp"]
