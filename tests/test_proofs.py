"""A test that docs/requirements.md names has to be one that pytest collects, runs and passes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs import ROOT, collect, is_among

TESTS = """
import pytest

def helper():
    pass

class Inner:
    def test_of_no_collected_class(self):
        pass

def test_passes():
    def test_nested():
        pass

@pytest.mark.parametrize("skipped", [False, True])
def test_skips_one_case(skipped):
    if skipped:
        pytest.skip("no browser")

@pytest.mark.xfail(strict=True)
def test_known_fault():
    raise AssertionError
"""

CONFTEST = """
from pathlib import Path

from tests.proofs import ProofsRan

def pytest_configure(config):
    config.pluginmanager.register(ProofsRan(Path(__file__).with_name("page.md")))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def run(folder: Path, *proofs: str, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    """Runs the tests of the folder as a whole suite, with a page that names the proofs."""
    rows = [f"| R{number} | Some | met | {proof} |" for number, proof in enumerate(proofs, 1)]
    (folder / "page.md").write_text("\n".join(rows))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_run_is_well_where_the_named_tests_passed(folder: Path) -> None:
    code, output = run(folder, "test_some.py::test_passes, `make lint`")
    assert code == pytest.ExitCode.OK
    assert "Proofs of requirements: complete" in output
    assert "3 test functions ran in 1 files." in output
    assert "Every test that page.md names ran and passed." in output


def test_run_fails_for_each_named_test_that_proves_nothing(folder: Path) -> None:
    code, output = run(
        folder,
        "test_some.py::test_passes",
        "test_some.py::test_skips_one_case",
        "test_some.py::test_known_fault",
        "test_some.py::helper",
        "test_gone.py",
        "test_some.py",
    )
    assert code == pytest.ExitCode.TESTS_FAILED
    assert [line for line in output.splitlines() if line.startswith("R")] == [
        "R2: test_some.py::test_skips_one_case is skipped",
        "R3: test_some.py::test_known_fault is expected to fail",
        "R4: test_some.py::helper did not run",
        "R5: test_gone.py did not run",
        "R6: test_some.py is expected to fail, skipped",
    ]


def test_run_fails_for_a_named_test_that_was_deselected(folder: Path) -> None:
    code, output = run(folder, "test_some.py::test_passes", arguments=("-k", "fault"))
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "R1: test_some.py::test_passes did not run" in output


def test_run_of_single_files_is_not_held_to_the_page(folder: Path) -> None:
    code, output = run(folder, "test_gone.py::test_gone", arguments=("test_some.py",))
    assert code == pytest.ExitCode.OK
    assert "Proofs" not in output


def test_only_what_pytest_collects_is_a_test(folder: Path) -> None:
    (folder / "conftest.py").unlink()
    tests = collect(["test_some.py", "test_gone.py"], folder)
    assert tests == {
        f"test_some.py::{name}"
        for name in ("test_passes", "test_skips_one_case", "test_known_fault")
    }
    assert is_among("test_some.py", tests)
    assert not is_among("test_some.py::test_pass", tests)
    assert collect(["test_gone.py"], folder) == set()
