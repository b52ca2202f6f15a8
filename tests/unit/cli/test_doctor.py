"""`lsp_server doctor`: what each thing that can be wrong is reported as."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server import __version__
from lsp_server.cli.doctor import doctor
from lsp_server.diagnosis import weights
from lsp_server.diagnosis.finding import Finding, Level
from lsp_server.documents import languages
from lsp_server.engine.state import STATE_VARIABLE
from lsp_server.models import catalogue
from lsp_server.models.store import FOLDER_VARIABLE
from lsp_server.settings import LocalSettings
from tests.support.engines import own_state
from tests.support.ollama_contract import OllamaContract, OllamaModel
from tests.support.openai_contract import OpenAIContract
from tests.support.scripted_server import API_KEY, Reply, ScriptedServer
from tests.support.tiny_gguf import write_tiny_mistral

SMALL = ("--set", "local.context_tokens=512", "--set", "local.slots=1", "--set", "local.idle_exit_s=120")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model of the user's is found, nothing is written to the user's folders."""
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    for variable in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "home" / "ollama"))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "store"))
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(doctor, arguments)


def findings(*arguments: str) -> dict[str, Finding]:
    """Return the findings by check; of one check, the worst."""
    order = list(Level)
    found: dict[str, Finding] = {}
    for row in json.loads(run("--json", *arguments).stdout)["findings"]:
        finding = Finding(row["check"], Level(row["level"]), row["text"], row["advice"])
        if finding.check not in found or order.index(found[finding.check].level) < order.index(finding.level):
            found[finding.check] = finding
    return found


def test_a_remote_server_that_completes(model: ScriptedServer, scripted: list[str]) -> None:
    done = run("--json", *scripted)
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (report["version"], report["ok"]) == (__version__, True)
    assert [row["check"] for row in report["findings"]][-8:] == ["backend", *["mistral"] * 7]
    where, key, reachable, model_there, mode, accepted, answer = (
        row["text"] for row in report["findings"][-7:]
    )
    assert where == f"{model.base_url}, type mistral, this machine"
    assert key == "there is a key (the environment variable SCRIPTED_KEY)"
    assert reachable.startswith("reachable; answers after")
    assert model_there == "the server has codestral-latest"
    assert mode == "fill-in-the-middle: native, /v1/fim/completions"
    assert accepted == "the key is accepted"
    assert answer.startswith("codestral-latest completes; first text after")
    assert API_KEY not in done.output
    (request,) = model.history
    assert request.body["max_tokens"] == 8


def test_lines_for_people_have_no_escape_codes_in_a_pipe(scripted: list[str]) -> None:
    done = run(*scripted)
    assert "\x1b" not in done.output
    assert done.stdout.splitlines()[0].startswith("ok      Python         ")
    assert done.stdout.splitlines()[-1].startswith("no problems, ")


@pytest.mark.parametrize(
    ("reply", "level", "text", "advice"),
    [
        (Reply(status=401, error={}), Level.PROBLEM, "SCRIPTED_KEY", ""),
        (Reply(status=400, error={"message": "no"}), Level.PROBLEM, "refused", "backends.mistral.model"),
        (Reply(status=500, error={}), Level.PROBLEM, "HTTP 500", "what the server itself logs"),
        (Reply([]), Level.WARNING, "with nothing", "backends.mistral.model"),
    ],
)
def test_a_remote_server_that_does_not(
    reply: Reply, level: Level, text: str, advice: str, model: ScriptedServer, scripted: list[str]
) -> None:
    model.enqueue(reply)
    answer = findings(*scripted)["mistral"]
    assert answer.level is level
    assert text in answer.text and advice in answer.advice


def test_a_model_that_the_server_does_not_have(model: ScriptedServer, scripted: list[str]) -> None:
    model.models = ["codestral-2508", "mistral-large-latest"]
    missing = findings(*scripted)["mistral"]
    assert (missing.level, missing.text) == (Level.WARNING, "the server does not list codestral-latest")
    assert "codestral-2508" in missing.advice


def test_a_problem_is_the_exit_status(model: ScriptedServer, scripted: list[str]) -> None:
    model.enqueue(Reply(status=401, error={}))
    done = run(*scripted)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1].startswith("1 problem, ")


def test_a_server_that_is_not_there(scripted: list[str]) -> None:
    found = findings(*scripted, "--set", "backends.mistral.base_url=http://127.0.0.1:9")
    assert found["mistral"].level is Level.PROBLEM
    assert "cannot be reached" in found["mistral"].text


