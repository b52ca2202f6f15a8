"""Which backend the settings choose."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from lsp_server.backends.local import LocalBackend
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.router import choose
from lsp_server.errors import ConfigurationError
from lsp_server.settings import MistralSettings, Settings


@pytest.fixture
def no_llama_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "llama_cpp" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)


@pytest.mark.parametrize("backend", ["auto", "local"])
def test_local_where_it_can_run(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    assert isinstance(choose(Settings(backend=backend)), LocalBackend)


@pytest.mark.parametrize("backend", ["auto", "mistral"])
@pytest.mark.usefixtures("no_llama_cpp")
def test_mistral_with_a_key(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    assert isinstance(choose(Settings(backend=backend)), MistralBackend)


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("auto", r"install codestral-lsp\[local\].*MISTRAL_API_KEY"),
        ("local", r"install codestral-lsp\[local\]"),
        ("mistral", "MISTRAL_API_KEY"),
        ("cloud", "auto, local or mistral"),
    ],
)
@pytest.mark.usefixtures("no_llama_cpp")
def test_nothing_to_ask(backend: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        choose(Settings(backend=backend))


def test_a_server_of_ones_own_needs_no_key() -> None:
    own = Settings(backend="mistral", mistral=MistralSettings(base_url="http://127.0.0.1:8080"))
    assert isinstance(choose(own), MistralBackend)
