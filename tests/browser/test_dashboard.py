"""The dashboard in a real browser, on a whole running gateway with demo data."""

import asyncio
import json
import os
import re
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Locator, Page, Request, Route, expect

from tests import scripts
from tests.browser.conftest import Traffic, ask, deploy, forged_token, send, violations
from tests.machine import Run, is_ready

pytestmark = pytest.mark.process

NOTHING = "\N{EN DASH}"
BROKEN_RELEASE = """{ deployments(first: 1, statuses: [ROLLED_BACK],
    filter: {projects: ["storefront"], environments: ["production"]}, range: {last: "P3D"}) {
      nodes { deploymentId release rolledBackTo { release } } } }"""
NEW_KEY = """mutation { createProjectKey(input: {project: "storefront", name: "axe"}) {
    projectKey { id } } }"""
SECRETS = """mutation { setScrubRules(input: {project: "storefront", names: ["customer ref"],
    patterns: ["KD-######"]}) { userErrors { message } } }"""
UPLOADED = "/v1/projects/storefront/releases/shop/source-maps?url=~/checkout.min.js"
NEW_ERROR = """{ errors(filter: {projects: ["storefront"], errorTypes: ["TypeError"],
    severities: ["critical"]}, range: {last: "P4D"}) { nodes { id title status } } }"""


def card(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"card-{name}").locator(".figure")


async def opened(page: Page, address: str) -> None:
    """Open the overview, and wait until its figures are there."""
    await page.goto(address)
    await expect(card(page, "deployments")).to_be_visible()


def past_days() -> str:
    """The seven days before today, whose figures stay as they are."""
    today = datetime.now(UTC).date()
    return f"{today - timedelta(days=7)}..{today - timedelta(days=1)}"


async def shares(page: Page, panel: str) -> list[tuple[str, int]]:
    """The names and figures of a panel that lists shares."""
    rows = await page.get_by_test_id(f"panel-{panel}").get_by_role("listitem").all()
    return [
        (
            await row.locator(".name").inner_text(),
            int((await row.locator(".number").inner_text()).replace(",", "")),
        )
        for row in rows
    ]


def past_range() -> dict[str, dict[str, str]]:
    """The same days for the API, by their ends."""
    start, _, last = past_days().partition("..")
    end = datetime.fromisoformat(f"{last}T00:00:00+00:00") + timedelta(days=1)
    return {"between": {"start": f"{start}T00:00:00Z", "end": end.isoformat()}}


async def counts(page: Page, histogram: str) -> list[dict[str, int]]:
    """How many each range of a histogram has, as the API gives them."""
    bars = page.get_by_role("list", name=histogram).get_by_role("listitem")
    await expect(bars.first).to_be_visible()
    texts = await bars.all_inner_texts()
    return [{"count": int(text.split(": ")[1].split(", ")[0].replace(",", ""))} for text in texts]


def named(group: dict[str, Any], noun: str) -> str:
    """What the pages call a group of figures."""
    return group["name"] or {"NONE": f"no {noun}", "OTHERS": "all others"}[group["kind"]]


