"""Where chats are kept: one file each, for this user alone. Old ones stay. Must not know what is in them."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from lsp_server import own_folders
from lsp_server.errors import UserFacingError
from lsp_server.own_folders import CHATS

FOLDER_VARIABLE = CHATS.variable
"""Environment variable that names another folder for chats."""

_MOST_A_DAY = 10_000


def folder() -> Path:
    """Return where chats are kept, whether it exists or not."""
    return CHATS.given() or own_folders.state() / "chats"


def create(text: str, day: date | None = None) -> Path:
    """Write a new chat and return its file, which is named after the day; call it on a thread."""
    name = (day or date.today()).isoformat()
    place = folder()
    with own_folders.writing(CHATS, place):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, _MOST_A_DAY):
            path = place / f"{name}-{number}.md"
            try:
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            with os.fdopen(file, "w", encoding="utf-8", newline="\n") as chat:
                chat.write(text)
            return path
    raise UserFacingError(f"There are too many chats of today in {place}: move some away.")
