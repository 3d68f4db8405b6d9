"""What the dashboard shows where a part of it fails, and to those who are not signed in."""

import json
import re
import time

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import ask, violations
from tests.browser.test_dashboard import KEEP
from tests.machine import Run

pytestmark = pytest.mark.process

RECORDER = """mutation($name: String!) { createServiceToken(input: {
    name: $name, roles: [INGEST], projects: ["storefront"]}) { token } }"""
SIGNED_OUT_HERE = """() => {
    sessionStorage.removeItem("gateway-token");
    sessionStorage.setItem("gateway-signed-out", "yes");
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
}"""


async def test_search_and_bell_that_fail_leave_the_page(page: Page, run: Run) -> None:
    for part in ("bell", "palette"):
        await page.route(f"**/{part}-*.js", lambda route: route.abort())
    await page.goto(f"{run.address}/deployments?range=7d")
    failed = page.get_by_role("banner").get_by_role("alert")
    await expect(failed).to_have_text("The bell failed")
    await page.keyboard.press("Control+k")
    await expect(failed).to_have_text(["The search failed", "The bell failed"])
    await expect(page.locator("main tbody tr").first).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Search").click()
    await expect(failed).to_have_text("The bell failed")


async def test_what_is_not_answered_is_asked_again_and_figures_stay(page: Page, run: Run) -> None:
    refusals = {"Catalogue": 503}

    async def refuse(route: Route) -> None:
        named = re.search(r"query (\w+)", route.request.post_data or "")
        status = refusals.get(named[1]) if named else None
        errors = [{"message": "Wait.", "extensions": {"code": "RATE_LIMITED"}}]
        if status is None:
            await route.continue_()
        else:
            await route.fulfill(status=status, body=json.dumps({"data": None, "errors": errors}))

    await page.route("**/graphql", refuse)
    await page.goto(f"{run.address}/explorer?range=7d&zone=UTC")
    alert = page.locator("main").get_by_role("alert").first
    await expect(alert).to_contain_text("The gateway does not respond.")
    refusals.clear()
    chart = page.get_by_role("group", name="Deployment attempts")
    await expect(chart).to_be_visible()
    await expect(alert).to_have_count(0)
    for status, text in ((503, "these are the last figures"), (429, "Too many requests")):
        refusals["Explore"] = status
        await page.get_by_text("24 hours" if status == 503 else "30 days").click()
        await expect(alert).to_contain_text(text)
        await expect(chart).to_be_visible()
        refusals.clear()
        await expect(alert).to_have_count(0)


async def test_kept_charts_of_an_earlier_range_say_so(page: Page, run: Run, token: str) -> None:
    title = f"Failures {time.monotonic_ns()}"
    given = {"project": "storefront", "title": title, "measure": "DEPLOYMENT_FAILED"}
    ask(run, token, KEEP, input=given)
    is_refused = False

    async def refuse(route: Route) -> None:
        if is_refused and "query KeptPanels" in (route.request.post_data or ""):
            await route.fulfill(status=503)
        else:
            await route.continue_()

    await page.route("**/graphql", refuse)
    await page.goto(f"{run.address}/projects/storefront?range=7d&zone=UTC")
    kept = page.get_by_role("region", name=title)
    await expect(kept.get_by_role("group", name="Deployment failed")).to_be_visible()
    is_refused = True
    await page.get_by_text("30 days").click()
    told = page.get_by_test_id("unreachable")
    await expect(told).to_contain_text("these are the last figures")
    await expect(kept.locator(".stale")).to_be_visible()
    is_refused = False
    await expect(told).to_have_count(0)
    await expect(kept.locator(".stale")).to_have_count(0)


async def test_panel_that_could_not_be_drawn_is_drawn_with_the_next_answer(
    page: Page, run: Run
) -> None:
    is_spoiled = True

    async def spoil(route: Route) -> None:
        if not is_spoiled or "query Overview" not in (route.request.post_data or ""):
            await route.continue_()
            return
        response = await route.fetch()
        answer = await response.json()
        answer["data"]["deploymentStats"]["byNetwork"] = [None]
        await route.fulfill(response=response, body=json.dumps(answer))

    await page.route("**/graphql", spoil)
    await page.goto(f"{run.address}/?range=7d&zone=UTC")
    networks = page.get_by_test_id("panel-networks")
    await expect(networks.get_by_role("alert")).to_contain_text("This panel could not be drawn")
    await expect(page.get_by_test_id("panel-latest").locator("tbody tr")).to_have_count(8)
    is_spoiled = False
    await page.get_by_text("30 days").click()
    await expect(networks.get_by_role("listitem").first).to_be_visible()
    await expect(networks.get_by_role("alert")).to_have_count(0)


async def test_token_that_only_records_is_told_that_it_shows_nothing(
    page: Page, run: Run, token: str
) -> None:
    name = f"recorder {time.monotonic_ns()}"
    recorder = ask(run, token, RECORDER, name=name)["createServiceToken"]["token"]
    await page.goto(f"{run.address}/deployments#token={recorder}")
    await expect(page.get_by_test_id("reads-nothing")).to_contain_text("has the role ingest")
    assert await violations(page) == []
    await page.get_by_test_id("token-field").fill(token)
    await page.get_by_test_id("token-submit").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Deployments")


async def test_tab_that_was_elsewhere_learns_that_it_is_signed_out(
    page: Page, run: Run, token: str
) -> None:
    """Chromium keeps no page for `back` under Playwright, so the event stands for it."""
    other = await page.context.new_page()
    for tab in (page, other):
        await tab.goto(f"{run.address}/deployments#token={token}")
        await expect(tab.get_by_test_id("signed-in")).to_be_visible()
    await page.evaluate(SIGNED_OUT_HERE)
    await expect(page.get_by_test_id("token-field")).to_be_visible()
    await page.get_by_test_id("token-field").fill(token)
    await page.get_by_test_id("token-submit").click()
    await expect(page.get_by_test_id("signed-in")).to_be_visible()

    await page.goto("about:blank")
    await other.get_by_role("button", name="Sign out").click()
    await expect(other.get_by_test_id("token-field")).to_be_visible()
    for path in ("/deployments", "/graphql"):
        await page.goto(f"{run.address}{path}")
        await expect(page.get_by_test_id("token-field")).to_be_visible()