async def test_overview_shows_the_figures_of_the_api(
    page: Page, traffic: Traffic, run: Run, token: str
) -> None:
    days = past_days()
    expected = ask(
        run,
        token,
        """query($range: TimeRange!) {
             deploymentStats(range: $range) {
               attempts succeeded finished durationP50Ms durationP95Ms activeProjects
               byNetwork { name attempts } }
             errorStats(range: $range) { occurrences top(first: 6) { occurrences error { title } } }
             functionStats(range: $range) { invocations errors series(interval: HOUR) { errors } }
             buildStats(range: $range) { attempts averageDurationMs }
             apiStats(range: $range) { calls averageDurationMs } }""",
        range=past_range(),
    )
    figures = expected["deploymentStats"]
    functions, builds, api = (expected[f"{name}Stats"] for name in ("function", "build", "api"))
    ran = f"{functions['invocations']:,}"

    await opened(page, f"{run.address}/?range={days}&zone=UTC")

    for name, exact in {
        "deployments": f"{figures['attempts']:,}",
        "success-rate": f"{figures['succeeded']:,} of {figures['finished']:,} that finished",
        "median-duration": f"{round(figures['durationP50Ms']):,}ms",
        "95th-percentile": f"{round(figures['durationP95Ms']):,}ms",
        "errors": f"{expected['errorStats']['occurrences']:,}",
        "active-projects": f"{figures['activeProjects']:,}",
        "function-invocations": ran,
        "function-error-rate": f"{functions['errors']:,} of {ran} invocations",
        "builds": f"{builds['attempts']:,}",
        "mean-build-time": f"{round(builds['averageDurationMs']):,}ms",
        "api-calls": f"{api['calls']:,}",
        "mean-api-time": f"{round(api['averageDurationMs']):,}ms",
    }.items():
        assert await card(page, name).get_attribute("title") == exact
    networks = [(one["name"], one["attempts"]) for one in figures["byNetwork"]]
    assert await shares(page, "networks") == networks
    top = [(one["error"]["title"], one["occurrences"]) for one in expected["errorStats"]["top"]]
    assert await shares(page, "top-errors") == top
    await expect(page.get_by_role("group", name="Error occurrences")).to_be_visible()
    await page.get_by_test_id("panel-invocations").get_by_role("button", name="Table").click()
    failed = page.get_by_test_id("panel-invocations").locator("tbody td:nth-child(2)")
    newest_first = [point["errors"] for point in reversed(functions["series"])]
    assert [int(text) for text in await failed.all_inner_texts()] == newest_first
    requests = [address for address in traffic.addresses if address.endswith("/graphql")]
    assert requests.count(f"{run.address}/graphql") == 1  # besides the WebSocket


def is_left(request: Request) -> bool:
    """Whether a page ended a request itself, because its reader went on before the answer."""
    return request.failure == "net::ERR_ABORTED"


