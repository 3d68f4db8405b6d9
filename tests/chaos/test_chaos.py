"""Two rounds of the experiment, as part of every run of the tests."""

import pytest

from tests.chaos.experiment import experiment

pytestmark = pytest.mark.process


def test_killing_loses_nothing_and_counts_nothing_twice() -> None:
    lines: list[str] = []
    result = experiment(2, 42, lines.append)
    assert len(lines) == 8
    assert result.endswith("none lost or doubled")
