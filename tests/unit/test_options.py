"""Options from the wire and from files: what is taken, what is refused, and how it is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from lsp_server import config_files
from lsp_server.options import Layer, Resolved, known, options_table, resolve
from lsp_server.options_reference import NAME
from lsp_server.settings import (
    BackendSettings,
    CompletionSettings,
    PrivacySettings,
    ProfileSettings,
    Settings,
    config_file_name,
)


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
        table = wire
        *sections, name = key.split(".")
        for section in sections:
            table = table.setdefault(section, {})
        table[name] = option.default
    assert _messages(wire) == []
    assert _resolve(wire).settings == Settings(
        backends={NAME: BackendSettings()}, profiles={NAME: ProfileSettings()}
    )


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
            {"local": {"backend": 1}},
            "editor: backend is not an option of [local]; it belongs in the top level",
        ),
        (
            {"mistral": {"model": "m"}},
            "editor: mistral is not a section of its own; write [backends.mistral]",
        ),
        ({"zzz": 1}, "editor: zzz is not an option"),
        (
            {"completion": {"debounce_ms": "fast"}},
            'editor: completion.debounce_ms must be a whole number, not "fast"',
        ),
        (
            {"completion": {"debounce_ms": 1.5}},
            "editor: completion.debounce_ms must be a whole number, not 1.5",
        ),
        (
            {"completion": {"debounce_ms": True}},
            "editor: completion.debounce_ms must be a whole number, not true",
        ),
        (
            {"completion": {"debounce_ms": float("inf")}},
            "editor: completion.debounce_ms must be a whole number, not Infinity",
        ),
        (
            {"completion": {"debounce_ms": -1}},
            "editor: completion.debounce_ms must be between 0 and 10000, not -1",
        ),
        (
            {"completion": {"temperature": float("nan")}},
            "editor: completion.temperature must be between 0 and 2, not NaN",
        ),
        ({"completion": {"timeout_ms": 5}}, "editor: completion.timeout_ms must be at least 100, not 5"),
        ({"completion": {"enabled": 1}}, "editor: completion.enabled must be true or false, not 1"),
        (
            {"completion": {"disabled_languages": "python"}},
            'editor: completion.disabled_languages must be a list of strings, not "python"',
        ),
        (
            {"completion": {"disabled_languages": ["python", 3]}},
            'editor: completion.disabled_languages must be a list of strings, not ["python", 3]',
        ),
        (
            {"completion": {"multiline": "yes"}},
            'editor: completion.multiline must be one of auto, never, always, not "yes"',
        ),
        (
            {"completion": {"max_tokens": 10**400}},
            "editor: completion.max_tokens must be between 1 and 4096, not 10000",
        ),
        (
            {"completion": {"temperature": 10**400}},
            "editor: completion.temperature must be a number, not 10000",
        ),
        ({"privacy": "x"}, 'editor: privacy must be a table of options, not "x"'),
        ({"backends": "x"}, 'editor: backends must be a table of options, not "x"'),
        ({"backends": {"gpu": "x"}}, 'editor: backends.gpu must be a table of options, not "x"'),
        (
            {"backends": {"base_url": "x"}},
            "editor: base_url belongs in a table with a name of yours, [backends.NAME]",
        ),
        ({"base_url": "x"}, "editor: base_url is not an option; it belongs in [backends.NAME]"),
        ({"backnds": {}}, "editor: backnds is not an option; did you mean backends?"),
        ({"a\x1b b": 1}, 'editor: "a\\u001b b" is not an option'),
        ({"local": {"model": 7}}, "editor: local.model must be a string, not 7"),
        ([1], "editor: options must be an object, not [1]"),
    ],
)
def test_wrong_options_are_named_and_leave_the_defaults(values: object, message: str) -> None:
    (said,) = _messages(values)
    assert said == message or (message.endswith("10000") and said.startswith(message) and len(said) < 120)
    assert _resolve(values).settings == Settings()


def test_one_wrong_key_does_not_cost_the_others() -> None:
    resolved = _resolve({"completion": {"debounce_ms": "fast", "max_tokens": 9}, "backend": "mistral"})
    assert len(resolved.problems) == 1
    assert resolved.settings == Settings(backend="mistral", completion=CompletionSettings(max_tokens=9))


def test_a_wrong_value_leaves_that_of_an_earlier_layer() -> None:
    layers = [Layer("file", {"log_level": "debug"}), Layer("editor", {"log_level": "loud"})]
    resolved = resolve(layers)
    assert resolved.settings.log_level == "debug"
    assert resolved.origins["log_level"] == "file"


def test_whole_numbers_may_come_as_floats() -> None:
    """Editors configured in Lua or Lisp have one kind of number."""
    debounce_ms = _resolve({"completion": {"debounce_ms": 20.0}}).settings.completion.debounce_ms
    assert debounce_ms == 20
    assert type(debounce_ms) is int


def test_long_values_are_shown_in_part() -> None:
    (message,) = _messages({"log_level": "x" * 500})
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
        f'{user_file}:6: completion.max_tokens must be a whole number, not "many"',
    ]
    assert resolved.settings == Settings(backend="local")


def test_toml_that_does_not_parse_is_one_problem_with_its_line(user_file: Path) -> None:
    user_file.write_text('backend = "local"\n[completion\n')
    resolved = resolve(config_files.layers(None))
    assert len(resolved.problems) == 1
    assert str(resolved.problems[0]).startswith(f"{user_file}:2: not valid TOML: ")
    assert "no text leaves this machine" in resolved.problems[0].message
    assert resolved.settings == Settings(privacy=PrivacySettings(excluded=("*",)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "cannot be read"),
        (b"a = " + b"[" * 100_000, "not valid TOML"),
        (b"a = 1" + b"0" * 10_000, "not valid TOML"),
    ],
    ids=["not text", "nested without end", "a number without end"],
)
def test_whatever_is_in_a_file_is_a_problem_at_most(user_file: Path, content: bytes, said: str) -> None:
    user_file.write_bytes(content)
    (problem,) = resolve(config_files.layers(None)).problems
    assert problem.message.startswith(said)


def test_a_file_named_by_the_environment_has_to_exist(user_file: Path) -> None:
    (problem,) = resolve(config_files.layers(None)).problems
    assert str(problem) == f"{user_file}: there is no such file, although CODESTRAL_LSP_CONFIG names it"


def test_a_byte_order_mark_is_no_problem(user_file: Path) -> None:
    user_file.write_bytes(b'\xef\xbb\xbfbackend = "local"\n')
    resolved = resolve(config_files.layers(None))
    assert resolved.problems == ()
    assert resolved.settings.backend == "local"


@pytest.mark.parametrize(
    "text",
    [
        'backend = "gpu"',
        'log_level = "debug"',
        '[local]\nmodel = "/tmp/x.gguf"',
        '[backends.gpu]\nbase_url = "https://evil.example"',
        "[profiles.x]",
        "[privacy]\nscan_secrets = false",
    ],
)
def test_a_workspace_sets_completion_and_nothing_else(user_file: Path, tmp_path: Path, text: str) -> None:
    """A cloned repository must not choose where text is sent."""
    user_file.write_text("completion = { max_tokens = 5, debounce_ms = 1 }\n")
    file = tmp_path / config_file_name()
    file.write_text(f"{text}\n[completion]\nmax_tokens = 7\n")
    resolved = resolve(config_files.layers(tmp_path))
    assert resolved.settings == Settings(completion=CompletionSettings(max_tokens=7, debounce_ms=1))
    (problem,) = resolved.problems
    assert str(problem).startswith(f"{file}:1: ") and "cannot be set by a workspace" in problem.message
    assert resolved.origins["completion.max_tokens"] == str(file)


def test_no_workspace_file_is_fine(user_file: Path, tmp_path: Path) -> None:
    user_file.touch()
    assert resolve(config_files.layers(tmp_path)).problems == ()


def test_the_usual_place_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(config_files.CONFIG_VARIABLE, raising=False)
    assert config_files.user_file().name == "config.toml"
    assert "codestral-lsp" in config_files.user_file().parts


def test_named_tables_are_laid_over_each_other_key_by_key() -> None:
    resolved = resolve(
        [
            Layer("file", {"backends": {"gpu": {"type": "openai", "model": "a"}, "b.c": {"verify": False}}}),
            Layer("editor", {"backends": {"gpu": {"model": "b", "type": None}, "empty": {}, "none": None}}),
        ]
    )
    assert resolved.settings.backends == {
        "gpu": BackendSettings(type="openai", model="b"),
        "b.c": BackendSettings(verify=False),
        "empty": BackendSettings(),
    }
    assert {key: place for key, place in resolved.origins.items() if key.startswith("backends.")} == {
        "backends.gpu.type": "file",
        "backends.gpu.model": "editor",
        'backends."b.c".verify': "file",
    }
    assert resolved.problems == ()


def test_problems_in_named_tables_name_the_table_and_the_line(user_file: Path) -> None:
    user_file.write_text(
        "[backends.gpu]\n"
        "modle = 'm'\n"
        "verify = 'no'\n"
        '[backends."my gpu"] # mine\n'
        "connect_timeout_ms = 5\n"
        "[profiles]\n"
        "work.completion = 'gpu'\n"
        "home = { chat = ['gpu'], caht = [] }\n"
    )
    resolved = resolve(config_files.layers(None))
    assert [str(problem).removeprefix(f"{user_file}:") for problem in resolved.problems] == [
        "2: modle is not an option of [backends.gpu]; did you mean model?",
        '3: backends.gpu.verify must be true or false, not "no"',
        '5: backends."my gpu".connect_timeout_ms must be at least 100, not 5',
        '7: profiles.work.completion must be a list of strings, not "gpu"',
        "8: caht is not an option of [profiles.home]; did you mean chat?",
    ]
    assert resolved.settings.profiles == {"work": ProfileSettings(), "home": ProfileSettings(chat=("gpu",))}


@pytest.mark.parametrize("name", ["api_key", "api-key", "token", "API_KEY"])
def test_keys_do_not_belong_in_files(name: str) -> None:
    (message,) = _messages({"backends": {"gpu": {name: "sk-secret"}}})
    assert "lsp_server keys set gpu" in message and "secret" not in message


@pytest.mark.parametrize("key", ["sk-secret", "Xy7secret", "secret key"])
def test_a_key_in_place_of_a_variable_is_not_shown(key: str) -> None:
    resolved = _resolve({"backends": {"gpu": {"api_key_env": key}}})
    (problem,) = resolved.problems
    assert "must be the name of an environment variable" in problem.message
    assert key not in str(resolved)
    assert _messages({"backends": {"gpu": {"api_key_env": "MY_KEY_2"}}}) == []


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ({"privacy": {"excluded": "secrets/"}}, Settings(privacy=PrivacySettings(excluded=("*",)))),
        (
            {"backends": {"mistral": {"destination": "thrid party"}}},
            Settings(backends={"mistral": BackendSettings(destination="third party")}),
        ),
        (
            {"backends": {"mistral": {"base_url": 7}}},
            Settings(backends={"mistral": BackendSettings(base_url="?")}),
        ),
    ],
)
def test_what_is_wrong_does_not_open_a_door(values: object, settings: Settings) -> None:
    """The default would send text that was to be kept back, or to another host than was meant."""
    assert len(_messages(values)) == 1
    assert _resolve(values).settings == settings


def test_a_check_of_the_whole_is_told_where_it_stands() -> None:
    def check(settings: Settings) -> tuple[Settings, list[tuple[tuple[str, ...], str]]]:
        found = [("backend",), ("backends", "gpu", "type"), ("backends", "gpu", "verify"), ("log_level",)]
        return Settings(backend="local"), [(parts, "is odd") for parts in found]

    layers = [
        Layer("file", {"backends": {"gpu": {"verify": 3}}}, lines={"backends.gpu": 4}),
        Layer("editor", {"backend": "gpu"}),
    ]
    resolved = resolve(layers, check)
    assert resolved.settings == Settings(backend="local")
    assert [str(problem) for problem in resolved.problems] == [
        "file:4: backends.gpu.verify must be true or false, not 3",
        "editor: is odd",
        "file:4: is odd",
        "default: is odd",
    ]
