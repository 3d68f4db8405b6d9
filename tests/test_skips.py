"""What a test lacks skips it on somebody's machine and fails it where CI is set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SKIPPED = """
import pytest

@pytest.mark.skipif(True, reason="no browser")
def test_marked():
    pass

def test_finds_out_itself():
    pytest.skip("no registry")

@pytest.mark.xfail(strict=True)
def test_known_fault():
    raise AssertionError
"""


def run(folder: Path, variables: dict[str, str]) -> tuple[int, str]:
    (folder / "test_skipped.py").write_text(SKIPPED)
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    command = ["-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-rs", str(folder)]
    done = subprocess.run(
        [sys.executable, *command, "--rootdir", str(folder), "-c", os.devnull],
        cwd=ROOT,
        env=environment | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_skips_are_told_and_do_no_harm(tmp_path: Path) -> None:
    code, told = run(tmp_path, {})
    assert code == pytest.ExitCode.OK
    assert "2 skipped, 1 xfailed" in told


def test_skips_fail_with_their_reason_where_ci_is_set(tmp_path: Path) -> None:
    code, told = run(tmp_path, {"CI": "true"})
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 xfailed, 1 error" in told
    assert "no browser" in told
    assert "no registry" in told
