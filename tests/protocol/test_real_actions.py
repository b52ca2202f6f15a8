"""Actions on the real model, in the real engine: they work, and completions go before them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.conftest import Start
from tests.support.editor import Editor, call
from tests.support.engines import own_state
from tests.support.lsp_client import LspClient

TEXT = """\
def area(width, height):
    return width * height


def describe(names):
    counts = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])


def total(widths, height):
"""
TEXT += "    return \n"


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder where the engine of this module keeps its state."""
    folder = tmp_path_factory.mktemp("engines")
    with own_state(folder):
        yield folder


@pytest.fixture
def client(start: Start, tmp_path: Path, engines: Path) -> Iterator[LspClient]:
    with start(env={"XDG_CACHE_HOME": str(tmp_path / "cache")}) as client:
        yield client


def _editor(client: LspClient, model: Path, **chat: object) -> tuple[Editor, str]:
    options: dict[str, Any] = {
        "backend": "local",
        "local": {"model": str(model), "context_tokens": 2048, "slots": 2, "idle_exit_s": 300},
        "completion": {"debounce_ms": 0, "timeout_ms": 120_000},
        "chat": chat,
    }
    editor = Editor(client, "vscode", options, experimental={"lspServerPartial": True})
    uri = "file:///demo/shapes.py"
    editor.open(uri, TEXT)
    return editor, uri


def test_the_model_explains_and_documents(client: LspClient, model_path: Path) -> None:
    editor, uri = _editor(client, model_path, max_tokens=200)
    client.discard("$/lsp_server/partial")
    told = editor.choose(editor.item(uri, (0, 6), "explain"))
    assert "width" in told["markdown"]
    assert Path(told["uri"].removeprefix("file://")).read_text().startswith("# Explain function area")
    editor.choose(editor.item(uri, (0, 6), "document"))
    before, _, after = editor.texts[uri].partition("    return width * height\n")
    assert before.startswith('def area(width, height):\n    """')
    assert before.count('"""') == 2
    assert after == TEXT.partition("    return width * height\n")[2]


def test_a_completion_goes_before_a_long_explanation_which_goes_on(
    client: LspClient, model_path: Path
) -> None:
    editor, uri = _editor(client, model_path, max_tokens=600)
    item = editor.item(uri, (5, 6), "explain")
    assert call(item)["action"] == "explain"
    explanation = editor.begin(item)
    while not (early := client.expect("$/lsp_server/partial")["text"]):
        pass
    assert client.completed(client.complete(uri, 12, 11))
    assert not client.is_answered(explanation)
    so_far = [early, *(params["text"] for params in client.arrived("$/lsp_server/partial"))][-1]
    client.discard("$/lsp_server/partial")
    whole = client.result(explanation)["markdown"]
    assert whole.startswith(early[:10])
    assert len(whole) > len(so_far)
