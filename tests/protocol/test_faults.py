"""Every fault of a server, as an editor sees it: one answer to each request, one notice, no traces."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from lsp_server.completion.truncate import BLOCK_LINES, LONG_LINE
from lsp_server.errors import BackendLoading, BackendRejected, RateLimited, RequestRejected
from tests.protocol.conftest import Start
from tests.support.faulty_server import FAULTS, KEY, Fault, FaultyServer
from tests.support.lsp_client import PATIENCE_S, LspClient
from tests.support.typist import DEMO, Typist

MORE_KEYS = 3
FIRST_TOKEN_MS = 600
"""Where a fault is silence: it is paid at each key."""
SHORT_MS, LONG_MS = 1000, 20_000
"""For what ends at the deadline of a whole completion alone, and for what is to end by itself: not so long
that the client would take whoever waits for one that does not type, and try again for seconds."""

HELPS_ITSELF = {
    "503 loading": "the status says that the model loads; it is no failure",
    "stream without end": "what has come when the time is over is offered",
    "flood without end": "what has come when it is long enough is offered",
}
"""Faults that need no notice, and why."""

Remedy = Callable[[FaultyServer, Path], dict[str, Any]]


def _trusting(server: FaultyServer, folder: Path) -> dict[str, Any]:
    assert server.authority is not None
    file = folder / "company.pem"
    server.authority.cert_pem.write_to_path(str(file))
    return {"ca_file": str(file)}


REMEDIES: Mapping[str, Remedy] = {
    "no such host": lambda server, _: {
        "base_url": server.base_url.replace(server.fault.host, "127.0.0.1"),
    },
    "certificate of nobody": _trusting,
    "certificate of another": lambda *_: {"verify": False},
    "no TLS": lambda server, _: {"base_url": server.base_url.replace("https:", "http:")},
}
"""What the user changes where only that helps."""


def _options(server: FaultyServer, folder: Path, **more: object) -> dict[str, Any]:
    fault = server.fault
    backend = {
        "type": "mistral",
        "base_url": server.base_url,
        "model": "codestral-latest",
        "api_key_env": "SCRIPTED_KEY",
        "destination": "this machine",
        "ca_file": server.write_authority(folder),
        "first_token_timeout_ms": FIRST_TOKEN_MS if fault.waits else LONG_MS,
    }
    timeout_ms = SHORT_MS if fault.sentence == "did not finish" else LONG_MS
    return {
        "backend": "box",
        "backends": {"box": {**backend, **more}},
        "completion": {"debounce_ms": 0, "timeout_ms": timeout_ms},
    }


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(name: str, start: Start, tmp_path: Path) -> None:
    fault = FAULTS[name]
    with FaultyServer(name) as server, start(env={"PYTHONDEVMODE": "1", "SCRIPTED_KEY": KEY}) as client:
        client.initialize(options=_options(server, tmp_path))
        typist = Typist(client)
        for _ in range(1 + MORE_KEYS):
            _check_answer(typist.answered(), fault)
        server.heal()
        if not fault.heals:
            better = _options(server, tmp_path, **REMEDIES[name](server, tmp_path))
            client.notify("workspace/didChangeConfiguration", {"settings": better})
        _check_served(typist, fault)
        notices = [shown["message"] for shown in client.arrived("window/showMessage")]
        assert len(notices) == (fault.error is not None and name not in HELPS_ITSELF), notices
        for notice in notices:
            _check_notice(notice, fault)
        _check_left_behind(client, server)
    assert KEY not in client.log.read_text(encoding="utf-8")


def test_what_was_kept_for_the_next_request_is_closed(start: Start, tmp_path: Path) -> None:
    with FaultyServer("500") as server, start() as client:
        client.initialize(options=_options(server, tmp_path))
        assert Typist(client).completed() == []
        client.expect("window/showMessage")
        assert server.open_connections == len(_connections(client)) == 1
        _check_end(client, server)


def _check_answer(answer: object, fault: Fault) -> None:
    assert isinstance(answer, dict) and set(answer) == {"items"}
    texts = [item["insertText"] for item in answer["items"]]
    assert all(len(text) <= BLOCK_LINES * LONG_LINE for text in texts)
    if fault.error is None:
        # A reply is cut at the end of the line, and blanks that end it are dropped.
        assert "".join(texts) == fault.text[: len(texts[0])].rstrip() if texts else not fault.text
    elif fault.sentence == "did not finish":
        assert len(texts) == 1 and set(texts[0]) == {"x"}
    else:
        assert texts == []


def _check_served(typist: Typist, fault: Fault) -> None:
    """See that completions come again: with the next key where a failure need not mean another.

    Some are remembered: a server that says no to the key, the account, the model or the address will say it
    again, and one with a rate limit has named its time; both are asked again after some seconds. So is a
    server that is silent until a deadline: nobody is to wait for it at each key.
    """
    lasting = issubclass(error := fault.error or type(None), BackendRejected | RateLimited)
    remembered = (lasting and not issubclass(error, RequestRejected)) or fault.waits
    deadline = time.monotonic() + PATIENCE_S
    while (completion := typist.completed()) != ["done"]:
        assert remembered and completion == [] and time.monotonic() < deadline
        time.sleep(0.1)


def _check_notice(notice: str, fault: Fault) -> None:
    sentence = re.sub(r" \(log: [^()]*\)$", "", notice)
    assert sentence != notice, "it says where the log is"
    assert fault.sentence in sentence
    assert sentence.isprintable() and not set(sentence) & set("{}<>")
    assert "Traceback" not in sentence and KEY not in sentence
    assert not re.search(r"[.!?]\s", sentence), "one sentence"
    assert fault.error is not BackendLoading


def _check_left_behind(client: LspClient, server: FaultyServer) -> None:
    """See that no request goes on, that one connection at most waits for the next, and none in the end."""
    client.close(DEMO)
    client.round_trip()
    assert server.wait_until_deserted(but=1)
    assert len(_connections(client)) <= 1
    _check_end(client, server)


def _check_end(client: LspClient, server: FaultyServer) -> None:
    client.shut_down()
    assert server.wait_until_deserted()
    assert _connections(client) == []
    client.notify("exit")
    assert client.exit_status() == 0


def _connections(client: LspClient) -> list[object]:
    return [it for it in psutil.Process(client.pid).net_connections("tcp") if it.raddr]


def test_where_only_the_user_can_help_the_table_says_how() -> None:
    assert set(REMEDIES) == {name for name, fault in FAULTS.items() if not fault.heals}
    assert set(HELPS_ITSELF) <= set(FAULTS)
