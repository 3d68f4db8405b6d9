"""GraphiQL in a real browser, on a whole running gateway with demo data (R59)."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import pytest
from playwright.async_api import Locator, Page, Route, WebSocket, expect

from tests.browser.conftest import Traffic, ask, deploy, forged_token, violations
from tests.machine import Run

pytestmark = pytest.mark.process

Theme = Literal["light", "dark"]

# The page's policy forbids `eval`, which wait_for_function needs.
TABS_STORED = """async () => {
    while (!localStorage.getItem("graphiql:tabState")) await new Promise(requestAnimationFrame);
}"""


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


async def no_token(route: Route) -> None:
    """What a gateway that is no demo answers to a page that asks for a token."""
    await route.fulfill(json={"token": None})


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
    assert page.url.split("?")[0] == f"{run.address}/graphql"
    assert "#" not in page.url
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
        if address.startswith(("http", "ws")) and f"//{run.address[7:]}/" not in address
    ]
    assert f"{run.address}/graphql" in traffic.addresses
    assert outside == []
    assert traffic.messages == []


async def test_without_a_token_the_page_says_where_to_get_one(
    page: Page, run: Run, token: str
) -> None:
    await page.route("**/demo-token", no_token)
    await page.goto(f"{run.address}/graphql#query={quote('query Linked { networks { name } }')}")
    await expect(page.get_by_role("main")).to_contain_text("demo-token")
    await page.get_by_test_id("token-field").fill(f"Bearer {token}")
    await page.get_by_test_id("token-submit").click()
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    assert "metis" in str((await execute(page))["data"]["networks"])
    await page.evaluate("location.hash = 'query=query Second { hello }'")
    await expect(page.get_by_label("Operation, scrollable")).to_contain_text("Second")


async def test_refused_token_is_told_with_the_reason_and_lent_to_no_tab(
    page: Page, run: Run
) -> None:
    await page.context.route("**/demo-token", no_token)
    await page.goto(f"{run.address}/graphql#token={forged_token('somebody')}")
    await expect(page.get_by_test_id("refused")).to_contain_text("signature")
    await expect(page.get_by_test_id("token-field")).to_be_visible()
    other = await page.context.new_page()
    await other.goto(f"{run.address}/graphql")
    await expect(other.get_by_test_id("token-field")).to_be_visible()
    await expect(other.get_by_test_id("refused")).to_have_count(0)


async def test_token_of_the_headers_editor_that_is_refused_leaves_the_session(
    page: Page, signed_in: str
) -> None:
    await page.goto(signed_in)
    await until_ready(page)
    await page.get_by_role("button", name="Headers").click()
    field = page.locator(".graphiql-editor-tool textarea").last
    await field.focus()
    headers = {"Authorization": f"Bearer {forged_token('somebody')}"}
    await page.keyboard.insert_text(json.dumps(headers))
    assert "signature" in (await execute(page))["errors"][0]["message"]
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")


async def test_gateway_out_of_reach_is_told_until_it_answers(page: Page, signed_in: str) -> None:
    await page.goto(signed_in)
    assert "data" in await execute(page)
    await page.route("**/graphql", lambda route: route.abort())
    response = page.locator(".result-window .CodeMirror")
    await page.get_by_label("Execute query").click()
    await expect(response).to_contain_text("errors")
    await expect(page.get_by_test_id("unreachable")).to_contain_text("does not respond")
    await page.unroute("**/graphql")
    await page.get_by_label("Execute query").click()
    await expect(response).to_contain_text("deploymentStats")
    await expect(page.get_by_test_id("unreachable")).to_have_count(0)


async def test_page_is_one_of_the_dashboard(
    page: Page, traffic: Traffic, run: Run, signed_in: str
) -> None:
    loads: list[str] = []
    page.on("domcontentloaded", lambda shown: loads.append(shown.url))
    await page.goto(f"{run.address}/errors?range=30d&zone=UTC")
    heading = page.get_by_role("heading", level=1)
    link = page.get_by_role("link", name="GraphiQL", exact=True)
    await expect(heading).to_have_text("Errors")
    await link.click()
    assert "data" in await execute(page)
    await expect(link).to_have_attribute("aria-current", "page")
    await page.get_by_role("link", name="Errors", exact=True).click()
    await expect(heading).to_have_text("Errors")
    assert page.url == f"{run.address}/errors?range=30d&zone=UTC"
    search = page.get_by_role("dialog", name="Search").get_by_role("combobox")
    await page.keyboard.press("Control+k")
    await search.fill("graphi")
    await page.keyboard.press("Enter")
    assert "data" in await execute(page)
    await page.locator(".graphiql-query-editor textarea").first.press("Control+k")
    await search.fill("measures")
    await page.keyboard.press("Enter")
    await expect(heading).to_have_text("Measures")
    assert (len(loads), traffic.messages) == (1, [])


@pytest.mark.parametrize("part", ["dashboard", "graphiql"])
async def test_page_offers_what_is_served_alone(
    page: Page, traffic: Traffic, run: Run, token: str, part: str
) -> None:
    # The scripts of the page run once all of it is read.
    await page.add_init_script(
        f"""document.addEventListener("readystatechange", () => {{
            document.querySelector('meta[name="served"]').content = "{part}";
        }})"""
    )
    path = {"dashboard": "/networks", "graphiql": "/graphql"}[part]
    await page.goto(f"{run.address}{path}#token={token}")
    pages = page.get_by_role("navigation", name="Pages").get_by_role("link")
    if part == "graphiql":
        assert "data" in await execute(page)
        await expect(pages).to_have_text(["GraphiQL"])
        await expect(page.get_by_role("button", name="Search")).to_have_count(0)
    else:
        await expect(page.locator("main .panel").first).to_be_visible()
        await expect(pages.first).to_have_text("Overview")
        await expect(page.get_by_role("link", name="GraphiQL")).to_have_count(0)
    assert traffic.messages == []


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
    now = datetime.now(UTC)
    start, end = ((now + days * timedelta(days=1)).isoformat() for days in (-1, 1))
    between = f'{{start: "{start}", end: "{end}"}}'  # nothing leaves it meanwhile
    query = f"""# not a query
        subscription {{ deploymentStatsChanged(filter: {{projects: ["audit-log"]}},
            range: {{between: {between}}}) {{ attempts }} }}"""
    await page.goto(f"{signed_in}&query={quote(query)}")
    shown = await execute(page)
    before = shown["data"]["deploymentStatsChanged"]["attempts"]
    deploy(run, token, "subscribed")
    response = page.locator(".result-window .CodeMirror")
    await expect(response).to_contain_text(f'"attempts": {before + 1}')
    await expect(page.get_by_test_id("measured")).to_contain_text("2 messages")
    await page.get_by_label("Stop query").click()
    await expect(page.get_by_label("Execute query")).to_be_visible()


async def test_subscription_ends_with_the_page(page: Page, signed_in: str) -> None:
    sockets: list[WebSocket] = []
    sent: list[dict[str, Any]] = []

    def follow(socket: WebSocket) -> None:
        sockets.append(socket)
        socket.on("framesent", lambda frame: sent.append(json.loads(frame)))

    page.on("websocket", follow)
    query = """# not a query
        subscription Left { deploymentStatsChanged(range: {last: "P1D"}) { attempts } }"""
    await page.goto(f"{signed_in}&query={quote(query)}")
    await execute(page)
    (started,) = [frame["id"] for frame in sent if "Left" in str(frame)]
    ended = {"id": started, "type": "complete"}
    (socket,) = sockets
    async with socket.expect_event("framesent", lambda frame: json.loads(frame) == ended):
        await page.get_by_role("link", name="Measures").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Measures")


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
    await page.context.route("**/demo-token", no_token)
    await page.goto(signed_in)
    assert "data" in await execute(page)  # only a token that was accepted is lent
    other = await page.context.new_page()
    await other.goto(f"{run.address}/graphql")
    await expect(other.get_by_test_id("signed-in")).to_contain_text("demo-admin")
    await other.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_test_id("token-field")).to_be_visible()
    for tab in (other, page):
        await tab.reload()
        await expect(tab.get_by_test_id("token-field")).to_be_visible()
    last = await page.context.new_page()
    await last.goto(f"{run.address}/graphql")
    await expect(last.get_by_test_id("token-field")).to_be_visible()
    await page.get_by_test_id("token-field").fill(token)
    await page.get_by_test_id("token-submit").click()
    await expect(page.get_by_test_id("signed-in")).to_contain_text("demo-admin")


async def test_sign_out_while_the_editors_load_leaves_the_operation(
    page: Page, token: str, signed_in: str
) -> None:
    is_signed_out = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_signed_out.wait()
        await route.continue_()

    await page.route("**/codemirror-*.js", hold)
    await page.goto(signed_in)
    await page.evaluate(TABS_STORED)  # and no operation, as its editor is not there
    await page.get_by_role("button", name="Sign out").click()
    is_signed_out.set()
    await page.get_by_test_id("token-field").fill(token)
    await page.get_by_test_id("token-submit").click()
    await until_ready(page)
    await page.reload()
    await until_ready(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_desktop_page_is_accessible(page: Page, theme: Theme, signed_in: str) -> None:
    await page.emulate_media(color_scheme=theme)
    await page.goto(signed_in)
    await execute(page)
    assert await violations(page) == []
    await page.get_by_label("Open settings dialog").click()
    await expect(page.locator(".graphiql-dialog")).to_be_visible()
    assert await violations(page) == []


async def test_phone_page_is_accessible(phone: Page, signed_in: str) -> None:
    await phone.goto(signed_in)
    await execute(phone)
    assert await violations(phone) == []
