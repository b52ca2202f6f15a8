"""The server as a typed client sees it: pytest-lsp checks every answer against the specification."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

URI = "file:///demo/a.py"
COMMAND = [sys.executable, "-m", "lsp_server", "--stdio"]


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply(["1"])) as server:
        yield server


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]
    params=["neovim@v0.11.0", "visual-studio-code", "emacs"],
    config=ClientServerConfig(
        server_command=COMMAND, server_env={"SCRIPTED_KEY": API_KEY, "CODESTRAL_LSP_CONFIG": os.devnull}
    ),
)
async def client(
    request: pytest.FixtureRequest, lsp_client: LanguageClient, scripted: ScriptedServer
) -> AsyncIterator[None]:
    capabilities = client_capabilities(request.param)
    assert capabilities.text_document is not None
    capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
    options = {
        "backend": "mistral",
        "backends": {"mistral": {"base_url": scripted.base_url, "api_key_env": "SCRIPTED_KEY"}},
        "completion": {"debounce_ms": 0},
    }
    lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    lsp_client.set_configuration({"lsp_server": options})
    result = await lsp_client.initialize_session(
        types.InitializeParams(capabilities=capabilities, initialization_options=options)
    )
    assert result.capabilities.inline_completion_provider == types.InlineCompletionOptions()
    yield
    await lsp_client.shutdown_session()


async def test_an_editor_gets_a_completion(client: LanguageClient, scripted: ScriptedServer) -> None:
    document = types.TextDocumentItem(URI, "python", 1, 's = "🦊"\nx = ')
    client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    answer = await client.text_document_inline_completion_async(
        types.InlineCompletionParams(
            context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
            text_document=types.TextDocumentIdentifier(URI),
            position=types.Position(1, 4),
        )
    )
    assert isinstance(answer, types.InlineCompletionList)
    assert [item.insert_text for item in answer.items] == ["1"]
    assert client.messages == []
    assert client.diagnostics == {}
