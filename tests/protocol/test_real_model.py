"""The real server on the real model: languages, encodings, an engine that is killed, models that are none."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient

from lsp_server.documents import syntax
from lsp_server.documents.languages import detect
from lsp_server.engine.state import running_states
from tests.protocol.conftest import Start
from tests.support.drawn import cursor
from tests.support.engines import own_state, started_engines
from tests.support.samples import FILES, SAMPLES

ENCODINGS = {"utf-8": 1, "utf-16-le": 2, "utf-32-le": 4}
"""Python's names, with the bytes of one unit."""


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder where the engines of this module keep their state."""
    folder = tmp_path_factory.mktemp("engines")
    with own_state(folder):
        yield folder


def local(model: Path) -> dict[str, object]:
    return {
        "backend": "local",
        "local": {"model": str(model), "context_tokens": 1024, "slots": 2, "idle_exit_s": 300},
        "completion": {"debounce_ms": 0, "timeout_ms": 60_000},
    }


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]
    params=list(ENCODINGS),
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "lsp_server", "--stdio"],
        server_env={"CODESTRAL_LSP_CONFIG": os.devnull},
    ),
)
async def client(
    request: pytest.FixtureRequest, lsp_client: LanguageClient, engines: Path, model_path: Path
) -> AsyncIterator[None]:
    name = request.param.removesuffix("-le")
    capabilities = types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(name)])
    )
    result = await lsp_client.initialize_session(
        types.InitializeParams(capabilities=capabilities, initialization_options=local(model_path))
    )
    assert result.capabilities.position_encoding == name
    yield
    await lsp_client.shutdown_session()


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
async def test_completions_in_eight_languages(
    client: LanguageClient, request: pytest.FixtureRequest, line_end: str
) -> None:
    encoding = request.node.callspec.params["client"]
    for language, drawn in SAMPLES.items():
        text, offset = cursor(drawn.replace("\n", line_end))
        uri = f"file:///samples/sample.{FILES[language]}"
        document = types.TextDocumentItem(uri, language, 1, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        before = text[:offset].split(line_end)
        column = len(before[-1].encode(encoding)) // ENCODINGS[encoding]
        answer = await client.text_document_inline_completion_async(
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
                text_document=types.TextDocumentIdentifier(uri),
                position=types.Position(len(before) - 1, column),
            )
        )
        assert isinstance(answer, types.InlineCompletionList)
        [item] = answer.items
        assert isinstance(item.insert_text, str)
        assert item.insert_text.strip(), language
        assert item.insert_text.count("\n") == item.insert_text.count(line_end)
        tree = syntax.parse(text[:offset] + item.insert_text + text[offset:], detect(language, uri))
        assert tree is not None
        assert not tree.root.has_error, (language, item.insert_text)


def test_killing_the_engine_costs_one_completion(engines: Path, model_path: Path, start: Start) -> None:
    with start() as client:
        client.initialize(options=local(model_path))
        client.discard("window/showMessage")
        client.open("file:///a.py", "def area(width, height):\n    return ")
        assert client.completed(client.complete("file:///a.py", 1, 11))
        [state] = running_states()
        client.open("file:///b.py", "# A long story about a fox and a hen.\n" * 30 + "def tell():\n    ")
        request = client.complete("file:///b.py", 31, 4)
        _wait_until_busy(state.pid)
        os.kill(state.pid, signal.SIGKILL)
        client.result(request)  # an answer, with or without text
        client.open("file:///c.py", "def volume(width, height, depth):\n    return ")
        assert client.completed(client.complete("file:///c.py", 1, 11))
        assert [running.pid for running in running_states()] != [state.pid]


def _wait_until_busy(pid: int) -> None:
    """Wait until the engine computes: it has begun to evaluate the prompt."""
    process = psutil.Process(pid)
    used = process.cpu_times().user
    deadline = time.monotonic() + 60
    while process.cpu_times().user <= used:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ten_editors_share_one_engine(engines: Path, smollm2_path: Path, start: Start) -> None:
    before = len(started_engines(engines))
    with ExitStack() as editors:
        clients = [editors.enter_context(start()) for _ in range(10)]
        requests = []
        for client in clients:
            client.initialize(options=local(smollm2_path))
            client.discard("window/showMessage")  # "Loading": this client cannot show progress
            client.open("file:///a.py", "import os\nimport ")
            requests.append(client.complete("file:///a.py", 1, 7))
        for client, request in zip(clients, requests, strict=True):
            client.result(request)
        assert len(started_engines(engines)) - before == 1


def test_a_model_without_fill_in_the_middle_says_so_once(
    engines: Path, smollm2_path: Path, start: Start
) -> None:
    with start() as client:
        client.initialize({"window": {"workDoneProgress": True}}, options=local(smollm2_path))
        client.discard("$/progress")
        client.open("file:///a.py", "import os\nimport sys\n")
        for column in (3, 5, 7):
            client.result(client.complete("file:///a.py", 1, column))
        assert "fill-in-the-middle" in client.expect("window/showMessage")["message"]


@pytest.mark.parametrize("kind", ["truncated", "random", "directory", "missing"])
def test_what_is_no_model_is_said_once(
    engines: Path, smollm2_path: Path, start: Start, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "model.gguf"
    if kind == "truncated":
        with smollm2_path.open("rb") as file:
            path.write_bytes(file.read(5_000_000))
    elif kind == "random":
        path.write_bytes(os.urandom(100_000))
    elif kind == "directory":
        path.mkdir()
    before = len(started_engines(engines))
    with start() as client:
        client.initialize(options=local(path))
        client.open("file:///a.py", "import os\nimport ")
        for column in (3, 5, 7):
            assert client.completed(client.complete("file:///a.py", 1, column)) == []
        message = client.expect("window/showMessage")["message"]
        assert "model.gguf" in message
        client.round_trip()
        assert len(started_engines(engines)) - before <= 1