async def test_demo_signs_in_by_itself_and_every_page_is_silent(
    page: Page, traffic: Traffic, run: Run
) -> None:
    failed: list[str] = []
    page.on("requestfailed", lambda one: None if is_left(one) else failed.append(one.url))
    page.on("response", lambda one: failed.append(one.url) if one.status >= 400 else None)
    await opened(page, run.address)
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    names = ("Deployments", "Errors", "Alerts", "Logs", "Explorer", "Measures", "Settings")
    for name in (*names, "Telemetry", "Overview"):
        await page.get_by_role("link", name=name, exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(name)
        await expect(page.locator("main a").first).to_be_visible()
    outside = [
        address
        for address in traffic.addresses
        if address.startswith(("http", "ws")) and f"//{run.address[7:]}/" not in address
    ]
    assert (outside, failed, traffic.messages) == ([], [], [])


async def test_error_is_resolved_and_reopened(page: Page, run: Run, token: str) -> None:
    (error,) = ask(run, token, NEW_ERROR)["errors"]["nodes"]
    days = past_days()
    answer = ask(
        run,
        token,
        """query($range: TimeRange!) { errorStats(range: $range) {
             occurrences top(first: 6) { occurrences error { title } }
             byErrorType(first: 4) { kind name occurrences }
             bySeverity(first: 4) { kind name occurrences }
             series(interval: HOUR) { occurrencesPerHour } }
           errors(range: $range, statuses: [OPEN],
             filter: {errorTypes: ["TypeError"], severities: ["critical"]}) { totalCount } }""",
        range=past_range(),
    )
    figures, chosen = answer["errorStats"], answer["errors"]
    await page.goto(f"{run.address}/errors?range={days}&zone=UTC")
    trend = page.get_by_test_id("panel-error-trend")
    await expect(trend).to_contain_text(f"{figures['occurrences']:,} times")
    await trend.get_by_role("button", name="Table").click()
    newest_first = [f"{point['occurrencesPerHour']:g}" for point in reversed(figures["series"])]
    await expect(trend.locator("tbody td")).to_have_text(newest_first)
    assert await shares(page, "error-kinds") == [
        (named(one, noun), one["occurrences"])
        for noun, groups in (("type", "byErrorType"), ("severity", "bySeverity"))
        for one in figures[groups]
        if one["occurrences"] > 0
    ]
    assert await shares(page, "top-errors") == [
        (one["error"]["title"], one["occurrences"]) for one in figures["top"]
    ]
    await page.get_by_test_id("tab-critical").click()
    await page.get_by_role("button", name="type: any type").click()
    await page.get_by_label("TypeError").check()
    await page.keyboard.press("Escape")
    path = f"/errors/{quote(error['id'], safe='')}"
    listed = page.get_by_role("region", name="List", exact=True)
    await expect(listed.locator("tbody tr")).to_have_count(chosen["totalCount"])
    await listed.locator(f'a[href^="{path}"]').click()
    await expect(page).to_have_url(re.compile(re.escape(path)))
    await expect(page.get_by_test_id("section-stack").get_by_role("listitem").first).to_be_visible()
    await page.get_by_role("button", name="Resolve", exact=True).click()
    await expect(page.locator(".heading .badge")).to_contain_text("Resolved")
    assert ask(run, token, NEW_ERROR)["errors"]["nodes"][0]["status"] == "RESOLVED"
    await page.get_by_role("button", name="Reopen").click()
    await expect(page.locator(".heading .badge")).to_contain_text("Open")
    assert ask(run, token, NEW_ERROR)["errors"]["nodes"][0]["status"] == "OPEN"


async def test_link_shows_a_colleague_the_same(page: Page, browser: Browser, run: Run) -> None:
    await opened(page, run.address)
    await page.get_by_text("30 days").click()
    await page.get_by_role("button", name="network: any network").click()
    await page.get_by_label("hyperion").check()
    await expect(page.get_by_test_id("panel-networks").get_by_role("listitem")).to_have_count(1)
    context = await browser.new_context(
        timezone_id="Asia/Tokyo", viewport={"width": 1280, "height": 800}
    )
    other = await context.new_page()
    await opened(other, page.url)
    assert other.url == page.url
    await expect(other.get_by_role("button", name="network: hyperion")).to_be_visible()
    await expect(other.get_by_label("30 days")).to_be_checked()
    shown = await card(page, "errors").inner_text()
    await expect(card(other, "errors")).to_have_text(shown)
    await context.close()


async def test_deployments_are_filtered_searched_and_paged(
    page: Page, run: Run, token: str
) -> None:
    days = past_days()
    figures = ask(
        run,
        token,
        """query($range: TimeRange!) { deploymentStats(range: $range) {
             byFramework(first: 6) { kind name attempts } distribution { count }
             series(interval: DAY) { failed rolledBack succeeded } } }""",
        range=past_range(),
    )["deploymentStats"]
    await page.goto(f"{run.address}/deployments?range={days}&zone=UTC")
    assert await counts(page, "Deployments by duration") == figures["distribution"]
    assert await shares(page, "frameworks") == [
        (named(one, "framework"), one["attempts"])
        for one in figures["byFramework"]
        if one["attempts"] > 0
    ]
    daily = page.get_by_test_id("panel-daily")
    await daily.get_by_role("button", name="Table").click()
    for column, outcome in enumerate(("failed", "rolledBack", "succeeded"), start=2):
        newest_first = [str(day[outcome]) for day in reversed(figures["series"])]
        await expect(daily.locator(f"tbody td:nth-child({column})")).to_have_text(newest_first)

    await page.goto(f"{run.address}/deployments?range=30d")
    rows = page.get_by_role("region", name="Deployments", exact=True).locator("tbody tr")
    await expect(rows).to_have_count(25)
    first = await rows.first.inner_text()
    await page.get_by_role("link", name="Next").click()
    await expect(rows.first).not_to_have_text(first)
    await page.get_by_role("link", name="Previous").click()
    await expect(rows).to_have_count(25)
    await page.get_by_test_id("tab-failed").click()
    await expect(rows.locator(".badge").first).to_contain_text("Failed")
    assert "status=failed" in page.url
    await page.get_by_role("searchbox").fill("RPC endpoint of hyperion")
    await expect(page).to_have_url(re.compile("search=RPC"))
    await expect(rows.first).to_contain_text("hyperion")


async def test_figures_follow_events_and_a_lost_gateway_comes_back(
    page: Page, run: Run, token: str
) -> None:
    today = datetime.now(UTC).date()
    # Nothing leaves this range meanwhile.
    range = f"{today - timedelta(days=6)}..{today + timedelta(days=1)}"
    await opened(page, f"{run.address}/?project=audit-log&range={range}&zone=UTC")
    await expect(page.get_by_test_id("freshness")).to_contain_text("live")
    before = int(await card(page, "deployments").inner_text())
    deploy(run, token, "first", network="metis")
    await expect(card(page, "deployments")).to_have_text(str(before + 1))

    os.kill(run.children()["gateway"], signal.SIGKILL)  # `gateway run` starts another one
    await expect(page.get_by_test_id("freshness")).to_contain_text("not connected")
    run.wait_until(lambda: is_ready(run))
    await expect(page.get_by_test_id("freshness")).to_contain_text("live")
    await expect(page.get_by_test_id("unreachable")).to_have_count(0)
    deploy(run, token, "second", network="metis")
    await expect(card(page, "deployments")).to_have_text(str(before + 2))


async def test_one_failed_panel_leaves_the_others(page: Page, run: Run) -> None:
    async def without_failures(route: Route) -> None:
        response = await route.fetch()
        answer: dict[str, Any] = await response.json()
        answer["data"]["failures"] = None
        answer["errors"] = [{"message": "The statement took too long.", "path": ["failures"]}]
        await route.fulfill(response=response, body=json.dumps(answer))

    await page.route("**/graphql", without_failures)
    await opened(page, run.address)
    failed = page.get_by_test_id("panel-failures").get_by_role("alert")
    await expect(failed).to_contain_text("The statement took too long.")
    await expect(page.get_by_test_id("panel-latest").locator("tbody tr")).to_have_count(8)


async def test_range_without_deployments_shows_gaps_and_says_so(page: Page, run: Run) -> None:
    await opened(page, f"{run.address}/?range=2020-01-01..2020-01-02&zone=UTC")
    await expect(card(page, "deployments")).to_have_text("0")
    await expect(card(page, "success-rate")).to_have_text(NOTHING)
    await expect(page.get_by_test_id("panel-outcomes")).to_contain_text("Nothing was deployed")


async def test_chart_is_read_by_keys_and_as_a_table(page: Page, run: Run) -> None:
    await opened(page, f"{run.address}/?range={past_days()}&zone=UTC")
    panel = page.get_by_test_id("panel-outcomes")
    await panel.get_by_role("group", name="Deployments by outcome").press("End")
    await expect(panel.get_by_role("status")).to_contain_text("Succeeded")
    await panel.get_by_role("button", name="Table").click()
    await expect(panel.locator("tbody tr")).to_have_count(7 * 24)


async def test_explorer_shows_the_phase_that_became_slow(page: Page, run: Run, token: str) -> None:
    await page.goto(f"{run.address}/explorer?template=dashy&network=metis&range={past_days()}")
    await page.get_by_label("measure").select_option("BUILD_PHASE_DURATION_P95_MS")
    await page.get_by_label("by", exact=True).select_option("phase")
    await expect(page.get_by_role("heading", level=2).first).to_have_text(
        "Build phase duration p95 by phase"
    )
    await expect(page.get_by_text("no network: that filter is left out")).to_be_visible()
    table = ask(
        run,
        token,
        """query($range: TimeRange!, $zone: TimeZone!) {
             metrics(measures: [BUILD_PHASE_DURATION_P95_MS], groupBy: [PHASE], range: $range,
                 timeZone: $zone, filter: {templates: ["dashy"]}) {
               groups { keys { name } } columns { totals } } }""",
        range=past_range(),
        zone="UTC",
    )["metrics"]
    rows = page.get_by_test_id("section-totals").locator("tbody tr")
    await expect(rows).to_have_count(len(table["groups"]))
    for row, group, total in zip(
        await rows.all(), table["groups"], table["columns"][0]["totals"], strict=True
    ):
        assert await row.locator("th").inner_text() == group["keys"][0]["name"]
        exact = await row.locator("td").first.get_attribute("title")
        assert exact is not None
        assert float(exact.replace(",", "")) == pytest.approx(total, abs=0.001)


async def test_query_of_a_panel_runs_in_graphiql(page: Page, run: Run) -> None:
    await opened(page, f"{run.address}/?network=metis")
    await page.get_by_test_id("panel-networks").get_by_role("link", name="Query").click()
    await expect(page.get_by_label("Operation, scrollable")).to_contain_text("fragment Networks")
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    await page.get_by_label("Execute query").click()
    response = page.locator(".result-window .CodeMirror")
    await expect(response).to_contain_text('"metis"')
    assert page.url.split("?")[0] == f"{run.address}/graphql"
    assert "#" not in page.url


async def test_alert_is_made_from_a_chart_and_fires(page: Page, run: Run, token: str) -> None:
    await page.goto(f"{run.address}/explorer?measure=DEPLOYMENT_ATTEMPTS&project=audit-log")
    await page.get_by_role("link", name="Alert me on this").click()
    await page.get_by_label("bound").fill("0")
    await expect(page.get_by_test_id("preview")).to_contain_text("it would have fired")
    name = f"audit-log deploys {time.monotonic_ns()}"
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Create alert").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    deploy(run, token, "watched", network="metis")
    await expect(page.locator(".heading .badge")).to_contain_text("Firing")
    await expect(page.get_by_test_id("section-explanation")).to_contain_text("is above 0")
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_test_id("section-instances")).to_contain_text("by demo-admin")
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.locator(".heading .badge")).to_contain_text("Off")
    await page.get_by_role("link", name="Alerts").first.click()
    await expect(page.get_by_test_id("section-history")).to_contain_text("firing")


