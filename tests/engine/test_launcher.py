"""Front ends find one engine per model, whatever happens to it and however many they are."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from lsp_server.engine.launcher import ensure_engine
from lsp_server.engine.state import EngineFiles, running_states
from lsp_server.errors import BackendUnavailable, ModelError
from tests.support.engines import own_state, small, started_engines, wait_until_gone


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "state"
    with own_state(directory):
        yield directory


@pytest.fixture
def truncated(tmp_path: Path, smollm2_path: Path) -> Path:
    path = tmp_path / "truncated.gguf"
    with smollm2_path.open("rb") as whole:
        path.write_bytes(whole.read(5_000_000))
    return path


ASK = """
import asyncio, pathlib, sys
from lsp_server.engine.launcher import Launch, ensure_engine
launch = Launch(pathlib.Path(sys.argv[1]), context_tokens=512, slots=1)
print(asyncio.run(ensure_engine(launch)).pid)
"""


def test_ten_front_ends_at_once_share_one_engine(state: Path, smollm2_path: Path) -> None:
    front_ends = [
        subprocess.Popen([sys.executable, "-c", ASK, str(smollm2_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(10)
    ]
    answers = [front_end.communicate(timeout=200)[0] for front_end in front_ends]
    assert len(set(answers)) == 1
    assert [f"{pid}\n" for pid in started_engines(state)] == answers[:1]
    assert psutil.pid_exists(int(answers[0]))  # it outlives those who started it


async def test_modules_in_the_folder_of_a_workspace_are_not_run(
    state: Path, smollm2_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "cloned"
    for name in ("lsp_server/__init__.py", "lsp_server/cli.py", "json.py"):
        module = workspace / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(f"open({str(tmp_path / 'trap')!r}, 'w')\nraise SystemExit", "utf-8")
    monkeypatch.chdir(workspace)
    address = await ensure_engine(small(smollm2_path))
    assert not (tmp_path / "trap").exists()
    assert Path(psutil.Process(address.pid).cwd()) == state / "engines"


async def test_tells_how_far_it_is(state: Path, smollm2_path: Path) -> None:
    told: list[tuple[str, float | None]] = []
    await ensure_engine(small(smollm2_path), lambda message, fraction: told.append((message, fraction)))
    assert told[0] == (f"Starting {smollm2_path.stem}", None)
    assert told[-1][0] == f"Loading {smollm2_path.stem}"
    fractions = [fraction for _, fraction in told[1:] if fraction is not None]
    assert fractions == sorted(set(fractions)) and all(0 <= fraction <= 1 for fraction in fractions)


async def test_an_engine_that_was_killed_is_replaced(state: Path, smollm2_path: Path) -> None:
    first = await ensure_engine(small(smollm2_path))
    psutil.Process(first.pid).kill()
    second = await ensure_engine(small(smollm2_path))
    assert second.pid != first.pid
    assert started_engines(state) == [first.pid, second.pid]
    assert [found.pid for found in running_states()] == [second.pid]


async def test_a_frozen_engine_is_not_waited_for_for_ever(state: Path, smollm2_path: Path) -> None:
    engine = await ensure_engine(small(smollm2_path))
    process = psutil.Process(engine.pid)
    process.suspend()
    try:
        with pytest.raises(BackendUnavailable, match=f"end process {engine.pid}"):
            await ensure_engine(small(smollm2_path))
    finally:
        process.resume()
    assert (await ensure_engine(small(smollm2_path))).pid == engine.pid


async def test_an_idle_engine_leaves_and_cleans_up(state: Path, smollm2_path: Path) -> None:
    engine = await ensure_engine(small(smollm2_path, idle_exit_s=0.5))
    await asyncio.to_thread(wait_until_gone, engine.pid)
    assert not EngineFiles.of(smollm2_path).state.exists()
    assert (await ensure_engine(small(smollm2_path))).pid != engine.pid


async def test_an_engine_told_to_leave_cleans_up(state: Path, smollm2_path: Path) -> None:
    engine = await ensure_engine(small(smollm2_path))
    psutil.Process(engine.pid).terminate()
    await asyncio.to_thread(wait_until_gone, engine.pid)
    assert not running_states()


async def test_only_its_user_can_read_the_token(state: Path, smollm2_path: Path) -> None:
    engine = await ensure_engine(small(smollm2_path))
    files = EngineFiles.of(smollm2_path)
    assert stat.S_IMODE(files.state.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.directory.stat().st_mode) == 0o700
    assert engine.token not in f"{engine!r} {files.read_state()!r}"
    assert engine.token not in files.log.read_text("utf-8")


async def test_it_listens_on_this_machine_only_and_wants_its_token(state: Path, smollm2_path: Path) -> None:
    engine = await ensure_engine(small(smollm2_path))
    addresses = {listener.laddr.ip for listener in psutil.Process(engine.pid).net_connections("tcp")}
    assert addresses == {"127.0.0.1"}
    async with httpx.AsyncClient(base_url=engine.base_url, trust_env=False) as client:
        for token in ("x", "wrong", engine.token[:-1], f"{engine.token}x"):
            headers = {"Authorization": f"Bearer {token}"}
            assert (await client.get("/health", headers=headers)).status_code == 401
            assert (await client.post("/shutdown", headers=headers)).status_code == 401
        assert (await client.get("/health")).status_code == 401


async def test_links_to_a_model_lead_to_the_same_engine(
    state: Path, smollm2_path: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(smollm2_path)
    assert await ensure_engine(small(link)) == await ensure_engine(small(smollm2_path))


async def test_what_is_no_model_is_refused_without_an_engine(state: Path, tmp_path: Path) -> None:
    random = tmp_path / "random.gguf"
    random.write_bytes(os.urandom(4096))
    empty = tmp_path / "empty.gguf"
    empty.touch()
    for path, said in [
        (tmp_path / "missing.gguf", "does not exist"),
        (tmp_path, "is a directory"),
        (random, "not a GGUF"),
        (empty, "not a GGUF"),
    ]:
        with pytest.raises(ModelError, match=said):
            await ensure_engine(small(path))
    assert not started_engines(state)


async def test_a_damaged_model_is_tried_once(state: Path, truncated: Path) -> None:
    reasons = set()
    for _ in range(5):
        with pytest.raises(BackendUnavailable) as caught:
            await ensure_engine(small(truncated))
        reasons.add(str(caught.value).partition("; it is tried again")[0])
    (pid,) = started_engines(state)
    await asyncio.to_thread(wait_until_gone, pid)
    (reason,) = reasons
    assert "truncated.gguf is not a usable model" in reason
    assert not running_states()


async def test_many_who_want_a_damaged_model_all_learn_why(state: Path, truncated: Path) -> None:
    answers = await asyncio.gather(
        *(ensure_engine(small(truncated)) for _ in range(8)), return_exceptions=True
    )
    assert all(isinstance(answer, BackendUnavailable) for answer in answers)
    assert all("not a usable model" in str(answer) for answer in answers)
    assert len(started_engines(state)) == 1


async def test_a_model_that_was_repaired_is_tried_at_once(
    state: Path, truncated: Path, smollm2_path: Path
) -> None:
    with pytest.raises(BackendUnavailable):
        await ensure_engine(small(truncated))
    await asyncio.to_thread(shutil.copyfile, smollm2_path, truncated)
    engine = await ensure_engine(small(truncated))
    assert started_engines(state)[1:] == [engine.pid]
    assert not EngineFiles.of(truncated).failure.exists()


def test_pauses_after_failures_grow_until_the_file_changes(state: Path, truncated: Path) -> None:
    files = EngineFiles.of(truncated)
    files.prepare()
    pauses = []
    for _ in range(8):
        files.remember_failure("it is damaged")
        known = files.remembered_failure()
        assert known is not None
        pauses.append(round(known.retry_in_s))
    assert pauses == sorted(pauses) and pauses[-1] > 10 * pauses[0]
    os.utime(truncated, (time.time(), time.time() + 10))
    assert files.remembered_failure() is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff\xfe"])
async def test_a_spoiled_state_file_is_ignored(state: Path, smollm2_path: Path, content: bytes) -> None:
    files = EngineFiles.of(smollm2_path)
    files.prepare()
    files.state.write_bytes(content)
    assert files.read_state() is None
    assert running_states() == []


def test_the_launcher_is_light() -> None:
    heavy = "{'llama_cpp', 'starlette', 'uvicorn', 'numpy', 'pygls'}"
    code = f"import sys, lsp_server.engine.launcher as _; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
