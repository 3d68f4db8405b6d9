"""Two processes share the tests; one that is marked `alone` overlaps no other."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.proofs import ROOT

CONFTEST = """
from pathlib import Path

from tests.turns import Turns, is_worker

HERE = Path(__file__)

def pytest_configure(config):
    if is_worker(config):
        config.pluginmanager.register(Turns(HERE, HERE.with_name("pytest.ini")))
"""

TESTS = """
import time
from pathlib import Path

import pytest

@pytest.mark.parametrize("number", range(10))
@pytest.mark.{mark}
def test_one(number):
    began = time.monotonic()
    time.sleep(0.05)
    with (Path(__file__).parent / "spans").open("a") as spans:
        print("{mark}", began, time.monotonic(), file=spans)
"""


def test_a_test_that_holds_a_bound_of_time_runs_beside_no_other(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    alone\n    beside\n")
    for name, mark in (("a", "beside"), ("b", "alone"), ("c", "beside")):
        (tmp_path / f"test_{name}.py").write_text(TESTS.format(mark=mark))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    workers, variables = ["-n", "3", "--dist", "loadfile"], os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*command, *workers], cwd=tmp_path, env=variables, check=True)
    spans = [line.split() for line in (tmp_path / "spans").read_text().splitlines()]
    spans.sort(key=lambda span: float(span[1]))
    assert [span[0] for span in spans].count("alone") == 10
    overlapping = [
        {first[0], second[0]}
        for first, second in pairwise(spans)
        if float(second[1]) < float(first[2])
    ]
    assert overlapping
    assert all(marks == {"beside"} for marks in overlapping)
