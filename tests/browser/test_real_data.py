"""The dashboard on a gateway that has real data of past years, and no demo."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.pages import build
from tests.browser.conftest import Traffic, ask, post, violations
from tests.machine import Run, end, free_port, is_announced, start
from tests.patience import HANGS_SECONDS
from tests.servers import temporary_folder

pytestmark = pytest.mark.process

DATA = Path(__file__).parents[1] / "data"
# Keeps what is years old.
KEPT = {f"{what}_RETENTION_DAYS": "0" for what in ("DAILY", "METRICS", "EVENT", "ERROR_LOG", "LOG")}
WINTER = "range=2025-01-20..2025-02-07&zone=UTC"
SUMMER = "range=2025-06-01..2025-06-30&zone=UTC"
KAFKA = "range=2016-12-19..2016-12-19&zone=UTC"

# Each page where its data lies, with a text that only the data can give it.
PAGES = {
    f"/?{WINTER}": "Rolled back",
    f"/deployments?{WINTER}": "publishing-api",
    "/deployments?range=2023-01-01..2026-02-28&zone=UTC": "facebook-openbic",
    "/builds?range=2020-07-01..2023-07-31&zone=UTC": "Windows_Test",
    f"/functions?{SUMMER}": "lambda-perf-",
    "/endpoints?range=2015-05-17..2015-05-20&zone=UTC": "/blog/tags/{path}",
    f"/networks?{WINTER}": "no network",
    f"/telemetry?{WINTER}": "3 in no network",
    f"/projects/signon?{WINTER}": "Rolled back",
    f"/errors?{KAFKA}": "kafka.controller",
    f"/logs?{KAFKA}": "kafka.controller",
    "/explorer?range=2015-01-01..2026-11-30&measure=DEPLOYMENT_ATTEMPTS&by=project": "Mar 2025",
}


@pytest.fixture(scope="module")
def real(browser: Browser) -> Iterator[Run]:
    """A gateway into which the samples of all sets were imported with their own times."""
    build.ensure_built()
    with temporary_folder() as folder:
        run = start(folder, free_port(), RATE_LIMIT_MAX="1000", **KEPT)
        try:
            run.wait_until(lambda: is_announced(run))
            command = [sys.executable, "-m", "gateway", "import", "all", str(DATA)]
            variables = {**os.environ, **KEPT, "DATABASE_URL": run.database_url}
            subprocess.run(
                command, env=variables, check=True, timeout=HANGS_SECONDS, capture_output=True
            )
            yield run
        finally:
            end(run)


@pytest.fixture(scope="module")
def admin(real: Run) -> str:
    return (real.folder / "demo-token").read_text().strip()


async def loaded(page: Page) -> None:
    await expect(page.locator("main .panel").first).to_be_visible()
    await expect(page.locator("main .loading")).to_have_count(0)


async def test_pages_show_data_of_past_years(page: Page, traffic: Traffic, real: Run) -> None:
    for path, text in PAGES.items():
        await page.goto(f"{real.address}{path}")
        await loaded(page)
        await expect(page.locator("main")).to_contain_text(text)
        assert await violations(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth") == 1280, path
    assert traffic.messages == []


async def test_empty_range_leads_to_the_newest_data(page: Page, real: Run, admin: str) -> None:
    """From the overview, which shows the last days, to what happened years ago."""
    await page.goto(f"{real.address}/?project=publishing-api&zone=UTC")
    await page.get_by_test_id("elsewhere").get_by_role("link", name="Apr 2025").click()
    await expect(page).to_have_url(re.compile(re.escape("range=2025-04-01..2025-04-30")))
    figures = ask(
        real,
        admin,
        """{ deploymentStats(filter: {projects: ["publishing-api"]},
               range: {between: {start: "2025-04-01T00:00:00Z", end: "2025-05-01T00:00:00Z"}}) {
               attempts } }""",
    )["deploymentStats"]
    assert figures["attempts"] > 0
    shown = page.get_by_test_id("card-deployments").locator(".figure")
    await expect(shown).to_have_text(str(figures["attempts"]))
    await expect(page.get_by_test_id("panel-durations")).to_contain_text("known duration")
    latest = page.get_by_test_id("panel-latest")
    await expect(latest.locator("time").first).to_contain_text("2025")
    await latest.locator("tbody a").first.click()
    await expect(page.get_by_test_id("section-timeline")).to_contain_text("queued")

    await page.goto(f"{real.address}/builds?zone=UTC")
    await page.get_by_test_id("elsewhere").get_by_role("link").click()
    await page.get_by_role("button", name="project: any project").click()
    await expect(page.get_by_label("hbase")).to_be_visible()  # a project without deployments

    errors = """{ errors(search: "reverse", filter: {projects: ["glitchtip"]}) { nodes { id } } }"""
    (error,) = ask(real, admin, errors)["errors"]["nodes"]
    await page.goto(f"{real.address}/errors/{quote(error['id'], safe='')}?zone=UTC")
    await page.get_by_role("link", name="Show the last day").click()
    await expect(page.get_by_role("group", name="Occurrences")).to_be_visible()
    await expect(page.get_by_test_id("section-stack")).to_contain_text("_reverse_with_prefix")
    await expect(page.get_by_test_id("section-summary")).to_contain_text("May 13, 2020")


async def test_long_names_stay_on_a_phone(phone: Page, real: Run, admin: str) -> None:
    word = "ошибка-" * 40  # nothing to break it at
    deployment = {"project": "p-" + "x" * 60, "deployment": word[:120], "network": "n" * 60}
    events = [
        {"type": "deployment.started", "time": "2026-01-01T00:00:00Z", **deployment},
        {"type": "deployment.failed", "time": "2026-01-09T23:59:50Z", "error": word, **deployment},
    ]
    results = post(real, admin, "/v1/events", events)["results"]
    assert [result["status"] for result in results] == ["accepted"] * 2
    query = """query($project: String!) {
      deployments(filter: {projects: [$project]}) { nodes { deploymentId } }
      errors(filter: {projects: [$project]}) { nodes { id } } }"""
    answer = ask(real, admin, query, project=deployment["project"])
    (found,), (error,) = answer["deployments"]["nodes"], answer["errors"]["nodes"]
    range_ = "range=2026-01-01..2026-01-10&zone=UTC"
    for path in (
        f"/deployments/{found['deploymentId']}?{range_}",
        f"/errors/{quote(error['id'], safe='')}?{range_}",
        f"/deployments?{range_}",
        f"/?{range_}",
    ):
        await phone.goto(f"{real.address}{path}")
        await loaded(phone)
        assert await phone.evaluate("document.documentElement.scrollWidth") == 390, path
    median = phone.get_by_test_id("card-median-duration").locator(".figure")
    await expect(median).to_have_text("9d")  # it is ten seconds less
