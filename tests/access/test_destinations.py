"""Where the gateway may send: addresses are judged as they are resolved."""

import pytest

from access.destinations import DestinationError, Destinations, is_public, resolve

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "no address",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused_in_every_form(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost", "[::1]"]
)
async def test_this_machine_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(DestinationError):
        await Destinations().address(f"https://{host}/api/1/envelope/")


def answering(*addresses: str) -> Destinations:
    async def find(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return Destinations(resolve=find)


async def test_a_name_with_any_private_address_is_refused() -> None:
    url = "https://sentry.example.com/"
    assert await answering("1.1.1.1", "8.8.8.8").address(url) == "1.1.1.1"
    for addresses in (("1.1.1.1", "10.0.0.1"), ()):
        with pytest.raises(DestinationError):
            await answering(*addresses).address(url)


async def test_http_is_refused_but_for_hosts_that_the_setting_names() -> None:
    with pytest.raises(DestinationError):
        await answering("1.1.1.1").address("http://sentry.example.com/")
    named = Destinations.of("127.0.0.1:9000, sentry.internal:443")
    assert named.local == {"127.0.0.1:9000", "sentry.internal:443"}
    assert named.resolve is resolve
    assert await named.address("http://127.0.0.1:9000/api/1/") == "127.0.0.1"
    with pytest.raises(DestinationError):
        await named.address("http://127.0.0.1:9001/api/1/")


@pytest.mark.parametrize("text", ["localhost", "a:b", "a:99999"])
def test_a_host_without_a_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|Port"):
        Destinations.of(text)
