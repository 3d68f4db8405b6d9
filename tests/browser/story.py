"""The stories of the demo as a person finds them: from the overview, by clicks alone."""

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect


async def of_the_release(page: Page, address: str) -> AsyncIterator[str]:
    """A new error, what brought it, and how that was undone. Yields a name for each picture.

    Raises AssertionError if a page does not show its part.
    """
    await page.goto(f"{address}/?range=7d&zone=UTC")
    await _shown(page)
    yield "overview"
    await page.get_by_role("button", name="project: any project").click()
    await page.get_by_label("storefront", exact=True).check()
    await page.keyboard.press("Escape")
    await (
        page.get_by_test_id("panel-new-errors").get_by_role("link", name="TypeError").first.click()
    )
    suspects = page.get_by_test_id("section-suspects").get_by_role("listitem")
    await expect(suspects.first).to_contain_text("Suspect")
    await _shown(page)
    yield "error"
    await suspects.first.get_by_role("link").first.click()
    await expect(page.locator(".heading")).to_contain_text("Rolled back")
    await expect(page.get_by_test_id("section-errors")).to_contain_text("TypeError")
    await _shown(page)
    yield "release"


async def of_the_alert(page: Page, address: str) -> AsyncIterator[str]:
    """The network that is down: an alert that fires, and why. Yields a name for each picture.

    Raises AssertionError if a page does not show its part.
    """
    await page.goto(f"{address}/?range=7d&zone=UTC")
    await page.get_by_role("link", name="Alerts", exact=True).click()
    listed = page.get_by_role("region", name="Alerts", exact=True)
    await listed.get_by_role("link", name="A network fails deployments").click()
    await expect(page.locator(".heading .badge")).to_contain_text("Firing")
    await expect(page.get_by_test_id("section-explanation")).to_contain_text("arbitrum: ")
    history = page.get_by_test_id("section-history")
    await history.get_by_text("Why", exact=True).first.click()
    await expect(history.locator(".sentence").first).to_contain_text("is above")
    await _shown(page)
    yield "firing"


async def _shown(page: Page) -> None:
    """Wait until nothing on the page is being loaded."""
    await expect(page.locator("main .panel").first).to_be_visible()
    await expect(page.locator("main .loading")).to_have_count(0)
