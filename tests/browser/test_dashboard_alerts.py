"""Silences, channels and the unread list in a real browser, on a whole running gateway."""

import re
import time

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import ask, deploy
from tests.machine import Run

pytestmark = pytest.mark.process

SILENCES = """{ silences(projects: ["audit-log"]) { nodes {
    comment isActive matchers { label kind value } schedule { weekdays start end timeZone } } } }"""

RULE = """mutation($name: String!) { createAlert(input: {project: "audit-log", name: $name,
    trigger: {event: {kind: DEPLOYMENT_FAILED}}}) { alert { id } userErrors { message } } }"""
READER = """mutation($input: ServiceTokenInput!) { createServiceToken(input: $input) {
    token userErrors { message } } }"""
WATCH = """query($id: ID!) { alert(id: $id) { deletedAt trigger { watch {
    comparison { change { factor baselineLength } } guard { minSample } } } } }"""
DELETE_RULE = "mutation($id: ID!) { deleteAlert(input: {id: $id}) { deleted } }"


async def test_silence_is_made_and_ended(page: Page, run: Run, token: str) -> None:
    comment = f"The network is upgraded {time.monotonic_ns()}"
    await page.goto(f"{run.address}/alerts/silences?zone=Europe/Berlin&project=audit-log")
    await page.get_by_role("link", name="New silence").click()
    await page.get_by_label("Label").fill("network")
    await page.get_by_label("Value").fill("metis")
    await page.get_by_role("button", name="Add a condition").click()
    await page.get_by_label("How it is compared").last.select_option("NOT_EQUAL")
    await page.get_by_label("Value").last.fill("critical")
    await page.get_by_label("only in hours that recur").check()
    await page.get_by_label("Why").fill(comment)
    await page.get_by_role("button", name="Silence", exact=True).click()
    row = page.get_by_role("row").filter(has_text=comment)
    await expect(row).to_contain_text("network is metis, and severity is not critical")
    (silence,) = [
        one for one in ask(run, token, SILENCES)["silences"]["nodes"] if one["comment"] == comment
    ]
    assert silence["matchers"] == [
        {"label": "network", "kind": "EQUAL", "value": "metis"},
        {"label": "severity", "kind": "NOT_EQUAL", "value": "critical"},
    ]
    assert silence["schedule"] == {
        "weekdays": ["SATURDAY", "SUNDAY"],
        "start": "22:00",
        "end": "06:00",
        "timeZone": "Europe/Berlin",
    }
    await row.get_by_role("button", name="End now").click()
    await expect(row).to_have_count(0)
    await page.get_by_test_id("tab-1").click()
    await expect(row).to_contain_text("ended by demo-admin")


async def test_channel_is_made_tested_switched_and_deleted(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/alerts/channels")
    await page.get_by_role("link", name="inbox", exact=True).click()
    await page.get_by_role("button", name="Send a test").click()
    await expect(page.get_by_test_id("tested")).to_contain_text("It took the test")
    await page.get_by_role("link", name="Channels").click()

    name = f"of a person {time.monotonic_ns()}"
    await page.get_by_role("link", name="New channel").click()
    await page.get_by_label("Project", exact=True).select_option("audit-log")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("How it tells").select_option("EMAIL")
    await page.get_by_label("Addresses").fill("one@example.com, other")
    await page.get_by_role("button", name="Create channel").click()
    await expect(page.get_by_role("alert")).to_contain_text("no e-mail address")
    await page.get_by_label("Addresses").fill("one@example.com, other@example.com")
    await page.get_by_role("button", name="Create channel").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    settings = page.get_by_test_id("section-settings")
    await expect(settings).to_contain_text("other@example.com")

    await page.get_by_label("Messages an hour").fill("7")
    await page.get_by_role("button", name="Save").click()
    await expect(settings).to_contain_text("at most7")
    await expect(settings).to_contain_text("other@example.com")
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.locator(".heading .badge")).to_contain_text("Off")
    await page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(name)
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(re.compile(r"/alerts/channels\?"))
    await expect(page.get_by_role("link", name="inbox", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name=name)).to_have_count(0)


async def test_unread_alert_is_counted_and_marked_as_read(page: Page, run: Run, token: str) -> None:
    name = f"audit-log fails {time.monotonic_ns()}"
    made = ask(run, token, RULE, name=name)["createAlert"]
    await page.goto(f"{run.address}/deployments")
    bell = page.get_by_test_id("bell")
    await expect(bell).to_be_visible()
    deploy(run, token, "unread", "failed", network="metis")
    await bell.press("Enter")
    unread = page.get_by_role("region", name="Unread alerts")
    await expect(unread.get_by_role("link", name=name)).to_be_visible()
    await bell.press("Escape")
    await expect(unread).to_have_count(0)
    await expect(bell).to_be_focused()
    await bell.press("Enter")
    await unread.get_by_role("button", name="Mark all as read").click()
    await expect(unread.get_by_role("link", name=name)).to_have_count(0)
    ask(run, token, DELETE_RULE, id=made["alert"]["id"])


