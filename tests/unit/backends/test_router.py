"""Which backends the settings mean, how they are built, and a fallback between real servers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from lsp_server.backends import profiles, router
from lsp_server.backends.member import Change
from lsp_server.backends.presets import preset_names, presets
from lsp_server.backends.protocol import Backend, ChatMessage, ChatRequest, FimRequest
from lsp_server.errors import ConfigurationError
from lsp_server.keys.store import stored_keys
from lsp_server.privacy.destination import Destination
from lsp_server.settings import BackendSettings, PrivacySettings, ProfileSettings, Settings
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer

REQUEST = FimRequest("a = ", "", 10)
PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """See no key but those of the test."""
    monkeypatch.setenv("CODESTRAL_LSP_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("SCRIPTED_KEY", API_KEY)
    for variable in ("MISTRAL_API_KEY", "CODESTRAL_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    stored_keys.cache_clear()
    yield
    stored_keys.cache_clear()


def at(server: ScriptedServer) -> BackendSettings:
    return BackendSettings(type="mistral", base_url=server.base_url, model="m", api_key_env="SCRIPTED_KEY")


def settings(
    completion: tuple[str, ...], chat: tuple[str, ...] = (), **backends: BackendSettings
) -> Settings:
    profile = ProfileSettings(completion=completion, chat=chat)
    return Settings(backend="mine", backends=backends, profiles={"mine": profile})


async def complete(backend: Backend) -> str:
    async with aclosing(backend.fim(REQUEST)) as chunks:
        return "".join([chunk.text async for chunk in chunks])


async def test_a_server_that_is_killed_and_comes_back() -> None:
    changes: list[Change] = []
    with ScriptedServer(Reply(["first"])) as first, ScriptedServer(Reply(["second"])) as second:
        connected = router.connect(
            settings(("first", "second"), first=at(first), second=at(second)), changes.append
        )
        chain = connected.completion
        _ = [step async for step in chain.prepare()]
        assert await complete(chain) == "first"
        port = int(first.base_url.rpartition(":")[2])
        first.stop()
        assert await complete(chain) == "second"
        began = time.monotonic()
        assert await complete(chain) == "second"
        assert len(second.history) == 2
        with ScriptedServer(Reply(["back"]), port=port) as again:
            while (answer := await complete(chain)) != "back":
                assert answer == "second" and time.monotonic() - began < PATIENCE_S
                await asyncio.sleep(0.1)
            assert len(again.history) == 1
        await connected.aclose()
    assert [(change.backend, change.state) for change in changes] == [
        ("first", "in use"),
        ("first", "away"),
        ("second", "fallback"),
        ("first", "back"),
    ]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_one_backend_in_both_chains_is_one() -> None:
    with ScriptedServer(Reply(["x"])) as one, ScriptedServer(Reply(["y"])) as other:
        connected = router.connect(settings(("one",), ("other", "one"), one=at(one), other=at(other)))
        assert connected.names == ("one", "other")
        assert await complete(connected.completion) == "x"
        request = ChatRequest((ChatMessage("user", "hello"),), 10)
        async with aclosing(connected.chat.chat(request)) as chunks:
            assert "".join([chunk.text async for chunk in chunks]) == "y"
        await connected.aclose()
        same = router.connect(settings(("one",), one=at(one)))
        assert same.completion is same.chat
        await same.aclose()


async def test_what_cannot_be_made_is_away_while_there_is_another() -> None:
    changes: list[Change] = []
    nowhere = BackendSettings(type="openai")
    with ScriptedServer(Reply(["x"])) as server:
        wanted = settings(("nowhere", "there"), nowhere=nowhere, there=at(server))
        connected = router.connect(wanted, changes.append)
        assert connected.names == ("nowhere", "there")
        assert changes == []  # this may be another thread than that of the requests
        assert await complete(connected.completion) == "x"
        await connected.aclose()
    assert (changes[0].backend, changes[0].state) == ("nowhere", "away")
    assert "backends.nowhere needs a base_url" in changes[0].sentence
    with pytest.raises(ConfigurationError, match=r"backends\.nowhere needs a base_url"):
        router.connect(settings(("nowhere",), nowhere=nowhere))


@pytest.mark.parametrize(
    ("name", "variable"), [("mistral", "MISTRAL_API_KEY"), ("codestral", "CODESTRAL_API_KEY")]
)
async def test_mistral_is_not_asked_without_a_key(name: str, variable: str) -> None:
    backend = router.build(Settings(), name)
    with pytest.raises(ConfigurationError, match=rf"{variable}, or `lsp_server keys set {name}`"):
        await complete(backend)
    await backend.aclose()


@pytest.mark.parametrize("name", preset_names())
async def test_every_preset_can_be_built(name: str) -> None:
    base_url = "" if resolvable(name) else "https://llm.example.org"
    own = BackendSettings(base_url=base_url, model="m")
    backend = router.build(Settings(backends={name: own}), name)
    assert backend.name == name
    await backend.aclose()


def resolvable(name: str) -> bool:
    """Say whether a preset knows its address; that of one's own endpoint it cannot know."""
    return bool(presets()[name].config.base_url) or presets()[name].config.type == "llm"


