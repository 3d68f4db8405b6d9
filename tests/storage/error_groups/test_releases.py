"""Releases are ordered by semantic version, else by when they were first seen."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from storage.error_groups.releases import is_older

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SEEN = {"blue": NOON, "green": NOON + timedelta(hours=1), "2.0.0": NOON, "shop@1.0.0": NOON}
# As listed in clause 11 of https://semver.org.
VERSIONS = [
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"),
    *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.9.0", "1.10.0", "2.0.0"),
]


@pytest.mark.parametrize(("one", "next_one"), [*pairwise(VERSIONS)])
@pytest.mark.parametrize("form", ["{}", "v{}", "shop@{}", "{}+build.7"])
def test_versions_are_ordered_by_precedence(one: str, next_one: str, form: str) -> None:
    one, next_one = form.format(one), form.format(next_one)
    assert is_older(one, next_one, {})
    assert not is_older(next_one, one, {})


@pytest.mark.parametrize(
    ("one", "other", "older"),
    [
        ("blue", "green", True),
        ("green", "blue", False),
        ("blue", "blue", False),
        ("blue", "never seen", True),
        ("never seen", "blue", False),
        ("never seen", "nor this", False),
        ("2.0.0", "shop@1.0.0", False),  # another package, seen at the same time
        ("1.0.0", "1.0.0+build", False),
    ],
)
def test_other_releases_are_ordered_by_when_they_were_seen(
    one: str, other: str, older: bool
) -> None:
    assert is_older(one, other, SEEN) is older
