"""Animated pictures of a terminal: frames with durations in, one SVG that loops out.

A row that stays, or comes back, is drawn once and shown while it is there. Styles animate it, which
browsers also do for pictures in a page, without scripts. Must not know what the frames show.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.editors.terminal_screen import Frame
from tests.editors.terminal_svg import FOREGROUND, HEIGHT, WIDTH, envelope, ground_of, number, row_elements

_CURSORS = {"block": (WIDTH, 0.4), "bar": (1.6, 1.0), "underline": (WIDTH, 0.4)}
"""Width and opacity of a cursor of a row's height."""


class Shown(NamedTuple):
    """A frame and for how long it is shown."""

    frame: Frame
    seconds: float


def animation(story: Sequence[Shown], poster: int, title: str) -> str:
    """Return an SVG that shows the frames for ever; where nothing moves, the frame `poster` is seen."""
    starts = [sum(shown.seconds for shown in story[:at]) for at in range(len(story))]
    total = sum(shown.seconds for shown in story)
    percents = [number(100 * start / total) for start in starts]
    ground = ground_of(story[0].frame)
    elements: dict[str, list[int]] = {}
    for at, shown in enumerate(story):
        for line, row in enumerate(shown.frame.rows):
            if drawn := row_elements(row, line, ground):
                elements.setdefault(drawn, []).append(at)
    content, style = "", ""
    for name, (drawn, frames) in enumerate(elements.items()):
        if len(frames) == len(story):
            content += f"{drawn}\n"
            continue
        seen = "" if poster in frames else ' visibility="hidden"'
        content += f'<g class="r r{name}"{seen}>{drawn}</g>\n'
        style += f".r{name}{{animation-name:r{name}}}" + _visibility(f"r{name}", frames, percents)
    for shape in sorted({shown.frame.cursor for shown in story} & _CURSORS.keys()):
        content += _cursor(shape, story[poster].frame)
        style += f".{shape}{{animation-name:{shape}}}" + _positions(shape, story, percents)
    still = number(-starts[poster])
    style = (
        f".r{{animation:{number(total)}s step-end infinite}}{style}"
        f"@media(prefers-reduced-motion){{.r{{animation-play-state:paused;animation-delay:{still}s}}}}"
    )
    return envelope(story[0].frame, content, style, title)


def _visibility(name: str, frames: Iterable[int], percents: Sequence[str]) -> str:
    """Return the rule that shows something in these frames only."""
    seen = set(frames)
    steps = ""
    for at, percent in enumerate(percents):
        if at == 0 or (at in seen) != (at - 1 in seen):
            steps += f"{percent}%{{visibility:{'visible' if at in seen else 'hidden'}}}"
    return f"@keyframes {name}{{{steps}}}\n"


def _cursor(shape: str, poster: Frame) -> str:
    width, opacity = _CURSORS[shape]
    return (
        f'<rect class="r {shape}" width="{number(width)}" height="{HEIGHT}" fill="{FOREGROUND}"'
        f' fill-opacity="{number(opacity)}" transform="{_place(poster, shape, unit="")}"/>\n'
    )


def _positions(shape: str, story: Sequence[Shown], percents: Sequence[str]) -> str:
    """Return the rule that moves a cursor, and hides it where it has another shape."""
    steps, last = "", ""
    for shown, percent in zip(story, percents, strict=True):
        place = _place(shown.frame, shape, unit="px")
        if place != last:
            steps += f"{percent}%{{transform:{place}}}"
        last = place
    return f"@keyframes {shape}{{{steps}}}\n"


def _place(frame: Frame, shape: str, *, unit: str) -> str:
    if frame.cursor != shape:
        return f"translate(0{unit},-99{unit})"
    return f"translate({number(frame.column * WIDTH)}{unit},{frame.line * HEIGHT}{unit})"
