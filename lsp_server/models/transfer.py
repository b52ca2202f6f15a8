"""What a download tells its caller and how it is stopped. Knows nothing of where bytes come from."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from lsp_server.errors import CodestralLspError, DownloadError
from lsp_server.own_folders import MODELS, failure

SPARE_BYTES = 64 * 1024 * 1024
"""Left free on the disk: the lock, the records and everyone else need some too."""


_MORE_ROOM = "make room or set CODESTRAL_LSP_MODELS to a folder on a larger disk"


@dataclass(frozen=True)
class Progress:
    """How far a download is; `total_bytes` is None where nobody knows the size."""

    message: str
    done_bytes: int = 0
    total_bytes: int | None = None


class DownloadCancelled(DownloadError):
    """The caller stopped the download; what was fetched is kept for the next time."""


class SourceFailed(CodestralLspError):
    """One source cannot deliver; the message is a clause that follows the source's name."""


@dataclass(frozen=True)
class Job:
    """One wait for a model as its caller sees it: who hears of it and who may stop it."""

    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def report(self, message: str, done_bytes: int = 0, total_bytes: int | None = None) -> None:
        """Tell the caller how far we are; raise `DownloadCancelled` if it wants no more."""
        if self.cancelled is not None and self.cancelled():
            raise DownloadCancelled(
                "The download was cancelled; start it again to continue where it stopped."
            )
        if self.progress is not None:
            self.progress(Progress(message, done_bytes, total_bytes))

    def pause(
        self, seconds: float, message: str, done_bytes: int = 0, total_bytes: int | None = None
    ) -> None:
        """Sleep, in steps short enough for a person who cancels."""
        end = time.monotonic() + seconds
        while True:
            self.report(message, done_bytes, total_bytes)
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.2))


def require_space(folder: Path, needed_bytes: int) -> None:
    """Raise `DownloadError` unless `needed_bytes` more fit on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise DownloadError(
            f"Not enough space in {folder}: {decimal(needed_bytes)} needed, {decimal(free)} free; "
            f"{_MORE_ROOM}."
        )


def disk_error(error: OSError, folder: Path) -> DownloadError:
    """Return what to tell the user about a failed write in `folder`."""
    return DownloadError(str(failure(error, MODELS, folder)))