async def test_phone_goes_from_page_to_page_by_the_menu(phone: Page, run: Run) -> None:
    await opened(phone, run.address)
    errors = phone.get_by_role("link", name="Errors", exact=True)
    await expect(errors).to_be_hidden()
    await phone.get_by_role("button", name="Menu").click()
    assert await violations(phone) == []
    await errors.click()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Errors")
    await expect(errors).to_be_hidden()


async def test_a_pasted_token_stays_when_the_demo_gives_one_late(
    page: Page, run: Run, token: str
) -> None:
    forged, pasted = forged_token("demo-admin"), asyncio.Event()

    async def give_late(route: Route) -> None:
        await pasted.wait()
        await route.fulfill(json={"token": forged})

    await page.route("**/demo-token", give_late)
    await page.goto(f"{run.address}/#token={forged}")  # as of an earlier demo: it asks for another
    await page.get_by_test_id("token-field").fill(token)
    async with page.expect_response("**/demo-token"):
        await page.get_by_test_id("token-submit").click()
        await expect(card(page, "deployments")).to_be_visible()
        pasted.set()
    await page.get_by_role("link", name="Errors", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Errors")
    assert await page.evaluate("sessionStorage.getItem('gateway-token')") == token


async def test_refused_token_is_told_and_another_one_signs_in(
    page: Page, run: Run, token: str
) -> None:
    forged = forged_token("somebody")
    await page.goto(f"{run.address}/#token={forged}")
    await expect(page.get_by_test_id("refused")).to_contain_text("signature")
    await page.get_by_test_id("token-field").fill(f"Bearer {token}")
    await page.get_by_test_id("token-submit").click()
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    await expect(card(page, "deployments")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/deployments",
        "/errors",
        "/alerts",
        "/alerts/new",
        "/alerts/silences?make=1",
        "/alerts/channels?make=1",
        "/explorer?by=network",
        "/projects/storefront",
        "/networks",
        "/functions/api-checkout",
        "/builds",
        "/logs?level=warn,error",
        "/measures",
        "/settings/tokens",
        "key",
        "secrets",
        "source maps",
        "/settings/audit",
        "/settings/erasure?project=storefront",
        "/telemetry",
        "deployment",
        "error",
    ],
)
async def test_page_is_accessible_in_light_dark_and_on_a_phone(
    page: Page, run: Run, token: str, path: str
) -> None:
    if path == "deployment":
        (deployment,) = ask(run, token, BROKEN_RELEASE)["deployments"]["nodes"]
        path = f"/deployments/{deployment['deploymentId']}"
    if path == "key":
        made = ask(run, token, NEW_KEY)["createProjectKey"]["projectKey"]
        path = f"/settings/keys/{made['id']}?project=storefront"
    if path == "secrets":
        ask(run, token, SECRETS)
        path = "/settings/secrets?project=storefront"
    if path == "source maps":
        send(run, token, "PUT", UPLOADED, scripts.MAP)
        path = "/settings/source-maps?project=storefront"
    if path == "error":
        (error,) = ask(run, token, NEW_ERROR)["errors"]["nodes"]
        path = f"/errors/{error['id']}"
    await page.goto(f"{run.address}{path}")
    await expect(page.locator("main .panel").first).to_be_visible()
    await expect(page.locator("main .loading")).to_have_count(0)
    assert await violations(page) == []
    await page.emulate_media(color_scheme="dark")
    assert await violations(page, "color-contrast") == []
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_chart_is_kept_in_the_page_of_its_project(page: Page, run: Run, token: str) -> None:
    title = f"Failures by network {time.monotonic_ns()}"
    await page.goto(
        f"{run.address}/explorer?measure=DEPLOYMENT_FAILED&by=network&project=storefront"
    )
    await page.get_by_label("Title of the panel").fill(title)
    await page.get_by_role("button", name="Keep in the page of storefront").click()
    await expect(page).to_have_url(re.compile("/projects/storefront"))
    kept = page.get_by_role("region", name=title)
    await expect(kept.get_by_role("group", name="Deployment failed by network")).to_be_visible()
    await expect(page.get_by_test_id("panel-alerts").get_by_role("listitem").first).to_be_visible()
    await expect(card(page, "deployments")).to_be_visible()
    query = """{ project(slug: "storefront") { panels { title measure groupBy keptBy } } }"""
    (panel,) = [one for one in ask(run, token, query)["project"]["panels"] if one["title"] == title]
    assert panel == {
        "title": title,
        "measure": "DEPLOYMENT_FAILED",
        "groupBy": ["NETWORK"],
        "keptBy": "demo-admin",
    }
    await kept.get_by_role("button", name="Rename").click()
    await kept.get_by_label("Title of the panel").fill(f"Renamed: {title}")
    await page.keyboard.press("Enter")
    kept = page.get_by_role("region", name=f"Renamed: {title}")
    await expect(kept.get_by_role("button", name=re.compile("^Rename "))).to_be_focused()
    await kept.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(kept).to_have_count(0)


