"""Takes the pictures of the documentation from a running demo: python -m tests.browser.pictures"""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from tests.browser.conftest import ARGUMENTS, program

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
ADDRESS = "http://localhost:8000"
SIZE: ViewportSize = {"width": 1280, "height": 800}


async def main(address: str) -> None:
    """Take each picture, in light or dark, of the demo at this address."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
        page = await browser.new_page(viewport=SIZE)
        await _take(page, f"{address}/?range=7d&zone=UTC", "overview")
        await page.emulate_media(color_scheme="dark")
        await _take(page, f"{address}/?range=30d&zone=UTC", "overview-dark")
        await page.emulate_media(color_scheme="light")
        await page.goto(f"{address}/?project=storefront&range=7d&zone=UTC")
        await page.get_by_test_id("panel-new-errors").get_by_text("TypeError").first.click()
        await _take(page, None, "error")
        alert = "measure=DEPLOYMENT_FAILURE_RATE&by=network&window=PT1H&bound=20"
        await _take(page, f"{address}/alerts/new?{alert}&range=7d&zone=UTC", "alert")
        await browser.close()


async def _take(page: Page, address: str | None, name: str) -> None:
    if address is not None:
        await page.goto(address)
    await page.locator("main .panel .plot").first.wait_for()
    await page.locator("main .loading").first.wait_for(state="detached")
    await page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ADDRESS))
