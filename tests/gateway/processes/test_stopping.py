"""Signals stop a process even where Python swallows the exception of their handler."""

import os
import signal

import pytest

from gateway.processes.stopping import StopRequested, StopSignals


def test_signal_raises_an_exception_in_running_code() -> None:
    signals = StopSignals()
    with signals.handled(), pytest.raises(StopRequested):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_signal_swallowed_by_a_finaliser_is_raised_at_the_next_check() -> None:
    class Finalised:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    signals = StopSignals()
    with signals.handled():
        signals.check()
        Finalised()
        with pytest.raises(StopRequested):
            signals.check()


def test_second_signal_is_ignored() -> None:
    signals = StopSignals()
    with signals.handled():
        with pytest.raises(StopRequested):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)


def test_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals().handled():
        pass
    assert signal.getsignal(signal.SIGTERM) is before
