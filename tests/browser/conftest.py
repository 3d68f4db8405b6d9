"""The Chromium of this machine, driven by Playwright; each page has a context of its own."""

import json
import shutil
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from access.tokens import issue
from access.viewers import Role
from gateway.pages import build
from tests.machine import Run, end, free_port, is_announced, start
from tests.servers import temporary_folder

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# It connects to the page under test only, and runs as root in a container too.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 60_000
AXE = build.WORKSPACE / "node_modules" / "axe-core" / "axe.min.js"


class Traffic(NamedTuple):
    """What a page has done so far."""

    addresses: list[str]  # of its requests and WebSockets
    messages: list[str]  # of its console, errors among them


def program() -> str | None:
    """The path of this machine's Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if (path := program()) is None:
        pytest.skip("no Chromium on PATH; on Debian: apt-get install chromium")
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def run(browser: Browser) -> Iterator[Run]:
    """A gateway with demo data; it starts only where there is a browser."""
    build.ensure_built()
    with temporary_folder() as folder:
        # One token stands for the readers of all tests.
        options = ("--demo-data", "--graphiql")
        run = start(folder, free_port(), *options, RATE_LIMIT_MAX="1000")
        try:
            run.wait_until(lambda: is_announced(run))
            yield run
        finally:
            end(run)


@pytest.fixture(scope="session")
def token(run: Run) -> str:
    return (run.folder / "demo-token").read_text().strip()


@pytest_asyncio.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page on the screen of a desktop."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """A page on the screen of a phone."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    yield await context.new_page()
    await context.close()


@pytest_asyncio.fixture
async def traffic(page: Page) -> Traffic:
    """The traffic of the page. Playwright adds its listeners by tasks of the running loop."""
    addresses: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("websocket", lambda socket: addresses.append(socket.url))
    page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: messages.append(f"error: {error}"))
    return Traffic(addresses, messages)


def ask(run: Run, token: str, query: str, **variables: Any) -> Any:
    """Send an operation without a browser, and return its data."""
    answer = post(run, token, "/graphql", {"query": query, "variables": variables})
    assert "errors" not in answer, answer
    return answer["data"]


def post(run: Run, token: str, path: str, content: Any) -> Any:
    return send(run, token, "POST", path, json.dumps(content).encode())


def send(run: Run, token: str, method: str, path: str, content: bytes) -> Any:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = urllib.request.Request(f"{run.address}{path}", content, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def record(run: Run, token: str, **event: Any) -> None:
    """Record an event of the project `audit-log` that happens now; the gateway has to accept it."""
    whole = {"time": datetime.now(UTC).isoformat(), "project": "audit-log", **event}
    (result,) = post(run, token, "/v1/events", [whole])["results"]
    assert result["status"] == "accepted", result


def deploy(run: Run, token: str, name: str, kind: str = "succeeded", **fields: str) -> None:
    """Record a deployment, with a number of its own behind its name."""
    deployment = f"{name}-{time.monotonic_ns()}"
    record(run, token, type=f"deployment.{kind}", deployment=deployment, **fields)


def forged_token(subject: str) -> str:
    """A token that the gateway refuses."""
    return issue(
        "another secret than the one of the gateway",
        subject,
        [Role.ADMIN],
        [],
        lifetime=timedelta(hours=1),
        now=datetime.now(UTC),
        issuer="deployment-analytics-gateway",
        audience="deployment-analytics-gateway",
    )


async def violations(page: Page, *rules: str) -> list[str]:
    """The rules of axe-core that the page breaks, each with the first element that breaks it.

    All rules are checked unless some are named.
    """
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    # Elements that pass are not listed, which takes half as long.
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    results = await page.evaluate("options => axe.run(options)", options)
    assert results["passes"]
    return [f"{rule['help']}: {rule['nodes'][0]['html']}" for rule in results["violations"]]
