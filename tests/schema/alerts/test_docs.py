"""The examples of docs/alerts.md are accepted as they are written there."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.alert_files import read
from storage.alerts import channels, rules, silences
from tests.schema.alerts.asking import maintainer
from tests.schema.platform import Platform

PAGE = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
WRITTEN = datetime(2026, 11, 30, 12, tzinfo=UTC)  # before the times in the examples
EXAMPLES = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


async def test_each_example_is_accepted_one_after_the_other(platform: Platform) -> None:
    assert len(EXAMPLES) >= 4
    platform = Platform(replace(platform.services, clock=lambda: WRITTEN))
    for example in EXAMPLES:
        data = await platform.ask(example, maintainer("shop"))
        for payload in data.values():
            assert payload.get("userErrors", []) == [], example


def test_the_file_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_SECRET", "a-secret-of-sixteen-characters")
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file, _ = read(text)
    assert [slug for _, slug, _ in file.sections()] == [None, "shop"]


def test_the_limits_are_those_of_the_code() -> None:
    for number in (
        rules.RULES_OF_PROJECT_AT_MOST,
        rules.RULES_OF_PLATFORM_AT_MOST,
        channels.CHANNELS_OF_PROJECT_AT_MOST,
        channels.CHANNELS_OF_PLATFORM_AT_MOST,
        silences.ACTIVE_AT_MOST,
    ):
        assert f"{number:,} of a project" in PAGE or f"{number:,} of the platform" in PAGE
