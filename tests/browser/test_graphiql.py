"""GraphiQL in a real browser, on a whole running gateway with demo data (R59)."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import pytest
from playwright.async_api import Locator, Page, Route, expect

from access.tokens import issue
from access.viewers import Role
from tests.browser.conftest import Traffic, ask, deploy, violations
from tests.machine import Run

pytestmark = pytest.mark.process

Theme = Literal["light", "dark"]

# The page's policy forbids `eval`, which wait_for_function needs.
STORED = """async () => {{
    while (!localStorage.getItem("graphiql:{}")) await new Promise(requestAnimationFrame);
}}"""
OPERATION_STORED = STORED.format("query")
TABS_STORED = STORED.format("tabState")


@pytest.fixture
def signed_in(run: Run, token: str) -> str:
    """The address that `make run` prints."""
    return f"{run.address}/graphql#token={token}"


async def until_ready(page: Page) -> None:
    """Wait for the editors, each of which loads files of its own."""
    await expect(page.get_by_label("Response, scrollable")).to_be_visible()
    await expect(page.get_by_label("Operation, scrollable")).to_contain_text("query")


async def execute(page: Page) -> dict[str, Any]:
    """Execute the operation of the open tab and return the response that the page shows."""
    await until_ready(page)
    await page.get_by_label("Execute query").click()
    response = page.locator(".result-window .CodeMirror")
    await expect(response).to_contain_text("{")
    # On the screen are some of the lines only; the editor's object has them all.
    return dict(json.loads(await response.evaluate("editor => editor.CodeMirror.getValue()")))


async def open_example(page: Page) -> None:
    await page.get_by_test_id("example-network-split").click()
    await expect(page.get_by_label("Operation, scrollable")).to_contain_text("NetworkSplit")


async def width(element: Locator) -> float:
    box = await element.bounding_box()
    return 0 if box is None else box["width"]


async def test_first_example_shows_the_figures_of_the_demo(
    page: Page, run: Run, token: str, signed_in: str
) -> None:
    await page.goto(signed_in)
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    stats = (await execute(page))["data"]["deploymentStats"]
    query = "{ deploymentStats(range: {last: P30D}) { attempts succeeded } }"
    expected = ask(run, token, query)["deploymentStats"]
    assert {name: stats[name] for name in expected} == expected
    assert stats["attempts"] > 0


async def test_token_leaves_the_address_at_once(
    page: Page, traffic: Traffic, run: Run, token: str, signed_in: str
) -> None:
    await page.goto(signed_in)
    await expect(page.get_by_test_id("signed-in")).to_be_visible()
    assert page.url == f"{run.address}/graphql"
    assert not any(token in address for address in traffic.addresses)


async def test_page_asks_its_own_server_alone_and_is_silent(
    page: Page, traffic: Traffic, run: Run, signed_in: str
) -> None:
    await page.goto(signed_in)
    await execute(page)
    await open_example(page)
    assert (await execute(page))["data"]["deploymentStats"]["byNetwork"]
    await page.get_by_label("Show Documentation Explorer").click()
    await expect(page.locator(".graphiql-doc-explorer")).to_be_visible()
    await page.get_by_label("Prettify query (Shift-Ctrl-P)").click()
    await page.get_by_label("Open settings dialog").click()
    await expect(page.locator(".graphiql-dialog")).to_be_visible()
    outside = [
        address
        for address in traffic.addresses
        if address.startswith(("http", "ws")) and not address.startswith(f"{run.address}/")
    ]
    assert f"{run.address}/graphql" in traffic.addresses
    assert outside == []
    assert traffic.messages == []


async def test_without_a_token_the_page_says_where_to_get_one(
    page: Page, run: Run, token: str
) -> None:
    await page.goto(f"{run.address}/graphql")
    await expect(page.get_by_test_id("token-needed")).to_contain_text("demo-token")
    await until_ready(page)  # an editor that loads later takes the focus
    # A token makes the editors anew, with the operation that GraphiQL has stored by then.
    await page.evaluate(OPERATION_STORED)
    await page.get_by_test_id("token-field").fill(f"Bearer {token}")
    await page.get_by_test_id("token-submit").click()
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    assert "data" in await execute(page)


async def test_refused_token_is_told_with_the_reason(page: Page, run: Run) -> None:
    forged = issue(
        "another secret than the one of the gateway",
        "somebody",
        [Role.ADMIN],
        [],
        lifetime=timedelta(hours=1),
        now=datetime.now(UTC),
        issuer="deployment-analytics-gateway",
        audience="deployment-analytics-gateway",
    )
    await page.goto(f"{run.address}/graphql#token={forged}")
    await expect(page.get_by_test_id("refused")).to_contain_text("signature")
    await expect(page.get_by_test_id("token-field")).to_be_visible()
    other = await page.context.new_page()
    await other.goto(f"{run.address}/graphql")
    await expect(other.get_by_test_id("token-needed")).to_be_visible()
    await until_ready(other)  # by then the first tab has been asked
    await expect(other.get_by_test_id("token-needed")).to_be_visible()


async def test_phone_shows_operation_and_answer_without_scrolling_sideways(
    phone: Page, signed_in: str
) -> None:
    await phone.goto(signed_in)
    assert "data" in await execute(phone)
    assert await phone.evaluate("document.documentElement.scrollWidth") == 390
    assert await width(phone.locator(".graphiql-query-editor")) > 300
    assert await width(phone.locator(".graphiql-response")) > 300


async def test_phone_shows_the_examples_alone_until_one_is_chosen(
    phone: Page, signed_in: str
) -> None:
    await phone.goto(signed_in)
    await phone.get_by_label("Show Examples").click()
    assert await width(phone.locator(".graphiql-plugin")) > 300
    await open_example(phone)
    assert (await execute(phone))["data"]["deploymentStats"]["byNetwork"]
    assert await width(phone.locator(".graphiql-query-editor")) > 300


async def test_answer_shows_its_cost_and_time(page: Page, signed_in: str) -> None:
    await page.goto(signed_in)
    assert list(await execute(page)) == ["data"]
    measured = page.get_by_test_id("measured")
    await expect(measured).to_have_text(
        re.compile(r"^\d+ of 40,000 points · [\d,]+ left · answered in \d+")
    )


async def test_subscription_shows_its_messages(
    page: Page, run: Run, token: str, signed_in: str
) -> None:
    query = """# not a query
        subscription { deploymentStatsChanged(range: {last: "P1D"}) { attempts } }"""
    await page.goto(f"{signed_in}&query={quote(query)}")
    shown = await execute(page)
    before = shown["data"]["deploymentStatsChanged"]["attempts"]
    deploy(run, token, "subscribed")
    response = page.locator(".result-window .CodeMirror")
    await expect(response).to_contain_text(f'"attempts": {before + 1}')
    await expect(page.get_by_test_id("measured")).to_contain_text("2 messages")
    await page.get_by_label("Stop query").click()


async def test_escape_then_tab_leaves_the_editor(page: Page, signed_in: str) -> None:
    await page.goto(signed_in)
    await until_ready(page)
    field = page.locator(".graphiql-query-editor textarea").first
    await field.focus()
    await field.press("Tab")
    await expect(field).to_be_focused()  # it indents
    await field.press("Escape")
    await field.press("Tab")
    await expect(field).not_to_be_focused()


async def test_tabs_sign_in_and_out_together(
    page: Page, run: Run, token: str, signed_in: str
) -> None:
    await page.goto(signed_in)
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    other = await page.context.new_page()
    await other.goto(f"{run.address}/graphql")
    await expect(other.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    await other.get_by_test_id("menu").click()
    await other.get_by_role("link", name="Deployments").click()
    await expect(other.get_by_role("heading", level=1)).to_have_text("Deployments")

    await other.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_test_id("token-needed")).to_be_visible()
    for tab in (other, page):
        await tab.reload()
        await expect(tab.get_by_test_id("token-field")).to_be_visible()
    last = await page.context.new_page()
    await last.goto(f"{run.address}/graphql")
    # By the time the editors are there the other tabs have been asked.
    await expect(last.get_by_label("Response, scrollable")).to_be_visible()
    await expect(last.get_by_test_id("token-needed")).to_be_visible()
    await page.get_by_test_id("token-field").fill(token)
    await page.get_by_test_id("token-submit").click()
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")


async def test_token_is_forgotten_while_the_editors_load(page: Page, signed_in: str) -> None:
    is_forgotten = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_forgotten.wait()
        await route.continue_()

    await page.route("**/codemirror-*.js", hold)
    await page.goto(signed_in)
    await page.evaluate(TABS_STORED)  # and no operation, as its editor is not there
    await page.get_by_test_id("token-forget").click()
    is_forgotten.set()
    await until_ready(page)
    await page.reload()
    await until_ready(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_desktop_page_is_accessible(page: Page, theme: Theme, signed_in: str) -> None:
    await page.emulate_media(color_scheme=theme)
    await page.goto(signed_in)
    await execute(page)
    assert await violations(page) == []


async def test_phone_page_is_accessible(phone: Page, signed_in: str) -> None:
    await phone.goto(signed_in)
    await execute(phone)
    assert await violations(phone) == []
