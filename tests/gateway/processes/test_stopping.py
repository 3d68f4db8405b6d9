"""Signals stop a process even where Python swallows the exception of their handler."""

import os
import signal

import pytest

from gateway.processes.stopping import StopRequested, stop_signals


def test_signal_raises_an_exception_in_running_code() -> None:
    with stop_signals(), pytest.raises(StopRequested):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_signal_swallowed_by_a_finaliser_is_raised_at_the_next_check() -> None:
    class Finalised:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    with stop_signals() as check:
        check()
        Finalised()
        with pytest.raises(StopRequested):
            check()


def test_second_signal_is_ignored() -> None:
    with stop_signals():
        with pytest.raises(StopRequested):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)


def test_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals():
        pass
    assert signal.getsignal(signal.SIGTERM) is before
