"""What is fetched once per machine: whole or not at all, and not given up after one broken download."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.install.kept import FOLDER_VARIABLE, NotInstalled, kept


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))


def test_what_breaks_off_is_made_once_more_from_nothing() -> None:
    found: list[int] = []

    def make(place: Path) -> None:
        found.append(len(list(place.iterdir())))
        (place / "part").touch()
        if len(found) == 1:
            raise NotInstalled("The line broke.\nMore about it.")

    place = kept("editor", make)
    assert kept("editor", make) == place
    assert found == [0, 0]


def test_what_cannot_be_had_is_told_and_tried_again_the_next_time() -> None:
    def fail(place: Path) -> None:
        raise NotInstalled(f"{place.name} is nowhere.")

    with pytest.raises(NotInstalled, match="editor is nowhere"):
        kept("editor", fail)
    assert kept("editor", lambda place: (place / "whole").touch()).joinpath("whole").exists()
