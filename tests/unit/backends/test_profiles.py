"""Whom the settings ask, what could be chosen instead, and names that stand for nothing."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from lsp_server.backends import profiles
from lsp_server.backends.profiles import Chains, Choice, chains, selectable
from lsp_server.backends.references import check
from lsp_server.errors import ConfigurationError
from lsp_server.keys.store import stored_keys
from lsp_server.options import Layer, resolve
from lsp_server.settings import BackendSettings, LocalSettings, PrivacySettings, ProfileSettings, Settings

GPU = BackendSettings(type="openai", base_url="http://me:secret@gpu-box:8000/v1")
HERE = BackendSettings(type="openai", base_url="http://127.0.0.1:8080")
AWAY = BackendSettings(type="openai", base_url="https://example.org")
NOT_HERE = LocalSettings(download=False)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """See no key and no model but those of the test."""
    for variable in ("MISTRAL_API_KEY", "CODESTRAL_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CODESTRAL_LSP_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("CODESTRAL_LSP_MODELS", str(tmp_path / "models"))
    for variable in ("HOME", "HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    stored_keys.cache_clear()
    yield
    stored_keys.cache_clear()


@pytest.fixture
def no_llama_cpp(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "llama_cpp" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


def keys_for(*names: str) -> Callable[[str, BackendSettings], bool]:
    return lambda name, _: name in names


def one(name: str) -> Chains:
    return Chains((name,), (name,))


@pytest.mark.parametrize("name", ["local", "mistral", "ollama", "gpu"])
def test_a_backend_by_its_name_is_all_there_is(name: str) -> None:
    assert chains(Settings(backend=name, backends={"gpu": GPU}), keys_for()) == one(name)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (ProfileSettings(("local", "mistral"), ("openai",)), Chains(("local", "mistral"), ("openai",))),
        (ProfileSettings(("local", "mistral")), Chains(("local", "mistral"), ("local", "mistral"))),
        (ProfileSettings(chat=("mistral",)), one("mistral")),
        (ProfileSettings(("gpu", "gpu", "local")), Chains(("gpu", "local"), ("gpu", "local"))),
    ],
)
def test_a_profile_is_its_lists(profile: ProfileSettings, expected: Chains) -> None:
    assert chains(Settings(backend="work", profiles={"work": profile}), keys_for()) == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(backend="mistrl"), r"no backend or profile mistrl \(did you mean mistral\?\)\."),
        (Settings(backend="work", profiles={"work": ProfileSettings()}), "names no backend"),
    ],
)
def test_names_without_a_backend(settings: Settings, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        chains(settings, keys_for())


def test_auto_is_the_local_model_where_it_can_run() -> None:
    settings = Settings(backends={"here": HERE})
    assert chains(settings, keys_for("mistral", "here")) == one("local")


def test_auto_is_local_if_the_model_is_there_already(smollm2_path: Path) -> None:
    settings = Settings(local=LocalSettings(model=str(smollm2_path), download=False))
    assert chains(settings, keys_for("mistral")) == one("local")


def test_a_wrong_model_does_not_make_auto_send_text_away() -> None:
    settings = Settings(local=LocalSettings(model="/no/such.gguf", download=False))
    assert chains(settings, keys_for("mistral")) == one("local")


@pytest.mark.parametrize(
    ("settings", "keys", "expected"),
    [
        (Settings(), ("codestral", "mistral"), "mistral"),
        (Settings(), ("codestral", "openai"), "codestral"),
        (Settings(backends={"here": HERE}), (), "here"),
        (Settings(backends={"away": AWAY, "here": HERE}), (), "here"),
        (Settings(backends={"away": AWAY, "here": HERE}), ("away",), "away"),
        (Settings(backends={"gpu": GPU}, privacy=PrivacySettings(my_servers=("gpu-box",))), (), "gpu"),
        (Settings(backends={"vllm": BackendSettings(model="m")}), (), "vllm"),
        (Settings(backends={"x": BackendSettings(type="llm", model="m")}), (), "x"),
        (Settings(backends={"away": AWAY}), ("mistral",), "mistral"),
        (Settings(backends={"mistral": BackendSettings(model="m")}), ("mistral",), "mistral"),
        (Settings(backends={"broken": BackendSettings()}), ("broken", "codestral"), "codestral"),
        (
            Settings(backends={"away": BackendSettings("openai", AWAY.base_url, destination="my servers")}),
            (),
            "away",
        ),
    ],
)
@pytest.mark.usefixtures("no_llama_cpp")
def test_auto_without_a_local_model(settings: Settings, keys: tuple[str, ...], expected: str) -> None:
    assert chains(settings, keys_for(*keys)) == one(expected)


@pytest.mark.usefixtures("no_llama_cpp")
def test_auto_with_a_broken_mistral_of_the_users_own_does_not_ask_mistral() -> None:
    settings = Settings(backends={"mistral": BackendSettings(base_url="?")})
    with pytest.raises(ConfigurationError):
        chains(settings, keys_for("mistral"))


@pytest.mark.usefixtures("no_llama_cpp")
def test_auto_with_nothing_names_the_ways_out() -> None:
    with pytest.raises(ConfigurationError) as caught:
        chains(Settings(backends={"away": AWAY}), keys_for("openai"))
    said = str(caught.value)
    for way in ("codestral-lsp[local]", "MISTRAL_API_KEY", "`lsp_server keys set mistral`", "away"):
        assert way in said
    assert said.endswith(".") and "\n" not in said


def test_auto_with_a_model_that_may_not_be_fetched_says_so() -> None:
    with pytest.raises(ConfigurationError, match="`lsp_server models pull qwen2"):
        chains(Settings(local=NOT_HERE), keys_for())


@pytest.mark.usefixtures("no_llama_cpp")
def test_keys_are_looked_for_where_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError):
        chains(Settings())
    monkeypatch.setenv("CODESTRAL_API_KEY", "k")
    assert chains(Settings()) == one("codestral")


def test_a_program_that_prints_a_key_is_not_run_to_find_out(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    command = (sys.executable, "-c", f"open({str(mark)!r}, 'w')")
    assert profiles.has_key("away", BackendSettings(api_key_command=command))
    assert not mark.exists()


def test_a_key_that_no_header_can_carry_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "two\nlines")
    assert not profiles.has_key("away", BackendSettings(api_key_env="MY_KEY"))


def test_what_a_user_may_switch_to() -> None:
    settings = Settings(
        backends={"gpu": GPU, "broken": BackendSettings(), "mistral": BackendSettings(model="m")},
        profiles={"work": ProfileSettings(("local", "gpu"), ("openrouter",))},
    )
    found = selectable(settings, keys_for("codestral", "openrouter"))
    names = [choice.name for choice in found]
    assert names[:5] == ["auto", "local", "work", "gpu", "mistral"]
    assert {"ollama", "llamacpp", "codestral"} < set(names)
    assert not {"broken", "openai", "openrouter", "anyscale", "llm", "mistral-eu"} & set(names)
    assert len(names) == len(set(names))
    assert Choice("work", "local, then gpu; chat: openrouter") in found
    assert Choice("gpu", "gpu-box:8000") in found
    assert Choice("codestral", "Mistral's Codestral endpoint") in found


@pytest.mark.usefixtures("no_llama_cpp")
def test_what_cannot_run_here_is_not_offered() -> None:
    assert "local" not in {choice.name for choice in selectable(Settings(), keys_for())}


@pytest.mark.parametrize(
    ("values", "said", "settings"),
    [
        (
            {"backend": "wrok", "profiles": {"work": {"completion": ["local"]}}},
            "there is no backend or profile wrok (did you mean work?); auto is used",
            Settings(profiles={"work": ProfileSettings(("local",))}),
        ),
        (
            {"backend": "work", "profiles": {"work": {"completion": ["lcal", "mistral"]}}},
            "there is no backend lcal (did you mean local?)",
            Settings(backend="work", profiles={"work": ProfileSettings(("mistral",))}),
        ),
        (
            {"backend": "work", "profiles": {"work": {"chat": ["zzz"]}}},
            "there is no backend zzz",
            Settings(),
        ),
        ({"profiles": {"work": {}}}, "the profile work names no backend", Settings()),
        (
            {"profiles": {"work": {"chat": ["auto", "local"]}}},
            "auto cannot be part of a profile; name backends",
            Settings(profiles={"work": ProfileSettings(chat=("local",))}),
        ),
        (
            {"profiles": {"local": {"chat": ["mistral"]}}},
            "local is the name of a backend; give the profile another",
            Settings(),
        ),
        (
            {"backends": {"local": {"type": "openai", "base_url": "https://example.org"}}},
            "local cannot be the name of a backend; it stands for the model on this machine, "
            "which [local] is about",
            Settings(),
        ),
        (
            {"backend": "gpu", "backends": {"gpu": {"base_url": "http://gpu-box"}}},
            "backends.gpu needs a type (mistral, openai, ollama or llm): there is no preset of that name",
            Settings(backend="gpu", backends={"gpu": BackendSettings(base_url="http://gpu-box")}),
        ),
        (
            {"backend": "mistral", "backends": {"mistral": {"base_url": "gateway"}}},
            "backends.mistral.base_url must be an address such as http://127.0.0.1:8080",
            Settings(backend="mistral", backends={"mistral": BackendSettings(base_url="gateway")}),
        ),
    ],
)
def test_names_that_stand_for_nothing_are_told_once(
    values: dict[str, object], said: str, settings: Settings
) -> None:
    resolved = resolve([Layer("editor", values)], check)
    assert [str(problem) for problem in resolved.problems] == [f"editor: {said}"]
    assert resolved.settings == settings


def test_nothing_is_wrong_with_a_good_configuration() -> None:
    values = {
        "backend": "work",
        "backends": {"gpu": {"type": "openai", "base_url": "http://gpu-box:8000"}, "codestral": {}},
        "profiles": {"work": {"completion": ["local", "gpu", "codestral"], "chat": ["mistral"]}},
    }
    resolved = resolve([Layer("editor", values)], check)
    assert resolved.problems == ()
    assert list(resolved.settings.backends) == ["gpu", "codestral"]
    assert chains(resolved.settings) == Chains(("local", "gpu", "codestral"), ("mistral",))
