"""Company networks: proxies, and certificates of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.backends import tls
from lsp_server.backends.endpoint import Deadlines, Endpoint
from lsp_server.backends.mistral import MistralBackend
from lsp_server.backends.protocol import ChatMessage, ChatRequest, FimRequest
from lsp_server.errors import BackendUnavailable, ConfigurationError
from lsp_server.privacy.destination import Destination
from tests.support.connect_proxy import ConnectProxy
from tests.support.faulty_server import FaultyServer
from tests.support.http2_server import Http2Server

FIM = FimRequest("a = ", "\n", max_tokens=10)
CHAT = ChatRequest((ChatMessage("user", "hello"),), max_tokens=10)
LONG = Deadlines(10.0, 20.0, 25.0)
ELSEWHERE = "example.invalid"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[Http2Server]:
    with Http2Server(ELSEWHERE) as running:
        yield running


@pytest.fixture
def authority(server: Http2Server, tmp_path: Path) -> str:
    path = tmp_path / "company.pem"
    server.authority.cert_pem.write_to_path(str(path))
    return str(path)


def elsewhere(ca_file: str = "", *, verify: bool = True) -> Endpoint:
    url = f"https://{ELSEWHERE}"
    return Endpoint(
        "company", url, Destination.THIRD_PARTY, fim=LONG, chat=LONG, ca_file=ca_file, verify=verify
    )


async def text_of(endpoint: Endpoint, request: FimRequest | ChatRequest = FIM) -> str:
    backend = MistralBackend(endpoint, "m")
    try:
        stream = backend.fim(request) if isinstance(request, FimRequest) else backend.chat(request)
        return "".join([chunk.text async for chunk in stream])
    finally:
        await backend.aclose()


@pytest.mark.parametrize("request_", [FIM, CHAT], ids=["completion", "chat"])
async def test_a_server_elsewhere_is_reached_through_the_proxy(
    server: Http2Server, authority: str, monkeypatch: pytest.MonkeyPatch, request_: FimRequest | ChatRequest
) -> None:
    with ConnectProxy(server.base_url) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert await text_of(elsewhere(ca_file=authority), request_) == "done"
    assert proxy.asked == [f"CONNECT {ELSEWHERE}:443 HTTP/1.1"]


async def test_text_for_this_machine_does_not_go_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer("none") as here, ConnectProxy(here.base_url) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        endpoint = Endpoint("here", here.base_url, Destination.THIS_MACHINE, fim=LONG, chat=LONG)
        assert await text_of(endpoint) == "done"
        assert proxy.asked == []


async def test_no_proxy_names_hosts_that_are_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer("none") as near, ConnectProxy(near.base_url) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        endpoint = Endpoint("near", near.base_url, Destination.MY_SERVERS, fim=LONG, chat=LONG)
        assert await text_of(endpoint) == "done"
        assert proxy.asked == []


async def test_a_proxy_that_refuses_is_said_to(
    server: Http2Server, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(server.base_url, refuse="407 Proxy Authentication Required") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(BackendUnavailable, match=r"^The proxy on the way to .* refused: 407 "):
            await text_of(elsewhere(ca_file=authority))


@pytest.mark.parametrize("proxy", ["socks5://me:password@127.0.0.1:1", "gopher://me:password@127.0.0.1"])
async def test_a_proxy_of_another_kind_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        await text_of(elsewhere())
    assert "password" not in f"{caught.value} {caught.value.__cause__}"


async def test_a_company_s_certificate_from_the_environment(
    server: Http2Server, authority: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(server.base_url) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(BackendUnavailable, match=r"not trusted .*ca_file"):
            await text_of(elsewhere())
        monkeypatch.setenv("SSL_CERT_FILE", authority)
        assert await text_of(elsewhere()) == "done"


async def test_a_certificate_need_not_be_checked(
    server: Http2Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ConnectProxy(server.base_url) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        tls.warn_unverified.cache_clear()
        for _ in range(2):
            assert await text_of(elsewhere(verify=False)) == "done"
    assert [record.levelname for record in caplog.records if "not checked" in record.message] == ["WARNING"]


@pytest.mark.parametrize(("content", "said"), [(None, "not there"), ("no certificate", "PEM")])
async def test_a_wrong_ca_file_is_said_to_be_one(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=said) as caught:
        await text_of(elsewhere(ca_file=str(path)))
    assert "backends.company.ca_file" in str(caught.value)
