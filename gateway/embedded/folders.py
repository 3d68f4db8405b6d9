"""A data folder: its lock, short paths for sockets, and access for another user."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from pwd import struct_passwd

from gateway.embedded.processes import EmbeddedServerError

# A unix socket's path has at most 107 bytes; Postgres appends "/.s.PGSQL.5432" and ".lock".
MAX_SOCKET_FOLDER_BYTES = 80
TEMPORARY_PREFIX = "gateway-"

Say = Callable[[str], None]


@contextmanager
def data_folder_lock(data_dir: Path, address: str) -> Iterator[None]:
    """Lock the folder; raises EmbeddedServerError, which names the holder and its address.

    The kernel releases the lock when its holder dies.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "lock"
    # Not truncated on opening: the file names the holder.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read().strip() or "unknown process"
            raise EmbeddedServerError(
                f"Another gateway already runs on {data_dir} ({holder})."
                " Stop it first, or choose another folder with DATA_DIR=..."
            ) from None
        os.ftruncate(file.fileno(), 0)
        os.pwrite(file.fileno(), f"process {os.getpid()}, {address}\n".encode(), 0)
        yield


def socket_folder(data_dir: Path, name: str, user: struct_passwd | None) -> Path:
    """Make a private folder for a server's socket: in the data folder, or a short temporary one."""
    inside = data_dir / "sockets" / name
    if len(os.fsencode(inside)) <= MAX_SOCKET_FOLDER_BYTES:
        inside.mkdir(parents=True, exist_ok=True)
        folder = inside
    else:
        folder = _short_folder(data_dir, name)
    set_owner(folder, user)
    folder.chmod(0o700)
    return folder


def _short_folder(data_dir: Path, name: str) -> Path:
    """Make a temporary folder, and remove the one that a killed run left behind."""
    note = data_dir / f"{name}-socket-folder"
    if note.exists():
        remove_socket_folder(Path(note.read_text(encoding="utf-8")))
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=_short_temporary_root()))
    note.write_text(str(folder), encoding="utf-8")
    return folder


def _short_temporary_root() -> str:
    root = tempfile.gettempdir()
    return root if len(os.fsencode(root)) <= MAX_SOCKET_FOLDER_BYTES - 20 else "/tmp"  # noqa: S108


def remove_socket_folder(folder: Path) -> None:
    """Remove a temporary socket folder; a socket folder in a data folder stays."""
    if not folder.name.startswith(TEMPORARY_PREFIX) or not folder.is_dir():
        return
    for entry in folder.iterdir():
        entry.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def set_owner(path: Path, user: struct_passwd | None) -> None:
    """Make the user the owner of a path and everything below it."""
    if user is None:
        return
    for entry in (path, *path.rglob("*")):
        if entry.lstat().st_uid != user.pw_uid:
            os.chown(entry, user.pw_uid, user.pw_gid, follow_symlinks=False)


def is_open_to_all(path: Path) -> bool:
    """Whether every user may pass through all folders above the path."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def let_others_pass(path: Path, say: Say) -> None:
    """Let other users pass through the folders above the path, without listing them."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            say(f"Letting Postgres' own user pass through {parent} (it cannot run as root)")
            parent.chmod(mode | stat.S_IXOTH)
