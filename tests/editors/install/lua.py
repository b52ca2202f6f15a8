"""The formatter and the linter of the Lua sources: StyLua from npm, luacheck from Debian, run by Neovim."""

from __future__ import annotations

from pathlib import Path

from tests.editors.install import debian
from tests.editors.install.kept import kept
from tests.editors.install.node import npm

_STYLUA = "2.5.2"


def stylua() -> Path:
    """Return the module of StyLua for node."""
    place = kept(f"stylua-{_STYLUA}", _get_stylua)
    return place / "node_modules/@johnnymorganz/stylua/stylua_lib_node.cjs"


def luacheck() -> Path:
    """Return the folder for `package.path` that luacheck is in; plain Lua, which any Neovim can run."""
    return kept("luacheck", _get_luacheck) / "root/usr/share/lua/5.1"


def _get_stylua(place: Path) -> None:
    npm(["install", "--no-save", f"@johnnymorganz/stylua@{_STYLUA}"], place / "npm.log", place)


def _get_luacheck(place: Path) -> None:
    debian.unpack(["lua-check"], place)
