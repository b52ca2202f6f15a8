"""Backends that are known by name, and what a user writes over them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from lsp_server.backends import presets
from lsp_server.errors import ConfigurationError
from lsp_server.families import load_families
from lsp_server.options import Layer, resolve
from lsp_server.settings import BackendSettings, Settings

PEOPLE_RUN = {
    *("mistral", "mistral-eu", "mistral-us", "codestral", "ollama", "llamacpp", "llamafile", "lmstudio"),
    *("vllm", "tgi", "llama-cpp-python", "openrouter", "deepseek", "openai", "huggingface", "together"),
    *("fireworks", "siliconflow", "perplexity", "anyscale", "replicate", "llm"),
}  # fmt: skip


def test_everything_that_people_run_has_a_preset() -> None:
    assert set(presets.preset_names()) >= PEOPLE_RUN


@pytest.mark.parametrize("name", presets.preset_names())
def test_a_preset_is_as_good_as_what_a_user_may_write(name: str) -> None:
    preset = presets.presets()[name]
    wire = {key: value for key, value in vars(preset.config).items() if value != ()}
    resolved = resolve([Layer("presets.toml", {"backends": {name: wire}})])
    assert resolved.problems == ()
    assert resolved.settings.backends[name] == preset.config
    assert preset.config.type
    assert preset.config.family in {"", *(family.id for family in load_families())}
    assert not preset.title.endswith(".") and preset.note.endswith(".")
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)


@pytest.mark.parametrize("name", presets.preset_names())
def test_addresses_are_safe_ones_without_what_is_added_to_them(name: str) -> None:
    base_url = presets.presets()[name].config.base_url
    if not base_url:
        return
    parts = urlsplit(base_url)
    assert parts.scheme == ("http" if parts.hostname == "127.0.0.1" else "https")
    assert not base_url.endswith(("/", "/v1"))
    assert presets.is_address(base_url)


def test_a_name_that_the_user_has_not_written_of_is_the_preset() -> None:
    config = presets.resolved(Settings(), "codestral")
    assert (config.type, config.base_url) == ("mistral", "https://codestral.mistral.ai")
    assert (config.model, config.api_key_env) == ("codestral-latest", "CODESTRAL_API_KEY")


def test_what_the_user_writes_goes_first_key_by_key() -> None:
    own = BackendSettings(base_url="https://gateway.example.org/v1", verify=False, fim="chat")
    config = presets.resolved(Settings(backends={"mistral": own}), "mistral")
    assert config.base_url == own.base_url
    assert (config.verify, config.fim) == (False, "chat")
    assert (config.type, config.model) == ("mistral", "codestral-latest")


def test_a_name_of_the_users_own_has_what_the_user_writes() -> None:
    own = BackendSettings(type="openai", base_url="http://gpu-box:8000")
    assert presets.resolved(Settings(backends={"gpu": own}), "gpu") == own


@pytest.mark.parametrize(
    ("own", "name", "said"),
    [
        (None, "mistrl", r"no backend mistrl \(did you mean mistral\?\)\."),
        (None, "zzz", r"no backend zzz\.$"),
        (BackendSettings(), "gpu", r"needs a type \(mistral, openai, ollama or llm\)"),
        (BackendSettings(), "lamacpp", r"did you mean llamacpp\?"),
        (BackendSettings(type="openai"), "gpu", "needs a base_url"),
        (BackendSettings(), "anyscale", "needs a base_url"),
        (None, "openrouter", "needs a model"),
        (None, "llm", "needs a model"),
        (BackendSettings(type="ollama", base_url="gpu-box:11434"), "gpu", "must be an address"),
        (BackendSettings(base_url="?"), "mistral", "must be an address"),
    ],
)
def test_what_a_backend_cannot_do_without(own: BackendSettings | None, name: str, said: str) -> None:
    settings = Settings(backends={name: own} if own else {})
    with pytest.raises(ConfigurationError, match=said):
        presets.resolved(settings, name)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://gateway.example.org/openai/v1", True),
        ("http://[::1]:8000", True),
        ("http://user:pass@host", True),
        ("127.0.0.1:8080", False),
        ("localhost:8080", False),
        ("ftp://host", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("http://host:99999", False),
        ("http://host:port", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_addresses(text: str, good: bool) -> None:
    assert presets.is_address(text) is good


def test_a_wrong_address_is_not_repeated() -> None:
    own = BackendSettings(type="openai", base_url="user:secret@host")
    with pytest.raises(ConfigurationError) as caught:
        presets.resolved(Settings(backends={"gpu": own}), "gpu")
    assert "secret" not in str(caught.value)
