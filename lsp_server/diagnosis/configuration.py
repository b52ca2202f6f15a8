"""The configuration files and what follows from them. What an editor sends is not seen here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lsp_server import config_files
from lsp_server.backends.router import choose
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.errors import ConfigurationError
from lsp_server.options import Resolved
from lsp_server.settings import Settings, workspace_file

CHECK = "configuration"


def files(root: Path, resolved: Resolved) -> Iterator[Finding]:
    """Tell which files count and everything that is wrong in them."""
    for path in (config_files.user_file(), workspace_file(root)):
        there = "" if path.exists() else " (not there, which is fine)"
        wrong = [found for found in resolved.problems if _is_in(found.place, path)]
        for found in wrong:
            rest = "the rest of the file counts" if found.key else "nothing in the file counts"
            yield problem(CHECK, str(found), f"Correct it; until then {rest}.")
        if not wrong:
            yield ok(CHECK, f"{path}{there}")


def _is_in(place: str, path: Path) -> bool:
    return place == str(path) or place.startswith(f"{path}:")


def completions(resolved: Resolved) -> Finding | None:
    """Say if completions are turned off."""
    if resolved.settings.completion.enabled:
        return None
    origin = resolved.origins["completion.enabled"]
    return warning("completions", f"turned off ({origin})", "Set completion.enabled to true.")


def backend(resolved: Resolved) -> tuple[Finding, str | None]:
    """Tell the backend and why it is this one, and return its name; None if there is none to be had."""
    settings = resolved.settings
    try:
        name = choose(settings).name
    except ConfigurationError as error:
        return problem("backend", str(error)), None
    return ok("backend", f"{name}, because {_why(settings, resolved, name)}"), name


def _why(settings: Settings, resolved: Resolved, name: str) -> str:
    origin = resolved.origins["backend"]
    said = f'backend is "{settings.backend}" ({origin})'
    if settings.backend != "auto":
        return said
    if name == "local":
        return f"{said} and this installation can run a model"
    return f"{said}, no model can run here and {settings.mistral.api_key_env} is set"


def api_key(settings: Settings) -> Finding:
    """Say whether the key's variable is set, and nothing of the key."""
    variable = settings.mistral.api_key_env
    value = os.environ.get(variable, "")
    if not value:
        return ok("API key", f"{variable} is not set; {settings.mistral.base_url} may not want one")
    if value != value.strip() or not value.isascii():
        return problem(
            "API key",
            f"{variable} is set, but has blanks around it or characters no key has",
            "Set it again, without quotes and line breaks.",
        )
    return ok("API key", f"{variable} is set")
