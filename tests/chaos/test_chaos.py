"""Two rounds of the experiment, as part of every run of the tests."""

import pytest

from tests.chaos import alerts
from tests.chaos.experiment import experiment

pytestmark = pytest.mark.process


def test_killing_loses_nothing_and_counts_nothing_twice() -> None:
    lines: list[str] = []
    result = experiment(2, 42, lines.append)
    assert len(lines) == 8
    assert result.endswith("none lost or doubled")


def test_killing_workers_loses_no_alert_and_tells_none_twice() -> None:
    lines: list[str] = []
    result = alerts.experiment(4, 42, lines.append)
    assert len(lines) == 4
    assert result.endswith("none lost")
