"""The dashboard's controls in a real browser: range, zone and filters of several names."""

import re
import time

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import ask, deploy, violations
from tests.machine import Run

pytestmark = pytest.mark.process

# Two hours of Berlin, which is an hour ahead of UTC in November.
HOURS = """{ deploymentStats(range: {between: {
    start: "2026-11-20T09:00:00Z", end: "2026-11-20T11:30:00Z"}}) { attempts } }"""


async def test_range_of_ones_own_is_typed_in_the_chosen_zone(
    page: Page, run: Run, token: str
) -> None:
    await page.goto(f"{run.address}/deployments?range=7d&zone=UTC")
    await page.get_by_role("button", name="Time zone: UTC").click()
    window = page.get_by_role("dialog", name="Time zone")
    await window.get_by_label("Another zone").fill("Europe/Berln")
    await window.get_by_role("button", name="Use this zone").click()
    await expect(window.get_by_role("alert")).to_contain_text("no time zone “Europe/Berln”")
    await window.get_by_label("Another zone").fill("Europe/Berlin")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("zone=Europe/Berlin"))

    await page.get_by_role("button", name="Range from and to: Custom").press("Enter")
    window = page.get_by_role("dialog", name="Range from and to")
    await expect(window.get_by_label("First day", exact=True)).to_be_focused()
    await window.get_by_label("First day", exact=True).fill("2026-03-29")
    await window.get_by_label("Last day", exact=True).fill("2026-03-01")
    await page.keyboard.press("Enter")
    await expect(window.get_by_role("alert")).to_have_text("The range ends before it starts.")
    await expect(window).to_contain_text("A range has at most 20 years.")
    await window.get_by_label("Last day", exact=True).fill("2046-05-03")
    await page.keyboard.press("Enter")
    await expect(window.get_by_role("alert")).to_have_text("A range has at most 20 years.")
    await window.get_by_label("Time of the first day").fill("02:30")
    await window.get_by_label("Last day", exact=True).fill("2026-03-30")
    await page.keyboard.press("Enter")
    await expect(window.get_by_role("alert")).to_contain_text("its clocks skip that time")
    assert await violations(page) == []

    await window.get_by_label("First day", exact=True).fill("2026-11-20")
    await window.get_by_label("Time of the first day").fill("10:00")
    await window.get_by_label("Last day", exact=True).fill("2026-11-20")
    await window.get_by_label("Time of the last day").fill("12:30")
    await page.keyboard.press("Enter")
    await expect(window).to_be_hidden()
    assert "range=2026-11-20T10:00..2026-11-20T12:30" in page.url
    count = str(ask(run, token, HOURS)["deploymentStats"]["attempts"])
    await expect(page.get_by_test_id("tab-all").locator(".tab-count")).to_have_text(count)


async def test_address_of_no_range_and_no_zone_says_so(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/deployments?range=2026-02-30..2026-03-01&zone=Mars/Olympus")
    faults = page.get_by_role("group", name="Range and filters").get_by_role("alert")
    await expect(faults.first).to_contain_text("no time zone “Mars/Olympus”")
    await expect(faults.last).to_contain_text("no day 2026-02-30")
    await expect(page.get_by_label("7 days")).to_be_checked()


async def test_name_with_a_comma_stays_one_filter_after_a_reload(
    page: Page, run: Run, token: str
) -> None:
    names = [f"eu,{time.monotonic_ns()}", "eu"]
    for name in names:
        deploy(run, token, f"of-{name}", environment=name)
    await page.goto(f"{run.address}/deployments?range=1h&zone=UTC&project=audit-log")
    await page.get_by_role("button", name="environment: any environment").press("Enter")
    window = page.get_by_role("dialog", name="environment")
    await window.get_by_label(names[0]).press("Space")
    await page.keyboard.press("Escape")
    for _ in range(2):
        await expect(page.get_by_role("button", name=f"environment: {names[0]}")).to_be_visible()
        await expect(page.locator(".pager")).to_contain_text("1 deployment")
        await page.reload()


async def test_several_networks_and_statuses_are_chosen_by_keys(
    page: Page, run: Run, token: str
) -> None:
    await page.goto(f"{run.address}/deployments?range=30d&zone=UTC")
    await page.get_by_role("button", name="network: any network").press("Enter")
    window = page.get_by_role("dialog", name="network")
    await window.get_by_label("arbitrum").press("Space")
    await window.get_by_label("hyperion").press("Space")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="network: arbitrum, hyperion")).to_be_focused()
    await page.get_by_test_id("tab-failed").click()
    await page.get_by_test_id("tab-rolled_back").click()
    await expect(page).to_have_url(re.compile("network=arbitrum,hyperion.*failed,rolled_back"))
    stats = ask(
        run,
        token,
        """{ deploymentStats(filter: {networks: ["arbitrum", "hyperion"]}, range: {last: "P30D"})
             { failed rolledBack } }""",
    )["deploymentStats"]
    total = stats["failed"] + stats["rolledBack"]
    await expect(page.locator(".pager")).to_contain_text(f"{total} deployments")
