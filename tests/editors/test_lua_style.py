"""The Lua sources are formatted, and the linter finds nothing."""

from __future__ import annotations

from pathlib import Path

from tests.editors import lua_style


def test_sources_are_formatted() -> None:
    assert lua_style.unformatted() == [], "python -m tests.editors.lua_style formats them"


def test_the_linter_finds_nothing(tmp_path: Path) -> None:
    assert lua_style.faults(tmp_path) == []