async def test_preset_becomes_an_alert_that_is_changed_and_deleted(
    page: Page, run: Run, token: str
) -> None:
    name = f"audit-log errors {time.monotonic_ns()}"
    await page.goto(f"{run.address}/alerts/new?project=audit-log")
    await page.get_by_text("Begin with a preset").click()
    await page.get_by_role("link", name="Builds become slower").click()
    await expect(page.get_by_label("Compared with")).to_have_value("before")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("inbox").check()
    await page.get_by_role("button", name="Create alert").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)

    await page.get_by_role("link", name="Change", exact=True).click()
    await expect(page.get_by_label("Bound")).to_have_value("150")
    await expect(page.get_by_label("inbox")).to_be_checked()
    await page.get_by_label("Bound").fill("175")
    await page.get_by_label("Severity").select_option("CRITICAL")
    await expect(page.get_by_test_id("preview")).to_contain_text("it would have fired")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    summary = page.get_by_test_id("section-summary")
    await expect(summary).to_contain_text("175%")
    await expect(summary).to_contain_text("Critical")
    await expect(page.get_by_test_id("section-revisions")).to_contain_text("2. changed")
    identifier = page.url.split("/alerts/")[1].split("?")[0]
    watch = ask(run, token, WATCH, id=identifier)["alert"]["trigger"]["watch"]
    assert watch["comparison"]["change"] == {"factor": 1.75, "baselineLength": "P7D"}
    assert watch["guard"] == {"minSample": 10}

    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(re.compile(r"/alerts\?"))
    assert ask(run, token, WATCH, id=identifier)["alert"]["deletedAt"] is not None


async def test_a_panel_leads_to_an_alert_about_it(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/?project=storefront&environment=production&range=7d&zone=UTC")
    panel = page.get_by_test_id("panel-durations")
    await panel.get_by_role("link", name="Alert me on Duration").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("New alert")
    await expect(page.get_by_label("measure")).to_have_value("DEPLOYMENT_DURATION_P95_MS")
    await expect(page.get_by_test_id("preview")).to_contain_text("it would have fired")
    assert "project=storefront" in page.url
    assert "environment=production" in page.url


async def test_alerts_are_chosen_by_their_state_and_their_name(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/alerts?project=storefront")
    table = page.get_by_role("region", name="Alerts", exact=True)
    await expect(table.get_by_role("link", name="Critical error")).to_be_visible()
    await page.get_by_label("Search names").fill("cRITICAL")
    await expect(page).to_have_url(re.compile("search=cRITICAL"))
    await expect(table.get_by_role("row")).to_have_count(2)
    await page.get_by_test_id("tab-firing").click()
    await expect(page.locator("main")).to_contain_text("No alert is like that.")
    await page.get_by_test_id("tab-inactive").click()
    await expect(table.get_by_role("link", name="Critical error")).to_be_visible()
    await page.reload()
    await expect(page.get_by_test_id("tab-firing")).to_have_attribute("aria-pressed", "true")
    await expect(table.get_by_role("row")).to_have_count(2)


async def test_viewer_of_a_project_is_offered_nothing_to_change(
    page: Page, run: Run, token: str
) -> None:
    given = {"name": "a reader", "roles": ["VIEWER"], "projects": ["storefront"]}
    reader = ask(run, token, READER, input=given)["createServiceToken"]["token"]
    await page.goto(f"{run.address}/alerts#token={reader}")
    alerts = page.get_by_role("region", name="Alerts", exact=True)
    await alerts.get_by_role("link", name="Deployment failed").click()
    await expect(page.get_by_test_id("section-summary")).to_contain_text("storefront")
    await expect(page.get_by_role("button", name="Switch off")).to_have_count(0)
    await expect(page.get_by_role("link", name="Change")).to_have_count(0)
    for path in ("/alerts", "/alerts/silences?make=1", "/projects/storefront", "/"):
        await page.goto(f"{run.address}{path}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.locator("main .panel").first).to_be_visible()
        for name in ("New alert", "New silence", "Channels", "Alert me"):
            await expect(page.get_by_role("link", name=name)).to_have_count(0)
        await expect(page.get_by_role("alert")).to_have_count(0)
    await page.goto(f"{run.address}/alerts/new")
    await expect(page.locator("main")).to_contain_text("Maintainers and admins make")

    given["roles"] = ["MAINTAINER"]
    keeper = ask(run, token, READER, input=given)["createServiceToken"]["token"]
    await page.goto(f"{run.address}/alerts#token={keeper}")
    await expect(page.get_by_role("link", name="New alert")).to_be_visible()
    await page.get_by_role("link", name="Channels").click()
    await expect(page.get_by_role("link", name="New channel")).to_be_visible()
