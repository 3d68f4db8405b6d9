"""The client's address behind proxies, which only trusted ones may give."""

from typing import Any

import pytest

from gateway.http.proxies import TrustedProxies

PROXIES = "10.0.0.0/8, 127.0.0.1, fd00::/8"


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"client": (peer, 1234) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        (
            "203.0.113.9",
            ["198.51.100.1"],
            "203.0.113.9",
        ),  # an untrusted peer
        ("10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.1.1", ["1.2.3.4, 198.51.100.1, 10.2.2.2"], "198.51.100.1"),
        ("10.1.1.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.1.1.1", ["198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("10.1.1.1", ["10.3.3.3"], "10.3.3.3"),
        ("10.1.1.1", [""], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.1, unknown"], "10.1.1.1"),
        ("10.1.1.1", ["198.51.100.1:4711"], "10.1.1.1"),
        ("10.1.1.1", ["ä\x00"], "10.1.1.1"),
        (None, [], "local"),
        (None, ["198.51.100.1"], "local"),
    ],
)
def test_client_is_the_nearest_untrusted_address(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert TrustedProxies.of(PROXIES).client(scope(peer, *forwarded)) == client


def test_no_proxy_is_trusted_by_default() -> None:
    assert TrustedProxies.of("").client(scope("127.0.0.1", "198.51.100.1")) == "127.0.0.1"


@pytest.mark.parametrize("text", ["nonsense", "10.0.0.0/33", "10.0.0.1,,proxy.example.com"])
def test_odd_networks_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not appear to be"):
        TrustedProxies.of(text)


@pytest.mark.parametrize(
    ("hosts", "scheme", "forwarded", "url"),
    [
        (["api.example.com"], "http", None, "http://api.example.com"),
        (["api.example.com:8443"], "https", None, "https://api.example.com:8443"),
        (["[2001:db8::1]:80"], "http", "https", "https://[2001:db8::1]:80"),
        (["evil.example/<script>"], "http", None, ""),
        (["key@api.example.com"], "http", None, ""),
        (["a", "b"], "http", None, ""),
        ([], "http", None, ""),
    ],
)
def test_the_address_of_the_gateway_is_as_the_client_wrote_it(
    hosts: list[str], scheme: str, forwarded: str | None, url: str
) -> None:
    headers = [(b"host", host.encode()) for host in hosts]
    if forwarded:
        headers.append((b"x-forwarded-proto", forwarded.encode()))
    asked = {"client": ("10.1.1.1", 1), "scheme": scheme, "headers": headers}
    assert TrustedProxies.of(PROXIES).base_url(asked) == url
