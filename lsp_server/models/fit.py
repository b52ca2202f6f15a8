"""What fits this machine: memory, the quantisation of Codestral that fits it, a model to start with.

psutil comes with the extra `local` and is imported late; without it nothing is known and nothing refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from lsp_server.models import catalogue
from lsp_server.models.catalogue import Entry

OTHERS_BYTES = 2_000_000_000
"""Left to the system, the editor and its other language servers."""

LARGER_FROM_CORES = 8
"""Decoding reads every weight for every token. Two cores decode the 0.5B model at 60 tokens/s
(measured); a model three times as large is as quick from about four times as many."""

SMALL_NAME, LARGER_NAME = catalogue.DEFAULT_NAME, "qwen2.5-coder-1.5b"

CODESTRAL_FAMILY = "codestral"

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""What a container may use, which psutil does not look at: cgroup 2 and 1."""


class Fit(Enum):
    """Whether a model can run here."""

    YES = "yes"
    TIGHT = "tight"
    """It loads, but little is left for everything else."""
    NO = "no"


@dataclass(frozen=True)
class Machine:
    """What matters of this machine."""

    memory_bytes: int
    cores: int

    def fit(self, needed_bytes: int) -> Fit:
        """Return whether an engine that needs so much memory can run here."""
        if needed_bytes + OTHERS_BYTES <= self.memory_bytes:
            return Fit.YES
        return Fit.TIGHT if needed_bytes <= self.memory_bytes else Fit.NO


def this_machine() -> Machine | None:
    """Return this machine, or None where psutil is not installed."""
    try:
        import psutil
    except ImportError:
        return None
    memory = min([psutil.virtual_memory().total, *_container_limits()])
    return Machine(memory, psutil.cpu_count(logical=False) or psutil.cpu_count() or 1)


def _container_limits() -> list[int]:
    return [limit for path in _CGROUP_LIMITS if (limit := _number_in(path)) is not None]


def _number_in(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not a container, or `max`
        return None


def recommended(machine: Machine) -> Entry:
    """Return the model to start with on this machine: quick enough to complete while typing."""
    larger = catalogue.get(LARGER_NAME)
    if machine.cores >= LARGER_FROM_CORES and machine.fit(larger.ram_bytes()) is Fit.YES:
        return larger
    return catalogue.get(SMALL_NAME)


def codestral(machine: Machine) -> Entry | None:
    """Return the best quantisation of Codestral that fits this machine, or None."""
    fitting = [
        entry
        for entry in catalogue.entries()
        if entry.family == CODESTRAL_FAMILY and machine.fit(entry.ram_bytes()) is Fit.YES
    ]
    return max(fitting, key=lambda entry: entry.about_bytes, default=None)
