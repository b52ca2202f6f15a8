"""Where options come from, how they change, and how wrong ones are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsp_server.settings import config_file_name
from tests.protocol.conftest import Start
from tests.support.lsp_client import LspClient, insertion
from tests.support.scripted_server import Reply, ScriptedServer

URI = "file:///demo/a.py"
PULL = {"workspace": {"configuration": True}}
WARNING = 2


def _warning(client: LspClient) -> str:
    shown = client.expect("window/showMessage")
    assert shown["type"] == WARNING
    return str(shown["message"])


def _ask(client: LspClient, text: str) -> list[str]:
    client.change(URI, {"text": text})
    return client.completed(client.complete(URI, 0, len(text)))


def test_an_unknown_option_is_told_with_name_and_place(start: Start) -> None:
    with start() as client:
        client.initialize(options={"completion": {"debounce": 5}})
        assert (
            "initializationOptions: debounce is not an option of [completion]; did you mean debounce_ms?"
            in _warning(client)
        )


def test_a_wrong_type_is_told_and_the_rest_applies(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    options["completion"]["max_tokens"] = "many"
    with start() as client:
        client.initialize(options=options)
        assert 'max_tokens must be a whole number, not "many"' in _warning(client)
        client.open(URI, "")
        assert _ask(client, "x = ") == ["done"]
    assert isinstance(model.history[0].body["max_tokens"], int)


def test_many_problems_make_one_message(start: Start) -> None:
    with start() as client:
        client.initialize(options={"a": 1, "b": 2, "c": 3})
        assert "and 2 more in the log" in _warning(client)
        client.round_trip()
        assert "initializationOptions: c is not an option" in client.log.read_text()


def test_options_that_are_no_object_are_told(start: Start) -> None:
    with start() as client:
        client.initialize(options=["completion"])
        assert "options must be an object" in _warning(client)


def test_a_wrong_setting_is_named_to_clients_that_can_open_their_settings(start: Start) -> None:
    capabilities = {**PULL, "experimental": {"lspServerMessages": True}}
    with start(configuration={"completion": {"timeout_ms": 5}}) as client:
        client.initialize(capabilities)
        told = {"type": WARNING, "message": "completion.timeout_ms must be at least 100, not 5"}
        assert client.expect("$/lsp_server/message") == {**told, "setting": "completion.timeout_ms"}


def test_other_trouble_is_told_to_them_without_a_place_for_the_log(start: Start, config_file: Path) -> None:
    config_file.write_text("[completion]\ndebounce_ms = -1\n")
    with start() as client:
        client.initialize({"experimental": {"lspServerMessages": True}})
        told = client.expect("$/lsp_server/message")
        message = "completion.debounce_ms must be between 0 and 10000, not -1"
        assert told == {"type": WARNING, "message": f"{config_file}:2: {message}", "setting": ""}


def test_a_broken_configuration_file_is_told_with_its_line(start: Start, config_file: Path) -> None:
    config_file.write_text("[completion]\ndebounce_ms = \n")
    with start() as client:
        client.initialize()
        assert f"{config_file}:2: not valid TOML" in _warning(client)


def test_files_and_options_are_laid_over_each_other(
    start: Start, options: dict[str, Any], model: ScriptedServer, config_file: Path, tmp_path: Path
) -> None:
    config_file.write_text(
        "[completion]\nmax_tokens = 11\ntemperature = 0.5\n[backends.mistral]\nmodel = 'from-the-file'\n"
    )
    theirs = "[completion]\nmax_tokens = 12\n[backends.mistral]\nmodel = 'theirs'\n"
    (tmp_path / config_file_name()).write_text(theirs)
    with start() as client:
        client.initialize(options=options, root=tmp_path)
        assert "backends cannot be set" in _warning(client)
        client.open(URI, "")
        assert _ask(client, "x = ") == ["done"]
    body = model.history[0].body
    assert (body["max_tokens"], body["temperature"], body["model"]) == (12, 0.5, "from-the-file")


def test_editors_that_can_be_asked_are_asked(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    options["completion"]["max_tokens"] = 13
    with start(configuration=options) as client:
        client.initialize(PULL, options={"completion": {"max_tokens": 14}})
        client.open(URI, "")
        assert _ask(client, "x = ") == ["done"]
        assert [it["params"] for it in client.asked] == [{"items": [{"section": "lsp_server"}]}]
    assert model.history[0].body["max_tokens"] == 13


def test_the_first_request_waits_for_the_configuration(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    """Otherwise the default model would be fetched before the editor could name another one."""
    with start(configuration=options) as client:
        client.initialize(PULL, options={"backend": "local", "local": {"model": "/nowhere/at/all.gguf"}})
        client.open(URI, "x = ")
        assert client.completed(client.complete(URI, 0, 4)) == ["done"]


def test_a_changed_configuration_is_asked_for_and_applies_at_once(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    with start(configuration=options) as client:
        client.initialize(PULL)
        client.open(URI, "")
        assert _ask(client, "x = ") == ["done"]
        client.configuration = {**options, "completion": {"debounce_ms": 0, "enabled": False}}
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        assert _ask(client, "x = 1 + ") == []
        client.configuration = {**options, "completion": {"debounce_ms": 0, "max_tokens": 3}}
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        assert _ask(client, "x = 2 + ") == ["done"]
    assert model.history[0].body["max_tokens"] > model.history[1].body["max_tokens"] == 3


def test_a_configuration_that_is_sent_along_applies(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    with start() as client:
        client.initialize(options=options)
        client.open(URI, "")
        assert _ask(client, "x = ") == ["done"]
        client.notify(
            "workspace/didChangeConfiguration",
            {"settings": {"lsp_server": {"completion": {"max_tokens": 4}}}},
        )
        assert _ask(client, "x = 1 + ") == ["done"]
        client.notify("workspace/didChangeConfiguration", {"settings": {"completion": {"max_tokens": 0}}})
        assert "max_tokens must be between 1 and 4096, not 0" in _warning(client)
        assert _ask(client, "x = 2 + ") == ["done"]
    before, between, after = (asked.body["max_tokens"] for asked in model.history)
    assert before == after > between == 4


def test_new_settings_end_what_is_under_way(
    start: Start, options: dict[str, Any], model: ScriptedServer
) -> None:
    model.enqueue(Reply(hang_before_headers=True))
    with start() as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        request = client.complete(URI, 0, 4)
        asked = model.wait_for_request()
        client.notify("workspace/didChangeConfiguration", {"settings": {"completion": {"max_tokens": 4}}})
        assert client.completed(request) == []
        assert asked.disconnected.wait(20)
        assert client.completed(client.complete(URI, 0, 4)) == ["done"]


def test_a_saved_configuration_file_applies(
    start: Start, options: dict[str, Any], model: ScriptedServer, tmp_path: Path
) -> None:
    file = tmp_path / config_file_name()
    with start() as client:
        client.initialize(options=options, root=tmp_path)
        client.open(URI, "")
        assert _ask(client, "x = ") == ["done"]
        file.write_text("[completion]\nmax_tokens = 6\n")
        client.notify("textDocument/didSave", {"textDocument": {"uri": file.as_uri()}})
        assert _ask(client, "x = 1 + ") == ["done"]
    assert model.history[1].body["max_tokens"] == 6


def test_editors_are_asked_to_report_changes(start: Start, options: dict[str, Any]) -> None:
    workspace = {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}
    with start(configuration=options) as client:
        client.initialize({"workspace": workspace})
        client.open(URI, "")
        assert _ask(client, "x = ") == ["done"]
        client.round_trip()
        (registration,) = client.asked[1]["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"
    assert registration["registerOptions"] == {"section": "lsp_server"}


def test_languages_can_be_turned_off(start: Start, options: dict[str, Any], model: ScriptedServer) -> None:
    options["completion"]["disabled_languages"] = ["python"]
    with start() as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        assert client.completed(client.complete(URI, 0, 4)) == []
    assert model.history == []


def test_a_missing_key_is_told_once_and_not_at_every_key(start: Start) -> None:
    options = {"backend": "mistral", "backends": {"mistral": {"api_key_env": "NO_SUCH_KEY"}}}
    with start() as client:
        client.initialize(options=options)
        client.open(URI, "x = ")
        for key in "abc":
            client.change(URI, insertion(0, 4, f"{key} + "))
            assert client.completed(client.complete(URI, 0, 8)) == []
        assert "NO_SUCH_KEY" in client.expect("window/showMessage")["message"]
        client.round_trip()
        told = [line for line in client.log.read_text().splitlines() if "NO_SUCH_KEY" in line]
        assert sum("ERROR" in line for line in told) == 1
        assert len(told) == 2, told  # and once what the backend itself found


def test_the_log_goes_to_a_file_if_wanted(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "server.log"
    with start(arguments=("--stdio", "--log-file", str(file))) as client:
        client.initialize(options={"a": 1})
        assert f"(log: {file})" in _warning(client)
        assert client.log.read_text() == ""
    assert "a is not an option" in file.read_text()
