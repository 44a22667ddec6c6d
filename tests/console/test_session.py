"""Who is signed in, for how long, and what they are offered."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.console.browser import opened
from tests.console.conftest import sign_in
from tests.end_to_end.client import Connorg, Partner


async def test_a_key_is_kept_for_its_tab_alone_and_stands_in_no_address(
    browser: Browser, connorg: Connorg
) -> None:
    async with opened(browser) as page:
        called: list[str] = []
        page.on("request", lambda request: called.append(request.url))
        await sign_in(page, connorg, "#/onboardings?status=Failed")
        await expect(page.get_by_role("heading", name="Onboardings")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("heading", name="Onboardings")).to_be_visible()
        kept: Any = await page.evaluate(
            "[localStorage.length, document.cookie, sessionStorage.length]"
        )
        assert kept == [0, "", 1]
        assert not [address for address in called if connorg.stack.key in address]
        own = connorg.stack.functions
        assert {address.startswith((f"{own}/", "blob:")) for address in called} == {True}
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Function key")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


@pytest.mark.slow
async def test_a_wrong_key_is_told_and_not_kept(browser: Browser, connorg: Connorg) -> None:
    async with opened(browser) as page:
        await page.goto(connorg.stack.console)
        await page.get_by_label("Function key").fill("no such key")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("The app does not accept this key.")).to_be_visible()
        await expect(page.get_by_label("Function key")).to_have_attribute("aria-invalid", "true")
        assert await page.evaluate("sessionStorage.length") == 0


@pytest.mark.slow
async def test_a_page_that_is_not_there_says_so(page: Page) -> None:
    await page.goto(f"{page.url.partition('#')[0]}#/nowhere")
    await expect(page.get_by_role("heading", name="There is no such page.")).to_be_visible()


@pytest.mark.slow
async def test_an_answer_that_does_not_come_is_told_and_tried_again(
    page: Page, connorg: Connorg
) -> None:
    partner = Partner()
    await connorg.submit(partner.body())
    await page.route("**/api/onboardings?*", lambda route: route.abort())
    await page.get_by_role("link", name="Onboardings", exact=True).click()
    await expect(page.get_by_role("alert")).to_have_text(re.compile("can't be reached"))
    await page.unroute("**/api/onboardings?*")
    await expect(page.get_by_text(partner.body()["displayName"])).to_be_visible(timeout=15_000)
    await expect(page.get_by_role("alert")).to_have_count(0)
