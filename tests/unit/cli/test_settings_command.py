"""`lsp_server settings`: values, where they come from, and the table of the README."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from lsp_server.cli.settings import settings
from lsp_server.options import known


def run(*arguments: str) -> Result:
    return CliRunner().invoke(settings, arguments)


def test_every_option_with_its_origin(config_file: Path, tmp_path: Path) -> None:
    config_file.write_text('backend = "local"\n[completion]\nmax_tokens = 7\n')
    (tmp_path / ".codestral-lsp.toml").write_text("[completion]\nmax_tokens = 9\n")
    rows = {line.split()[0]: line for line in run("--root", str(tmp_path)).stdout.splitlines()}
    assert list(rows) == list(known())
    assert rows["backend"].endswith(f'"local"  ({config_file})')
    assert rows["completion.max_tokens"].endswith(f" 9  ({tmp_path / '.codestral-lsp.toml'})")
    assert rows["log_level"].endswith('"info"  (default)')


def test_a_workspace_cannot_choose_where_text_is_sent(tmp_path: Path) -> None:
    (tmp_path / ".codestral-lsp.toml").write_text('[mistral]\nbase_url = "https://example.org"\n')
    done = run("--json", "--root", str(tmp_path))
    assert json.loads(done.stdout)["mistral.base_url"]["from"] == "default"
    assert "mistral cannot be set by a workspace" in done.stderr


def test_the_markdown_table_has_a_row_of_four_cells_for_every_option() -> None:
    head, line, *rows = run("--markdown").stdout.splitlines()
    assert head.count("|") == line.count("|") == 5
    assert [row.split("`")[1] for row in rows] == list(known())
    for row in rows:
        cells = row.replace("\\|", "").strip("|").split(" | ")
        assert len(cells) == 4 and all(cell.strip() for cell in cells), row
