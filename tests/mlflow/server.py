"""A real MLflow server, from a virtual environment of its own that is made once."""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

LOCK = Path(__file__).with_name("requirements.lock")
FOLDER = Path(sys.prefix) / "mlflow"
PYTHON = FOLDER / "bin" / "python"
INSTALL_SECONDS = 240
START_SECONDS = 120

# What pip says when no registry answers; everything else is a fault of ours.
UNREACHABLE = ("ConnectTimeoutError", "NameResolutionError", "NewConnectionError", "ProxyError")


def install() -> None:
    """Fetch the packages unless exactly these are here; skip the test where none can be had."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = FOLDER / ".installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    venv.create(FOLDER, clear=True)
    options = ("--quiet", "--retries", "1", "--no-input", "--disable-pip-version-check")
    wheels = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", LOCK)
    finished = subprocess.run(
        [sys.executable, "-m", "pip", "--python", PYTHON, "install", *options, *wheels],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if finished.returncode != 0:
        shutil.rmtree(FOLDER, ignore_errors=True)
        if any(error in finished.stdout for error in UNREACHABLE):
            pytest.skip("no registry of Python packages can be reached, which has MLflow")
        pytest.fail(f"MLflow cannot be installed:\n{finished.stdout[-2000:]}")
    stamp.write_text(wanted)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """The address of a server that keeps its data in the folder."""
    install()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(PYTHON), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    # By gunicorn, MLflow's tracking alone is served; the rest would need many more packages.
    command += ["--workers", "1", "--gunicorn-opts", "--timeout 60"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/runs.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    variables = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=variables, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(process, url, folder / "log")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"MLflow did not start: {log.read_text(errors='replace')[-2000:]}")
