"""One gateway for each data folder: a lock that the kernel releases when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.embedded.errors import EmbeddedServerError


@contextmanager
def data_folder_lock(data_dir: Path, address: str) -> Iterator[None]:
    """Lock the folder; raises EmbeddedServerError, which names the holder and its address."""
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
