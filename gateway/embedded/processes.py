"""Child processes that never outlive us: started apart from the terminal, stopped in order."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from gateway.embedded.errors import EmbeddedServerError

PR_SET_PDEATHSIG = 1
LOG_TAIL_LINES = 15
MAX_LOG_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The account a server runs under when we are root and it refuses to be."""

    name: str
    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Command:
    """What to start, and how it wants to be asked to stop."""

    name: str
    arguments: Sequence[str]
    log: Path | None = None
    user: SystemUser | None = None
    environment: Mapping[str, str] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 30.0
    with_descendants: bool = False


class Service(Protocol):
    """Something that runs until it is stopped, and can be started again when it dies."""

    @property
    def name(self) -> str: ...

    @property
    def exit_code(self) -> int | None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


AnyService = TypeVar("AnyService", bound=Service)


@contextmanager
def running(service: AnyService) -> Iterator[AnyService]:
    """Start a service, and stop it at the end whatever happens."""
    try:
        service.start()
        yield service
    finally:
        service.stop()


class Child:
    """A process of ours."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self._command.name

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        self._process = _start(self._command)

    def stop(self) -> None:
        """Ask it to stop, wait, and kill it if it does not."""
        if self._process is None or self.exit_code is not None:
            return
        self._signal(self._command.stop_signal)
        try:
            self._process.wait(self._command.grace_seconds)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"
        if self._command.with_descendants:
            os.killpg(self._process.pid, number)  # it leads a session of its own
        else:
            self._process.send_signal(number)

    def require_running(self) -> None:
        if (code := self.exit_code) is not None:
            raise EmbeddedServerError(
                f"{self.name} stopped with exit code {code}. Its last lines:\n"
                + log_tail(self._command.log)
            )


def _start(command: Command) -> subprocess.Popen[bytes]:
    output = None
    if command.log is not None:
        command.log.parent.mkdir(parents=True, exist_ok=True)
        too_long = command.log.exists() and command.log.stat().st_size > MAX_LOG_BYTES
        output = command.log.open("wb" if too_long else "ab")
    try:
        return subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            env=None if command.environment is None else {**os.environ, **command.environment},
            # Its own session: a Ctrl-C in the terminal reaches us alone, and we stop it in order.
            start_new_session=True,
            preexec_fn=die_with_parent(command.stop_signal),  # noqa: PLW1509 - takes no lock
            cwd="/" if command.user else None,
            user=command.user.user_id if command.user else None,
            group=command.user.group_id if command.user else None,
            extra_groups=[] if command.user else None,
        )
    finally:
        if output:
            output.close()


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """For a child to run before exec: the kernel signals it when its parent dies, even killed.

    "Parent" is the thread that starts the child, so children are started from the main thread.
    Elsewhere than on Linux a server that was left behind is stopped at the next start.
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
    if log is None or not log.exists():
        return "(it wrote no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def command_line(pid: int) -> str:
    """What a process was started with; empty when there is none."""
    if sys.platform != "linux":
        listing = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return arguments.replace(b"\0", b" ").decode(errors="replace")
