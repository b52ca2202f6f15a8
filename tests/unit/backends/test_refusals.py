"""What servers really answer, and what the user reads of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.backends.refusals import Answer, Asked, quoted, refusal, said
from lsp_server.errors import (
    BackendError,
    BackendLoading,
    BackendRejected,
    BackendUnavailable,
    RateLimited,
    RequestRejected,
    SuffixRefused,
)
from lsp_server.keys.key import Key

PROMPT = "def salary_of(person):\n    return secrets[person]"
BODY = {"model": "codestral-2405", "prompt": PROMPT, "suffix": "\n\npw = 'hunter2'", "stop": ["\n"]}
KEY = Key("sk-1234567890abcdef", "the environment variable SOME_KEY")


def asked(host: str = "gpu-box", key: Key | None = KEY, body: Mapping[str, object] = BODY) -> Asked:
    return Asked(f"The server http://{host}", host, "/v1/completions", body, key, "the variable SOME_KEY")


def refused(status: int, body: object, by: Asked | None = None, **headers: str) -> BackendError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(Answer(status, headers, content), by or asked(), lambda: 2.0)


CASES: list[tuple[int, object, type[BackendError], str]] = [
    # OpenAI
    (429, {"error": {"message": "Rate limit", "type": "requests"}}, RateLimited, "in 2 s: Rate limit"),
    (429, {"error": {"message": "You exceeded your current quota"}}, BackendRejected, "no credit left"),
    (
        404,
        {"error": {"message": "The model `x` does not exist or you do not have access to it."}},
        BackendRejected,
        "codestral-2405 (The model `x` does not exist or you do not have access to it): set another model.",
    ),
    (
        400,
        {"error": {"message": "This model's maximum context length is 4097 tokens"}},
        RequestRejected,
        "is 4097 tokens): lower completion.context_tokens.",
    ),
    # Mistral
    (
        400,
        {
            "object": "error",
            "message": "Invalid model: codestral-2405",
            "type": "invalid_model",
            "code": "1500",
        },
        BackendRejected,
        "does not know the model codestral-2405",
    ),
    (
        400,
        {"message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"},
        RequestRejected,
        "lower completion.context_tokens",
    ),
    # vLLM
    (
        400,
        {"object": "error", "message": "suffix is not currently supported", "code": 400},
        SuffixRefused,
        "cannot complete between",
    ),
    (
        404,
        {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404},
        BackendRejected,
        "does not know the model",
    ),
    # llama.cpp
    (
        500,
        {"error": {"code": 500, "message": "Unsupported param: suffix", "type": "server_error"}},
        SuffixRefused,
        "cannot complete between",
    ),
    (
        501,
        {
            "error": {
                "code": 501,
                "message": "Infill is not supported by this model: prefix token is missing.",
            }
        },
        SuffixRefused,
        "cannot complete between",
    ),
    (
        400,
        {"error": {"code": 400, "message": "the request exceeds", "type": "exceed_context_size_error"}},
        RequestRejected,
        "lower completion.context_tokens",
    ),
    (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        BackendLoading,
        "still loading the model",
    ),
    (
        404,
        {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}},
        BackendRejected,
        "has nothing at /v1/completions (File Not Found): check the base URL.",
    ),
    # Ollama
    (400, {"error": "registry.ollama.ai/library/x:latest does not support insert"}, SuffixRefused, "between"),
    (404, {"error": "model 'x' not found"}, BackendRejected, "does not know the model"),
    # TGI
    (
        422,
        {
            "error": "Input validation error: `inputs` must have less than 4096 tokens",
            "error_type": "validation",
        },
        RequestRejected,
        "lower completion.context_tokens",
    ),
    # FastAPI and proxies
    (
        422,
        {"detail": [{"loc": ["body", "n"], "msg": "Field required", "type": "missing", "input": BODY}]},
        RequestRejected,
        "HTTP 422): n: Field required",
    ),
    (404, {"detail": "Not Found"}, BackendRejected, "has nothing at /v1/completions"),
    (405, {"detail": "Method Not Allowed"}, BackendRejected, "has nothing at /v1/completions"),
    (
        413,
        b"<html><title>413 Request Entity\n Too Large</title></html>",
        RequestRejected,
        "413 Request Entity Too",
    ),
    (
        502,
        b"<html><head><TITLE lang=en>Bad &amp; gateway</TITLE>",
        BackendUnavailable,
        "(HTTP 502): Bad & gateway",
    ),
    (504, b"upstream request timeout", BackendUnavailable, "(HTTP 504): upstream request timeout"),
    (402, {"error": {"message": "Insufficient credits", "code": 402}}, BackendRejected, "no credit left"),
    (
        403,
        {"error": {"message": "Country not supported"}},
        BackendRejected,
        "(HTTP 403: Country not supported): ",
    ),
    (500, b"\xff\xfe", BackendUnavailable, "cannot answer now (HTTP 500)."),
    (500, b"", BackendUnavailable, "cannot answer now (HTTP 500)."),
    (500, b"[" * 100_000, BackendUnavailable, "cannot answer now (HTTP 500)."),
    (418, {"message": {"message": {"detail": "deep"}}}, RequestRejected, "(HTTP 418): deep"),
]


@pytest.mark.parametrize(("status", "body", "kind", "sentence"), CASES)
def test_each_shape_becomes_a_sentence(
    status: int, body: object, kind: type[BackendError], sentence: str
) -> None:
    error = refused(status, body)
    assert type(error) is kind
    assert sentence in str(error)
    assert str(error).isprintable() and not set(str(error)) & set("{}")


@pytest.mark.parametrize("status", [401, 403])
def test_keys_of_mistral_s_two_hosts_are_different_ones(status: int) -> None:
    body = {"detail": "Unauthorized"}
    said_of_api = str(refused(status, body, asked("api.mistral.ai")))
    assert "codestral.mistral.ai" in said_of_api and KEY.place in said_of_api
    assert "one for api.mistral.ai" in str(refused(status, body, asked("codestral.mistral.ai")))
    assert "mistral" not in str(refused(status, body))


def test_a_missing_key_is_not_called_a_wrong_one() -> None:
    error = str(refused(401, {"detail": "Unauthorized"}, asked(key=None)))
    assert "none was found" in error and "the variable SOME_KEY" in error


def test_a_key_that_the_server_repeats_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    error = refused(
        401, {"error": {"message": "Incorrect API key provided: sk-12345******cdef. See the site."}}
    )
    assert "sk-1" not in f"{error} {caplog.text}" and "cdef" not in f"{error} {caplog.text}"


def test_a_redirect_is_not_followed_and_names_the_host_alone() -> None:
    error = refused(301, b"", location="https://user:pw@elsewhere.example:8443/login?token=1")
    assert "https://elsewhere.example:8443:" in str(error)
    assert "pw" not in str(error) and "token" not in str(error)
    assert "another address" in str(refused(302, b""))


@pytest.mark.parametrize(
    "words",
    [
        f"Invalid input: {PROMPT}",
        "Value error, got 'def salary_of(person):\\n    retu...'",
        'near "return secrets[person]"',
        "unexpected pw = 'hunter2' in field",
        'cannot parse {"prompt": 1}',
        "x" * 201,
    ],
)
def test_the_user_s_text_long_texts_and_dumps_are_not_quoted(words: str) -> None:
    assert quoted(words, BODY) == "."
    assert str(refused(422, {"message": words})).endswith("(HTTP 422).")


def test_the_user_s_text_in_a_conversation_is_not_quoted() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}]}
    assert quoted("bad: return secrets[person]", body) == "."
    assert quoted("bad role", body) == ": bad role"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["message", "detail", "error", "msg", "loc", "code"]), inner)
        ),
    ),
    st.integers(300, 599),
)
def test_no_body_is_an_error_of_ours(body: object, status: int) -> None:
    content = json.dumps(body).encode()
    said(content)
    error = refusal(Answer(status, {}, content), asked(), lambda: 1.0)
    assert isinstance(error, BackendError) and len(str(error)) < 600


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        ("the environment variable SOME_KEY", "put the right one there."),
        (
            "/home/me/keys.json",
            "give another by the environment variable SOME_KEY, or `lsp_server keys set x`.",
        ),
    ],
)
def test_a_wrong_key_is_to_be_changed_where_it_comes_from(place: str, advice: str) -> None:
    hint = "the environment variable SOME_KEY, or `lsp_server keys set x`"
    by = Asked("The server", "gpu-box", "/v1/completions", BODY, Key("sk-1234567890abcdef", place), hint)
    assert str(refused(401, {}, by)) == f"The server refused the key from {place} (HTTP 401): {advice}"


def test_who_does_not_speak_mistrals_api_may_speak_openais() -> None:
    by = Asked("The server", "gpu-box", "/v1/fim/completions", BODY, None, "")
    assert "set the backend's type to openai and its fim to auto." in str(refused(404, {}, by))
