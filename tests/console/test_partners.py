"""The organizations in Entra, in a browser."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from infra.local.functions_host import DEFAULT_MASTER_KEY
from infra.local.tokens import HOME_TENANT_ID
from tests.console import scenes
from tests.console.browser import opened
from tests.console.conftest import sign_in
from tests.end_to_end.client import Connorg, Partner

ADA = {
    "id": "aaaaaaaa-0000-4000-8000-00000000ada0",
    "userPrincipalName": "ada@home.example",
}


async def standing(connorg: Connorg, **changes: Any) -> dict[str, Any]:
    """Let an organization be connected, and return it."""
    onboarding = await scenes.ended(connorg, Partner().body(**changes))
    assert onboarding["status"] == "Succeeded"
    return onboarding


@pytest.mark.slow
async def test_a_proposed_partner_is_found_and_configured(page: Page, connorg: Connorg) -> None:
    made = await standing(connorg, state="proposed")
    [source] = made["request"]["identitySources"]
    await page.get_by_role("link", name="Partners", exact=True).click()
    search = page.get_by_role("searchbox", name="Search")
    await search.fill("nobody is called so")
    await expect(page.get_by_text("No organization matches.")).to_be_visible()
    await page.get_by_role("button", name="Refresh").click()
    await search.fill(source["domainName"][:-4].upper())
    await expect(page).to_have_url(
        re.compile(f"#/partners.text={source['domainName'][:-4].upper()}$")
    )
    await page.get_by_role("link", name=made["result"]["displayName"]).click()
    await page.get_by_role("button", name="Configure").click()
    await expect(page.get_by_text("The organization is changed.")).to_be_visible()
    await expect(page.get_by_role("button", name="Set to proposed")).to_be_visible()
    assert (await connorg.graph.organization(made["result"]["id"]))["state"] == "configured"


@pytest.mark.slow
async def test_a_name_is_changed_unless_somebody_was_faster(page: Page, connorg: Connorg) -> None:
    made = (await standing(connorg))["result"]
    await page.goto(f"{page.url.partition('#')[0]}#/partners/{made['id']}")
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_label("Name").fill("A <b>better</b> name")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("A <b>better</b> name")
    path = f"connected-organizations/{made['id']}"
    await connorg.call("PATCH", path, content=b'{"description": "Changed by somebody else"}')
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_label("Name").fill("Too late")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The organization was changed since")).to_be_visible()
    told = await connorg.graph.organization(made["id"])
    assert told["displayName"] == "A <b>better</b> name"


@pytest.mark.slow
async def test_a_partner_without_sponsors_is_reported_and_gets_one(
    page: Page, connorg: Connorg
) -> None:
    home = {"tenantId": HOME_TENANT_ID, "displayName": "Home", "defaultDomainName": "home.example"}
    await connorg.graph.enroll({**home, "users": [ADA]})
    made = (await standing(connorg))["result"]
    await page.get_by_role("link", name="Partners", exact=True).click()
    await page.get_by_role("link", name="Without sponsors").click()
    await page.get_by_role("link", name=made["displayName"]).click()
    sponsors = page.get_by_role("region", name="Internal sponsors")
    await sponsors.get_by_label("Add a sponsor").fill("nobody")
    await sponsors.get_by_role("button", name="Add").click()
    await expect(page.get_by_text("Must be the object id")).to_be_visible()
    await sponsors.get_by_label("Add a sponsor").fill("ada@home.example")
    await sponsors.get_by_role("button", name="Add").click()
    await expect(sponsors.get_by_role("listitem")).to_contain_text(ADA["id"])
    await sponsors.get_by_role("button", name=re.compile("Remove")).click()
    await expect(sponsors.get_by_text("There are none.")).to_be_visible()


async def test_a_delete_is_offered_to_who_may_and_confirmed_by_the_name(
    page: Page, connorg: Connorg, browser: Browser
) -> None:
    made = (await standing(connorg))["result"]
    place = f"#/partners/{made['id']}"
    await page.goto(f"{page.url.partition('#')[0]}{place}")
    await expect(page.get_by_role("button", name="Edit")).to_be_visible()
    await expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    async with opened(browser) as other:
        await sign_in(other, connorg, place, DEFAULT_MASTER_KEY)
        await other.get_by_role("button", name="Delete").click()
        confirm = other.get_by_role("button", name="Delete the organization")
        await other.get_by_label("Type the name").fill(made["displayName"][:-1])
        await expect(confirm).to_be_disabled()
        await other.get_by_label("Type the name").fill(made["displayName"])
        await confirm.click()
        await expect(other.get_by_text(f"{made['displayName']} is deleted.")).to_be_visible()
        await expect(other.get_by_role("heading", name="Partners")).to_be_visible()
    answer = await connorg.call("GET", f"connected-organizations/{made['id']}")
    assert answer.status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("view", ["Long proposed", "Not requested here"])
async def test_a_report_that_graph_refuses_says_so(page: Page, connorg: Connorg, view: str) -> None:
    await connorg.graph.fail({"method": "GET", "fault": "status", "status": 503})
    await page.get_by_role("link", name="Partners", exact=True).click()
    await page.get_by_role("link", name=view).click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await connorg.graph.heal()
