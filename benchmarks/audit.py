"""Scores a page by Lighthouse, as for a desktop: https://developer.chrome.com/docs/lighthouse."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import orjson
from tenacity import retry, stop_after_attempt

from benchmarks.npm import NODE, install

FOLDER = Path(__file__).with_name("lighthouse")
CATEGORIES = ("performance", "accessibility", "best-practices")
_ARGUMENTS = (
    "--preset=desktop",
    "--output=json",
    "--quiet",
    "--no-enable-error-reporting",
    f"--only-categories={','.join(CATEGORIES)}",
    "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
)
_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Audit:
    """The scores of the categories, of 100, and what the score of performance was made of."""

    scores: dict[str, int]
    interactive_ms: float
    blocked_ms: float
    shift: float


async def audits(address: str, chromium: str, times: int) -> list[Audit]:
    """Audits a page so many times, each with an empty cache."""
    install(FOLDER)
    return [await _audit(address, chromium) for _ in range(times)]


# Lighthouse asks to be run again where it misses the beginning of a page.
@retry(stop=stop_after_attempt(3), reraise=True)
async def _audit(address: str, chromium: str) -> Audit:
    program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
    child = await asyncio.create_subprocess_exec(
        NODE,
        str(program),
        address,
        *_ARGUMENTS,
        env={**os.environ, "CHROME_PATH": chromium},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, complaints = await asyncio.wait_for(child.communicate(), _SECONDS)
    except TimeoutError:
        child.terminate()  # with its Chromium
        await child.wait()
        raise
    if child.returncode != 0:
        raise RuntimeError(f"Lighthouse failed: {complaints.decode()[-500:]}")
    found = orjson.loads(out)
    scores = {name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES}
    value = {name: each.get("numericValue") for name, each in found["audits"].items()}
    return Audit(
        scores,
        value["interactive"],
        value["total-blocking-time"],
        value["cumulative-layout-shift"],
    )
