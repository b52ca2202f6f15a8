"""Editors with chats, kept in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.chat_editor import ChatEditor, workspace
from tests.support.lsp_client import LspClient

Make = Callable[..., ChatEditor]


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    return tmp_path / "state" / "chats"


@pytest.fixture
def client(start: Start, chats: Path, tmp_path: Path) -> Iterator[LspClient]:
    env = {"CODESTRAL_LSP_CHATS": str(chats), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with start(env=env) as client:
        yield client


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace(tmp_path)


@pytest.fixture
def make(client: LspClient, options: dict[str, Any], root: Path) -> Make:
    """Return a way to make the editor; further options are those of `chat`."""

    def make(
        name: str = "vscode", *, encoding: str = "", folder: Path | None = root, **chat: object
    ) -> ChatEditor:
        options["chat"] = chat
        return ChatEditor(client, name, options, root=folder, encoding=encoding)

    return make
