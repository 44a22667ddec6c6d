"""The browser that is there, and pages in it: Debian's Chromium, or a Chrome."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
LEFT_OUT = (
    "no browser is here, so nobody looked at the console: install Chromium (apt-get install"
    " chromium) or Chrome, or name one in CONNORG_BROWSER"
)
WIDE, NARROW = (1280, 800), (390, 800)


def find_browser() -> str | None:
    named = os.environ.get("CONNORG_BROWSER")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def browsing(path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # In containers, where tests often run as root, Chromium can't make its sandbox.
        browser = await playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, size: tuple[int, int] = WIDE, **options: Any
) -> AsyncIterator[Page]:
    """Open a page of its own that knows nothing. What goes wrong in it fails at the end."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        **options,
    )
    wrong: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.extend(_broken(message)))
    try:
        yield page
    finally:
        await context.close()
    assert wrong == []


def _broken(message: ConsoleMessage) -> list[str]:
    """Return what a script complains of; that a call was refused the console shows itself."""
    is_answer = message.text.startswith("Failed to load resource")
    return [message.text] if message.type in {"error", "warning"} and not is_answer else []