KEEP = """mutation($input: KeepPanelInput!) { keepPanel(input: $input) { panel { id } } }"""


async def test_kept_chart_follows_events_of_its_project(page: Page, run: Run, token: str) -> None:
    title = f"Attempts {time.monotonic_ns()}"
    given = {"project": "audit-log", "title": title, "measure": "DEPLOYMENT_ATTEMPTS"}
    ask(run, token, KEEP, input=given)
    deploy(run, token, "kept", network="metis")
    await page.goto(f"{run.address}/projects/audit-log?range=90d&zone=UTC")
    await expect(page.get_by_test_id("freshness")).to_contain_text("live")
    kept = page.get_by_role("region", name=title)
    await kept.get_by_role("button", name="Table").click()
    day = kept.get_by_role("row").filter(has_text="still running").get_by_role("cell")
    before = int(await day.inner_text())
    deploy(run, token, "kept", network="metis")
    await expect(day).to_have_text(str(before + 1))


async def test_what_arrives_moves_nothing(page: Page, run: Run) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if "Overview" in (route.request.post_data or ""):
            asked.set()
            await may_answer.wait()
        await route.continue_()

    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.route("**/graphql", hold)
    await page.goto(f"{run.address}/?range=7d&zone=UTC")
    await asked.wait()
    before = await tops(page)
    may_answer.set()
    await expect(card(page, "deployments")).to_be_visible()
    after = await tops(page)
    assert len(before) >= 8
    assert before == pytest.approx(after, abs=2)


async def tops(page: Page) -> list[float]:
    """Where the panels begin that a person sees without scrolling far."""
    panels = page.locator("main section.panel").filter(visible=True)
    found: list[float] = await panels.evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().top).filter(top => top < 1400)"
    )
    return found
