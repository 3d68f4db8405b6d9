"""Child processes that end with their parent and do not get the terminal's Ctrl-C."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from pwd import struct_passwd
from typing import Any, Protocol, TypeVar

PR_SET_PDEATHSIG = 1
LOG_TAIL_LINES = 15
MAX_LOG_BYTES = 20_000_000


class EmbeddedServerError(Exception):
    """An embedded server cannot be found, started or stopped, or another gateway uses its data."""


class Service(Protocol):
    """A process or server that can be started again after it has died."""

    @property
    def name(self) -> str: ...

    @property
    def exit_code(self) -> int | None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


AnyService = TypeVar("AnyService", bound=Service)


@contextmanager
def running(service: AnyService) -> Iterator[AnyService]:
    """Start a service and stop it when the block ends."""
    try:
        service.start()
        yield service
    finally:
        service.stop()


@dataclass(slots=True, eq=False)
class Child:
    """A child process: the program to start, and how to stop it."""

    name: str
    arguments: Sequence[str]
    log: Path | None = None
    user: struct_passwd | None = None  # the account it runs under, if started by root
    environment: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 30.0
    with_descendants: bool = False
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        output = None
        if self.log is not None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            too_long = self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES
            output = self.log.open("wb" if too_long else "ab")
        try:
            self._process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=None if self.environment is None else {**os.environ, **self.environment},
                # Its own session: the parent alone gets a Ctrl-C, and stops its children in order.
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_signal),  # noqa: PLW1509 - takes no lock
                cwd="/" if self.user else None,
                **account_options(self.user),
            )
        finally:
            if output:
                output.close()

    def stop(self) -> None:
        """Send the stop signal, wait, and kill the process after the grace period."""
        if self._process is None or self.exit_code is not None:
            return
        self._signal(self.stop_signal)
        try:
            self._process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"
        if self.with_descendants:
            os.killpg(self._process.pid, number)  # it leads its own session
        else:
            self._process.send_signal(number)

    def require_running(self) -> None:
        if (code := self.exit_code) is not None:
            raise EmbeddedServerError(
                f"{self.name} stopped with exit code {code}. Its last lines:\n" + log_tail(self.log)
            )


def account_options(user: struct_passwd | None) -> dict[str, Any]:
    """The arguments of `subprocess` that run a program under an account."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """A function for the child to run before exec, so that the kernel signals it when we die.

    The kernel watches the thread that starts the child: start children from the main thread.
    Other systems than Linux have no such signal; there, the next start stops what is left.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def log_tail(log: Path | None) -> str:
    """The last lines of a log file."""
    if log is None or not log.exists():
        return "(it wrote no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def command_line(pid: int) -> str:
    """The command line of a process; empty if there is no such process."""
    if sys.platform != "linux":
        listing = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return arguments.replace(b"\0", b" ").decode(errors="replace")
