"""The pages of networks, templates, functions, endpoints and builds, in a real browser."""

import re
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Traffic, ask
from tests.browser.test_dashboard import NOTHING, counts, past_days, past_range
from tests.machine import Run

pytestmark = pytest.mark.process


def percent(fraction: float) -> str:
    """A fraction as the pages show it."""
    return f"{fraction:.1%}".replace(".0%", "%")


async def test_networks_are_compared_and_one_is_looked_at(
    page: Page, traffic: Traffic, run: Run, token: str
) -> None:
    days = past_days()
    figures = ask(
        run,
        token,
        """query Q($range: TimeRange!) {
          metrics(measures: [DEPLOYMENT_ATTEMPTS, DEPLOYMENT_SUCCEEDED, DEPLOYMENT_FINISHED],
            groupBy: [NETWORK], range: $range) {
            groups { keys { name } } columns { totals } } }""",
        range=past_range(),
    )["metrics"]
    attempts, succeeded, finished = (column["totals"] for column in figures["columns"])
    names = [group["keys"][0]["name"] for group in figures["groups"]]
    at = names.index("metis")

    await page.goto(f"{run.address}/networks?range={days}&zone=UTC")
    rows = page.get_by_role("region", name="Networks").get_by_role("row")
    row = rows.filter(has=page.get_by_role("rowheader", name="metis"))
    cells = row.get_by_role("cell")
    await expect(cells.nth(0)).to_have_text(f"{attempts[at]:,.0f}")
    await expect(cells.nth(2)).to_have_text(percent(succeeded[at] / finished[at]))
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


async def test_function_shows_its_times_and_what_runs(page: Page, run: Run, token: str) -> None:
    days = past_days()
    figures = ask(
        run,
        token,
        """query Q($range: TimeRange!) {
          functionStats(range: $range) {
            invocations invocationsPerHour averageDurationMs distribution { count }
            byFunction(first: 1) { name invocations errorRate } } }""",
        range=past_range(),
    )["functionStats"]
    await page.goto(f"{run.address}/functions?range={days}&zone=UTC")
    await expect(page.get_by_test_id("section-running").get_by_role("heading")).to_have_text(
        re.compile(r"Running now: \d+")
    )
    await expect(page.get_by_role("group", name="Function invocations by function")).to_be_visible()
    for card, value in {
        "all-invocations": figures["invocations"],
        "an-hour": figures["invocationsPerHour"],
        "a-day": 24 * figures["invocationsPerHour"],
        "mean-duration": round(figures["averageDurationMs"]),
    }.items():
        exact = await page.get_by_test_id(f"card-{card}").locator(".figure").get_attribute("title")
        assert exact is not None
        assert float(exact.replace(",", "").removesuffix("ms")) == pytest.approx(value, abs=0.001)
    assert await counts(page, "Invocations by duration") == figures["distribution"]
    (most_used,) = [one for one in figures["byFunction"] if one["name"] is not None]
    functions = page.get_by_role("region", name="Functions", exact=True)
    cells = functions.locator("tbody tr").first.locator("td")
    await expect(cells.nth(0)).to_have_text(f"{most_used['invocations']:,}")
    await expect(cells.nth(1)).to_have_text(re.compile("[+\N{MINUS SIGN}\N{EN DASH}]"))
    await expect(cells.nth(2)).to_have_text(percent(most_used["errorRate"]))
    name = await functions.get_by_role("rowheader").first.inner_text()
    await functions.get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    for card in ("invocations", "error-rate", "cold-start-rate", "duration-p95"):
        await expect(page.get_by_test_id(f"card-{card}").locator(".figure")).to_be_visible()


async def test_slowest_build_leads_to_its_phases_and_deployment(
    page: Page, run: Run, token: str
) -> None:
    days = past_days()
    figures = ask(
        run,
        token,
        """query Q($range: TimeRange!) {
          buildStats(range: $range) { series(interval: HOUR) { durationP50Ms } }
          buildPhaseStats(range: $range) { byPhase { name runs } } }""",
        range=past_range(),
    )
    await page.goto(f"{run.address}/builds?range={days}&zone=UTC&sort=slowest")
    cells = page.get_by_test_id("panel-phases").locator("tbody tr :is(th, td:nth-child(2))")
    phases = [(one["name"], f"{one['runs']:,}") for one in figures["buildPhaseStats"]["byPhase"]]
    await expect(cells).to_have_text([text for phase in phases for text in phase])
    times = page.get_by_test_id("panel-build-times")
    await times.get_by_role("button", name="Table").click()
    await expect(times.locator("tbody tr")).to_have_count(7 * 24)
    medians = await times.locator("tbody td:nth-child(3)").all_inner_texts()
    newest_first = reversed(figures["buildStats"]["series"])
    assert [text == NOTHING for text in medians] == [
        point["durationP50Ms"] is None for point in newest_first
    ]
    await page.get_by_role("region", name="Builds", exact=True).get_by_role("link").first.click()
    await expect(page.get_by_role("list", name="How long each part took")).to_be_visible()
    await page.locator("main .facts").get_by_role("link").nth(1).click()
    await expect(page).to_have_url(re.compile("/deployments/"))
