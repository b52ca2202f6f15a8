from __future__ import annotations

import pytest

from lsp_server.privacy.destination import Destination, destination_of


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434",
        "http://LOCALHOST./v1",
        "http://api.localhost/v1",
        "http://127.0.0.1:8080",
        "http://127.8.9.10",
        "http://[::1]:8080/v1",
    ],
)
def test_loopback_is_this_machine(url: str) -> None:
    assert destination_of(url, ()) is Destination.THIS_MACHINE


@pytest.mark.parametrize(
    "url",
    [
        "https://api.mistral.ai",
        "http://192.168.1.5:8080",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://localhost@example.org",
        "http://localhost:80@example.org/",
        "http://example.org/localhost",
        "http://example.org?@localhost",
        "http://example.org#@localhost",
        "http://0.0.0.0:8080",
        "http://2130706433",
        "http://127.1",
        "localhost:8080",
        "",
    ],
)
def test_everything_else_is_a_third_party(url: str) -> None:
    assert destination_of(url, ()) is Destination.THIRD_PARTY


@pytest.mark.parametrize(
    ("url", "mine"),
    [
        ("http://gpu-box:8080/v1", "gpu-box"),
        ("http://GPU-Box.:8080", " gpu-box "),
        ("https://llm.example.org", "*.example.org"),
        ("https://a.b.example.org", "*.EXAMPLE.org"),
        ("http://192.168.1.5:8080", "192.168.1.*"),
    ],
)
def test_listed_hosts_are_my_servers(url: str, mine: str) -> None:
    assert destination_of(url, ["other", mine]) is Destination.MY_SERVERS


@pytest.mark.parametrize(
    "url", ["https://example.org", "https://example.org.evil.com", "https://evilexample.org"]
)
def test_a_pattern_of_subdomains_means_subdomains(url: str) -> None:
    assert destination_of(url, ["*.example.org"]) is Destination.THIRD_PARTY
