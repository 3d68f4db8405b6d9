"""Takes the pictures of the documentation from a running demo: python -m tests.browser.pictures"""

import asyncio
import sys
from base64 import b64decode
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from tests.browser import story
from tests.browser.conftest import ARGUMENTS, program

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
ADDRESS = "http://localhost:8000"
SIZE: ViewportSize = {"width": 1280, "height": 800}
QUALITY = 88  # of 100: letters are sharp, and a picture has well under 100 kB


async def main(address: str) -> None:
    """Take the pictures of both stories, and a few more, of the demo at this address."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
        page = await browser.new_page(viewport=SIZE)
        for told in (story.of_the_release, story.of_the_alert):
            async for part in told(page, address):
                await _take(page, part)
        alert = "measure=DEPLOYMENT_FAILURE_RATE&by=network&window=PT1H&bound=20"
        await page.goto(f"{address}/alerts/new?{alert}&range=7d&zone=UTC")
        await page.locator("main .panel .plot").first.wait_for()
        await _take(page, "alert")
        await page.emulate_media(color_scheme="dark")
        await page.goto(f"{address}/?range=30d&zone=UTC")
        await page.locator("main .panel .plot").first.wait_for()
        await _take(page, "overview-dark")
        await browser.close()


async def _take(page: Page, name: str) -> None:
    """Take what the top of the page shows, with nothing pointed at."""
    await page.mouse.move(0, 0)
    await page.evaluate("window.scrollTo(0, 0)")
    browser = await page.context.new_cdp_session(page)
    shot = await browser.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    (FOLDER / f"{name}.webp").write_bytes(b64decode(shot["data"]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ADDRESS))
