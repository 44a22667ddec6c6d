"""An app that takes Entra callers alone: people sign in by App Service, and by its cookie."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from connorg.contract.effects import Role
from tests.console import scenes
from tests.console.browser import opened
from tests.end_to_end.client import Connorg, Partner
from tests.end_to_end.test_entra import principal

pytestmark = pytest.mark.slow

OFF = {"CONNORG_REQUIRE_ENTRA": "false", "WEBSITE_AUTH_ENABLED": "false"}
ON = {"CONNORG_REQUIRE_ENTRA": "true", "WEBSITE_AUTH_ENABLED": "true"}


@pytest.fixture(scope="module")
async def failed(shown: Connorg) -> AsyncIterator[str]:
    """Return an onboarding that failed, in an app that signs people in."""
    onboarding = await scenes.refused(shown, Partner())
    shown.crash("functions", ON)
    yield onboarding
    shown.crash("functions", OFF)


async def signed_in(page: Page, connorg: Connorg, *roles: str, place: str = "") -> None:
    """Open the console as App Service lets somebody through whom it knows by the cookie."""
    known: Any = {"name": "AppServiceAuthSession", "value": "x", "url": connorg.stack.functions}
    await page.context.add_cookies([known])
    header = principal(*roles)["x_ms_client_principal"]
    await page.context.set_extra_http_headers({"x-ms-client-principal": header})
    await page.goto(f"{connorg.stack.console}{place}")


async def test_who_is_not_signed_in_is_sent_to_microsoft(
    browser: Browser, shown: Connorg, failed: str
) -> None:
    async with opened(browser) as page:
        await page.goto(f"{shown.stack.console}#/onboardings/{failed}")
        link = page.get_by_role("link", name="Sign in with Microsoft")
        back = f"%2Fapi%2Fconsole%23%2Fonboardings%2F{failed}"
        login = f"/.auth/login/aad?post_login_redirect_uri={back}"
        await expect(link).to_have_attribute("href", login)
        await expect(page.get_by_label("Function key")).to_have_count(0)


async def test_who_may_only_read_is_offered_nothing_else(
    browser: Browser, shown: Connorg, failed: str
) -> None:
    async with opened(browser) as page:
        await signed_in(page, shown, Role.READ, place=f"#/onboardings/{failed}")
        await expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()
        await expect(page.get_by_role("button", name="Retry")).to_have_count(0)
        await expect(page.get_by_role("link", name="Connect", exact=True)).to_have_count(0)
        await page.get_by_role("link", name="Overview").click()
        await expect(page.get_by_role("region", name="Failures by cause")).to_be_visible()
        await expect(page.get_by_role("button", name="Retry")).to_have_count(0)
        await page.get_by_role("link", name="Onboardings", exact=True).click()
        await expect(page.get_by_role("rowheader").first).to_be_visible()
        await expect(page.get_by_role("checkbox")).to_have_count(0)


async def test_who_has_no_role_is_told_which_is_missing(
    browser: Browser, shown: Connorg, failed: str
) -> None:
    async with opened(browser) as page:
        await signed_in(page, shown, place=f"#/onboardings/{failed}")
        await expect(page.get_by_role("alert")).to_contain_text("Onboarding.Read is missing")


async def test_a_write_that_rides_on_the_cookie_brings_the_header(
    browser: Browser, shown: Connorg, failed: str
) -> None:
    async with opened(browser) as page:
        await signed_in(page, shown, Role.READ, Role.MANAGE, place=f"#/onboardings/{failed}")
        form = f"fetch('/api/onboardings/{failed}/retry', {{method: 'POST'}}).then((a) => a.status)"
        await expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()
        assert await page.evaluate(form) == 403
        await page.get_by_role("button", name="Retry", exact=True).click()
        await expect(page.get_by_text("1 onboarding is retried.")).to_be_visible()
        await expect(page.get_by_text("✓ Succeeded")).to_be_visible()
