"""Editors that are not pinned: their files parse and compile, and Vim keeps the server up to date."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

from lsp_server.options import Layer, resolve
from tests.editors.install import emacs, vim
from tests.editors.recording_server import copy_of

ROOT = Path(__file__).parent.parent.parent
EDITORS = ROOT / "editors"
OTHERS = ("emacs", "helix", "jetbrains", "kate", "sublime", "vim", "zed")

JSON_FILES = sorted(
    path
    for name in OTHERS
    for path in (EDITORS / name).rglob("*")
    if path.suffix in (".json", ".sublime-settings")
)


@pytest.mark.parametrize("path", JSON_FILES, ids=lambda path: str(path.relative_to(EDITORS)))
def test_the_options_in_every_configuration_are_the_servers(path: Path) -> None:
    found = list(_options(json.loads(path.read_text("utf-8"))))
    assert found or path.name == "template.json"
    for options in found:
        assert resolve([Layer.from_wire("a test", options)]).problems == ()


def test_helix_runs_the_server_for_every_language_it_names() -> None:
    languages = tomllib.loads((EDITORS / "helix/languages.toml").read_text("utf-8"))
    [(name, server)] = languages["language-server"].items()
    assert [server["command"], *server["args"]] == ["lsp_server", "--stdio"]
    assert resolve([Layer.from_wire("a test", server["config"])]).problems == ()
    assert all(name in language["language-servers"] for language in languages["language"])


@pytest.mark.parametrize("name", OTHERS)
def test_every_editor_says_whether_it_was_tried(name: str) -> None:
    text = (EDITORS / name / "README.md").read_text("utf-8")
    assert "Tried: " in text or "**Not tried" in text


def test_the_emacs_package_compiles_and_its_documentation_is_in_order(tmp_path: Path) -> None:
    package = tmp_path / "codestral-lsp.el"
    shutil.copy(EDITORS / "emacs/codestral-lsp.el", package)
    folders = [word for folder in emacs.packages() for word in ("-L", str(folder))]
    batch = [str(emacs.program()), "-Q", "--batch", *folders]
    strict = ["--eval", "(setq byte-compile-error-on-warn t)"]
    compiled = _run([*batch, *strict, "-f", "batch-byte-compile", str(package)])
    assert package.with_suffix(".elc").exists(), compiled
    assert "Warning (emacs)" not in _run([*batch, "--eval", f'(checkdoc-file "{package}")'])


@pytest.mark.parametrize(
    "script", sorted((EDITORS / "vim").glob("*/**/*.vim")), ids=lambda path: str(path.relative_to(EDITORS))
)
def test_every_function_of_the_vim_plugin_compiles(script: Path, tmp_path: Path) -> None:
    # Vim compiles a function when it is called first, unless it is told to.
    plugin = tmp_path / "vim"
    shutil.copytree(EDITORS / "vim", plugin)
    copy = plugin / script.relative_to(EDITORS / "vim")
    copy.write_text(script.read_text("utf-8") + "\ndefcompile\n", "utf-8")
    assert _vim(plugin, [f"source {copy}"], tmp_path) == ""


EDITS = {
    "a line": ["call setline(2, 'ändert')"],
    "lines in two places": [
        "call setline(1, 'x')",
        "call append(3, ['a', 'b'])",
        "call deletebufline('', 2)",
    ],
    "everything": ["%delete _"],
    "the end": ["$delete _", "call append('$', ['', 'end'])"],
    "undo": ["call setline(2, 'gone')", "call append(0, 'above')", "undo", "undo"],
    "global": ["g/o/normal Ax"],
    "read again": ["call setline(1, 'lost')", "edit!", "call append('$', 'after')"],
    "another format": ["set fileformat=dos", "call append(1, 'x')"],
    "no last line ending": [
        "set noendofline nofixendofline",
        "call append('$', 'x')",
        "call setline(1, 'y')",
    ],
}


@pytest.mark.parametrize("edits", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_vim_keeps_the_server_up_to_date(edits: list[str], line_end: str, tmp_path: Path) -> None:
    kept, document = tmp_path / "kept", tmp_path / "a text.txt"
    kept.mkdir()
    document.write_bytes(line_end.join(["one 😀", "two", "three", "four", ""]).encode())
    command = json.dumps([sys.executable, "-m", "tests.editors.recording_server", str(kept)])
    until_open = "while !lsp_server#documents#Version(bufnr()) | sleep 10m | endwhile"
    said = _vim(
        EDITORS / "vim",
        [
            "filetype on",
            f"let g:lsp_server_command = {command}",
            "runtime plugin/lsp_server.vim",
            f"edit {str(document).replace(' ', chr(92) + ' ')}",
            until_open,
            *[line for edit in edits for line in (edit, "call listener_flush()")],
            until_open,
            "call lsp_server#documents#Flush(bufnr())",
            "let uri = lsp_server#documents#Uri(bufnr())",
            "noautocmd write! %.saved",
            # Stopping asks the server, which answers when it has dealt with everything.
            "call lsp_server#session#Stop()",
            f"call writefile([uri], {json.dumps(str(tmp_path / 'uri'))})",
        ],
        tmp_path,
    )
    assert said == ""
    saved = Path(f"{document}.saved").read_bytes()
    # Vim writes nothing for a buffer without lines; the server has an empty line then.
    assert copy_of(kept, (tmp_path / "uri").read_text().strip()).read_bytes() == (saved or line_end.encode())


def _vim(plugin: Path, commands: list[str], folder: Path) -> str:
    """Run commands in a Vim without a screen; return what it complains of."""
    script = folder / "run.vim"
    lines = [
        "set nocompatible hidden encoding=utf-8 noswapfile viminfo=",
        f"set runtimepath^={plugin}",
        *commands,
    ]
    script.write_text(
        "\n".join([*lines, f"call writefile(split(v:errmsg, '\\n'), '{folder}/errors')", "qall!"]), "utf-8"
    )
    # Options tell of their changes only when Vim has started.
    start = f"autocmd VimEnter * ++once ++nested source {script}"
    said = _run([str(vim.program()), "-Nes", "-u", "NONE", "-i", "NONE", "--cmd", start])
    errors = folder / "errors"
    return said + (errors.read_text("utf-8") if errors.exists() else " (it did not come to its end)")


def _run(command: list[str]) -> str:
    ended = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
    return ended.stdout + ended.stderr


def _options(value: object) -> list[dict[str, object]]:
    """Return everything that is sent as initialization options in a configuration."""
    if not isinstance(value, dict):
        return []
    own = [value] if "completion" in value else []
    return own + [found for inner in value.values() if "completion" not in value for found in _options(inner)]
