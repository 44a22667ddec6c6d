"""The browser that is there, and pages in it, which are watched."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

import function_app
from connorg.functions.openapi.document import document

WIDE, NARROW = (1280, 800), (390, 800)


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
    page.on("request", lambda request: wrong.extend(_undocumented(request)))
    try:
        yield page
    finally:
        await context.close()
    assert wrong == []


@cache
def _described() -> list[tuple[str, re.Pattern[str], set[str]]]:
    """Return method, path and parameters of each route."""
    return [
        (
            method.upper(),
            re.compile(f".*/api{re.sub(r'{.+?}', '[^/]+', path)}"),
            {parameter["name"] for parameter in told["parameters"] if parameter["in"] == "query"},
        )
        for path, methods in document(function_app.routes)["paths"].items()
        for method, told in methods.items()
    ]


def _undocumented(request: Request) -> list[str]:
    """Return what is asked otherwise than the API's description says, or with empty parameters."""
    parts = urlsplit(request.url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    known = [
        names
        for method, path, names in _described()
        if method == request.method and path.fullmatch(parts.path)
    ]
    is_known = any({name for name, _ in asked} <= names for names in known)
    if parts.scheme == "blob" or (is_known and all(value for _, value in asked)):
        return []
    return [f"{request.method} {request.url} is not described"]


def _broken(message: ConsoleMessage) -> list[str]:
    """Return what a script complains of; that a call was refused the console shows itself."""
    is_answer = message.text.startswith("Failed to load resource")
    return [message.text] if message.type in {"error", "warning"} and not is_answer else []
