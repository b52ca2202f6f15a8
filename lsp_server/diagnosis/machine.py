"""Memory, disk and the folders that are written to. Asks no model."""

from __future__ import annotations

import shutil

from rich.filesize import decimal

from lsp_server import own_folders
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.diagnosis.weights import Weights
from lsp_server.engine import state
from lsp_server.models import catalogue, fit, store
from lsp_server.models.fit import Fit, Machine
from lsp_server.own_folders import MODELS, STATE
from lsp_server.settings import LocalSettings


def memory(settings: LocalSettings, weights: Weights) -> Finding:
    """Say whether the model of the settings fits, and which Codestral would."""
    machine = fit.this_machine()
    if machine is None:
        return warning("memory", "not known: psutil is missing", "Install the extra `local` again.")
    here = f"{decimal(machine.memory_bytes)}, {machine.cores} cores"
    needed = _needed_bytes(settings, weights)
    if needed is None:
        return ok("memory", f"{here}; {_codestral(machine)}")
    text = f"{here}; the engine needs about {decimal(needed)}; {_codestral(machine)}"
    match machine.fit(needed):
        case Fit.YES:
            return ok("memory", text)
        case Fit.TIGHT:
            advice = "Close other programs, or take a smaller model or fewer slots (local.slots)."
            return warning("memory", f"{text}; that leaves little for anything else", advice)
        case Fit.NO:
            smaller = fit.recommended(machine).name
            return problem("memory", f"{text}; that is too much", f'Set local.model, e.g. to "{smaller}".')


def _needed_bytes(settings: LocalSettings, weights: Weights) -> int | None:
    tokens = settings.context_tokens * settings.slots
    if weights.info is not None:
        info = weights.info
        return info.size_bytes + info.kv_bytes_per_token * tokens + catalogue.ENGINE_BYTES
    return weights.entry.ram_bytes(tokens) if weights.entry is not None else None


def _codestral(machine: Machine) -> str:
    entry = fit.codestral(machine)
    return f"the best Codestral that fits is {entry.name}" if entry else "no Codestral fits"


def disk() -> Finding:
    """Tell the room for models."""
    free = shutil.disk_usage(own_folders.nearest(store.folder())).free
    return ok("disk", f"{decimal(free)} free for models in {store.folder()}")


def folders() -> Finding:
    """Say whether models, state and logs can be written, and where the logs are."""
    wanted = {store.folder(): MODELS, state.state_root(): STATE, state.log_directory(): STATE}
    reasons = [reason for path, kind in wanted.items() if (reason := own_folders.why_not(kind, path))]
    if reasons:
        return problem("folders", " ".join(map(str, reasons)))
    return ok("folders", f"state in {state.state_root()}, engine logs in {state.log_directory()}")
