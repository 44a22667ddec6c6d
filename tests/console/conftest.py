"""One browser and one stack for all tests of the console."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests import senders
from tests.console import scenes
from tests.console.browser import browsing, opened
from tests.console.installed import LEFT_OUT, find_browser
from tests.end_to_end.client import Connorg
from tests.stack import Stack

# For machines under load. Nothing waits that long unless something is broken.
expect.set_options(timeout=60_000)

SETTINGS = {
    **senders.SETTINGS,
    "CONNORG_TICKET_LINK": "https://tickets.example/?number={reference}",
    "CONNORG_SETTLE_SECONDS": "0",  # what a search does not find is believed at once
    "CONNORG_BLOCKED_RETRY_SECONDS": "20",  # else what waits is under way too often
}


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = find_browser()
    assert path, LEFT_OUT
    async with browsing(path) as browser:
        yield browser


@pytest.fixture(scope="session")
async def shown(browser: Browser) -> AsyncIterator[Connorg]:
    """The stack that the console shows. Without a browser none is started."""
    assert browser.is_connected()
    with Stack(settings=SETTINGS) as stack:
        async with Connorg(stack) as connorg:
            yield connorg
            assert connorg.logged_secrets() == []


@pytest.fixture
async def connorg(shown: Connorg) -> AsyncIterator[Connorg]:
    yield shown
    await scenes.reopen(shown)


@pytest.fixture
async def page(browser: Browser, connorg: Connorg) -> AsyncIterator[Page]:
    """A page that is signed in, at the overview."""
    async with opened(browser) as page:
        await sign_in(page, connorg)
        yield page


async def sign_in(page: Page, connorg: Connorg, place: str = "", key: str = "") -> None:
    await page.goto(f"{connorg.stack.console}{place}")
    await page.get_by_label("Function key").fill(key or connorg.stack.key)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("navigation", name="Pages").wait_for()
