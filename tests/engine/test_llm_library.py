"""The `llm` library with real plugins and a real model, in its own process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from lsp_server.backends.llm import LlmBackend
from lsp_server.backends.protocol import ChatMessage, ChatRequest, FimRequest
from lsp_server.engine.launcher import PATIENT_THREADS
from lsp_server.settings import BackendSettings

FIM = FimRequest("def add(a, b):\n    return ", "\n\n\nprint(add(1, 2))\n", max_tokens=12)
ADA = ChatRequest(
    (
        ChatMessage("system", "Answer in one word."),
        ChatMessage("user", "My name is Ada."),
        ChatMessage("assistant", "Hello, Ada."),
        ChatMessage("user", "What is my name?"),
    ),
    max_tokens=10,
)
LONG = ChatRequest((ChatMessage("user", "Count from one to two hundred in words."),), max_tokens=600)


@pytest.fixture
def user_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which the library finds its models, keys and logs."""
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    for variable, value in PATIENT_THREADS.items():
        monkeypatch.setenv(variable, value)
    return tmp_path


@pytest.fixture
async def gguf(user_path: Path, model_path: Path) -> AsyncIterator[LlmBackend]:
    """Return a backend on llm-gguf, which loads llama.cpp into the process."""
    entry = {"path": str(model_path), "n_ctx": 2048, "aliases": ["coder"]}
    (user_path / "gguf").mkdir()
    (user_path / "gguf" / "models.json").write_text(json.dumps({"qwen": entry}), "utf-8")
    backend = LlmBackend("mine", BackendSettings(type="llm", model="coder"))
    yield backend
    await backend.aclose()


async def text_of(backend: LlmBackend, request: FimRequest | ChatRequest) -> str:
    stream = backend.fim(request) if isinstance(request, FimRequest) else backend.chat(request)
    return "".join([chunk.text async for chunk in stream])


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "llm_worker.py" in " ".join(child.cmdline())]


def databases(folder: Path) -> list[Path]:
    """Return what the library would log prompts to."""
    return list(folder.glob("*.db"))


async def test_a_model_in_the_process(gguf: LlmBackend, user_path: Path) -> None:
    steps = [step async for step in gguf.prepare()]
    assert [step.ready for step in steps] == [False, False, True]
    assert "Loading gguf/qwen" in steps[1].message
    assert gguf.found() == "chat"
    assert "Ada" in await text_of(gguf, ADA)
    # llm-gguf's chat format escapes `<` and quotes as HTML does: what the model makes of it is not tested.
    *pieces, last = [chunk async for chunk in gguf.fim(FIM)]
    assert last.finish_reason is not None and not any("```" in piece.text for piece in pieces)

    (worker,) = workers()
    stream = gguf.chat(LONG)
    assert (await anext(stream)).text
    begun = time.monotonic()
    await stream.aclose()
    assert "Ada" in await text_of(gguf, ADA)  # after one token of the other, not after 600
    assert time.monotonic() - begun < 30
    assert workers() == [worker]

    await gguf.aclose()
    assert not worker.is_running()
    assert not databases(user_path)


@pytest.fixture
def completions_url(model_path: Path) -> Iterator[str]:
    """Return the address of llama-cpp-python's own server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model_path), "--model_alias", "any"]
    options = ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "1024", "--verbose", "False"]
    server = subprocess.Popen(
        [*command, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **PATIENT_THREADS},
    )
    try:
        url = f"http://127.0.0.1:{port}/v1"
        with httpx.Client(trust_env=False) as client:
            while True:
                try:
                    client.get(f"{url}/models").raise_for_status()
                    break
                except httpx.HTTPError:
                    assert server.poll() is None, "the server has ended"
                    time.sleep(0.1)
        yield url
    finally:
        server.kill()
        server.wait()


async def test_a_model_that_completes_text(user_path: Path, completions_url: str) -> None:
    entry = f"- model_id: house/qwen2.5-coder-0.5b\n  model_name: any\n  api_base: {completions_url}\n"
    (user_path / "extra-openai-models.yaml").write_text(entry + "  completion: true\n", "utf-8")
    backend = LlmBackend("mine", BackendSettings(type="llm", model="house/qwen2.5-coder-0.5b"))
    try:
        assert [step.ready async for step in backend.prepare()] == [False, True]
        assert backend.found() == "raw, family qwen2.5-coder"
        assert (await text_of(backend, FIM)).strip().startswith("a + b")
        assert "Ada" in await text_of(backend, ADA)
        # A second request does not wait for a first one that nobody reads any more.
        stream = backend.fim(FimRequest("# The first thousand primes:\nprimes = [2, 3, ", "]\n", 400))
        await anext(stream)
        await stream.aclose()
        assert (await text_of(backend, FIM)).strip().startswith("a + b")
    finally:
        await backend.aclose()
    assert not databases(user_path)
