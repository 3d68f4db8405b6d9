"""Turns the signals that end a process into an exception."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """The process has received a signal to stop."""


@contextmanager
def stop_signals() -> Iterator[Callable[[], None]]:
    """Raise StopRequested at the first signal inside the block; ignore further ones.

    Yields a function that raises it again. Python swallows exceptions raised inside a finaliser, so
    loops call the function too.
    """
    requested = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal requested
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        requested = True
        os.write(1, b"Stopping ...\n")  # the signal may have interrupted `print`
        raise StopRequested

    def check() -> None:
        if requested:
            raise StopRequested

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
