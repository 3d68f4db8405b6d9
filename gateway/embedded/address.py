"""Finds the embedded Postgres of a data folder, for commands beside `gateway run`."""

from pathlib import Path
from urllib.parse import quote

from gateway.embedded.postgres import DATABASE, serves


def running_postgres(data_dir: Path) -> str | None:
    """The address of the Postgres that runs on the folder, or None."""
    data = data_dir / "postgres"
    try:
        # Postgres writes into this file: process, data folder, start time, port, socket folder, ...
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, port, sockets = int(lines[0]), int(lines[3]), lines[4].strip()
    except (OSError, IndexError, ValueError):
        return None
    if not sockets or not serves(pid, data):
        return None
    return f"postgresql://postgres@/{DATABASE}?host={quote(sockets)}&port={port}"
