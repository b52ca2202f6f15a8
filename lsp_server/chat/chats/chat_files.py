"""Where chats are kept: one file each, for this user alone. Old ones stay. Must not know what is in them."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import platformdirs

from lsp_server.errors import UserFacingError

FOLDER_VARIABLE = "CODESTRAL_LSP_CHATS"
"""Environment variable that names another folder for chats."""

_MOST_A_DAY = 10_000


def folder() -> Path:
    """Return where chats are kept, whether it exists or not."""
    if given := os.environ.get(FOLDER_VARIABLE):
        return Path(given).expanduser().absolute()
    return platformdirs.user_state_path("codestral-lsp", appauthor=False) / "chats"


def create(text: str, day: date | None = None) -> Path:
    """Write a new chat and return its file, which is named after the day; call it on a thread."""
    name = (day or date.today()).isoformat()
    place = folder()
    try:
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
    except OSError as error:
        raise UserFacingError(f"A chat cannot be written in {place}: {error.strerror}.") from error
    raise UserFacingError(f"There are too many chats of today in {place}: move some away.")
