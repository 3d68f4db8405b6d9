"""Pages of the dashboard beside the figures, in a real browser: logs."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import post
from tests.machine import Run

pytestmark = pytest.mark.process


def write(run: Run, token: str, message: str, **more: Any) -> None:
    event = {
        "type": "log.line",
        "time": datetime.now(UTC).isoformat(),
        "project": "audit-log",
        "id": f"line-{time.monotonic_ns()}",
        "level": "error",
        "logger": "browser.test",
        "message": message,
        **more,
    }
    (result,) = post(run, token, "/v1/events", [event])["results"]
    assert result["status"] == "accepted", result


async def test_log_lines_are_followed_searched_and_opened(page: Page, run: Run, token: str) -> None:
    word = f"quokka{time.monotonic_ns()}"
    await page.goto(f"{run.address}/logs?project=audit-log&level=error,fatal&range=24h")
    await expect(page.get_by_test_id("freshness")).to_contain_text("live")
    lines = page.get_by_role("list", name="Log lines").get_by_role("listitem")
    write(run, token, f"the {word} is lost", traceId="ab" * 16, fields={"shop": "no. 7"})
    await expect(lines.first).to_contain_text(word)
    write(run, token, "something else")
    await expect(lines.first).to_contain_text("something else")

    await page.get_by_role("searchbox").fill(word[:-3])
    await expect(page).to_have_url(re.compile("search=quokka"))
    await expect(lines).to_have_count(1)
    await lines.first.get_by_role("button").press("Enter")
    await expect(lines.first.get_by_role("row", name="shop")).to_contain_text("no. 7")
    await lines.first.get_by_role("link", name="ab" * 16).click()
    await expect(page.get_by_role("button", name="Only one trace")).to_be_visible()
    await expect(lines.first.get_by_role("button")).to_have_attribute("aria-expanded", "true")
    await page.get_by_role("button", name="Pause").click()
    await expect(page).to_have_url(re.compile("follow=no"))
