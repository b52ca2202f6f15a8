"""The engine's HTTP API in this process: what it refuses, how it waits, how it fails."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lsp_server.engine.app import create_app
from lsp_server.engine.model import LoadedModel
from lsp_server.engine.scheduler import Scheduler
from lsp_server.errors import ModelError

FIM, CHAT = "/v1/fim/completions", "/v1/chat/completions"
ASK = {"model": "m", "prompt": "def f():\n    return "}
TALK = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
SLOT_TOKENS = 256


def nothing() -> None:
    pass


@asynccontextmanager
async def connect(
    scheduler: Scheduler, stop: Callable[[], None] = nothing
) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(scheduler, "tiny", "token", stop))
    headers = {"Authorization": "Bearer token"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://engine", headers=headers, timeout=60
    ) as client:
        yield client


@pytest.fixture(scope="module")
def scheduler(smollm2_path: Path) -> Iterator[Scheduler]:
    """A model that knows no fill-in-the-middle, with one small slot."""
    running = Scheduler(
        lambda report: LoadedModel.load(smollm2_path, context_tokens=SLOT_TOKENS, slots=1, progress=report)
    )
    yield running
    running.close()


@pytest.fixture
async def engine(scheduler: Scheduler) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(scheduler) as client:
        yield client


class SlowDisk:
    """A model whose weights arrive when the test says so, and then cannot be used."""

    def __init__(self) -> None:
        self.arrived = threading.Event()

    def load(self, report: Callable[[float], None]) -> LoadedModel:
        report(0.25)
        self.arrived.wait()
        raise ModelError("The weights are damaged: fetch them again.")


@pytest.fixture
def disk() -> Iterator[SlowDisk]:
    slow = SlowDisk()
    yield slow
    slow.arrived.set()


@pytest.fixture
async def loading(disk: SlowDisk) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(Scheduler(disk.load)) as client:
        yield client


@pytest.mark.parametrize("path", [FIM, CHAT, "/v1/models", "/health", "/shutdown", "/", "/v1/other"])
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic token", "token", "Bearer tok\u00e9n"]
)
async def test_nobody_without_the_token(loading: httpx.AsyncClient, path: str, header: str | None) -> None:
    # As a browser or another user would ask: the client's own header is not sent.
    headers = [] if header is None else [(b"Authorization", header.encode())]
    request = httpx.Request("POST", f"http://engine{path}", headers=headers, json=ASK)
    reply = await loading.send(request)
    assert (reply.status_code, reply.json()) == (401, {"detail": "Unauthorized"})


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/other", 404), ("GET", FIM, 405), ("POST", "/health", 405)]
)
async def test_unknown_places(loading: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    reply = await loading.request(method, path)
    assert reply.status_code == status
    assert "detail" in reply.json()


WRONG: list[tuple[str, dict[str, Any], list[str | int], str]] = [
    (FIM, {"seed": 1}, ["body", "seed"], "extra_forbidden"),
    (FIM, {"engine": {"colour": 1}}, ["body", "engine", "colour"], "extra_forbidden"),
    (FIM, {"engine": {"priority": "now"}}, ["body", "engine", "priority"], "value_error"),
    (FIM, {"engine": None}, ["body", "engine"], "value_error"),
    (FIM, {"prompt": 1}, ["body", "prompt"], "value_error"),
    (FIM, {"max_tokens": -1}, ["body", "max_tokens"], "value_error"),
    (FIM, {"max_tokens": "9"}, ["body", "max_tokens"], "value_error"),
    (FIM, {"temperature": 1.6}, ["body", "temperature"], "value_error"),
    (FIM, {"top_p": 0}, ["body", "top_p"], "value_error"),
    (FIM, {"stop": ["a", 1]}, ["body", "stop", 1], "value_error"),
    (FIM, {"model": ""}, ["body", "model"], "value_error"),
    (FIM, {"stream": "yes"}, ["body", "stream"], "value_error"),
    (CHAT, {"messages": []}, ["body", "messages"], "value_error"),
    (CHAT, {"messages": [{"role": "user"}]}, ["body", "messages", 0, "content"], "missing"),
    (CHAT, {"messages": [{"role": "robot", "content": ""}]}, ["body", "messages", 0, "role"], "value_error"),
    (CHAT, {"response_format": {}}, ["body", "response_format"], "extra_forbidden"),
    (CHAT, {"tool_choice": "any"}, ["body", "tool_choice"], "value_error"),
    (CHAT, {"n": 2}, ["body", "n"], "value_error"),
]


@pytest.mark.parametrize(("path", "change", "place", "kind"), WRONG)
async def test_wrong_fields_are_named(
    loading: httpx.AsyncClient, path: str, change: dict[str, Any], place: list[str | int], kind: str
) -> None:
    reply = await loading.post(path, json={**(ASK if path == FIM else TALK), **change})
    assert reply.status_code == 422
    body = reply.json()
    assert body["object"] == "error" and body["type"] == "invalid_request_error"
    (detail,) = body["message"]["detail"]
    assert (detail["loc"], detail["type"]) == (place, kind)
    assert detail["msg"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"prompt": "\xff"}', b'{"prompt": "\\ud800", "model": "m"}']
)
async def test_what_is_no_request_is_refused(loading: httpx.AsyncClient, body: bytes) -> None:
    assert (await loading.post(FIM, content=body)).status_code == 422


async def test_requests_wait_while_the_model_loads_and_learn_why_it_cannot(
    loading: httpx.AsyncClient, disk: SlowDisk
) -> None:
    waiting = [
        asyncio.create_task(loading.post(FIM, json={**ASK, "stream": stream})) for stream in (True, False)
    ]
    waiting.append(asyncio.create_task(loading.get("/v1/models")))
    health = (await loading.get("/health")).json()
    assert (health["state"], health["fraction"]) == ("loading", 0.25)
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    disk.arrived.set()
    for reply in await asyncio.gather(*waiting):
        assert reply.status_code == 503
        assert reply.json()["message"] == "The weights are damaged: fetch them again."
    assert (await loading.get("/health")).json()["state"] == "failed"
    assert (await loading.post(CHAT, json=TALK)).status_code == 503


async def test_a_model_without_fim_gets_the_prefix_alone(engine: httpx.AsyncClient) -> None:
    (card,) = (await engine.get("/v1/models")).json()["data"]
    assert (card["id"], card["family"], card["fim"]) == ("tiny", "prefix-only", False)
    replies = [
        (await engine.post(FIM, json={**ASK, "suffix": suffix, "max_tokens": 8})).json()
        for suffix in ("", "\n    print(1)\n" * 20)
    ]
    assert replies[0]["choices"] == replies[1]["choices"]
    assert replies[0]["usage"]["prompt_tokens"] == replies[1]["usage"]["prompt_tokens"]


async def test_a_prompt_longer_than_the_slot_is_cut(engine: httpx.AsyncClient) -> None:
    lines = "".join(f"value_{number} = {number}\n" for number in range(2000))
    reply = (await engine.post(FIM, json={**ASK, "prompt": lines, "max_tokens": 4, "min_tokens": 4})).json()
    assert SLOT_TOKENS // 4 < reply["usage"]["prompt_tokens"] < SLOT_TOKENS
    assert reply["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (FIM, {**ASK, "prompt": ""}, 422, "empty"),
        (CHAT, {"model": "m", "messages": [{"role": "user", "content": "hello " * 500}]}, 400, "shorten it"),
        (CHAT, {"model": "m", "messages": [{"role": "assistant", "content": "hello"}]}, 422, "last message"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_what_cannot_be_asked_is_refused(
    engine: httpx.AsyncClient, *, path: str, body: dict[str, Any], status: int, said: str, stream: bool
) -> None:
    reply = await engine.post(path, json={**body, "stream": stream})
    assert reply.status_code == status
    assert said in reply.json()["message"]


async def test_a_stream_is_mistrals_and_says_what_it_cost(engine: httpx.AsyncClient) -> None:
    reply = await engine.post(FIM, json={**ASK, "stream": True, "max_tokens": 3, "min_tokens": 3})
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = reply.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    data = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert {event["object"] for event in data} == {"chat.completion.chunk"}
    assert data[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert data[-1]["choices"][0]["finish_reason"] == "length"
    assert data[-1]["usage"]["completion_tokens"] == 3
    assert data[-1]["timings"].keys() == {"queue_ms", "prefill_ms", "decode_ms"}


async def test_health_has_no_text_in_it(engine: httpx.AsyncClient) -> None:
    await engine.post(FIM, json={**ASK, "prompt": "zebra", "max_tokens": 1})
    reply = await engine.get("/health")
    assert reply.json()["state"] == "ready"
    assert "zebra" not in reply.text and "token" not in reply.text.replace("evaluated_tokens", "")


async def test_shutdown_asks_the_process_to_leave(disk: SlowDisk) -> None:
    asked: list[bool] = []
    async with connect(Scheduler(disk.load), lambda: asked.append(True)) as client:
        assert (await client.post("/shutdown")).status_code == 202
    assert asked == [True]
