"""Where the embedded Postgres of a data folder answers, for commands beside `gateway run`."""

import os
from pathlib import Path
from urllib.parse import quote

from gateway.embedded.postgres import DATABASE


def running_postgres(data_dir: Path) -> str | None:
    """The address of the server that runs on the folder; None when there is none."""
    try:
        # Postgres' own note: process, data, start time, port, socket folder, ...
        lines = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        pid, port, sockets = int(lines[0]), int(lines[3]), lines[4].strip()
    except (OSError, IndexError, ValueError):
        return None
    if not _is_alive(pid) or not sockets:
        return None
    return f"postgresql://postgres@/{DATABASE}?host={quote(sockets)}&port={port}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
