"""Waits that end when nothing moves any more, not when a fast machine would have been done."""

import time
from collections.abc import Callable
from pathlib import Path

# A process that starts, loads data or builds pages prints a line more often than that.
SILENT_SECONDS = 120.0
LONGEST_SECONDS = 900.0
# For a condition that shows no progress until it holds. Nothing that works takes as long.
HANGS_SECONDS = 120.0
_POLL_SECONDS = 0.05


def wait_for(holds: Callable[[], bool], printed: Path, require_running: Callable[[], None]) -> None:
    """Waits until a condition holds that a process brings about.

    Fails if the process has ended, has printed nothing new for long, or goes on without end.
    """
    began = heard = time.monotonic()
    size = printed.stat().st_size
    while not holds():
        require_running()
        before, size, now = size, printed.stat().st_size, time.monotonic()
        heard = now if size != before else heard
        if now - heard > SILENT_SECONDS or now - began > LONGEST_SECONDS:
            raise AssertionError(f"waited in vain:\n{printed.read_text(errors='replace')[-5000:]}")
        time.sleep(_POLL_SECONDS)
