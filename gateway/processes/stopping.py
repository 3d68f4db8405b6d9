"""Signals that ask us to stop, turned into one exception."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody wants us to stop."""


class StopSignals:
    """The first signal raises StopRequested wherever we are; further ones are ignored.

    Python swallows what is raised inside a finaliser, so long waits also call ``check``.
    """

    def __init__(self) -> None:
        self._requested = False

    def check(self) -> None:
        """Raise StopRequested if a signal has come."""
        if self._requested:
            raise StopRequested

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals while inside."""
        before = {number: signal.signal(number, self._stop) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: object) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._requested = True
        os.write(1, b"Stopping ...\n")  # `print` may be what was interrupted
        raise StopRequested