@pytest.mark.parametrize(
    ("key", "said"),
    [(None, "There is no API key"), (f"{API_KEY}\nx", "SCRIPTED_KEY"), ("wrong", "SCRIPTED_KEY")],
)
def test_keys_that_cannot_be_right(
    key: str | None, said: str, model: ScriptedServer, scripted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if key is not None:
        monkeypatch.setenv("SCRIPTED_KEY", key)
        done = run(*scripted)
    else:
        done = run("--set", "backend=mistral")
    assert not model.history
    assert done.exit_code == 1
    assert said in done.stdout
    assert API_KEY not in done.output and "wrong" not in done.output


def test_every_backend_of_a_profile_is_looked_at(model: ScriptedServer, scripted: list[str]) -> None:
    profile = "profiles.both.completion=['mistral', 'box']"
    box = ("backends.box.type=mistral", "backends.box.base_url=http://127.0.0.1:9", "backends.box.model=m")
    options = ("backend=both", profile, *box)
    found = findings(*scripted, *(argument for option in options for argument in ("--set", option)))
    assert found["backend"].text.startswith("mistral, then box, because")
    assert (found["mistral"].level, found["box"].level) == (Level.OK, Level.PROBLEM)


def test_wrong_options_are_named_with_their_line(config_file: Path, scripted: list[str]) -> None:
    config_file.write_text("[completion]\nmax_token = 3\n")
    found = findings(*scripted)["configuration"]
    assert found.level is Level.PROBLEM
    assert found.text.startswith(f"{config_file}:2: max_token is not an option")
    assert "the rest of the file counts" in found.advice


def test_completions_turned_off(config_file: Path, scripted: list[str]) -> None:
    assert "completions" not in findings(*scripted)
    config_file.write_text("[completion]\nenabled = false\n")
    found = findings(*scripted)["completions"]
    assert (found.level, found.text) == (Level.WARNING, f"turned off ({config_file})")


def test_a_file_that_is_not_toml(config_file: Path, scripted: list[str]) -> None:
    config_file.write_text("a = 1\nb = \n")
    found = findings(*scripted)["configuration"]
    assert found.text.startswith(f"{config_file}:2: not valid TOML")
    assert "nothing in the file counts" in found.advice


def test_without_the_local_extra(monkeypatch: pytest.MonkeyPatch, scripted: list[str]) -> None:
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    alone = findings()
    assert alone["extra local"].level is Level.WARNING
    assert "pip install '.[local]'" in alone["extra local"].advice
    assert alone["backend"].level is Level.PROBLEM
    assert "MISTRAL_API_KEY" in alone["backend"].text
    assert findings(*scripted)["mistral"].level is Level.OK


@pytest.fixture
def no_lua(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    languages.grammar.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_lua", None)
    yield
    languages.grammar.cache_clear()


@pytest.mark.usefixtures("no_lua")
def test_a_grammar_that_does_not_load(scripted: list[str]) -> None:
    found = findings(*scripted)["grammars"]
    assert found.level is Level.PROBLEM
    assert "these do not load: lua;" in found.text
    assert "tree-sitter-lua`" in found.advice


def test_a_command_that_editors_do_not_find(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scripted: list[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not on PATH" in findings(*scripted)["command"].text
    other = tmp_path / "lsp_server"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    found = findings(*scripted)["command"]
    assert found.level is Level.WARNING
    assert str(other) in found.text


def test_a_model_that_is_not_here_is_not_fetched(tmp_path: Path) -> None:
    found = findings()
    assert found["model file"].level is Level.WARNING
    assert f"models pull {catalogue.DEFAULT_NAME}" in found["model file"].advice
    assert "engine" not in found
    assert not (tmp_path / "store").exists()
    refused = findings("--set", "backend=local", "--set", "local.download=false")["model file"]
    assert refused.level is Level.PROBLEM


def test_the_licence_is_said_before_a_download() -> None:
    assert (
        "production and commercial use need a licence"
        in findings("--set", "local.model=codestral")["model file"].advice
    )


@pytest.mark.parametrize(
    ("content", "said"), [(b"<html>", "not a GGUF"), (b"GGUF\x03\0\0\0", "damaged"), (None, "no file")]
)
def test_a_file_that_is_no_model(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    found = findings("--set", f"local.model={path}")
    assert found["model file"].level is Level.PROBLEM
    assert said in found["model file"].text
    assert "engine" not in found


def test_an_unknown_name() -> None:
    assert "did you mean" in findings("--set", "local.model=codestrall")["model file"].text


def test_a_changed_file_is_found_by_reading_it(smollm2_path: Path, tmp_path: Path) -> None:
    path = tmp_path / catalogue.get("smollm2-135m").file
    shutil.copyfile(smollm2_path, path)
    with path.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([last ^ 1]))
    look = weights.look(LocalSettings(model=str(path)))
    quick = weights.checksum(look, full=False, report=lambda progress: None)
    assert quick is not None and quick.level is Level.OK and "--full" in quick.text
    reports: list[int] = []
    full = weights.checksum(look, full=True, report=lambda progress: reports.append(progress.done_bytes))
    assert full is not None and full.level is Level.PROBLEM
    assert reports[-1] == path.stat().st_size


def test_the_right_file_is_right(smollm2_path: Path) -> None:
    look = weights.look(LocalSettings(model=str(smollm2_path)))
    found = weights.checksum(look, full=True, report=lambda progress: None)
    assert found == Finding("checksum", Level.OK, "read now, the same as in the catalogue")


def test_too_large_a_model_for_this_machine(smollm2_path: Path) -> None:
    huge = ("--set", "local.context_tokens=1000000000", "--set", "local.slots=64")
    settings = ("--set", f"local.model={smollm2_path.parent / 'missing.gguf'}")
    assert findings(*settings, *huge)["memory"].level is Level.OK  # nothing is known of the model
    found = findings("--set", "local.model=smollm2-135m", *huge)["memory"]
    assert found.level is Level.PROBLEM
    assert catalogue.DEFAULT_NAME in found.advice


def test_a_real_model_is_started_and_measured(model_path: Path, tmp_path: Path) -> None:
    with own_state(tmp_path / "state"):
        done = run("--json", "--set", f"local.model={model_path}", *SMALL)
    found = {row["check"]: row for row in json.loads(done.stdout)["findings"]}
    assert done.exit_code == 0, done.stdout
    assert list(found)[-3:] == ["engine", "FIM family", "speed"]
    assert found["FIM family"]["text"] == "qwen2.5-coder, 512 tokens for each prompt"
    assert "qwen2 Q4_K_M, 491.4 MB" in found["model file"]["text"]
    assert "prefill" in found["speed"]["text"] and "decode" in found["speed"]["text"]


def test_a_codestral_is_recognised_by_its_tokens(tmp_path: Path) -> None:
    path = write_tiny_mistral(tmp_path / "random.gguf", vocab_only=False)
    with own_state(tmp_path / "state"):
        found = findings("--set", f"local.model={path}", *SMALL)
    assert found["FIM family"].text == "codestral, 512 tokens for each prompt"
    assert "does not know this file" in found["checksum"].text


def test_a_model_without_fill_in_the_middle(smollm2_path: Path, tmp_path: Path) -> None:
    with own_state(tmp_path / "state"):
        found = findings("--set", f"local.model={smollm2_path}", *SMALL)
    assert found["FIM family"].level is Level.WARNING
    assert "sees only what precedes the cursor" in found["FIM family"].text


def test_an_engine_that_cannot_load_its_model(tmp_path: Path) -> None:
    path = write_tiny_mistral(tmp_path / "empty.gguf", vocab_only=True)
    with own_state(tmp_path / "state"):
        done = run("--json", "--set", f"local.model={path}", *SMALL)
    last = json.loads(done.stdout)["findings"][-1]
    assert done.exit_code == 1
    assert (last["check"], last["level"]) == ("engine", "problem")
    assert str(tmp_path / "state") in last["text"]  # the log


def lines(server_type: str, base_url: str, *more: str) -> list[tuple[str, str]]:
    """Return level and text of what is found at a server, from its address on."""
    options = ("backend=box", f"backends.box.type={server_type}", f"backends.box.base_url={base_url}", *more)
    done = run("--json", *(argument for option in options for argument in ("--set", option)))
    rows = [row for row in json.loads(done.stdout)["findings"] if row["check"] == "box"]
    return [(row["level"], row["text"]) for row in rows[1:]]


def test_a_server_that_names_its_model_and_wants_no_key() -> None:
    with OpenAIContract("vllm", model="Qwen/Qwen2.5-Coder-7B") as server:
        server.reply = [" a + b"]
        reachable, there, mode, key, answer = lines("openai", server.base_url)
    assert key == ("ok", "no key is needed")
    assert reachable[1].startswith("reachable; ")
    assert there == ("ok", "the server has Qwen/Qwen2.5-Coder-7B")
    assert mode == ("ok", "fill-in-the-middle: raw, family qwen2.5-coder, by its model's name")
    assert answer[1].startswith("Qwen/Qwen2.5-Coder-7B completes; ")


def test_a_server_that_only_chats_is_a_warning() -> None:
    with OpenAIContract("perplexity", model="sonar") as server:
        found = lines("openai", server.base_url, "backends.box.model=sonar")
    assert next(text for level, text in found if level == "warning").endswith(
        "A model that has learnt it does better."
    )
    assert ("ok", "the server lists no models, so sonar may be there") in found


def test_loading_is_shown_and_the_model_that_was_chosen_is_named() -> None:
    with OllamaContract(OllamaModel("qwen2.5-coder:1.5b-base", insert=True)) as server:
        _, loading, _, mode, _, answer = lines("ollama", server.base_url)
    assert loading == ("ok", "Ollama loads qwen2.5-coder:1.5b-base …")
    assert mode == ("ok", "fill-in-the-middle: suffix")
    assert answer[1].startswith("qwen2.5-coder:1.5b-base completes; ")


def test_ollamas_models_are_there_without_their_tag() -> None:
    with OllamaContract(OllamaModel("llama3.2:latest")) as server:
        assert ("ok", "the server has llama3.2") in lines(
            "ollama", server.base_url, "backends.box.model=llama3.2"
        )


def test_advice_does_not_repeat_what_the_sentence_says() -> None:
    done = run("--set", "backend=ollama", "--set", "backends.ollama.base_url=http://127.0.0.1:9")
    assert done.stdout.count("ollama serve") == 1
    assert "base_url" not in done.stdout
