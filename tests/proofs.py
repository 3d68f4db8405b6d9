"""The tests that docs/requirements.md names as proofs, and a pytest plugin that checks they ran."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "docs" / "requirements.md"
NOTHING = "none"


def table_rows(page: Path, pattern: str) -> list[list[str]]:
    """The cells of every table row whose first cell matches."""
    lines = page.read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if "|" in line
    ]
    return [row for row in rows if re.fullmatch(pattern, row[0])]


def requirement_rows(page: Path = REQUIREMENTS) -> list[list[str]]:
    """The rows of requirements and rulings; their last cells are the state and the proofs."""
    return table_rows(page, r"[RE]\d+")


def proofs(row: list[str]) -> list[str]:
    return [] if row[-1] == NOTHING else [proof.strip(" `") for proof in row[-1].split(",")]


def named_tests(row: list[str]) -> list[str]:
    """The proofs that are tests: `path::name`, or `path` for all tests of a file."""
    return [proof for proof in proofs(row) if not proof.startswith("make ")]


def name_of(node_id: str) -> str:
    """`path::name` of a test, without its parameters."""
    return node_id.partition("[")[0]


def collect(paths: Iterable[str], root: Path = ROOT) -> set[str]:
    """The names of the tests that pytest finds in the files; files that do not exist have none."""
    files = sorted({path for path in paths if (root / path).is_file()})
    if not files:
        return set()
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *files], cwd=root, capture_output=True, text=True, check=False)
    return {name_of(line) for line in done.stdout.splitlines() if "::" in line}


def is_among(proof: str, tests: set[str]) -> bool:
    """Whether the test is one of them, or any test of the file where the proof is a file."""
    return proof in tests or any(test.startswith(f"{proof}::") for test in tests)


class ProofsRan:
    """A pytest plugin: a run of the whole suite fails unless every named test ran and passed.

    A run is of the whole suite where its command names no files.
    """

    def __init__(self, page: Path = REQUIREMENTS) -> None:
        self._page = page
        self._outcomes: dict[str, set[str]] = defaultdict(set)
        self._faults: list[str] | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            # An expected failure proves as little as a skip.
            outcome = "expected to fail" if hasattr(report, "wasxfail") else report.outcome
            self._outcomes[name_of(report.nodeid)].add(outcome)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        config = session.config
        if config.args_source is pytest.Config.ArgsSource.ARGS or config.option.collectonly:
            return
        self._faults = [
            f"{row[0]}: {proof} {fault}"
            for row in requirement_rows(self._page)
            for proof in named_tests(row)
            if (fault := self._fault(proof))
        ]
        if self._faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _fault(self, proof: str) -> str:
        tests = [test for test in self._outcomes if is_among(proof, {test})]
        outcomes = set[str]().union(*(self._outcomes[test] for test in tests))
        if not outcomes:
            return "did not run"
        unwanted = sorted(outcomes - {"passed"})
        return f"is {', '.join(unwanted)}" if unwanted else ""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._faults is None:
            return
        files = {name.partition("::")[0] for name in self._outcomes}
        verdict = f"{len(self._faults)} missing" if self._faults else "complete"
        terminalreporter.section(f"Proofs of requirements: {verdict}")
        terminalreporter.line(f"{len(self._outcomes)} test functions ran in {len(files)} files.")
        for fault in self._faults:
            terminalreporter.line(fault, red=True)
        if not self._faults:
            terminalreporter.line(f"Every test that {self._page.name} names ran and passed.")
