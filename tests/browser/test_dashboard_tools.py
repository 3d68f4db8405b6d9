"""Pages of the dashboard beside the figures: logs, the search, measures, settings, telemetry."""

import asyncio
import re
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests import scripts
from tests.browser.conftest import ask, post, record, violations
from tests.machine import Run
from tests.patience import HANGS_SECONDS

pytestmark = pytest.mark.process


def write(run: Run, token: str, message: str, **more: Any) -> None:
    line = f"line-{time.monotonic_ns()}"
    kind = {"type": "log.line", "level": "error", "logger": "browser.test"}
    record(run, token, id=line, message=message, **kind, **more)


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


async def test_everything_is_searched_from_any_page_by_keys(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/errors?range=24h&zone=UTC")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Errors")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.post_data or ""))
    await page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search pages")
    await expect(field).to_be_focused()
    await page.keyboard.type("storef")
    projects = page.get_by_role("group", name="Projects").get_by_role("option")
    await expect(projects).to_have_text("storefront Storefront")
    assert len([one for one in asked if "query Find" in one]) == 1
    assert await violations(page) == []

    await page.keyboard.press("Escape")
    await expect(field).to_be_hidden()
    await page.get_by_role("button", name="Search").click()
    await page.keyboard.type("TypeError")
    errors = page.get_by_role("group", name="Errors").get_by_role("option")
    await expect(errors.first).to_have_attribute("aria-selected", "true")
    second = await errors.nth(1).locator("span").first.inner_text()
    await page.keyboard.press("ArrowDown")
    await expect(errors.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(second)
    await expect(page).to_have_url(re.compile("/errors/.+range=24h"))

    await page.keyboard.press("Control+k")
    await page.keyboard.type("no such thing anywhere")
    await expect(page.get_by_role("status")).to_contain_text("Nothing is called that.")


async def test_measure_is_found_and_charted(page: Page, run: Run) -> None:
    await page.goto(f"{run.address}/measures")
    await page.get_by_role("searchbox").fill("deployment rollback rate")
    section = page.get_by_test_id("section-deployment")
    await expect(section.get_by_role("listitem")).to_have_count(1)
    await expect(section).to_contain_text("rolled_back / finished")
    await section.get_by_role("link", name="network").click()
    await expect(page).to_have_url(re.compile("/explorer.*measure=DEPLOYMENT_ROLLBACK_RATE"))
    await expect(page.get_by_role("heading", level=2).first).to_have_text(
        "Deployment rollback rate by network"
    )


async def test_token_is_made_used_and_revoked_as_the_audit_log_tells(
    page: Page, run: Run, token: str
) -> None:
    name = f"shop {time.monotonic_ns()}"
    await page.goto(f"{run.address}/settings")
    await expect(page.get_by_test_id("section-you")).to_contain_text("administers everything")
    await page.get_by_role("link", name="Service tokens").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Projects").fill("audit-log")
    await page.get_by_role("button", name="Make the token").click()
    made = await page.get_by_test_id("made").locator("code").inner_text()
    write(run, made, "of a service token")
    row = page.get_by_role("row", name=name)
    await row.get_by_role("button", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_contain_text("Revoked by demo-admin")

    await page.get_by_role("link", name="Audit log").click()
    action = page.get_by_role("link", name="mutation.revokeServiceToken").first
    await action.click()
    await expect(page).to_have_url(re.compile("action=mutation.revokeServiceToken"))
    rows = page.get_by_role("region", name="Audit log").locator("tbody tr")
    await expect(rows.filter(has_not_text="revokeServiceToken")).to_have_count(0)
    await rows.first.locator("summary").click()
    await expect(rows.first.locator("pre")).to_contain_text("request")


async def test_project_key_is_made_used_filtered_and_revoked(
    page: Page, run: Run, token: str
) -> None:
    name = f"browser {time.monotonic_ns()}"
    await page.goto(f"{run.address}/settings/keys")
    await page.get_by_label("project").select_option("audit-log")
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Make the key").click()
    set_up = page.get_by_test_id("section-set-up")
    dsn = urlsplit(await set_up.locator("code").inner_text())
    await set_up.get_by_role("button", name="Node.js").click()
    await expect(set_up.locator("pre")).to_contain_text(f'dsn: "{dsn.geturl()}"')
    await page.get_by_label("Releases whose events are dropped").fill("0.*")
    await page.get_by_label("drops errors of browsers").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    query = """{ projectKeys(project: "audit-log") { name refusedReleases refusedTexts
        refusesLegacyBrowsers takesTransactions } }"""
    (key,) = [one for one in ask(run, token, query)["projectKeys"] if one["name"] == name]
    assert (key["refusedReleases"], key["refusedTexts"]) == (["0.*"], [])
    assert (key["refusesLegacyBrowsers"], key["takesTransactions"]) == (True, False)
    sent = {"message": "of an old release", "release": "0.9"}
    address = f"/api{dsn.path}/store/?sentry_key={dsn.username}"
    counts = """{ droppedEvents(project: "audit-log", days: 1) { projectKey reason } }"""
    dropped = {"projectKey": dsn.username, "reason": "RELEASE_FILTER"}
    async with asyncio.timeout(HANGS_SECONDS):  # the change is read within five seconds
        while dropped not in ask(run, token, counts)["droppedEvents"]:
            post(run, token, address, sent | {"event_id": uuid4().hex})
            await asyncio.sleep(0.5)
    await page.reload()
    row = page.get_by_test_id("section-dropped").get_by_role("row", name="release filter").first
    await expect(row).to_contain_text("error")
    await page.get_by_role("button", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(page.get_by_test_id("section-about")).to_contain_text("Revoked by demo-admin")
    await page.get_by_role("link", name="All keys of audit-log").click()
    await expect(page.get_by_role("row", name=name)).to_contain_text("Revoked by demo-admin")


async def test_names_and_texts_are_called_secret_and_no_longer(
    page: Page, run: Run, token: str
) -> None:
    name = f"customer ref {time.monotonic_ns()}"
    await page.goto(f"{run.address}/settings/secrets?project=audit-log")
    names, texts = (page.get_by_test_id(f"section-{kind}") for kind in ("names", "patterns"))
    await names.get_by_role("textbox").fill(name)
    await names.get_by_role("button", name="Add").click()
    await expect(names.get_by_role("row", name=name)).to_be_visible()
    await texts.get_by_role("textbox").fill("a*")
    await texts.get_by_role("button", name="Add").click()
    await expect(texts.get_by_role("alert")).to_contain_text("at least 3 literal characters")
    await texts.get_by_role("textbox").fill("KD-######")
    await page.keyboard.press("Enter")
    await expect(texts.get_by_role("row", name="KD-######")).to_be_visible()
    rules = """{ scrubRules(project: "audit-log") { names patterns } }"""
    stored = ask(run, token, rules)["scrubRules"]
    assert name in stored["names"]
    assert stored["patterns"] == ["KD-######"]
    await expect(page.get_by_test_id("section-built-in")).to_contain_text("Card numbers, IBANs")
    for section, rule in ((names, name), (texts, "KD-######")):
        await section.get_by_role("row", name=rule).get_by_role("button", name="Remove").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(section.get_by_role("row", name=rule)).to_have_count(0)
    assert ask(run, token, rules)["scrubRules"]["patterns"] == []


async def test_source_maps_are_uploaded_and_deleted_and_a_wrong_one_is_told(
    page: Page, run: Run, token: str
) -> None:
    release = f"shop@{time.monotonic_ns()}"
    await page.goto(f"{run.address}/settings/source-maps?project=audit-log")
    await page.get_by_label("Release", exact=True).fill(release)
    await page.get_by_label("Where the scripts are").fill("~/static")
    files: list[tuple[str, bytes]] = [
        ("checkout.min.js.map", scripts.MAP),
        ("cart.min.js.map", b'{"version": 2}'),
        ("checkout.min.js", scripts.SCRIPT),
    ]
    await page.get_by_label("Files", exact=True).set_input_files(
        [FilePayload(name=name, mimeType="", buffer=content) for name, content in files]
    )
    await page.get_by_role("button", name="Upload").click()
    upload = page.get_by_test_id("section-upload")
    await expect(upload.get_by_role("row")).to_contain_text(
        ["Outcome", "checkout.min.js", "checkout.min.js.map", "cart.min.js.map"]
    )
    await expect(upload.get_by_role("row", name="Stored")).to_have_count(2)
    await expect(upload.get_by_role("row", name="Refused")).to_contain_text("`version: 3`")
    await page.get_by_role("link", name=release).click()
    row = page.get_by_test_id("section-maps").locator("tbody tr")
    await expect(row).to_contain_text([f"{scripts.URL}{release}"])
    await expect(row).to_contain_text(["Ready"])
    query = """query($r: String) { sourceMaps(project: "audit-log", release: $r) {
        url mapBytes scriptBytes } }"""
    stored = {"url": scripts.URL, "mapBytes": len(scripts.MAP), "scriptBytes": len(scripts.SCRIPT)}
    assert ask(run, token, query, r=release)["sourceMaps"] == [stored]
    await page.get_by_role("button", name="Delete all of this release").click()
    await expect(page.get_by_role("dialog")).to_contain_text("1 script of shop@")
    await page.get_by_role("dialog").get_by_role("button", name="Delete all").click()
    await expect(page.get_by_test_id("section-maps")).to_contain_text("This release has no files.")
    assert ask(run, token, query, r=release)["sourceMaps"] == []


async def test_user_is_erased_after_a_warning_and_the_report_says_where(
    page: Page, run: Run, token: str
) -> None:
    user = f"customer-{time.monotonic_ns()}"
    write(run, token, f"the order of {user} is lost")
    await page.goto(f"{run.address}/settings/erasure?project=audit-log")
    await page.get_by_label("Id of the user").fill(user)
    await page.keyboard.press("Enter")
    warning = page.get_by_role("dialog")
    await expect(warning).to_contain_text(f"Erase “{user}")
    await expect(warning).to_contain_text("cannot be undone")
    await warning.get_by_role("button", name="Erase the user").click()
    report = page.get_by_test_id("section-report")
    await expect(report.get_by_role("row", name="log texts")).to_contain_text("1")
    await expect(report).to_contain_text("No name holds the id.")
    lines = "query($text: String) { logLines(first: 1, search: $text) { nodes { message } } }"
    assert ask(run, token, lines, text=user)["logLines"]["nodes"] == []


async def test_telemetry_has_its_charts_for_each_network(page: Page, run: Run, token: str) -> None:
    await page.goto(f"{run.address}/")
    await page.get_by_role("link", name="Telemetry").click()
    charts = page.locator('[aria-roledescription="chart"]')
    await expect(charts).to_have_count(4)
    for name in ("Active projects by network", "Deployments by outcome", "Deployments by network"):
        await expect(page.get_by_role("group", name=name)).to_be_visible()
    adoption = page.get_by_role("list", name="Adoption by template").get_by_role("listitem")
    stats = """query($filter: DeploymentFilter) { deploymentStats(filter: $filter,
        range: {last: "P7D"}) { byTemplate(first: 100) { name share } } }"""
    for network in ("metis", "hyperion"):
        await page.get_by_role("group", name="Network").get_by_role("button", name=network).click()
        await expect(page).to_have_url(re.compile(f"network={network}"))
        figures = ask(run, token, stats, filter={"networks": [network]})["deploymentStats"]
        used = [one for one in figures["byTemplate"] if one["share"] > 0]
        await expect(adoption).to_have_count(len(used))
        await expect(adoption.first).to_contain_text(used[0]["name"])
        await expect(charts).to_have_count(4)
        await page.get_by_role("group", name="Network").get_by_role("button", name=network).click()


VIEWER = """mutation($name: String!) { createServiceToken(input: {
    name: $name, roles: [VIEWER], projects: ["storefront"]}) { token serviceToken { id } } }"""
REVOKE = (
    """mutation($id: ID!) { revokeServiceToken(input: {id: $id}) { userErrors { message } } }"""
)


async def test_viewer_of_one_project_lands_in_it_until_the_token_is_revoked(
    page: Page, run: Run, token: str
) -> None:
    made = ask(run, token, VIEWER, name=f"viewer {time.monotonic_ns()}")["createServiceToken"]
    await page.goto(f"{run.address}/#token={made['token']}")
    await expect(page).to_have_url(re.compile("project=storefront"))
    await expect(page.get_by_role("button", name="project: storefront")).to_be_visible()
    pages = page.get_by_role("navigation", name="Pages")
    await expect(pages.get_by_role("link", name="Networks")).to_be_visible()
    await expect(pages.get_by_role("link", name="Telemetry")).to_have_count(0)
    await pages.get_by_role("link", name="Settings").click()
    tabs = page.get_by_role("navigation", name="Settings").get_by_role("link")
    await expect(tabs).to_have_text(["You"])
    await expect(page.get_by_test_id("section-projects").locator("tbody tr")).to_have_count(1)
    await page.goto(f"{run.address}/telemetry")
    await expect(page.get_by_role("heading", level=1)).to_have_text("This page is for admins")
    await page.goto(f"{run.address}/settings/tokens")
    await expect(page.get_by_test_id("section-tokens").get_by_role("alert")).to_be_visible()

    await page.goto(f"{run.address}/")
    await expect(page.get_by_test_id("freshness")).to_contain_text("live")
    ask(run, token, REVOKE, id=made["serviceToken"]["id"])
    await expect(page.get_by_test_id("refused")).to_contain_text("has been revoked")
    assert await violations(page) == []
    await page.emulate_media(color_scheme="dark")
    assert await violations(page, "color-contrast") == []
