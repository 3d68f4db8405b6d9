"""GraphiQL in a real browser, on a whole running gateway with demo data (R59)."""

import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from access.tokens import issue
from access.viewers import Role
from gateway.pages import build as bundle
from tests.browser.chromium import Chromium, Page, chromium, program
from tests.machine import Run, free_port, is_told, start, stop
from tests.servers import temporary_folder

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        program() is None,
        reason="no Chromium on PATH; on Debian: apt-get install chromium",
    ),
]

RUN = ".graphiql-execute-button"
EDITORS = " && ".join(
    f"document.querySelector('[aria-label=\"{name}, scrollable\"]') !== null"
    for name in ("Operation", "Response")
)
OPERATION = "document.querySelector('.graphiql-query-editor .CodeMirror')?.CodeMirror.getValue()"
ANSWER = "document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue()"


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    bundle.ensure(lambda _line: None)
    with temporary_folder() as folder:
        run = start(folder, free_port(), "--demo-data", "--graphiql")
        try:
            run.wait_until(lambda: is_told(run))
            yield run
            stop(run)
        finally:
            run.process.kill()
            run.process.wait()


@pytest.fixture(scope="module")
def token(run: Run) -> str:
    return (run.folder / "demo-token").read_text().strip()


@pytest_asyncio.fixture(scope="module")
async def browser() -> AsyncIterator[Chromium]:
    found = program()
    assert found is not None
    with temporary_folder() as folder:
        async with chromium(found, folder) as browser:
            yield browser


@pytest_asyncio.fixture
async def page(browser: Chromium) -> Page:
    page = await browser.page()
    await page.resize(1280, 800)
    return page


def element(name: str) -> str:
    return f'[data-testid="{name}"]'


async def ready(page: Page) -> None:
    """The editors come by and by, each in files of its own."""
    await page.until(f"{EDITORS} && {OPERATION} && {ANSWER} !== undefined")


async def answer(page: Page) -> dict[str, Any]:
    """Run the operation of the open tab; what the gateway said to it."""
    await ready(page)
    await page.click(RUN)
    text = await page.until(ANSWER)
    return dict(json.loads(text))


def asked_directly(run: Run, token: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{run.address}/graphql",
        json.dumps({"query": query}).encode(),
        {"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return dict(json.load(response))


async def test_first_example_shows_the_figures_of_the_demo(
    page: Page, run: Run, token: str
) -> None:
    await page.open(f"{run.address}/graphql#token={token}")
    assert "demo-admin" in await page.text(element("signed-in"))
    stats = (await answer(page))["data"]["deploymentStats"]
    query = "{ deploymentStats(range: {last: P30D}) { attempts succeeded } }"
    expected = asked_directly(run, token, query)["data"]["deploymentStats"]
    assert {name: stats[name] for name in expected} == expected
    assert stats["attempts"] > 0


async def test_token_leaves_the_address_at_once(page: Page, run: Run, token: str) -> None:
    await page.open(f"{run.address}/graphql#token={token}")
    await page.text(element("signed-in"))
    assert await page.evaluate("location.href") == f"{run.address}/graphql"
    assert not any(token in address for address in page.requests)


async def test_page_asks_its_own_server_alone_and_is_silent(
    page: Page, run: Run, token: str
) -> None:
    await page.open(f"{run.address}/graphql#token={token}")
    await answer(page)
    await page.click(f"{element('example-network-split')}:enabled")
    await page.until(f"{OPERATION}.includes('NetworkSplit')")
    assert (await answer(page))["data"]["deploymentStats"]["byNetwork"]
    await page.click('[aria-label="Show Documentation Explorer"]')
    await page.text(".graphiql-doc-explorer")
    await page.click('[aria-label="Prettify query (Shift-Ctrl-P)"]')
    await page.click('[aria-label="Open settings dialog"]')
    await page.text(".graphiql-dialog")
    outside = ("http", "ws")
    assert f"{run.address}/graphql" in page.requests
    assert [
        address
        for address in page.requests
        if address.startswith(outside) and not address.startswith(f"{run.address}/")
    ] == []
    assert page.messages == []


async def test_without_a_token_the_page_says_where_to_get_one(
    page: Page, run: Run, token: str
) -> None:
    await page.open(f"{run.address}/graphql")
    assert "demo-token" in await page.text(element("token-needed"))
    await ready(page)  # an editor that arrives later takes the focus
    # A token puts up the editors anew, with the operation that GraphiQL has stored by then.
    await page.until("localStorage.getItem('graphiql:query')")
    await page.click(element("token-field"))
    await page.type(f"Bearer {token}")
    await page.until(f"document.querySelector('{element('token-field')}').value.length > 6")
    await page.click(element("token-submit"))
    assert "demo-admin" in await page.text(element("signed-in"))
    assert "data" in await answer(page)


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
    await page.open(f"{run.address}/graphql#token={forged}")
    assert "signature" in await page.text(element("refused"))
    assert await page.evaluate(f"document.querySelector('{element('token-field')}') !== null")


async def test_phone_shows_operation_and_answer_without_scrolling_sideways(
    page: Page, run: Run, token: str
) -> None:
    await page.resize(390, 844, mobile=True)
    await page.open(f"{run.address}/graphql#token={token}")
    assert "data" in await answer(page)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    assert await page.evaluate(width_of(".graphiql-query-editor")) > 300
    assert await page.evaluate(width_of(".graphiql-response")) > 300


async def test_phone_shows_the_examples_alone_until_one_is_chosen(
    page: Page, run: Run, token: str
) -> None:
    await page.resize(390, 844, mobile=True)
    await page.open(f"{run.address}/graphql#token={token}")
    await page.click('[aria-label="Show Examples"]')
    await page.until(f"{width_of('.graphiql-plugin')} > 300")
    await page.click(f"{element('example-network-split')}:enabled")
    await page.until(f"{OPERATION}.includes('NetworkSplit')")
    assert (await answer(page))["data"]["deploymentStats"]["byNetwork"]
    assert await page.evaluate(width_of(".graphiql-query-editor")) > 300


def width_of(selector: str) -> str:
    return f"document.querySelector('{selector}').getBoundingClientRect().width"
