"""A taken port is reported before anything starts."""

import socket

import pytest

from gateway.embedded.processes import EmbeddedServerError
from gateway.http.addresses import local_address, require_free_port


def test_taken_port_is_refused_with_a_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedServerError, match=f"Port {port} is in use.*make run PORT="):
            require_free_port("127.0.0.1", port)


def test_free_port_is_left_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    require_free_port("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_foreign_address_is_refused_with_a_message() -> None:
    with pytest.raises(EmbeddedServerError, match="Cannot listen on 203"):
        require_free_port("203.0.113.7", 8000)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://localhost:80"),
        ("0.0.0.0", "http://localhost:80"),
        ("192.0.2.1", "http://192.0.2.1:80"),
        ("2001:db8::1", "http://[2001:db8::1]:80"),
    ],
)
def test_local_address_is_a_url_for_this_machine(host: str, address: str) -> None:
    assert local_address(host, 80) == address
