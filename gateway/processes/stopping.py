"""Turns the signals that end a process into an exception."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """The process has received a signal to stop."""


class StopSignals:
    """Raises StopRequested at the first signal, wherever the code is; ignores further ones.

    Python swallows exceptions raised inside a finaliser, so loops also call ``check``.
    """

    def __init__(self) -> None:
        self._requested = False

    def check(self) -> None:
        """Raise StopRequested if a signal has been received."""
        if self._requested:
            raise StopRequested

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals inside the block."""
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
        os.write(1, b"Stopping ...\n")  # the signal may have interrupted `print`
        raise StopRequested
