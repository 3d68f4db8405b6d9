"""A listening socket that takes no more connections, on the real kernel."""

import socket
import sys
from collections.abc import Iterator

import pytest

from gateway.http.listening import has_waiting, take_no_more

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the filter is one of Linux")


@pytest.fixture(params=[("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    host, family = request.param
    with socket.create_server((host, 0), family=family) as made:
        yield made


def connect(listener: socket.socket, seconds: float = 5) -> socket.socket:
    return socket.create_connection(listener.getsockname()[:2], timeout=seconds)


def test_waiting_connections_are_still_accepted(listener: socket.socket) -> None:
    with connect(listener) as early:
        take_no_more(listener)
        assert has_waiting(listener)
        accepted, _address = listener.accept()
        with accepted:
            early.sendall(b"hello")
            assert accepted.recv(5) == b"hello"
            accepted.sendall(b"hello yourself")
        assert early.recv(100) == b"hello yourself"


def test_later_connections_are_refused_once_closed(listener: socket.socket) -> None:
    take_no_more(listener)
    with pytest.raises(TimeoutError):
        connect(listener, 0.3)
    assert not has_waiting(listener)
    address = listener.getsockname()[:2]
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
