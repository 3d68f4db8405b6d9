"""Writers that open a new connection for each request, and tell what became of it."""

import socket
import threading
from collections import Counter
from dataclasses import dataclass, field

REFUSED = "connection refused"
SECONDS = 30.0


@dataclass(slots=True)
class Writers:
    """Each writes until a connection is refused."""

    port: int
    request: bytes
    outcomes: Counter[str] = field(default_factory=Counter)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, count: int) -> None:
        self._threads = [threading.Thread(target=self._write_on) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(SECONDS)
        assert not any(thread.is_alive() for thread in self._threads)

    def _write_on(self) -> None:
        outcome = ""
        while outcome != REFUSED:
            outcome = self._write()
            self.outcomes[outcome] += 1

    def _write(self) -> str:
        try:
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)
        except ConnectionRefusedError:
            return REFUSED
        with connection:
            try:
                connection.sendall(self.request)
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
            except OSError as error:
                return f"{type(error).__name__} without an answer"
        return answer.partition(b"\r\n")[0].decode() or "closed without an answer"
