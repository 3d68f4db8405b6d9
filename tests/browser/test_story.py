"""The stories of the demo, told from the dashboard alone by clicking."""

import pytest
from playwright.async_api import Page, expect

from tests.browser import story
from tests.browser.conftest import ask
from tests.browser.test_dashboard import BROKEN_RELEASE
from tests.machine import Run

pytestmark = pytest.mark.process


async def test_bad_release_is_found_from_the_overview(page: Page, run: Run, token: str) -> None:
    (broken,) = ask(run, token, BROKEN_RELEASE)["deployments"]["nodes"]
    told = [part async for part in story.of_the_release(page, run.address)]
    assert told == ["overview", "error", "release"]
    assert page.url.startswith(f"{run.address}/deployments/{broken['deploymentId']}?")
    await expect(page.get_by_role("heading", level=1)).to_have_text(broken["release"])
    before = broken["rolledBackTo"]["release"]
    await page.get_by_test_id("section-summary").get_by_role("link", name=before).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(before)
    await expect(page.locator(".heading .badge")).to_contain_text("Succeeded")


async def test_alert_that_fires_says_why(page: Page, run: Run) -> None:
    told = [part async for part in story.of_the_alert(page, run.address)]
    assert told == ["firing"]
