"""The animated picture of the README: a real Neovim, the default model, and what is seen in it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.editors.capture import Story, drawn, record
from tests.editors.editor import Environment
from tests.editors.neovim_session import GHOST_COLOUR

_LARGEST_BYTES = 300_000
"""A page with the picture should not feel it."""


def _ghosts(story: Story) -> list[str]:
    """Return the ghost text of each frame that has some."""
    texts = [
        "\n".join(
            "".join(cell.text for cell in row if cell.foreground == GHOST_COLOUR).rstrip()
            for row in shown.frame.rows
        ).strip("\n")
        for shown in story.shown
    ]
    return [text for text in texts if text]


def test_the_capture_shows_what_it_should(environment: Environment, tmp_path: Path) -> None:
    story = record(environment, tmp_path)
    ghosts = _ghosts(story)
    assert any("\n" in ghost for ghost in ghosts), ghosts
    first = next(ghost for ghost in ghosts if "\n" not in ghost)
    assert first[2:] in ghosts, "typed along"
    last = story.shown[-1].frame.lines
    assert any("Explain" in line for line in last)
    assert any("median" in line and "def" not in line and "Explain" not in line for line in last), last
    picture = drawn(story)
    assert len(picture.encode()) < _LARGEST_BYTES
    # Every row that comes and goes has its own rule, and loops.
    drawing = ElementTree.fromstring(picture)
    classes = {element.get("class", "").split()[-1] for element in drawing.iter() if element.get("class")}
    assert classes == set(re.findall(r"@keyframes (\w+)", picture))
    assert "infinite" in picture
