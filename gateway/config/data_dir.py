"""Where the embedded servers keep their data."""

import os
from pathlib import Path

ROOT_DATA_DIR = Path("/var/lib/deployment-analytics-gateway")


def default_data_dir() -> Path:
    """Returns `.data`; another folder for root, whose home the embedded Postgres cannot read."""
    return ROOT_DATA_DIR if os.geteuid() == 0 else Path(".data")
