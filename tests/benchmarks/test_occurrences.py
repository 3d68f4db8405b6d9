"""The occurrences of errors that the benchmark makes up."""

from datetime import UTC, datetime, timedelta
from random import Random

import orjson

from benchmarks.occurrences import Sender


def test_occurrences_are_spread_over_their_age_and_over_projects_and_errors() -> None:
    age = timedelta(days=14)
    events = orjson.loads(next(Sender(Random(1), age=age).batches()))
    ages = [datetime.now(UTC) - datetime.fromisoformat(event["time"]) for event in events]
    assert timedelta() <= min(ages) < age / 10
    assert age * 0.9 < max(ages) < age + timedelta(minutes=1)
    values = [event["payload"]["exception"]["values"][0]["value"] for event in events]
    assert len({event["project"] for event in events}) > 100
    assert len(set(values)) == 20
