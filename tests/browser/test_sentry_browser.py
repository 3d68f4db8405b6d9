"""Sentry's SDK for browsers in Chromium, on a page of another origin than the gateway's."""

import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from storage.connections.database import Database
from tests.browser.conftest import Traffic
from tests.clients import node
from tests.gateway.application import Process, gateway_process
from tests.gateway.rest.sdks import Outcome, answered, new_key

pytestmark = pytest.mark.process

SHOP = Path(__file__).parent / "sentry-page.html"


class Files(SimpleHTTPRequestHandler):
    """Serves the page, and the packages that it imports as they are."""

    def translate_path(self, path: str) -> str:
        return str(SHOP) if path == "/" else super().translate_path(path)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def shop(browser: Browser) -> Iterator[str]:
    """The address of the page."""
    node.install()
    files = partial(Files, directory=str(node.FOLDER / "node_modules"))
    with ThreadingHTTPServer(("127.0.0.1", 0), files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def server(
    browser: Browser, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("sdks") / "log"
    with gateway_process(database_url, redis_url, str(log)) as started:
        yield started


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, pool_size=2)
    yield database
    await database.close()


async def opened(page: Page, shop: str, server: Process, outcome: Outcome) -> None:
    """Opens the page and starts the SDK."""
    await page.goto(shop)
    await expect(page.locator("body")).to_have_attribute("data-ready", "yes")
    key = outcome.key
    dsn = f"http://{key.public_key}@127.0.0.1:{server.port}/{key.project_id}"
    await page.evaluate("dsn => { start(dsn); }", dsn)


async def test_errors_of_a_page_are_stored_and_grouped(
    page: Page, traffic: Traffic, shop: str, server: Process, database: Database
) -> None:
    outcome = Outcome(database, await new_key(database))
    canary = f"canary-{uuid4().hex}"
    await opened(page, shop, server, outcome)
    sent = await page.evaluate("canary => sendAll(canary)", canary)
    groups, answer = await answered(server.url, outcome.key)
    assert {group.ids for group in groups} == {frozenset(map(UUID, ids)) for ids in sent.values()}
    assert [group.occurrences for group in groups if len(group.ids) > 1] == [3]
    assert {group.title for group in groups} >= {
        "Error: the order was not placed",
        "SyntaxError: nobody catches this",
    }
    for text in (answer, str(await outcome.bodies()), server.log()):
        assert canary not in text
    complaints = [text for text in traffic.messages if "nobody catches this" not in text]
    assert complaints == []


async def test_a_page_obeys_the_budget_of_its_key(
    page: Page, traffic: Traffic, shop: str, server: Process, database: Database
) -> None:
    outcome = Outcome(database, await new_key(database, events_per_minute=3))
    await opened(page, shop, server, outcome)
    ids = await page.evaluate("() => flood()")
    assert await outcome.ids() == {UUID(id) for id in ids[:3]}
    refused = [text for text in traffic.messages if "429" in text]
    assert len(refused) == 1  # then the SDK keeps the others back
