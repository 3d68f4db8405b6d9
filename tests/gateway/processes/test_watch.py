"""Services that stop are restarted, until they stop too often."""

import pytest

from gateway.embedded.processes import EmbeddedServerError
from gateway.processes.watch import RESTARTS_MAX, Watch


class Mortal:
    """A service that stops when `exit_code` is set."""

    name = "mortal"

    def __init__(self, refusals: int = 0) -> None:
        self.exit_code: int | None = None
        self.starts = 0
        self._refusals = refusals

    def start(self) -> None:
        self.starts += 1
        if self.starts <= self._refusals:
            raise EmbeddedServerError("not yet")
        self.exit_code = None

    def stop(self) -> None:
        self.exit_code = 0


def test_running_service_is_left_alone() -> None:
    service = Mortal()
    Watch([service], print).check()
    assert service.starts == 0


def test_stopped_service_is_restarted_and_reported() -> None:
    service, lines = Mortal(), list[str]()
    service.exit_code = -9
    watch = Watch([service], lines.append)
    watch.check()
    watch.check()
    assert service.starts == 1
    assert lines == ["mortal stopped (exit code -9): restarting it"]


def test_failed_start_is_tried_again() -> None:
    service = Mortal(refusals=1)
    service.exit_code = -9
    watch = Watch([service], print)
    watch.check()
    assert service.exit_code == -9
    watch.check()
    assert service.exit_code is None


def test_service_that_keeps_stopping_is_given_up() -> None:
    service = Mortal()
    watch = Watch([service], print)
    for _ in range(RESTARTS_MAX):
        service.exit_code = 1
        watch.check()
    service.exit_code = 1
    with pytest.raises(EmbeddedServerError, match="giving up"):
        watch.check()
