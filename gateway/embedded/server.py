"""What the embedded Postgres and Redis have in common."""

import time
from collections.abc import Callable
from pathlib import Path

from gateway.embedded.folders import remove_socket_folder
from gateway.embedded.processes import Child, EmbeddedServerError, log_tail

POLL_SECONDS = 0.02


class EmbeddedServer:
    """A server on a data folder, whose lock the caller holds, with a folder for its socket."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.resolve()
        self._sockets: Path | None = None
        self._child: Child | None = None

    @property
    def exit_code(self) -> int | None:
        return None if self._child is None else self._child.exit_code

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        if self._sockets is not None:
            remove_socket_folder(self._sockets)
            self._sockets = None

    def _launch(self, child: Child, is_ready: Callable[[], bool], timeout_seconds: float) -> None:
        """Start the process and wait until it is ready; raises EmbeddedServerError."""
        if self._child is not None:
            self._child.stop()
        self._child = child
        child.start()
        deadline = time.monotonic() + timeout_seconds
        while not is_ready():
            child.require_running()
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"{child.name} is not ready after {timeout_seconds:.0f} s. Its last lines:\n"
                    + log_tail(child.log)
                )
            time.sleep(POLL_SECONDS)
