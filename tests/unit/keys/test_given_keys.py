"""Keys that an editor gives to the server through the environment."""

from __future__ import annotations

import json

import pytest

from lsp_server.errors import ConfigurationError
from lsp_server.keys.find import find
from lsp_server.keys.given import VARIABLE, GivenKeys, given_keys

SECRET = "sk-planted-0123456789"


def test_keys_leave_the_environment() -> None:
    keys, environment = GivenKeys(), {VARIABLE: json.dumps({"mistral": SECRET}), "HOME": "/home/demo"}
    assert keys.take(environment) is None
    assert environment == {"HOME": "/home/demo"}
    found = keys.find("mistral")
    assert found is not None
    assert (found.reveal(), found.place) == (SECRET, "the editor")
    assert keys.find("openai") is None
    assert SECRET not in repr(found) + repr(keys)


@pytest.mark.parametrize("given", ["", "  ", "{}", json.dumps({"mistral": " "})])
def test_no_keys_are_nothing_to_complain_about(given: str) -> None:
    keys = GivenKeys()
    assert keys.take({VARIABLE: given}) is None
    assert keys.take({}) is None
    assert keys.find("mistral") is None


@pytest.mark.parametrize(
    "given",
    [
        SECRET,
        json.dumps([SECRET]),
        json.dumps(SECRET),
        json.dumps({"mistral": [SECRET]}),
        "{" + SECRET,
        "\udcff",
    ],
)
def test_what_cannot_be_read_is_said_without_showing_it(given: str) -> None:
    keys, environment = GivenKeys(), {VARIABLE: given}
    sentence = keys.take(environment)
    assert sentence is not None
    assert VARIABLE in sentence
    assert "planted" not in sentence
    assert environment == {}
    assert keys.find("mistral") is None


def test_a_key_that_no_header_can_carry_is_refused() -> None:
    keys = GivenKeys()
    keys.take({VARIABLE: json.dumps({"mistral": f"{SECRET}\nx"})})
    with pytest.raises(ConfigurationError, match="the editor") as raised:
        keys.find("mistral")
    assert "planted" not in str(raised.value)


def test_the_editor_comes_before_the_environment_and_after_a_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_GIVEN_API_KEY", "from-variable")
    given_keys.take({VARIABLE: json.dumps({"mistral": SECRET})})
    try:
        found = find("mistral", variable="TEST_GIVEN_API_KEY")
        assert found is not None
        assert found.place == "the editor"
        other = find("codestral", variable="TEST_GIVEN_API_KEY")
        assert other is not None
        assert other.reveal() == "from-variable"
        with pytest.raises(ConfigurationError, match="no-such-program"):
            find("mistral", command=("no-such-program",))
    finally:
        given_keys.take({})
