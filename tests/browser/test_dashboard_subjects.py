"""The pages of networks, templates, functions, endpoints and builds, in a real browser."""

import re
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Traffic, ask
from tests.browser.test_dashboard import past_days
from tests.machine import Run

pytestmark = pytest.mark.process


async def test_networks_are_compared_and_one_is_looked_at(
    page: Page, traffic: Traffic, run: Run, token: str
) -> None:
    days = past_days()
    figures = ask(
        run,
        token,
        """query Q($days: Date!) {
          metrics(measures: [DEPLOYMENT_ATTEMPTS, DEPLOYMENT_SUCCEEDED, DEPLOYMENT_FINISHED],
            groupBy: [NETWORK], range: {calendar: {unit: DAY, date: $days, count: 7}}) {
            groups { keys { name } } columns { totals } } }""",
        days=days[:10],
    )["metrics"]
    attempts, succeeded, finished = (column["totals"] for column in figures["columns"])
    names = [group["keys"][0]["name"] for group in figures["groups"]]
    at = names.index("metis")

    await page.goto(f"{run.address}/networks?range={days}&zone=UTC")
    rows = page.get_by_role("region", name="Networks").get_by_role("row")
    row = rows.filter(has=page.get_by_role("rowheader", name="metis"))
    cells = row.get_by_role("cell")
    await expect(cells.nth(0)).to_have_text(f"{attempts[at]:,.0f}")
    await expect(cells.nth(2)).to_contain_text(f"{100 * succeeded[at] / finished[at]:.1f}"[:4])
    await row.get_by_role("link", name="metis").click()

    await expect(page).to_have_url(re.compile(rf"/networks/metis\?.*range={re.escape(days)}"))
    card = page.get_by_test_id("card-attempts").locator(".figure")
    await expect(card).to_have_text(f"{attempts[at]:,.0f}")
    await expect(page.get_by_role("region", name="Deployment attempts by template")).to_be_visible()
    await page.get_by_role("link", name="Its deployments").click()
    await expect(page).to_have_url(re.compile(r"/deployments\?.*network=metis"))
    assert traffic.messages == []


async def test_name_with_slashes_has_a_page_and_an_unknown_one_says_so(
    page: Page, traffic: Traffic, run: Run, token: str
) -> None:
    name = "/prices/{pair}"
    await page.goto(f"{run.address}/endpoints/{quote(name, safe='')}?range=7d&zone=UTC")
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await expect(page.get_by_test_id("card-calls").locator(".figure")).to_have_text(
        re.compile(r"\d")
    )
    await page.goto(f"{run.address}/networks/nowhere?range=7d&zone=UTC")
    await expect(page.get_by_role("alert")).to_have_text("No network is called 'nowhere'.")
    assert traffic.messages == []


async def test_function_shows_its_times_and_what_runs(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/functions?range=7d&zone=UTC")
    await expect(page.get_by_role("region", name="Running now").first).to_be_visible()
    functions = page.get_by_role("region", name="Functions")
    name = await functions.get_by_role("rowheader").first.inner_text()
    await functions.get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    for card in ("invocations", "error-rate", "cold-start-rate", "duration-p95"):
        await expect(page.get_by_test_id(f"card-{card}").locator(".figure")).to_be_visible()


async def test_slowest_build_leads_to_its_phases_and_deployment(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/builds?range=7d&zone=UTC&sort=slowest")
    await expect(page.get_by_test_id("section-phases").get_by_text("install")).to_be_visible()
    await page.get_by_role("region", name="Builds").get_by_role("link").first.click()
    await expect(page.get_by_role("list", name="How long each part took")).to_be_visible()
    await page.locator("main .facts").get_by_role("link").nth(1).click()
    await expect(page).to_have_url(re.compile("/deployments/"))
