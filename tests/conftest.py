"""The real models, fetched the way a user fetches them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lsp_server.engine.launcher import PATIENT_THREADS
from lsp_server.models import store

# Models that run in the test process itself get what the engine process gets, before llama_cpp is imported.
os.environ.update(PATIENT_THREADS)


def _model(variable: str, name: str) -> Path:
    given = os.environ.get(variable)
    return Path(given) if given else store.ensure(name)


@pytest.fixture(scope="session")
def model_path() -> Path:
    """Return the default model; downloaded once per machine."""
    return _model("LSP_SERVER_TEST_MODEL", "qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """Return a small chat model without FIM tokens."""
    return _model("LSP_SERVER_TEST_SMOLLM2", "smollm2-135m")
