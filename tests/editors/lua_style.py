"""How the Lua sources are checked; `python -m tests.editors.lua_style` formats them.

Owns what is checked, and the options of the linter. Those of the formatter are in `.stylua.toml`, where
editors find them, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import tomllib

from tests.editors.install import lua
from tests.editors.install.node import NODE

PLUGIN = Path(__file__).parent.parent.parent / "editors/neovim"
SOURCES = sorted(PLUGIN.rglob("*.lua"))

_LINT = """
package.path = ("%s/?.lua;%s/?/init.lua;"):format(arg[1], arg[1]) .. package.path
local luacheck = require("luacheck")
local texts = {}
for at = 2, #arg do
  local file = assert(io.open(arg[at]))
  texts[at - 1] = file:read("*a")
  file:close()
end
local options = { std = "luajit", globals = { "vim" }, max_line_length = 120, max_cyclomatic_complexity = 15 }
local report = luacheck.check_strings(texts, options)
for at, warnings in ipairs(report) do
  for _, it in ipairs(warnings) do
    io.write(("%s:%d: %s\\n"):format(arg[at + 1], it.line, luacheck.get_message(it)))
  end
end
"""


def unformatted(*, write: bool = False) -> list[str]:
    """Return the files that the formatter would change, or has changed."""
    options = json.dumps(tomllib.loads((PLUGIN / ".stylua.toml").read_text("utf-8")))
    script = Path(__file__).with_name("lua_format.mjs")
    command = [NODE, script, lua.stylua(), options, *(["--write"] if write else []), *SOURCES]
    return _output([str(part) for part in command])


def faults(folder: Path) -> list[str]:
    """Return what the linter finds; `folder` is for a file of its own."""
    script = folder / "lint.lua"
    script.write_text(_LINT, "utf-8")
    nvim = Path(sys.executable).parent / "nvim"
    command = [nvim, "--clean", "-l", script, lua.luacheck(), *SOURCES]
    return _output([str(part) for part in command])


def _output(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).splitlines()


if __name__ == "__main__":
    print("\n".join(unformatted(write=True)))
