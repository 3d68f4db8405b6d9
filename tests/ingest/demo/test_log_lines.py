"""The demo's logs: plausible lines, and the reason of an incident among them."""

from datetime import datetime

import pytest

from ingest.demo.log_lines import SILENT_FEED
from ingest.demo.story import BROKEN_PROJECT, Story
from tests.ingest.demo.made import MOMENTS, NOW, SOME, events_at, of_type, share, time_of


def test_lines_are_plausible() -> None:
    events = events_at(NOW, SOME)
    lines = list(of_type(events, "log.line"))
    assert len(lines) > 400
    usual = [line for line in lines if line["message"] != SILENT_FEED]
    assert (
        share(usual, level="error")
        < 0.05
        < share(usual, level="debug")
        < share(usual, level="info")
    )
    releases = {(each["project"], each.get("release")) for each in of_type(events, "deployment.")}
    assert {(line["project"], line["release"]) for line in lines} <= releases


@pytest.mark.parametrize("now", MOMENTS)
def test_the_broken_hour_is_explained(now: datetime) -> None:
    told = [each for each in of_type(events_at(now, SOME), "log.line") if each["logger"] == "feeds"]
    hour = Story.at(now).broken_hour
    assert len(told) > 100
    assert all(time_of(each) in hour and each["project"] == BROKEN_PROJECT for each in told)
