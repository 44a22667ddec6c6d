"""The overview, the list and the page of an onboarding, in a browser."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.console import scenes
from tests.console.conftest import sign_in
from tests.end_to_end.client import Connorg, Partner, eventually

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "`+alert(1)+` &lt;b&gt; &amp;",
    "</title><svg onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "\u0634\u0631\u0643\u0629 <b>\u0643</b>",
)


async def causes(connorg: Connorg) -> dict[str, int]:
    """Return how many failed of each cause; tests before may have left some."""
    summary = (await connorg.call("GET", "onboardings/summary?status=Failed&since=7d")).json()
    return {cause["code"]: cause["count"] for cause in summary["byCode"]}


@pytest.mark.parametrize("count", [10, pytest.param(40, marks=pytest.mark.slow)])
async def test_failures_of_three_causes_are_replayed_by_three_clicks(
    page: Page, connorg: Connorg, count: int
) -> None:
    await scenes.fail(connorg, count=count)
    failed = await causes(connorg)
    failures = page.get_by_role("region", name="Failures by cause")
    for cause, reason, advice in (
        ("RefusedByGraph", "Microsoft Graph refused it.", "Correct the request"),
        ("TenantFull", "The tenant can't have more connected", "Delete those that are not"),
        ("AlreadyConnected", "is connected already", "use the organization as it is"),
    ):
        item = failures.get_by_role("listitem").filter(has_text=cause)
        await expect(item).to_contain_text(reason)
        await expect(item).to_contain_text(advice)
        await item.get_by_role("button", name=f"Retry these {failed[cause]}").click()
        told = page.get_by_role("status", name="Messages")
        await expect(told).to_contain_text(f"{failed[cause]} onboardings are retried.")

    async def those_that_are_connected_failed_again() -> bool:
        left = await causes(connorg)
        done = {"RefusedByGraph", "TenantFull"}.isdisjoint(left)
        return done and left.get("AlreadyConnected") == failed["AlreadyConnected"]

    await eventually(those_that_are_connected_failed_again, "they are not retried")
    await expect(failures).not_to_contain_text("RefusedByGraph")


@pytest.mark.slow
async def test_all_failures_are_replayed_by_one_click(page: Page, connorg: Connorg) -> None:
    for status, code in ((400, "BadRequest"), (403, "QuotaLimitExceeded")):
        partner = Partner()
        await connorg.graph.fail_creates(partner, "status", status=status, code=code)
        await scenes.ended(connorg, partner.body())
    await connorg.graph.heal()
    failures = page.get_by_role("region", name="Failures by cause")
    await failures.get_by_role("button", name=re.compile("Retry all")).click()
    await expect(failures).not_to_contain_text("TenantFull")


async def test_hostile_names_are_shown_as_they_are(page: Page, connorg: Connorg) -> None:
    """No name becomes markup, and none runs: in the list, on its page, in a message."""
    partners = [Partner() for _ in HOSTILE]
    for name, partner in zip(HOSTILE, partners, strict=True):
        texts = {"displayName": name, "description": name, "reference": name}
        await scenes.refused(connorg, partner, **texts)
    for name, partner in zip(HOSTILE, partners, strict=True):
        await page.goto(f"{page.url.partition('#')[0]}#/onboardings?text={partner.domain}")
        link = page.get_by_role("rowheader").get_by_role("link")
        await expect(link).to_have_text(name)
        await link.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(name)
        await expect(page).to_have_title(f"{name} · connorg")
        await page.get_by_role("button", name="Retry", exact=True).click()
        await expect(page.get_by_text("1 onboarding is retried.")).to_be_visible()
    assert await page.locator("img, script:not([src]), svg[onload]").count() == 0


@pytest.mark.slow
async def test_filters_are_in_the_address_so_that_a_view_can_be_shared(
    page: Page, connorg: Connorg, browser: Any
) -> None:
    partners = [Partner(), Partner()]
    await scenes.ended(connorg, partners[0].body(reference="INC 1&2"))
    await scenes.refused(connorg, partners[1], reference="INC 1&2")
    await page.get_by_role("link", name="Onboardings", exact=True).click()
    await page.get_by_text("More filters").click()
    await page.get_by_label("Reference", exact=True).fill("INC 1&2")
    await expect(page.get_by_text("2 onboardings")).to_be_visible()
    await page.get_by_label("Status").select_option("Failed")
    await expect(page.get_by_text("1 onboarding", exact=True)).to_be_visible()
    assert page.url.endswith("#/onboardings?status=Failed&reference=INC+1%262")
    ticket = page.get_by_role("link", name="INC 1&2")
    await expect(ticket).to_have_attribute("href", "https://tickets.example/?number=INC%201%262")
    other = await (await browser.new_context()).new_page()
    await sign_in(other, connorg, page.url.partition("/api/console")[2])
    await expect(other.get_by_label("Status")).to_have_value("Failed")
    await expect(other.get_by_role("rowheader").get_by_role("link")).to_have_text(
        partners[1].body()["displayName"]
    )
    await other.context.close()


@pytest.mark.slow
async def test_several_are_selected_and_retried_by_the_keyboard_alone(
    page: Page, connorg: Connorg
) -> None:
    reference = Partner().domain
    for partner in [Partner() for _ in range(3)]:
        await scenes.refused(connorg, partner, reference=reference)
    await page.goto(f"{page.url.partition('#')[0]}#/onboardings?reference={reference}")
    await expect(page.get_by_text("3 onboardings")).to_be_visible()
    assert await focused(page) == "Onboardings", "a page that opens is read from its heading"
    for _ in range(30):
        await page.keyboard.press("Tab")
        if (await focused(page)).startswith("Select all"):
            break
    await page.keyboard.press("Space")
    await expect(page.get_by_text("3 selected")).to_be_visible()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    assert await focused(page) == "Retry selected"
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("3 onboardings are retried.")).to_be_visible()
    await expect(page.get_by_role("cell", name="Succeeded")).to_have_count(3)


async def focused(page: Page) -> str:
    script = "(e => e.getAttribute('aria-label') ?? e.textContent)(document.activeElement)"
    return str(await page.evaluate(script)).strip()


@pytest.mark.slow
async def test_one_that_waits_says_why_and_is_canceled_once_that_is_confirmed(
    page: Page, connorg: Connorg
) -> None:
    [waiting] = await scenes.wait(connorg, 1)
    region = page.get_by_role("region", name="Waiting")
    await expect(region).to_contain_text("PermissionMissing")
    await expect(region).to_contain_text("EntitlementManagement.ReadWrite.All")
    await region.get_by_text("Waiting longest").get_by_role("link").click()
    await expect(page.get_by_role("heading", name="Why it waits")).to_be_visible()
    await expect(page.get_by_text("Grant the app's managed identity")).to_be_visible()
    until = page.get_by_role("region", name="History").get_by_text("until").first
    await expect(until.locator("time")).to_have_attribute("title", re.compile(" UTC$"))
    await expect(until).not_to_contain_text("Z")
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    await cancel.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert (await connorg.onboarding(waiting))["status"] != "Canceled"
    await cancel.click()
    await page.get_by_role("button", name="Cancel the onboarding").click()
    await expect(page.get_by_text("1 onboarding is canceled.")).to_be_visible()
    assert (await connorg.ended(waiting))["status"] == "Canceled"


@pytest.mark.slow
async def test_several_that_wait_are_canceled_and_their_rows_stay_where_they_are(
    page: Page, connorg: Connorg
) -> None:
    """What is read anew changes texts: rows, and what is selected, stay."""
    reference = Partner().domain
    await connorg.graph.fail({"method": "POST", "fault": "throttle", "retryAfter": 600})

    async def submit() -> str:
        body = Partner().body(reference=reference)
        return await connorg.accepted(body, prefer="respond-async")

    waiting = [await submit(), await submit()]
    await page.goto(f"{page.url.partition('#')[0]}#/onboardings?reference={reference}")
    rows = page.locator("tbody tr")
    await expect(page.get_by_text("GraphThrottled").first).to_be_visible()
    await expect(rows.get_by_role("checkbox")).to_have_count(2)
    await rows.first.evaluate("(row) => { row.mark = 'the same' }")
    await page.get_by_label("Select all that are shown").check()
    third = await submit()
    await expect(rows).to_have_count(3)
    assert await rows.nth(1).evaluate("(row) => row.mark") == "the same"
    await expect(page.get_by_text("2 selected")).to_be_visible()
    await page.get_by_role("button", name="Cancel selected").click()
    await page.get_by_role("button", name="Cancel them").click()
    await expect(page.get_by_text("2 onboardings are canceled.")).to_be_visible()
    for each in waiting:
        assert (await connorg.onboarding(each))["status"] == "Canceled"
    assert (await connorg.onboarding(third))["status"] != "Canceled"


@pytest.mark.slow
async def test_a_graph_that_throttles_is_told_with_the_time_until_which(
    page: Page, connorg: Connorg
) -> None:
    partner = Partner()
    await connorg.graph.fail_creates(partner, "throttle", retryAfter=600)
    await connorg.accepted(partner.body(), prefer="respond-async")
    region = page.get_by_role("region", name="Waiting")
    await expect(region).to_contain_text("Microsoft Graph is not called until")
    await expect(region).to_contain_text("GraphThrottled")


@pytest.mark.slow
async def test_the_history_is_a_time_line_with_graph_s_request_ids(
    page: Page, connorg: Connorg
) -> None:
    onboarding = await scenes.refused(connorg, Partner())
    known = await connorg.onboarding(onboarding)
    await page.goto(f"{page.url.partition('#')[0]}#/onboardings/{onboarding}")
    steps = page.get_by_role("region", name="History").get_by_role("listitem")
    await expect(steps).to_have_count(len(known["history"]))
    assert known["lastError"]["graphRequestId"]
    why = page.get_by_role("region", name="Why it failed")
    await expect(why).to_contain_text(known["lastError"]["graphRequestId"])
    moment = steps.first.locator("time")
    assert (await moment.get_attribute("title") or "").endswith(" UTC")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await why.get_by_role("button", name="Copy: Graph's request id").click()
    assert (
        await page.evaluate("navigator.clipboard.readText()")
        == known["lastError"]["graphRequestId"]
    )


@pytest.mark.slow
async def test_an_overview_of_2500_onboardings_is_there_within_seconds(
    page: Page, connorg: Connorg
) -> None:
    await scenes.remember(connorg, 2_500)
    await page.reload()
    await expect(page.get_by_role("region", name="Accepted, and what became of it")).to_be_visible(
        timeout=10_000
    )
