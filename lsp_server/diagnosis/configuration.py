"""The configuration files and what follows from them. What an editor sends is not seen here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsp_server import config_files
from lsp_server.backends.profiles import Chains, chains
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.errors import ConfigurationError
from lsp_server.options import Resolved
from lsp_server.settings import workspace_file, workspace_prompts_folder

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
    prompts = workspace_prompts_folder(root)
    for found in resolved.problems:
        if _is_in(found.place, prompts):
            yield warning(CHECK, str(found), "Look at them first; until then their actions are not offered.")


def _is_in(place: str, path: Path) -> bool:
    return place == str(path) or place.startswith(f"{path}:")


def completions(resolved: Resolved) -> Finding | None:
    """Say if completions are turned off."""
    if resolved.settings.completion.enabled:
        return None
    origin = resolved.origins["completion.enabled"]
    return warning("completions", f"turned off ({origin})", "Set completion.enabled to true.")


def backend(resolved: Resolved) -> tuple[Finding, Chains | None]:
    """Tell the backends and why it is these; None if there is none to be had."""
    settings = resolved.settings
    try:
        found = chains(settings)
    except ConfigurationError as error:
        return problem("backend", str(error)), None
    text = ", then ".join(found.completion)
    if found.chat != found.completion:
        text += f"; for chat {', then '.join(found.chat)}"
    return ok(
        "backend", f'{text}, because backend is "{settings.backend}" ({resolved.origins["backend"]})'
    ), found
