"""Options from the wire and from files: what is taken, what is refused, and how it is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from lsp_server import config_files
from lsp_server.options import Layer, Resolved, known, options_table, resolve
from lsp_server.settings import CompletionSettings, Settings, config_file_name


def _resolve(values: object) -> Resolved:
    return resolve([Layer.from_wire("editor", values)])


def _messages(values: object) -> list[str]:
    return [str(problem) for problem in _resolve(values).problems]


def test_without_layers_there_are_the_defaults() -> None:
    resolved = resolve([])
    assert resolved.settings == Settings()
    assert set(resolved.origins.values()) == {"default"}


def test_every_default_is_accepted_as_an_option() -> None:
    wire: dict[str, Any] = {}
    for key, option in known().items():
        section, _, name = key.rpartition(".")
        (wire.setdefault(section, {}) if section else wire)[name] = option.default
    assert _messages(wire) == []
    assert _resolve(wire).settings == Settings()


def test_later_layers_win_key_by_key() -> None:
    resolved = resolve(
        [
            Layer("file", {"log_level": "debug", "completion": {"debounce_ms": 1, "max_tokens": 2}}),
            Layer("editor", {"completion": {"debounce_ms": 3}}),
        ]
    )
    assert resolved.settings == Settings(
        log_level="debug", completion=CompletionSettings(debounce_ms=3, max_tokens=2)
    )
    assert resolved.origins["completion.debounce_ms"] == "editor"
    assert resolved.origins["completion.max_tokens"] == "file"
    assert resolved.origins["completion.enabled"] == "default"


def test_null_means_not_set() -> None:
    """VS Code sends null for settings without a default."""
    assert (
        _resolve({"backend": None, "completion": {"debounce_ms": None}, "local": None}).origins
        == resolve([]).origins
    )
    assert _resolve(None).settings == Settings()


def test_options_may_stand_under_the_name_of_the_server() -> None:
    assert _resolve({"lsp_server": {"backend": "local"}, "other": 1}).settings.backend == "local"
    assert _messages({"lsp_server": {"backend": "local"}, "other": 1}) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"completion": {"debounce": 1}},
            "editor: debounce is not an option of [completion]; did you mean debounce_ms?",
        ),
        (
            {"completion": {"maxTokens": 1}},
            "editor: maxTokens is not an option of [completion]; did you mean max_tokens?",
        ),
        ({"completon": {}}, "editor: completon is not an option; did you mean completion?"),
        ({"debounce_ms": 1}, "editor: debounce_ms is not an option; it belongs in [completion]"),
        (
            {"mistral": {"backend": 1}},
            "editor: backend is not an option of [mistral]; it belongs in the top level",
        ),
        ({"zzz": 1}, "editor: zzz is not an option"),
        (
            {"completion": {"debounce_ms": "fast"}},
            'editor: debounce_ms must be a whole number, not "fast"',
        ),
        ({"completion": {"debounce_ms": 1.5}}, "editor: debounce_ms must be a whole number, not 1.5"),
        ({"completion": {"debounce_ms": True}}, "editor: debounce_ms must be a whole number, not true"),
        (
            {"completion": {"debounce_ms": float("inf")}},
            "editor: debounce_ms must be a whole number, not Infinity",
        ),
        ({"completion": {"debounce_ms": -1}}, "editor: debounce_ms must be between 0 and 10000, not -1"),
        (
            {"completion": {"temperature": float("nan")}},
            "editor: temperature must be between 0 and 2, not NaN",
        ),
        ({"completion": {"timeout_ms": 5}}, "editor: timeout_ms must be at least 100, not 5"),
        ({"completion": {"enabled": 1}}, "editor: enabled must be true or false, not 1"),
        (
            {"completion": {"disabled_languages": "python"}},
            'editor: disabled_languages must be a list of strings, not "python"',
        ),
        (
            {"completion": {"disabled_languages": ["python", 3]}},
            'editor: disabled_languages must be a list of strings, not ["python", 3]',
        ),
        ({"backend": "cloud"}, 'editor: backend must be one of auto, local, mistral, not "cloud"'),
        ({"mistral": "x"}, 'editor: mistral must be a table of options, not "x"'),
        ({"local": {"model": 7}}, "editor: model must be a string, not 7"),
        ([1], "editor: options must be an object, not [1]"),
    ],
)
def test_wrong_options_are_named_and_leave_the_defaults(values: object, message: str) -> None:
    assert _messages(values) == [message]
    assert _resolve(values).settings == Settings()


def test_one_wrong_key_does_not_cost_the_others() -> None:
    resolved = _resolve({"completion": {"debounce_ms": "fast", "max_tokens": 9}, "backend": "mistral"})
    assert len(resolved.problems) == 1
    assert resolved.settings == Settings(backend="mistral", completion=CompletionSettings(max_tokens=9))


def test_a_wrong_value_leaves_that_of_an_earlier_layer() -> None:
    layers = [Layer("file", {"backend": "local"}), Layer("editor", {"backend": "cloud"})]
    assert resolve(layers).settings.backend == "local"


def test_whole_numbers_may_come_as_floats() -> None:
    """Editors configured in Lua or Lisp have one kind of number."""
    debounce_ms = _resolve({"completion": {"debounce_ms": 20.0}}).settings.completion.debounce_ms
    assert debounce_ms == 20
    assert type(debounce_ms) is int


def test_long_values_are_shown_in_part() -> None:
    (message,) = _messages({"backend": "x" * 500})
    assert len(message) < 120


def test_the_table_describes_every_field() -> None:
    table = options_table()
    assert [row[0] for row in table] == list(known())
    assert all(description for *_, description in table)
    assert table[3][:3] == ("completion.debounce_ms", "a whole number", "75")
    assert {field.name for field in dataclasses.fields(Settings)} == {
        key.partition(".")[0] for key, *_ in table
    }


@pytest.fixture
def user_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "user.toml"
    monkeypatch.setenv(config_files.CONFIG_VARIABLE, str(path))
    return path


def test_problems_in_files_name_the_line(user_file: Path) -> None:
    user_file.write_text(
        'backend = "local"\n\n[completion]\n# a comment\ndebounce = 3\nmax_tokens = "many"\n'
    )
    resolved = resolve(config_files.layers(None))
    assert [str(problem) for problem in resolved.problems] == [
        f"{user_file}:5: debounce is not an option of [completion]; did you mean debounce_ms?",
        f'{user_file}:6: max_tokens must be a whole number, not "many"',
    ]
    assert resolved.settings == Settings(backend="local")


def test_toml_that_does_not_parse_is_one_problem_with_its_line(user_file: Path) -> None:
    user_file.write_text('backend = "local"\n[completion\n')
    resolved = resolve(config_files.layers(None))
    assert len(resolved.problems) == 1
    assert str(resolved.problems[0]).startswith(f"{user_file}:2: not valid TOML: ")
    assert resolved.settings == Settings()


def test_a_file_that_is_not_text_is_a_problem(user_file: Path) -> None:
    user_file.write_bytes(b"\xff\xfe\x00")
    (problem,) = resolve(config_files.layers(None)).problems
    assert problem.message.startswith("cannot be read")


def test_a_file_named_by_the_environment_has_to_exist(user_file: Path) -> None:
    (problem,) = resolve(config_files.layers(None)).problems
    assert str(problem) == f"{user_file}: there is no such file, although CODESTRAL_LSP_CONFIG names it"


def test_a_byte_order_mark_is_no_problem(user_file: Path) -> None:
    user_file.write_bytes(b'\xef\xbb\xbfbackend = "local"\n')
    resolved = resolve(config_files.layers(None))
    assert resolved.problems == ()
    assert resolved.settings.backend == "local"


def test_a_workspace_sets_completion_and_nothing_else(user_file: Path, tmp_path: Path) -> None:
    """A cloned repository must not choose where text is sent."""
    user_file.write_text("completion = { max_tokens = 5, debounce_ms = 1 }\n")
    file = tmp_path / config_file_name()
    file.write_text('[mistral]\nbase_url = "https://evil.example"\n[completion]\nmax_tokens = 7\n')
    resolved = resolve(config_files.layers(tmp_path))
    assert resolved.settings == Settings(completion=CompletionSettings(max_tokens=7, debounce_ms=1))
    (problem,) = resolved.problems
    assert str(problem).startswith(f"{file}:1: mistral cannot be set by a workspace;")
    assert resolved.origins["completion.max_tokens"] == str(file)


def test_no_workspace_file_is_fine(user_file: Path, tmp_path: Path) -> None:
    user_file.touch()
    assert resolve(config_files.layers(tmp_path)).problems == ()


def test_the_usual_place_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(config_files.CONFIG_VARIABLE, raising=False)
    assert config_files.user_file().name == "config.toml"
    assert "codestral-lsp" in config_files.user_file().parts
