"""The arrows of the architecture: who may import whom, late imports included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lsp_server

PACKAGE = Path(lsp_server.__file__).parent
LEAVES = {"errors", "settings", "resources", "own_folders", "uris"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "settings": set(),
    "uris": set(),
    "own_folders": {"errors"},
    "resources": {"errors"},
    "options_reference": {"settings"},
    "options": {"options_reference", "settings"},
    "prompt_files": set(),
    "config_files": {"options", "options_reference", "own_folders", "prompt_files", "trust", "settings"},
    "reporting": {"errors", "options"},
    "framing": {"errors"},
    "transport": {"framing", "errors"},
    "documents": LEAVES,
    "families": LEAVES,
    "keys": LEAVES,
    "privacy": LEAVES,
    "trust": {"own_folders", "prompt_files", "settings", "errors"},
    "models": LEAVES,
    "engine": {"models", "families", *LEAVES},
    "backends": {"engine.launcher", "engine.health", "models", "keys", "privacy", "families", *LEAVES},
    "completion": {"documents", "backends", *LEAVES},
    "chat": {"documents", "backends", "prompt_files", *LEAVES},
    "features": {
        *("completion", "chat", "documents", "backends"),
        *("options", "config_files", "trust", "reporting", *LEAVES),
    },
    "diagnosis": {
        *("backends", "documents", "engine", "keys", "models"),
        *("options", "config_files", *LEAVES),
    },
    "server": {"features", "transport", "framing", "options", "config_files", "reporting", *LEAVES},
}
"""Room: the rooms, or single modules, it may import besides itself. `cli` may import all of them."""

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def _room(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of ours that are imported, without the package's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the arrows"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "lsp_server" and not rest.startswith("__"):
                yield rest


def _violations(path: Path) -> list[str]:
    room = _room(path)
    allowed = ALLOWED[room] | {room}
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    return [
        name
        for name in _imports(tree)
        if not any(name == other or name.startswith(f"{other}.") for other in allowed)
    ]


@pytest.mark.parametrize(
    "path", [path for path in MODULES if _room(path) not in {"cli", "__init__", "__main__"}], ids=str
)
def test_imports_point_down_only(path: Path) -> None:
    assert _violations(path) == []


def test_every_room_has_its_arrows() -> None:
    rooms = {_room(path) for path in MODULES} - {"cli", "__init__", "__main__"}
    assert rooms <= set(ALLOWED)


@pytest.mark.parametrize("path", [path for path in MODULES if _room(path) == "cli"], ids=str)
def test_commands_import_no_language_server_at_the_top(path: Path) -> None:
    """Every start of `lsp_server` imports the command line; pygls alone costs a third of a second."""
    tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
    top = ast.Module([node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))], [])
    assert [name for name in _imports(top) if name.partition(".")[0] in {"server", "features"}] == []
