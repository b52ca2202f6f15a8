"""What all tests share: the real models, fetched as a user fetches them; nobody's keys; steady examples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lsp_server.engine.launcher import PATIENT_THREADS
from lsp_server.models import store

# Models that run in the test process itself get what the engine process gets, before llama_cpp is imported.
os.environ.update(PATIENT_THREADS)

# The same examples in every run, whatever the load: `--hypothesis-profile=search` looks for new ones.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("steady", _UNTIMED, derandomize=True, database=None)
settings.register_profile("search", _UNTIMED, max_examples=1000)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run choose its editors."""
    pinned = "vscode,neovim-0.11"
    parser.addoption("--editors", default=pinned, help="editors for tests/editors, such as neovim-0.12,emacs")


def _model(variable: str, name: str) -> Path:
    given = os.environ.get(variable)
    return Path(given) if given else store.ensure(name)


@pytest.fixture(scope="session", autouse=True)
def _nobodys_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no test, nor a process it starts, see the keys, the keyring or the trust of who runs it."""
    folder = tmp_path_factory.mktemp("nobody")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        patch.setenv("CODESTRAL_LSP_KEYS", str(folder / "keys.json"))
        patch.setenv("CODESTRAL_LSP_TRUST", str(folder / "trusted.json"))
        patch.setenv("LLM_USER_PATH", str(folder / "llm"))
        for variable in [name for name in os.environ if name.endswith(("_API_KEY", "HF_TOKEN"))]:
            patch.delenv(variable)
        yield


@pytest.fixture(scope="session")
def model_path() -> Path:
    """Return the default model; downloaded once per machine."""
    return _model("LSP_SERVER_TEST_MODEL", "qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """Return a small chat model without FIM tokens."""
    return _model("LSP_SERVER_TEST_SMOLLM2", "smollm2-135m")