async def test_the_local_one_needs_no_name_in_the_settings() -> None:
    backend = router.build(Settings(), "local")
    assert backend.name == "local"
    await backend.aclose()


def test_the_key_of_each_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODESTRAL_API_KEY", "sk-c")
    stored_keys().set("mistral", "sk-m")
    keys = {name: router.find_key(Settings(), name) for name in ("mistral", "codestral", "ollama", "local")}
    assert {name: key.reveal() for name, key in keys.items() if key} == {
        "mistral": "sk-m",
        "codestral": "sk-c",
    }


@pytest.mark.parametrize(
    ("config", "whose"),
    [
        (BackendSettings(type="openai", base_url="http://127.0.0.1:8080"), Destination.THIS_MACHINE),
        (BackendSettings(type="openai", base_url="http://gpu-box:8080"), Destination.MY_SERVERS),
        (BackendSettings(type="openai", base_url="https://api.mistral.ai"), Destination.THIRD_PARTY),
        (BackendSettings(type="llm"), Destination.THIRD_PARTY),
        (BackendSettings(type="llm", destination="this machine"), Destination.THIS_MACHINE),
        (
            BackendSettings(type="openai", base_url="http://127.0.0.1:9", destination="third party"),
            Destination.THIRD_PARTY,
        ),
    ],
)
def test_whose_machine_it_is(config: BackendSettings, whose: Destination) -> None:
    assert profiles.destination(config, PrivacySettings(my_servers=("gpu-box",))) is whose


def test_only_what_is_used_is_imported() -> None:
    """Each kind costs time at the start of every editor."""
    code = (
        "import sys\n"
        "from lsp_server.backends.router import connect\n"
        "from lsp_server.settings import BackendSettings, Settings\n"
        "box = BackendSettings(type='mistral', base_url='http://127.0.0.1:9')\n"
        "connect(Settings(backend='box', backends={'box': box}))\n"
        "kinds = ('openai', 'ollama', 'llm', 'local')\n"
        "late = ('keyring', 'truststore', 'stamina', 'detect_secrets', 'llm')\n"
        "print([m for m in (*(f'lsp_server.backends.{k}' for k in kinds), *late) if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_mistrals_api_has_one_way(own_keys: None) -> None:
    config = BackendSettings(type="mistral", base_url="http://127.0.0.1:9", fim="raw")
    with pytest.raises(ConfigurationError, match=r"not as `raw`: change backends\.box\.fim"):
        router.build(Settings(backends={"box": config}), "box")


@pytest.mark.parametrize(
    ("completion", "chat", "secret"),
    [
        (("here",), ("here",), False),
        (("far", "here"), ("here",), False),
        (("here",), ("here", "far"), True),
        (("far",), (), True),
    ],
)
async def test_what_must_not_be_in_a_conversation(
    tmp_path: Path, completion: tuple[str, ...], chat: tuple[str, ...], secret: bool
) -> None:
    here = BackendSettings(type="openai", base_url="http://127.0.0.1:1")
    far = BackendSettings(type="openai", base_url="https://far.invalid")
    connected = router.connect(settings(completion, chat, here=here, far=far))
    assert connected.why_withheld((tmp_path / "a.py").as_uri()) is None
    reason = connected.why_withheld((tmp_path / ".env").as_uri())
    assert (reason is not None and "excluded" in reason) == secret
    await connected.aclose()
