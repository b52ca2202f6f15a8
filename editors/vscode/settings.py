"""What the extension takes from the server's code: its settings, and the backends that are known by name.

    python editors/vscode/settings.py           writes them into package.json and src/backends.json
    python editors/vscode/settings.py --check   says whether they are up to date

So no option, value or name is copied by hand. The extension's own settings (`lsp_server.server.*`,
`lsp_server.trace.*`) stay as they are in package.json, at the end of the page *Server*.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lsp_server.backends.presets import presets
from lsp_server.options import SECTION
from lsp_server.options_reference import NAME, Option, known, needing_trust, options_table, sections

HERE = Path(__file__).parent
PACKAGE, BACKENDS = HERE / "package.json", HERE / "src" / "backends.json"

_TITLES = {
    "completion": "Completion",
    "chat": "Code actions and chat",
    "backends": "Backends",
    "local": "Local model",
    "privacy": "Privacy",
    "server": "Server",
}
"""Pages of the settings editor, in their order; most are sections of the options."""
_ELSEWHERE = {"backend": "backends", "profiles": "backends", "log_level": "server"}
"""On which pages other options are, by the start of their keys."""
_ABOUT = {
    "backends": "Servers and other ways to reach a model, each under a name of yours or of one that is known "
    "(`mistral`, `ollama`, …). Keys do not belong here: run the command *Codestral: Set an API Key…*.",
    "profiles": "Backends for completions and for chat, each list in the order in which they are tried.",
}
_OWN = (f"{SECTION}.server.", f"{SECTION}.trace.")
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def configuration(own: dict[str, Any]) -> list[dict[str, Any]]:
    """Return `contributes.configuration`: one entry per page; `own` are the extension's own settings."""
    pages: dict[str, dict[str, Any]] = {section: {} for section in _TITLES}
    for key, schema in _schemas():
        start = key.partition(".")[0]
        pages[_ELSEWHERE.get(start, start)][f"{SECTION}.{key}"] = schema
    pages["server"] |= own
    for page in pages.values():
        for order, schema in enumerate(page.values()):
            schema["order"] = order
    return [
        {"id": section, "title": _TITLES[section], "order": order, "properties": properties}
        for order, (section, properties) in enumerate(pages.items())
    ]


def restricted() -> list[str]:
    """Return the settings of `completion` that a workspace may not set before it is trusted."""
    return sorted(f"{SECTION}.{key}" for key in needing_trust())


def backends() -> list[dict[str, Any]]:
    """Return the backends that are known by name and want a key."""
    return [
        {"name": name, "title": preset.title, "variable": preset.config.api_key_env}
        for name, preset in presets().items()
        if preset.config.api_key_env
    ]


def _schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each setting, or table of named tables, with its schema."""
    descriptions = {key: description for key, _, _, description in options_table()}
    tables = {section.key: section for section in sections().values() if section.named}
    for key, option in known().items():
        table = tables.get(key.partition(".")[0])
        if table is None:
            workspace = key.startswith("completion.")
            schema = _schema(option, descriptions[key])
            yield key, {**schema, "default": option.default, "scope": "window" if workspace else "machine"}
        elif key == next(other for other in known() if other.startswith(table.prefix)):
            yield table.key, _named(table.key, table.prefix, descriptions)


def _named(key: str, prefix: str, descriptions: dict[str, str]) -> dict[str, Any]:
    fields = {
        option.name: _schema(option, descriptions[name])
        for name, option in known().items()
        if name.startswith(prefix)
    }
    return {
        "type": "object",
        "default": {},
        "scope": "machine",
        "markdownDescription": _ABOUT[key],
        "additionalProperties": {"type": "object", "properties": fields, "additionalProperties": False},
    }


def _schema(option: Option, description: str) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if option.type in _JSON_TYPES:
        schema["type"] = _JSON_TYPES[option.type]
    else:
        schema |= {"type": "array", "items": {"type": "string"}}
    names = {"min": "minimum", "max": "maximum"}
    schema |= {names[name]: option.metadata[name] for name in names if name in option.metadata}
    if choices := option.metadata.get("choices"):
        schema["enum"] = [choice for choice in choices if choice or NAME not in option.key]
    if pattern := option.metadata.get("pattern"):
        schema |= {"pattern": f"^(?:{pattern.pattern})$", "patternErrorMessage": option.metadata["says"]}
    return {**schema, "markdownDescription": description}


def package(old: dict[str, Any]) -> dict[str, Any]:
    """Return `package.json` with what comes from the server's code."""
    capabilities = {
        "untrustedWorkspaces": {
            "supported": "limited",
            "description": "Programs and settings of the workspace are used once you trust it.",
            "restrictedConfigurations": restricted(),
        },
        "virtualWorkspaces": {
            "supported": False,
            "description": "The server reads files on the machine where it runs.",
        },
    }
    before = old["contributes"]["configuration"]
    own = {
        key: schema for page in before for key, schema in page["properties"].items() if key.startswith(_OWN)
    }
    contributes = {**old["contributes"], "configuration": configuration(own)}
    return {**old, "capabilities": capabilities, "contributes": contributes}


def stale() -> Iterator[tuple[Path, str]]:
    """Yield the files that are not as they should be, with their right content."""
    makers: dict[Path, Callable[[], object]] = {
        PACKAGE: lambda: package(json.loads(PACKAGE.read_text("utf-8"))),
        BACKENDS: backends,
    }
    for path, make in makers.items():
        content = json.dumps(make(), indent=2, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text("utf-8") != content:
            yield path, content


def main() -> int:
    """Write what is stale, or with `--check` name it."""
    check = "--check" in sys.argv[1:]
    found = list(stale())
    for path, content in found:
        if check:
            sys.stderr.write(f"{path.name} is not up to date: run python editors/vscode/settings.py\n")
        else:
            path.write_text(content, "utf-8")
    return int(check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
