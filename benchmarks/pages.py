"""Measures the dashboard in Chromium: how soon the overview is there, how Lighthouse scores it, and
what becomes of a page that stays open beside a thousand events a second."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from random import Random

import orjson
from playwright.async_api import Browser, CDPSession, Page, Request, async_playwright

import ingest.demo
from benchmarks.asking import Asked, asked
from benchmarks.audit import Audit, audits
from benchmarks.client import Client, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.ingest import Measured, batches, post
from benchmarks.measure import Times, timed
from benchmarks.occurrences import Sender
from benchmarks.processes import token
from benchmarks.schedule import Schedule
from benchmarks.stage import Stage
from gateway.pages import build
from ingest.bulk import Target, opened, record_all
from ingest.events import EventStatus
from storage.keeping.windows import DEFAULT

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
EVENTS_PER_SECOND = 1_000
EVENTS_PER_REQUEST = 100
SENDERS = 4
ERRORS_AGE = timedelta(days=14)  # the range that the overview shows, and the one it compares with
LOADS = 5
AUDITS = 3
# The page has drawn its panels anew several times by then, and every code path has been compiled.
SETTLED_SHARE = 0.2
LONG_FRAME_MS = 50
_DRAWN = '[data-testid="card-deployments"] .figure'

# Counts frames, and those that took so long that a person sees it.
_WATCH_FRAMES = """longest => {
  const seen = { frames: 0, long: 0, worst: 0 };
  let last = performance.now();
  const next = now => {
    const took = now - last;
    last = now;
    seen.frames += 1;
    seen.worst = Math.max(seen.worst, took);
    if (took > longest) seen.long += 1;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
  window.seenFrames = seen;
}"""
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@dataclass(frozen=True, slots=True)
class Held:
    """What a page holds after its garbage was collected."""

    heap_mb: float
    nodes: int
    listeners: int


@dataclass(frozen=True, slots=True)
class Left:
    """A page that was left open: what it held once settled and at the end, and its frames."""

    seconds: float
    events_per_second: float
    requests: int
    settled: Held
    ended: Held
    frames: int
    long_frames: int
    worst_ms: float

    @property
    def long_share(self) -> float:
        return self.long_frames / max(1, self.frames)

    @property
    def grown_mb(self) -> float:
        return self.ended.heap_mb - self.settled.heap_mb


@dataclass(frozen=True, slots=True)
class Pages:
    """First visits, their scores, the overview's one request, and the page that was left open."""

    painted: Times
    drawn: Times
    audits: list[Audit]
    kept: Times
    anew: Times
    left: Left


async def pages(stage: Stage, effort: Effort) -> Pages:
    """Opens the overview anew for each visit, and then once for `effort.page_seconds`."""
    build.ensure_built()
    await _furnish(stage, effort)
    with asked(stage) as gateway:
        await wait_until_ready(gateway.port)
        found = await audits(_address(gateway), _chromium(), AUDITS)
        async with _browser() as browser:
            painted, drawn, body = await _visits(browser, gateway)
            kept = await _asked(gateway, [body] * effort.rounds)
            anew = await _asked(gateway, _others(body, effort.rounds))
            left = await _left_open(browser, gateway, effort.page_seconds)
    print(f"pages: {left.grown_mb:+.1f} MB in {left.seconds:.0f} s", flush=True)
    return Pages(Times(painted), Times(drawn), found, kept, anew, left)


async def _furnish(stage: Stage, effort: Effort) -> None:
    """Adds to the deployments and invocations what else the overview shows: errors of all projects,
    and the demo's projects with their builds and API calls."""
    target = Target(stage.url, stage.now, DEFAULT)
    bodies = islice(Sender(Random("pages"), age=ERRORS_AGE).batches(), effort.error_batches)
    recorded = 0
    async with opened(target) as database:
        for body in bodies:
            results = await record_all(database, target, orjson.loads(body), lambda *_: None)
            if any(result.status is not EventStatus.ACCEPTED for result in results):
                raise RuntimeError(f"not accepted: {results[0]}")
            recorded += len(results)
    print(f"pages: {recorded:,} occurrences of errors", flush=True)
    await ingest.demo.load(target, say=print)


def _chromium() -> str:
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if path is None:
        raise RuntimeError("There is no Chromium on PATH; on Debian: apt-get install chromium")
    return path


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
        yield browser
        await browser.close()


def _address(gateway: Asked) -> str:
    return f"http://localhost:{gateway.port}/?range=7d&zone=UTC#token={token()}"


async def _visits(browser: Browser, gateway: Asked) -> tuple[list[float], list[float], bytes]:
    """The first contentful paint and the time until the figures stand there, of visits with an
    empty cache, and the request that the page sent."""
    painted, drawn, sent = [], [], []
    for _ in range(LOADS):
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        page = await context.new_page()
        page.on("request", lambda request: sent.append(request) if _asks(request) else None)
        drawn.append(await timed(_opened(page, gateway)))
        painted.append(float(await page.evaluate(_PAINTED)))
        await context.close()
    return painted, drawn, (sent[0].post_data or "").encode()


def _asks(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/graphql")


async def _opened(page: Page, gateway: Asked) -> None:
    await page.goto(_address(gateway))
    await page.wait_for_selector(_DRAWN)


def _others(body: bytes, count: int) -> list[bytes]:
    """The overview's request for other ranges, of which no answer is kept."""
    asked = orjson.loads(body)
    ranges = [{"last": f"PT{24 * 7 + number}H"} for number in range(1, count + 1)]
    return [
        orjson.dumps({**asked, "variables": {**asked["variables"], "range": each}})
        for each in ranges
    ]


async def _asked(gateway: Asked, bodies: Sequence[bytes]) -> Times:
    """The server's times for requests, one after the other."""
    client = await Client.connect(gateway.port)
    taken = []
    for body in bodies:
        began = time.perf_counter()
        answer = await client.post("/graphql", body, gateway.stage.headers)
        taken.append(1_000 * (time.perf_counter() - began))
        if answer.status != 200 or b'"errors":[' in answer.body:
            raise RuntimeError(f"not answered: {answer.status} {answer.body[:300]!r}")
    await client.close()
    return Times(taken)


async def _left_open(browser: Browser, gateway: Asked, seconds: float) -> Left:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if _asks(request) else None)
    await _opened(page, gateway)
    session = await context.new_cdp_session(page)
    load = asyncio.create_task(_events(gateway, seconds))
    await asyncio.sleep(seconds * SETTLED_SHARE)
    settled = await _held(session)
    await page.evaluate(_WATCH_FRAMES, LONG_FRAME_MS)
    began = time.perf_counter()
    done = await load
    frames = await page.evaluate("window.seenFrames")
    watched = time.perf_counter() - began
    ended = await _held(session)
    await context.close()
    return Left(
        watched,
        done.rate.per_second,
        len(sent),
        settled,
        ended,
        frames["frames"],
        frames["long"],
        frames["worst"],
    )


async def _events(gateway: Asked, seconds: float) -> Measured:
    pace = Schedule(seconds, EVENTS_PER_SECOND / EVENTS_PER_REQUEST)
    return await post(gateway, batches(SENDERS, EVENTS_PER_REQUEST), pace, EVENTS_PER_REQUEST)


async def _held(session: CDPSession) -> Held:
    await session.send("HeapProfiler.enable")
    await session.send("HeapProfiler.collectGarbage")
    used = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    counts = await session.send("Memory.getDOMCounters")
    return Held(used / 1e6, counts["nodes"], counts["jsEventListeners"])
