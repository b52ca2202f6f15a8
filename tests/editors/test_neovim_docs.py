"""The help file of the Neovim plugin has what there is and nothing else, asked of real Neovim."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lsp_server.chat.actions.catalogue import load

PLUGIN = Path(__file__).parent.parent.parent / "editors/neovim"
HELP = PLUGIN / "doc/lsp_server.txt"

_THERE_IS = r"""
vim.opt.runtimepath:append(assert(vim.env.PLUGIN))
vim.cmd.runtime("plugin/lsp_server.lua")
require("lsp_server.subcommands")
local found = { keys = {}, plugs = {} }
local options = require("lsp_server.options").DEFAULTS
found.subcommands = vim.tbl_keys(require("lsp_server.commands").all())
found.options = vim.tbl_keys(options)
for name, key in pairs(options.keys) do
  found.keys[name] = type(key) == "table" and key or { key }
end
found.functions = vim.tbl_keys(require("lsp_server"))
found.highlights = vim.fn.getcompletion("LspServer", "highlight")
for _, mode in ipairs({ "n", "x", "i" }) do
  for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do
    if vim.startswith(map.lhs, "<Plug>(lsp-server-") then
      found.plugs[map.lhs] = true
    end
  end
end
found.plugs = vim.tbl_keys(found.plugs)
found.chat_keys = vim.iter(require("lsp_server.chat_keys").DEFAULTS):map(function(default)
  return default.key
end):totable()
io.stdout:write(vim.json.encode(found))
"""
_PARSE = """
local buffer = vim.fn.bufadd(assert(vim.env.HELP))
vim.fn.bufload(buffer)
local tree = vim.treesitter.get_parser(buffer, "vimdoc"):parse()[1]
local wrong = {}
for _, node in vim.treesitter.query.parse("vimdoc", "(ERROR) @wrong"):iter_captures(tree:root(), buffer) do
  wrong[#wrong + 1] = node:start() + 1
end
io.stdout:write(vim.json.encode(wrong))
"""
_MISSING = """
local missing = {}
for _, tag in ipairs({ LINKS }) do
  if not vim.list_contains(vim.fn.getcompletion(tag, "help"), tag) then
    missing[#missing + 1] = tag
  end
end
io.stdout:write(vim.json.encode(missing))
"""


def _neovim(lua: str, folder: Path) -> Any:  # noqa: ANN401
    """Run a chunk of Lua in a Neovim of its own; return what it writes."""
    script = folder / "script.lua"
    script.write_text(lua, "utf-8")
    environment = {"PLUGIN": str(PLUGIN), "HELP": str(HELP), "HOME": str(folder), "PATH": str(folder)}
    program = Path(sys.executable).with_name("nvim")
    ran = subprocess.run(
        [sys.executable, program, "--clean", "--headless", "-l", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def there_is(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _neovim(_THERE_IS, tmp_path_factory.mktemp("neovim"))
    return found


@cache
def _help() -> str:
    return HELP.read_text("utf-8")


def _tags(pattern: str) -> list[str]:
    """Return the tags that are like this, without what is around the group."""
    return sorted(re.findall(rf"\*{pattern}\*", _help()))


def test_subcommands(there_is: Mapping[str, Any]) -> None:
    assert _tags(r":LspServer-(\w+)") == sorted(there_is["subcommands"])


def test_plug_maps(there_is: Mapping[str, Any]) -> None:
    assert _tags(r"(<Plug>\(lsp-server-[\w-]+\))") == sorted(there_is["plugs"])


def test_options_and_default_keys(there_is: Mapping[str, Any]) -> None:
    assert _tags(r"lsp_server-option-(\w+)") == sorted(there_is["options"])
    assert _tags(r"lsp_server-option-keys\.(\w+)") == sorted(there_is["keys"])
    for name, keys in there_is["keys"].items():
        default = ", ".join(f"`{key}`" for key in keys)
        assert re.search(rf"^ +{name} +\(default: {re.escape(default)}\)$", _help(), re.MULTILINE), name


def test_functions(there_is: Mapping[str, Any]) -> None:
    assert _tags(r"lsp_server\.(\w+)\(\)") == sorted(there_is["functions"])


def test_highlights(there_is: Mapping[str, Any]) -> None:
    assert _tags(r"hl-(\w+)") == sorted(there_is["highlights"])


def test_events() -> None:
    sources = "".join(path.read_text("utf-8") for path in PLUGIN.rglob("*.lua"))
    fired = set(re.findall(r'exec_autocmds\("User", \{\s*pattern = "(\w+)"', sources))
    assert _tags(r"(LspServer\w+)") == sorted(fired)


def test_keys_of_chats(there_is: Mapping[str, Any]) -> None:
    table = _help().partition("mode     key")[2].partition("Applying a block")[0]
    found = re.findall(r"^ +[\w, ]+? {2,}(<\S+>\S?) ", table, re.MULTILINE)
    assert set(found) == set(there_is["chat_keys"])


def test_shipped_actions() -> None:
    listed = _help().partition("lists yours too:\n")[2].partition("While a model writes")[0]
    assert sorted(listed.split()) == sorted(file.id for file in load(()).files)


def test_it_is_a_help_file(tmp_path: Path) -> None:
    folder = tmp_path / "doc"
    shutil.copytree(HELP.parent, folder)
    checked = f'vim.cmd.helptags("{folder}") io.stdout:write("[]")'
    assert _neovim(checked, tmp_path) == []
    tags = (folder / "tags").read_text("utf-8").splitlines()
    known = {line.split("\t")[0] for line in tags}
    own = {
        link for link in re.findall(r"\|([^|\s]+)\|", _help()) if "lsp_server" in link or "LspServer" in link
    }
    assert own <= known
    assert _neovim(_PARSE, tmp_path) == []
    assert [line for line in _help().splitlines() if len(line.expandtabs(8)) > 78] == []


def test_links_to_other_help_exist(tmp_path: Path) -> None:
    links = sorted(
        link
        for link in set(re.findall(r"\|([^|\s]+)\|", _help()))
        if "lsp_server" not in link and "LspServer" not in link
    )
    later = {"vim.lsp.inline_completion"}  # from Neovim 0.12 on
    names = ", ".join(json.dumps(link) for link in links if link not in later)
    lua = _MISSING.replace("LINKS", names)
    assert _neovim(lua, tmp_path) == []
