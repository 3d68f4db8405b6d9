"""The gateway's own address, and whether its port is free."""

import errno
import socket

from gateway.embedded.processes import EmbeddedServerError

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - not bound, only compared
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def local_address(host: str, port: int) -> str:
    """The URL of the gateway as seen from this machine."""
    if host in EVERYWHERE or host in LOOPBACK:
        return f"http://localhost:{port}"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def loopback_host(host: str, port: int) -> str:
    """The gateway as a program on this machine reaches it, by number, with its port."""
    is_any = host in EVERYWHERE or host in LOOPBACK
    return f"127.0.0.1:{port}" if is_any else f"{host}:{port}"


def free_port() -> int:
    """A port of this machine that no program uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free_port(host: str, port: int) -> None:
    """Raise EmbeddedServerError if the gateway cannot listen on this port."""
    if local_address(host, port).startswith("http://localhost") and _is_listening(port):
        raise EmbeddedServerError(_taken(port))
    try:
        _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise EmbeddedServerError(_taken(port)) from None
        raise EmbeddedServerError(
            f"Cannot listen on {host} port {port}: {error.strerror}."
        ) from None


def _is_listening(port: int) -> bool:
    """Whether a program listens on any of localhost's addresses, as clients may try each."""
    try:
        socket.create_connection(("localhost", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _bind(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _taken(port: int) -> str:
    other = port + 1 if port < 65_535 else 8000
    return (
        f"Port {port} is in use by another program."
        f" Stop that program, or choose another port: make run PORT={other}"
    )
