"""The model file of the settings: where it is, and whether it is what it should be. Downloads nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from rich.filesize import decimal

from lsp_server import own_folders
from lsp_server.diagnosis.finding import Finding, ok, problem, warning
from lsp_server.errors import ModelError
from lsp_server.models import catalogue, gguf_file, store
from lsp_server.models.catalogue import Entry
from lsp_server.models.checksums import KnownChecksums, sha256_of
from lsp_server.models.gguf_file import GgufInfo
from lsp_server.models.transfer import SPARE_BYTES, Job, Progress
from lsp_server.settings import LocalSettings

CHECK = "model file"

NO_TRIAL = "the engine is not tried"


@dataclass(frozen=True)
class Weights:
    """What is known of the model of the settings; `info` is None if the file is not here."""

    finding: Finding
    entry: Entry | None = None
    info: GgufInfo | None = None


def look(settings: LocalSettings) -> Weights:
    """Find the model and read its header."""
    wanted = settings.model
    try:
        path = store.find(wanted)
        if path is None:
            return _missing(catalogue.get(wanted), settings)
        info = gguf_file.read(path)
    except (ModelError, OSError) as error:
        return Weights(problem(CHECK, str(error), "Set local.model to a name of `lsp_server models list`."))
    entry = catalogue.match(wanted) or catalogue.match(path.name)
    text = (
        f"{path}: {info.name}, {info.architecture} {info.quant}, {decimal(info.size_bytes)}, "
        f"trained for {info.context_tokens} tokens"
    )
    return Weights(ok(CHECK, text), entry, info)


def _missing(entry: Entry, settings: LocalSettings) -> Weights:
    size = f"{'' if entry.size_bytes else 'about '}{decimal(entry.about_bytes)}"
    text = f"{entry.name} is not on this machine; {NO_TRIAL}"
    pull = f"lsp_server models pull {entry.name}"
    licence = f" {entry.licence}: {entry.licence_note}" if entry.licence_note else ""
    free = shutil.disk_usage(own_folders.nearest(store.folder())).free
    if free < entry.about_bytes + SPARE_BYTES:
        return Weights(
            problem(
                CHECK,
                f"{text}, and its {size} do not fit the disk of {store.folder()}",
                f"Make room, or set {store.FOLDER_VARIABLE} to a folder on a larger disk.",
            ),
            entry,
        )
    if settings.download:
        advice = f"The first completion fetches it ({size}); `{pull}` does it now.{licence}"
        return Weights(warning(CHECK, text, advice), entry)
    return Weights(
        problem(CHECK, f"{text}, and local.download is false", f"Run `{pull}` ({size}).{licence}"), entry
    )


def checksum(weights: Weights, *, full: bool, report: Callable[[Progress], None]) -> Finding | None:
    """Compare the file with what is known of it; with `full`, read all of it."""
    if weights.info is None:
        return None
    path, entry = weights.info.path, weights.entry
    known = KnownChecksums(store.folder())
    pinned = entry.sha256 if entry else None
    expected = pinned or known.recorded(path)
    if pinned and entry and entry.size_bytes != weights.info.size_bytes:
        return warning(
            "checksum",
            f"{path.name} has the name of {entry.name} but another size",
            "Nothing, if you put it there yourself; else delete it and let it be fetched again.",
        )
    if expected is None:
        return ok("checksum", "none to compare with: the catalogue does not know this file")
    source = "the catalogue" if pinned else "this program's record of its download"
    if not full and known.known(path) != expected:
        return ok("checksum", f"the size is right; --full reads the file and compares with {source}")
    actual = sha256_of(path, Job(report)) if full else known.known(path)
    if actual == expected:
        return ok("checksum", f"{'read now' if full else 'read before'}, the same as in {source}")
    return problem("checksum", f"{path} is not what {source} says", "Delete the file and fetch it again.")
